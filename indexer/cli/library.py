"""`sightings media`, `faces`, `stats`, `models` and `settings`: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.cli.options import (
    IndexOption,
    JsonOption,
    MediaArgument,
    YesOption,
    confirm,
    load_settings,
    open_existing,
)
from indexer.cli.output import say, table
from indexer.text import clock, shown

media_app = typer.Typer(help="Photos and videos: list, show, remove, prune.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(media_app, name="media")
    app.command("faces")(faces_command)
    app.command("stats")(stats_command)
    app.command("models")(models_command)
    app.command("settings")(settings_command)


@media_app.command("list")
def list_media(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """List photos and videos with their state."""
    from indexer.cli.document import media_document, print_json

    with open_existing(load_settings(index=index)) as opened:
        listed = list(opened.iter_media())
    if as_json:
        print_json([media_document(media) for media in listed])
    else:
        table(
            ("id", "kind", "state", "length", "path"),
            [
                (
                    media.id[:12],
                    media.kind,
                    media.state,
                    clock(media.duration_s) if media.duration_s else "",
                    media.path,
                )
                for media in listed
            ],
        )
    if not listed:
        raise typer.Exit(1)


@media_app.command("show")
def show_media(
    media: MediaArgument, index: IndexOption = None, as_json: JsonOption = False
) -> None:
    """Show all that is known of photos or videos."""
    from indexer.cli.document import media_document, print_json
    from indexer.lookup import find_media

    with open_existing(load_settings(index=index)) as opened:
        documents = [media_document(find_media(opened, text)) for text in media]
        for document in documents:
            segments = opened.list_segments(document["id"])
            document["segments"] = [
                {"number": s.span.number, "state": s.state, "attempts": s.attempts,
                 "error": s.error, **vars(s.counts)}
                for s in segments
            ]  # fmt: skip
    if as_json:
        print_json(documents)
        return
    for document in documents:
        for name, value in document.items():
            if name != "segments":
                say(f"{name}: {shown(value)}")
        table(
            ("segment", "state", "attempts", "frames", "key frames", "faces", "decode errors"),
            [
                [str(s[name]) for name in ("number", "state", "attempts", "frames", "key_frames",
                                           "faces", "decode_errors")]
                for s in document["segments"]
            ],
        )  # fmt: skip


@media_app.command("remove")
def remove_media(media: MediaArgument, index: IndexOption = None, yes: YesOption = False) -> None:
    """Delete photos or videos from the index for good; the files themselves stay."""
    from indexer.lookup import find_media

    with open_existing(load_settings(index=index)) as opened:
        found = {wanted.id: wanted for wanted in (find_media(opened, text) for text in media)}
        for wanted in found.values():
            say(f"{wanted.id[:12]}  {shown(wanted.path)}")
        confirm(f"Delete all that the index holds of {len(found)} media?", yes=yes)
        deleted = opened.delete_media(list(found))
    say(f"Deleted {deleted.media} media, {deleted.faces} faces, {deleted.labels} labels.")


@media_app.command("prune")
def prune_media(index: IndexOption = None, yes: YesOption = False) -> None:
    """Forget paths that are gone, and delete media that are left without any."""
    from indexer.prune import gone_files, prune

    with open_existing(load_settings(index=index)) as opened:
        gone = gone_files(opened)
        for file in gone:
            say(shown(file.path))
        if not gone:
            say("Nothing to prune: every file is where it was.")
            return
        confirm(f"Forget these {len(gone)} paths and what only they held?", yes=yes)
        deleted = prune(opened, gone)
    say(f"Deleted {deleted.media} media, {deleted.faces} faces, {deleted.labels} labels.")


def faces_command(
    media: MediaArgument,
    index: IndexOption = None,
    thumbnails: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Also write each face's picture.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the faces of photos or videos, with the ids that other commands take."""
    from indexer.cli.document import face_document, print_json
    from indexer.lookup import find_media
    from indexer.records import Filters

    with open_existing(load_settings(index=index)) as opened:
        ids = tuple(find_media(opened, text).id for text in media)
        faces = list(opened.iter_faces(Filters(media_ids=ids)))
        if thumbnails:
            thumbnails.mkdir(parents=True, exist_ok=True)
            for face in faces:
                (thumbnails / f"{face.id}.jpg").write_bytes(opened.thumbnail(face.id) or b"")
    if as_json:
        print_json([face_document(face) for face in faces])
    else:
        table(
            ("face", "person", "time", "appearance", "size", "probability"),
            [
                (
                    face.id.replace(face.media_id, face.media_id[:12]),
                    face.person or "-",
                    clock(face.timestamp_s),
                    ""
                    if face.appearance_start_s is None or face.appearance_end_s is None
                    else f"{clock(face.appearance_start_s)}–{clock(face.appearance_end_s)}",
                    f"{face.face_px:.0f} px",
                    f"{face.probability:.3f}",
                )
                for face in faces
            ],
        )
    if not faces:
        raise typer.Exit(1)


def stats_command(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """Show counts, sizes and the model of the index."""
    from indexer.cli.document import print_json

    with open_existing(load_settings(index=index)) as opened:
        stats = opened.stats()
    if as_json:
        print_json(stats)
    else:
        for name, value in stats.items():
            say(f"{name}: {shown(value)}")


def models_command(as_json: JsonOption = False) -> None:
    """List the embedding models: size, licence, and where their weights are."""
    from dataclasses import asdict

    from indexer.cli.document import print_json
    from indexer.embeddings import available_models

    models = available_models(load_settings())
    if as_json:
        print_json([asdict(model) for model in models])
    else:
        table(
            ("model", "dimensions", "weights", "licence"),
            [(m.spec, str(m.dimensions or "-"), m.weights, m.licence) for m in models],
        )


def settings_command(as_json: JsonOption = False) -> None:
    """List the settings in force, with their variables and what they mean."""
    from indexer.cli.document import print_json
    from indexer.settings import describe

    listed = list(describe(load_settings()))
    if as_json:
        print_json({entry.name: entry.default for entry in listed})
    else:
        table(
            ("setting", "value", "variable", "meaning"),
            [(entry.name, str(entry.default), entry.variable, entry.help) for entry in listed],
        )
