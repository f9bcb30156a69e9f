"""How fast media are indexed, beside the straightforward use of the same libraries."""
