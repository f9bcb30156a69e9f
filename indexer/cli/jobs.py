"""`sightings enqueue` and `sightings jobs`: work for workers, and how far it is."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.job_tables import (
    BATCH_HEADERS,
    MEDIA_HEADERS,
    batch_document,
    batch_rows,
    is_under_way,
    media_rows,
)
from indexer.cli.options import (
    IndexOption,
    JsonOption,
    ModelOption,
    SetOption,
    load_settings,
    open_existing,
    open_or_create,
)
from indexer.cli.output import note, say, say_deleted, table
from indexer.cli.uploads import delete_uploads_of, say_uploads
from indexer.errors import BrokerFailure, PurgeUnfinished, UsageError
from indexer.text import about, counted, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.cli.live import Table
    from indexer.engines.base import Index
    from indexer.jobs import Enqueued, Send
    from indexer.progress import BatchProgress
    from indexer.settings import Settings

jobs_app = typer.Typer(help="What was queued: how far it is, cancel, retry.")

REFRESH_S = 1.0

BatchOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="A batch: what one `enqueue` queued.", show_default=False),
]
MediaArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MEDIA]...",
        help="Paths of photos or videos, or first digits of their ids.",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("enqueue")(enqueue_command)
    app.add_typer(jobs_app, name="jobs")


def enqueue_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Photos, videos and folders of them.")
    ],
    index: IndexOption = None,
    model: ModelOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Look for faces again, also in failed files.")
    ] = False,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue photos and videos for workers; what is done already is skipped."""
    from indexer.cli.progress import file_bars
    from indexer.jobs import enqueue

    settings = load_settings(assignments, index=index, model=model)
    send = _sender(settings)
    with _shown_although_unsent(as_json=as_json), open_or_create(settings) as opened:
        with file_bars() as bars:
            queued = enqueue(opened, paths, settings, send=send, force=force, progress=bars)
        _show_enqueued(queued, as_json=as_json)


