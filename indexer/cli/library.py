"""`sightings media`, `faces`, `stats`, `models` and `settings`: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.cli.options import (
    IndexOption,
    JsonOption,
    MediaArgument,
    SetOption,
    YesOption,
    confirm,
    load_settings,
    open_existing,
)
from indexer.cli.output import note, say, say_deleted, span, table
from indexer.cli.uploads import with_uploads
from indexer.text import clock, counted, near, shown

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.records import Face

media_app = typer.Typer(help="Photos and videos: list, show, remove, prune.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(media_app, name="media")
    app.command("faces")(faces_command)
    app.command("stats")(stats_command)
    app.command("models")(models_command)
    app.command("settings")(settings_command)


@media_app.command("list")
def list_media(
    index: IndexOption = None, assignments: SetOption = None, as_json: JsonOption = False
) -> None:
    """List photos and videos with their state."""
    from indexer.cli.document import print_json
    from indexer.documents import media_document

    with open_existing(load_settings(assignments, index=index)) as opened:
        listed = list(opened.iter_media())
    if as_json:
        print_json([media_document(media) for media in listed])
    elif listed:
        table(
            ("id", "kind", "state", "length", "path"),
            [
                (
                    media.id[:12],
                    media.kind,
                    media.state,
                    clock(media.duration_s) if media.duration_s else "",
                    near(media.path),
                )
                for media in listed
            ],
        )
    if not listed:
        note("The index holds no photos or videos yet: sightings index PATH...")
        raise typer.Exit(1)


@media_app.command("show")
def show_media(
    media: MediaArgument,
    index: IndexOption = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that is known of photos or videos."""
    from indexer.cli.document import print_json
    from indexer.documents import media_document, segment_document
    from indexer.lookup import find_media

    with open_existing(load_settings(assignments, index=index)) as opened:
        documents = [media_document(find_media(opened, text)) for text in media]
        for document in documents:
            segments = opened.list_segments(document["id"])
            document["segments"] = [segment_document(segment) for segment in segments]
    if as_json:
        print_json(documents)
        return
    for document in documents:
        _say_media(document)


def _say_media(document: dict[str, Any]) -> None:
    for name, value in document.items():
        if name not in {"segments", "path"} and value is not None:
            for item in value if isinstance(value, list) else [value]:
                say(f"{name}: {shown(item)}")
    columns = ("number", "state", "attempts", "frames", "key_frames", "faces", "decode_errors")
    table(
        ("segment", *(column.replace("_", " ") for column in columns[1:])),
        [[str(segment[column]) for column in columns] for segment in document["segments"]],
    )


@media_app.command("remove")
def remove_media(
    media: MediaArgument,
    index: IndexOption = None,
    assignments: SetOption = None,
    yes: YesOption = False,
) -> None:
    """Delete photos or videos from the index for good; of the files themselves, uploads alone."""
    from indexer.lookup import find_media

    settings = load_settings(assignments, index=index)
    with open_existing(settings) as opened:
        found = {wanted.id: wanted for wanted in (find_media(opened, text) for text in media)}
        for wanted in found.values():
            say(f"{wanted.id[:12]}  {shown(near(wanted.path))}")
        confirm(f"Delete all that the index holds of {len(found)} media for good?", yes=yes)
        with with_uploads(found.values(), settings):
            say_deleted(lambda: opened.delete_media(list(found)))


@media_app.command("prune")
def prune_media(
    index: IndexOption = None, assignments: SetOption = None, yes: YesOption = False
) -> None:
    """Forget paths that are gone, and delete media that are left without any."""
    from indexer.prune import gone_files, pathless_media, prune

    with open_existing(load_settings(assignments, index=index)) as opened:
        gone, pathless = gone_files(opened), pathless_media(opened)
        for file in gone:
            say(shown(near(file.path)))
        for folder in sorted({str(Path(file.path).parent) for file in gone}):
            if not Path(folder).exists():
                note(f"The folder {shown(near(folder))} is gone: is its disk connected?")
        for media in pathless:
            say(f"{media.id[:12]}  ({media.kind} that lies nowhere any more)")
        if not gone and not pathless:
            say("Nothing to prune: every file is where it was.")
            return
        paths = counted(len(gone), "path")
        confirm(f"Forget {paths} and delete the media that lie nowhere else for good?", yes=yes)
        say_deleted(lambda: prune(opened, gone))
    say(f"Forgot {paths}.")


