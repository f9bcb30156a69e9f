"""The routes of the service: a blueprint for each resource."""
