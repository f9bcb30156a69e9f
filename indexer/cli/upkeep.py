"""`sightings optimize`: what keeps an index small and fast."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.cli.options import IndexOption, SetOption, load_settings, open_existing
from indexer.cli.output import say
from indexer.text import counted


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("optimize")(optimize_command)


def optimize_command(
    index: IndexOption = None,
    assignments: SetOption = None,
    drop_old: Annotated[
        bool,
        typer.Option("--drop-old", help="Also delete what `reindex` replaced and kept, for good."),
    ] = False,
    renew_links: Annotated[
        bool,
        typer.Option(
            "--renew-links",
            help="Also sign the links to pictures in the index anew, by the first signing key.",
        ),
    ] = False,
) -> None:
    """Make searches fast after much was indexed, and finish what deletions had to leave."""
    with open_existing(load_settings(assignments, index=index)) as opened:
        if drop_old:
            dropped = opened.drop_old_versions()
            say(f"Deleted {counted(dropped, 'version')} of the faces that had been replaced.")
        if renew_links:
            renewed = opened.renew_links()
            say(f"Renewed the links of {counted(renewed, 'document')}.")
        opened.optimize()
    say("The index is in order.")
