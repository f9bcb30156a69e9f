"""The engine for many machines and many millions of faces: an Elasticsearch cluster."""
