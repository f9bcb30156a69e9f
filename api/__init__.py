"""The service: Sightings over HTTP, for browsers and programs; `sightings serve` runs it.

`api.app.create_app` makes the WSGI application; docs/api.md describes what it answers.
"""
