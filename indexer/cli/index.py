"""`sightings index` and `sightings reindex`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import (
    IndexOption,
    JsonOption,
    ModelOption,
    SetOption,
    index_path,
    load_settings,
    networks_for,
    open_existing,
    open_or_create,
    would_be_made,
)
from indexer.cli.output import note, say
from indexer.library_threads import ONE_FOR_PRODUCTS, set_before_imports
from indexer.text import counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.deferred import DeferredNetworks
    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Media
    from indexer.reports import Report
    from indexer.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("index")(index_command)
    app.command("reindex")(reindex_command)


def index_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Photos, videos and folders of them.")
    ],
    index: IndexOption = None,
    model: ModelOption = None,
    names_from_folders: Annotated[
        bool,
        typer.Option(
            "--names-from-folders", help="Name the central face of each photo after its folder."
        ),
    ] = False,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Name faces by rows of path,person and optional time_s,x1,y1,x2,y2.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Look for faces again, also in failed files.")
    ] = False,
    key_frames: Annotated[
        str | None,
        typer.Option(
            metavar="STRATEGY",
            help="Frames of a video that are looked at: delta-e, fps=R, random=N or all.",
            show_default=False,
        ),
    ] = None,
    min_face: Annotated[
        int | None,
        typer.Option(metavar="PX", help="Smallest face to look for.", show_default=False),
    ] = None,
    min_probability: Annotated[
        float | None,
        typer.Option(metavar="P", help="Lowest probability of a face.", show_default=False),
    ] = None,
    max_side: Annotated[
        int | None,
        typer.Option(
            metavar="PX", help="Reduce larger pictures to this side first.", show_default=False
        ),
    ] = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find every face in photos and videos and store it; what is done already is skipped."""
    set_before_imports(ONE_FOR_PRODUCTS)

    from indexer.cli.progress import file_bars
    from indexer.ingest import ingest
    from indexer.naming import name_from_file, read_names

    settings = load_settings(
        assignments,
        index=index,
        keyframes__strategy=key_frames,
        faces__min_face_px=min_face,
        faces__min_probability=min_probability,
        faces__max_side_px=max_side,
    )
    rows = read_names(names) if names else {}
    spec = model or ""
    # A new index is not made before it is sure that something can be put into it.
    networks: Networks | DeferredNetworks | None = None
    if would_be_made(settings):
        networks = networks_for(None, settings, spec=spec)
    with open_or_create(settings) as opened:
        networks = networks or _networks_of(opened, settings, spec)
        with file_bars() as bars:
            report = ingest(
                opened,
                paths,
                networks,
                force=force,
                progress=bars,
                after_media=_namer(opened, names_from_folders),
            )
        labelled, missing = name_from_file(opened, rows)
        report.labelled += labelled
        report.warnings += missing
    show_report(report, settings, as_json=as_json)
    if report.failed or report.waiting or not (report.done or report.skipped):
        raise typer.Exit(1)


def _networks_of(index: Index, settings: Settings, spec: str) -> Networks | DeferredNetworks:
    """Return the networks for an index: of its model, unless one is asked for, only when needed."""
    from indexer.deferred import DeferredNetworks
    from indexer.networks import load_networks

    model = index.model
    if spec or model is None:
        return networks_for(model, settings, spec=spec)
    return DeferredNetworks(model, settings, lambda: load_networks(model, settings))


def reindex_command(
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="The new model; `sightings models` lists them.")
    ],
    index: IndexOption = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Embed all stored faces with another model; the old one answers until it is complete."""
    from indexer.cli.document import print_json
    from indexer.cli.options import load_embedder
    from indexer.cli.progress import file_bars
    from indexer.reindex import reindex

    settings = load_settings(assignments, index=index, model=model)
    with open_existing(settings) as opened:
        embedder = load_embedder(settings)
        with file_bars() as bars:
            report = reindex(opened, embedder, settings, bars)
        kept = opened.stats().get("versions_kept")
    if as_json:
        print_json(vars(report))
    else:
        for line in report.failed:
            note(shown(line))
        state = (
            f"{embedder.identity.key} is live."
            if report.activated
            else "The old model stays live; run this again when the media above are mended."
        )
        say(f"{counted(report.faces, 'face')} of {report.media} media embedded anew. {state}")
        if kept:
            note(f"What it replaced is kept: {kept}. `sightings optimize --drop-old` deletes it.")
    if not report.activated:
        raise typer.Exit(1)


def _namer(index: Index, from_folders: bool) -> Callable[[Media, Path], int]:
    from indexer.naming import name_from_folder

    return lambda media, path: name_from_folder(index, media, path) if from_folders else 0


def show_report(report: Report, settings: Settings, *, as_json: bool) -> None:
    """Print what an ingest did."""
    if as_json:
        from indexer.cli.document import print_json

        print_json({**vars(report), "lost_labels": [label.id for label in report.lost_labels]})
        return
    for warning in report.warnings:
        note(f"warning: {shown(warning)}")
    for failure in report.failed:
        note(f"failed: {shown(failure)}")
    for path in report.waiting:
        note(f"waiting: another process is working on {shown(path)}.")
    for label in report.lost_labels:
        note(f"warning: no face was found for the label {shown(label.person)} ({label.id}).")
    done = f"{len(report.done)} done, {len(report.skipped)} skipped, {len(report.failed)} failed"
    faces, names = counted(report.faces, "face"), counted(report.labelled, "name")
    say(f"{done}; {faces} stored, {names} given.")
    if report.skipped and not (report.done or report.failed or report.waiting):
        say("Nothing to do: all of it is indexed already.")
    say(f"Index: {shown(index_path(settings))}")
