"""How many searches `sightings serve` answers, how fast, and what it does when asked for more."""
