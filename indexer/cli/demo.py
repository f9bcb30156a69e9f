"""`sightings demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli.index import show_report
from indexer.cli.options import ModelOption, SetOption, load_settings, networks_for
from indexer.cli.output import note, say
from indexer.cli.search import show_results
from indexer.text import near, shown


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo_command)


def demo_command(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="FOLDER", help="Where everything is written.")
    ] = Path("sightings-demo"),
    model: ModelOption = None,
    assignments: SetOption = None,
) -> None:
    """Show it all on photos and a short video that need no data of yours."""
    from indexer import open_index
    from indexer.cli.progress import file_bars
    from indexer.contact_sheet import write_sheet
    from indexer.demo import make_media, pick_model
    from indexer.ingest import ingest
    from indexer.query import PictureQueries
    from indexer.searching import find

    place = folder.absolute() / "demo.sightings"
    settings = load_settings(assignments, index=str(place))
    media = make_media(folder.absolute())
    with open_index(place, create=True) as index:
        if index.model is not None and not model:
            spec, reason = index.model.name, f"an earlier run made {near(str(place))} with it"
            networks = networks_for(index.model, settings)
        else:
            spec, reason = pick_model(settings, model or "")
            networks = networks_for(index.model, settings, spec=spec)
        note(f"Model: {spec}, because {shown(reason)}.")
        at = f"--index {shown(near(str(place)))}"
        say(f"\n$ sightings index {shown(near(str(media.folder)))} --model {spec} {at}")
        with file_bars() as bars:
            report = ingest(index, [media.folder], networks, progress=bars)
        show_report(report, settings, as_json=False)
        say(f"\n$ sightings search {shown(near(str(media.query)))} {at}")
        query = PictureQueries(index, settings, networks=networks).photo(media.query)[0]
        results = find(index, query)
        show_results([(query, results)], listed=False, as_json=False)
        write_sheet(folder / "sheet.png", index, query, results)
    say(f"\nContact sheet: {shown(folder / 'sheet.png')}")
    if not results:
        raise typer.Exit(1)