@jobs_app.callback(invoke_without_command=True)
def show_jobs(
    context: typer.Context,
    index: IndexOption = None,
    assignments: SetOption = None,
    batch: BatchOption = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Batches, the newest first; with --batch, its media.")
    ] = 20,
    once: Annotated[
        bool, typer.Option("--once", help="Print it once; a terminal shows it live otherwise.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what was queued and how far it is, until all of it is done."""
    if context.invoked_subcommand is not None:
        _require_no_options(context)
        return
    from indexer.cli.document import print_json

    with open_existing(load_settings(assignments, index=index)) as opened:
        listed = _batches(opened, batch, limit)
        if as_json:
            print_json([batch_document(each, opened if batch else None) for each in listed])
        elif listed:
            _show_batches(opened, batch, limit, live=sys.stdout.isatty() and not once)
    if not listed:
        note("Nothing is queued, and nothing was: sightings enqueue PATH...")
        raise typer.Exit(1)


def _batches(index: Index, batch: str | None, limit: int) -> list[BatchProgress]:
    from indexer.progress import batch_progress, list_batches

    return [batch_progress(index, batch)] if batch else list_batches(index, limit=limit)


def _show_batches(index: Index, batch: str | None, limit: int, *, live: bool) -> None:
    """Print batches, with the media if it is one that was asked for; live: until they are over."""

    def look() -> tuple[list[Table], bool]:
        batches = _batches(index, batch, limit)
        tables: list[Table] = [(BATCH_HEADERS, batch_rows(batches))]
        if batch:
            tables.append((MEDIA_HEADERS, media_rows(index, batch, limit)))
        return tables, not is_under_way(batches)

    if live:
        from indexer.cli.live import watch

        watch(look, REFRESH_S)
    else:
        for headers, rows in look()[0]:
            table(headers, rows)
    if batch:
        _note_failures(index, batch)


def _require_no_options(context: typer.Context) -> None:
    """Raise UsageError for options before a subcommand, which would be lost on it."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if source is not None and source.name == "COMMANDLINE":
            command = f"sightings jobs {context.invoked_subcommand}"
            raise UsageError(
                f"{option.opts[0]} comes too early: options stand behind `{command}`, whose --help "
                "lists them."
            )


@jobs_app.command("cancel")
def cancel_jobs(
    media: MediaArguments = None,
    batch: BatchOption = None,
    index: IndexOption = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take back what is queued or being worked on; what was never done leaves nothing behind."""
    from indexer.cli.document import print_json
    from indexer.jobs import cancel

    settings = load_settings(assignments, index=index)
    with open_existing(settings) as opened:
        ids = _ids(opened, media)
        try:
            cancelled = cancel(opened, settings, media_ids=ids, batch=batch)
        except PurgeUnfinished as unfinished:
            delete_uploads_of(unfinished.removed, settings)
            raise
    files = delete_uploads_of(cancelled.removed, settings)
    outcomes = {
        name: [each.path for each in getattr(cancelled, name)]
        for name in ("removed", "restored", "cut_short", "untouched")
    }
    if as_json:
        deleted = {**asdict(cancelled.deleted), "files": files}
        print_json({**outcomes, "deleted": deleted})
        return
    say(
        f"{len(outcomes['removed'])} removed, {len(outcomes['restored'])} as before, "
        f"{len(outcomes['cut_short'])} cut short, {len(outcomes['untouched'])} not under way."
    )
    if outcomes["removed"]:
        say_deleted(lambda: cancelled.deleted)
        say_uploads(files)
    for path in outcomes["cut_short"]:
        note(f"{shown(path)} is part old and part new: retry it to finish it.")


@jobs_app.command("retry")
def retry_jobs(
    media: MediaArguments = None,
    batch: BatchOption = None,
    index: IndexOption = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue again what failed: those media, those of a batch, or all."""
    from indexer.jobs import retry

    settings = load_settings(assignments, index=index)
    send = _sender(settings)
    with _shown_although_unsent(as_json=as_json), open_existing(settings) as opened:
        ids = _ids(opened, media)
        queued = retry(opened, settings, send=send, media_ids=ids, batch=batch)
        _show_enqueued(queued, as_json=as_json)


def _sender(settings: Settings) -> Send:
    """Return what tells workers; without a broker nobody is told, and `serve` looks by itself."""
    if settings.tasks.broker_url:
        try:
            from tasks.sending import sender
        except ImportError as error:
            from indexer.errors import MissingExtra

            raise MissingExtra("Telling workers of work", "service") from error
        return sender(settings)
    from indexer.jobs import no_send

    note("No tasks.broker_url is set: `sightings serve` over this index does the work.")
    return no_send


def _ids(index: Index, media: Sequence[str] | None) -> list[str]:
    from indexer.lookup import find_media

    return [find_media(index, text).id for text in media or ()]


@contextmanager
def _shown_although_unsent(*, as_json: bool) -> Iterator[None]:
    """Show what was queued also where workers could not be told of it, which is an error still."""
    try:
        yield
    except BrokerFailure as failure:
        if failure.enqueued is not None:
            with suppress(typer.Exit):
                _show_enqueued(failure.enqueued, as_json=as_json)
        raise


def _show_enqueued(queued: Enqueued, *, as_json: bool) -> None:
    if as_json:
        from indexer.cli.document import print_json

        paths = {
            name: [media.path for media in getattr(queued, name)]
            for name in ("queued", "skipped", "under_way")
        }
        print_json({"batch": queued.batch, **paths, "failed": list(queued.failed)})
    else:
        for failure in queued.failed:
            note(f"failed: {shown(failure)}")
        say(
            f"{len(queued.queued)} queued, {len(queued.skipped)} skipped, "
            f"{len(queued.under_way)} under way already, {len(queued.failed)} failed."
        )
        if queued.queued:
            say(f"Batch: {queued.queued[0].batch}")
    if queued.failed:
        raise typer.Exit(1)


def _note_failures(index: Index, batch: str) -> None:
    failed = list(index.iter_media(states=["failed"], batch=batch))
    for media in failed:
        note(f"failed: {about(media.path, media.error or '')}")
    if failed:
        note(f"{counted(len(failed), 'media')} failed: sightings jobs retry --batch {batch}")
