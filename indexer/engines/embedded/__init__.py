"""The embedded engine: one SQLite file, and exact cosine search over its vectors in memory."""
