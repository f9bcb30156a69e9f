"""How fast the Elasticsearch engine writes and finds, and how much it finds of what is there."""
