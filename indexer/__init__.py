"""Sightings finds where a person appears in photos and videos."""
