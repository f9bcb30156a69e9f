"""`python -m indexer` is `sightings`."""

from indexer.cli import main

main()
