"""`sightings export`: the vectors of an index as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from indexer.cli.options import IndexOption, SetOption, load_settings, open_existing
from indexer.cli.output import note, say
from indexer.text import counted, shown


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(export_command)


def export_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write: .npz, or .parquet.")
    ],
    index: IndexOption = None,
    person: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only faces of this name (repeatable).", show_default=False
        ),
    ] = None,
    unnamed: Annotated[bool, typer.Option("--unnamed", help="Only faces without a name.")] = False,
    kind: Annotated[
        Literal["photo", "video"] | None, typer.Option(help="Only these.", show_default=False)
    ] = None,
    assignments: SetOption = None,
) -> None:
    """Write the faces' vectors with ids, paths, names, times and boxes for other programs."""
    from indexer.export import export_vectors
    from indexer.records import Filters

    if person and unnamed:
        raise typer.BadParameter("--person and --unnamed exclude each other.")
    filters = Filters(persons=tuple(person or ()), unnamed=unnamed, kind=kind)
    with open_existing(load_settings(assignments, index=index)) as opened:
        written = export_vectors(opened, file, filters)
    say(f"{counted(written, 'face')} written to {shown(file)}.")
    note(
        "These vectors are biometric data: only you can read the file. Forgetting somebody in the "
        "index does not reach it; delete it when it has served."
    )
