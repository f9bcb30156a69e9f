"""How well Sightings, and the systems it grew from, find people: measures, protocols, reports."""
