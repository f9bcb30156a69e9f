"""`sightings search`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from indexer.cli.options import (
    IndexOption,
    JsonOption,
    ModelOption,
    SetOption,
    finite,
    load_settings,
    open_existing,
)
from indexer.cli.output import note, say, spans, table
from indexer.text import clock, near, shown

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.query import FaceChoice, Query
    from indexer.results import Result
    from indexer.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("search")(search_command)


def search_command(
    photos: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PHOTO",
            help="A photo, several of one person, or a video.",
            show_default=False,
        ),
    ] = None,
    index: IndexOption = None,
    face: Annotated[
        str,
        typer.Option(metavar="N", help="Which face: largest, all, or its number from the left."),
    ] = "largest",
    stored_face: Annotated[
        str | None,
        typer.Option(metavar="FACE", help="Search for an indexed face.", show_default=False),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Search for a named person.", show_default=False),
    ] = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many photos and videos at most.")
    ] = 20,
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="COSINE",
            min=-1,
            max=1,
            callback=finite,
            help="Lowest score.",
            show_default=False,
        ),
    ] = None,
    include_different: Annotated[
        bool, typer.Option("--all", help="Also those whose verdict is `different`.")
    ] = False,
    named: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only faces of this name (repeatable).", show_default=False
        ),
    ] = None,
    unnamed: Annotated[bool, typer.Option("--unnamed", help="Only faces without a name.")] = False,
    media: Annotated[
        list[str] | None,
        typer.Option(metavar="MEDIA", help="Only in this media (repeatable).", show_default=False),
    ] = None,
    file_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only in files of this name (repeatable).", show_default=False
        ),
    ] = None,
    under: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Only below this folder.", show_default=False),
    ] = None,
    kind: Annotated[
        Literal["photo", "video"] | None, typer.Option(help="Only these.", show_default=False)
    ] = None,
    from_s: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            callback=finite,
            help="Only from this second of a video.",
            show_default=False,
        ),
    ] = None,
    to_s: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            callback=finite,
            help="Only to this second of a video.",
            show_default=False,
        ),
    ] = None,
    recorded_from: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Only recorded at this date or time (UTC) or later.",
            show_default=False,
        ),
    ] = None,
    recorded_to: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Only recorded at this date or time (UTC) or earlier.",
            show_default=False,
        ),
    ] = None,
    min_face: Annotated[
        float | None,
        typer.Option(
            metavar="PX",
            callback=finite,
            help="Only faces this large or larger.",
            show_default=False,
        ),
    ] = None,
    min_probability: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            callback=finite,
            help="Only faces this sure or surer.",
            show_default=False,
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Write a contact sheet of the query and its results.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the photos and videos in which a person appears, and when."""
    from indexer.contact_sheet import check_sheet
    from indexer.moments import moment
    from indexer.records import Filters
    from indexer.searching import find

    if from_s is not None and to_s is not None and from_s > to_s:
        raise typer.BadParameter(f"--from-s {from_s:g} is after --to-s {to_s:g}.")
    if named and unnamed:
        raise typer.BadParameter("--named and --unnamed exclude each other.")
    if sheet:
        check_sheet(sheet)
    settings = load_settings(assignments, index=index)
    with open_existing(settings) as opened:
        filters = Filters(
            persons=tuple(named or ()),
            media_ids=_media_ids(opened, media or []),
            file_names=tuple(file_name or ()),
            path_prefix=os.path.abspath(under) if under else None,  # noqa: PTH100
            kind=kind,
            from_s=from_s,
            to_s=to_s,
            recorded_from=moment(recorded_from, "--recorded-from"),
            recorded_to=moment(recorded_to, "--recorded-to", end_of_day=True),
            min_face_px=min_face,
            min_probability=min_probability,
            unnamed=unnamed,
        )
        queries = _queries(opened, settings, model or "", photos or [], face, stored_face, person)
        found = [
            (
                query,
                find(
                    opened,
                    query,
                    filters=filters,
                    top=top,
                    min_score=min_score,
                    include_different=include_different,
                ),
            )
            for query in queries
        ]
        if face == "largest" and not as_json:
            _note_choices(queries, alone=len(photos or ()) == 1)
        show_results(found, listed=face == "all", as_json=as_json)
        if sheet:
            _write_sheets(opened, found, sheet)
    if not any(results for _, results in found):
        if not (include_different or as_json):
            note("With --all, those with the verdict `different` are listed, too.")
        raise typer.Exit(1)


def _queries(
    index: Index,
    settings: Settings,
    spec: str,
    photos: list[Path],
    face: str,
    stored_face: str | None,
    person: str | None,
) -> list[Query]:
    from indexer.cli.progress import file_bars
    from indexer.errors import UsageError
    from indexer.query import PictureQueries, person_query, stored_face_query

    if bool(photos) + (stored_face is not None) + (person is not None) != 1:
        raise UsageError("Give either photos (or a video), or --stored-face, or --person.")
    if stored_face is not None:
        return [stored_face_query(index, stored_face)]
    if person is not None:
        return [person_query(index, person)]
    if face not in {"largest", "all"} and not face.isdecimal():
        raise UsageError(f"--face takes largest, all or a number, not {face!r}.")
    choice = cast("FaceChoice", int(face) if face.isdecimal() else face)
    with file_bars() as bars:
        return PictureQueries(index, settings, spec=spec, progress=bars).any_media(photos, choice)


def _note_choices(queries: list[Query], *, alone: bool) -> None:
    """Say which faces of photos that show several are searched for."""
    way = "; --face N takes another" if alone else ""
    for text in (text for query in queries for text in query.among_others):
        note(f"{shown(text)} (the largest{way})")


def _media_ids(index: Index, given: list[str]) -> tuple[str, ...]:
    from indexer.lookup import find_media

    return tuple(find_media(index, text).id for text in given)


def show_results(found: list[tuple[Query, list[Result]]], *, listed: bool, as_json: bool) -> None:
    """Print queries with their results; `listed` where each face of a photo has a list."""
    if as_json:
        from indexer.cli.document import print_json
        from indexer.documents import search_document

        documents = [search_document(query, results) for query, results in found]
        print_json({"lists": documents} if listed else documents[0])
        return
    for query, results in found:
        if listed:
            say(f"{shown(query.description)}:")
        if not results:
            note(f"Nothing found for {shown(query.description)}.")
            continue
        table(
            ("#", "verdict", "score", "person", "where", "when", "best"),
            [_row(number, result) for number, result in enumerate(results, 1)],
        )


def _row(number: int, result: Result) -> tuple[str, ...]:
    face = result.best.face
    unfinished = "" if result.media.state == "done" else f" ({result.media.state})"
    return (
        str(number),
        result.verdict or "-",
        f"{result.score:.3f}",
        result.person or "-",
        f"{near(result.media.path)}{unfinished}",
        spans(result),
        clock(face.timestamp_s) if result.media.kind == "video" else "",
    )


def _write_sheets(index: Index, found: list[tuple[Query, list[Result]]], file: Path) -> None:
    from indexer.contact_sheet import write_sheet

    for query, results in found:
        path = file
        if len(found) > 1:
            path = file.with_name(f"{file.stem}-{query.number}{file.suffix}")
        write_sheet(path, index, query, results)
        note(f"Contact sheet: {shown(path)}")
