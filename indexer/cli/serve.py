"""`sightings serve`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from indexer.cli.options import IndexOption, SetOption, load_settings
from indexer.cli.output import note


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve_command)


def serve_command(
    index: IndexOption = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen at.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(metavar="N", help="Port to listen at; 0: a free one.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Model for a new index.", show_default=False),
    ] = None,
    assignments: SetOption = None,
) -> None:
    """Serve the index to browsers and programs, and index what they add."""
    from dataclasses import replace

    from indexer.errors import MissingExtra
    from indexer.location import location_to_create

    # Threads of one small product wait for each other and keep cores busy: with two, a search took
    # nearly five times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from api.server import run
    except ImportError as error:
        if (error.name or "").partition(".")[0] in {"api", "indexer", "tasks"}:
            raise
        raise MissingExtra("The service", "service") from error
    settings = load_settings(
        assignments, index=index, api__host=host, api__port=port, model=model or None
    )
    settings = replace(settings, index=location_to_create(settings))
    run(settings, ready=lambda address: note(f"Sightings serves {address} (Ctrl-C ends it)."))