def faces_command(
    media: MediaArgument,
    index: IndexOption = None,
    assignments: SetOption = None,
    thumbnails: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write each face's picture.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the faces of photos or videos, with the ids that other commands take."""
    from indexer.cli.document import print_json
    from indexer.documents import face_document
    from indexer.lookup import find_media
    from indexer.records import Filters

    with open_existing(load_settings(assignments, index=index)) as opened:
        ids = tuple(find_media(opened, text).id for text in media)
        faces = list(opened.iter_faces(Filters(media_ids=ids)))
        if thumbnails:
            _write_thumbnails(opened, faces, thumbnails)
    if as_json:
        print_json([face_document(face) for face in faces])
    elif faces:
        table(
            ("face", "person", "time", "appearance", "size", "prob."),
            [_face_row(face) for face in faces],
        )
    if not faces:
        note("The index holds no faces of these.")
        raise typer.Exit(1)


def _face_row(face: Face) -> tuple[str, ...]:
    return (
        face.id.replace(face.media_id, face.media_id[:12]),
        face.person or "-",
        clock(face.timestamp_s),
        span(face.appearance_start_s, face.appearance_end_s),
        f"{face.face_px:.0f} px",
        f"{face.probability:.3f}",
    )


def _write_thumbnails(index: Index, faces: list[Face], folder: Path) -> None:
    from indexer.errors import EnvironmentFailure

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for face in faces:
            (folder / f"{face.id}.jpg").write_bytes(index.thumbnail(face.id) or b"")
    except OSError as error:
        raise EnvironmentFailure(f"The faces cannot be written to {folder}: {error}") from error
    note(f"{counted(len(faces), 'picture')} written to {shown(folder)}.")


def stats_command(
    index: IndexOption = None, assignments: SetOption = None, as_json: JsonOption = False
) -> None:
    """Show counts, sizes and the model of the index."""
    from indexer.cli.document import print_json

    with open_existing(load_settings(assignments, index=index)) as opened:
        stats = opened.stats()
    if as_json:
        print_json(stats)
    else:
        for name, value in stats.items():
            say(f"{name.replace('_', ' ')}: {shown(value)}")


def models_command(assignments: SetOption = None, as_json: JsonOption = False) -> None:
    """List the embedding models: size, licence, and where their weights are."""
    from dataclasses import asdict

    from indexer.cli.document import print_json
    from indexer.embeddings import available_models
    from indexer.runtime import runtime_of

    settings = load_settings(assignments)
    models = available_models(settings)
    if as_json:
        print_json([asdict(model) for model in models])
        return
    for model in models:
        say(model.spec)
        say(f"    dimensions: {model.dimensions or 'as its card says'}")
        say(f"    weights: {shown(model.weights)}")
        say(f"    licence: {model.licence}")
        if verdicts := model.thresholds:
            say(
                f"    verdicts: `possible` from a score of {verdicts.possible:g},"
                f" `same person` from {verdicts.same_person:g} ({verdicts.basis})"
            )
        if model.missing:
            say(f"    needs first: {shown(model.missing)}")
    say(f"Networks run on {runtime_of(settings)}.")


def settings_command(assignments: SetOption = None, as_json: JsonOption = False) -> None:
    """List the settings in force, with their variables and what they mean."""
    from indexer.cli.document import print_json
    from indexer.settings import describe

    listed = list(describe(load_settings(assignments)))
    if as_json:
        print_json({entry.name: entry.default for entry in listed})
        return
    for entry in listed:
        say(f"{entry.name} = {shown(entry.default) or '(empty)'}")
        say(f"    {entry.help} ({entry.variable})")
