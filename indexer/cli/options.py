"""Options that several commands share, and what they open."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.location import index_location as index_path
from indexer.location import open_existing, open_or_create, would_be_made

__all__ = ["index_path", "open_existing", "open_or_create", "would_be_made"]

if TYPE_CHECKING:
    from indexer.embeddings.base import Embedder
    from indexer.networks import Networks
    from indexer.records import ModelIdentity
    from indexer.settings import Settings

IndexOption = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="PATH",
        help="The index, also elasticsearch://HOST:9200/NAME (or SIGHTINGS_INDEX).",
        show_default=False,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Embedding model; `sightings models` lists them.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any setting (repeatable); `sightings settings` lists them.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
MediaArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="MEDIA", help="Paths of photos or videos, or first digits of their ids."
    ),
]


def finite(value: float | None) -> float | None:
    """Return an option's number, which is none that nothing can be compared with."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def load_settings(assignments: list[str] | None = None, **flags: Any) -> Settings:
    """Return the settings under NAME=VALUE assignments and flags.

    Flags are named with two underscores for the dot: `faces__min_face_px`.
    """
    from indexer.settings import load

    values = {name.replace("__", "."): value for name, value in flags.items()}
    return load(values | assigned(assignments))


def assigned(assignments: list[str] | None) -> dict[str, str]:
    """Return the values of NAME=VALUE assignments by name. Raises UsageError for another form."""
    from indexer.errors import UsageError

    values = {}
    for assignment in assignments or ():
        name, equals, value = assignment.partition("=")
        if not equals:
            # What may be the value is not shown: it can be a secret.
            written = re.sub(r"[^\w.].*", "…", assignment, flags=re.DOTALL)
            raise UsageError(f"--set takes NAME=VALUE, not {written!r}.")
        values[name] = value
    return values


def networks_for(identity: ModelIdentity | None, settings: Settings, *, spec: str = "") -> Networks:
    """Load the networks for an index with this model (None: it is new), with a bar for downloads.

    spec: the model asked for.
    """
    from indexer.cli.progress import download_bar
    from indexer.networks import load_networks

    with download_bar("weights") as tell:
        return load_networks(identity, settings, spec=spec, progress=tell)


def load_embedder(settings: Settings) -> Embedder:
    """Load the model that the settings name, with a bar if weights are downloaded."""
    from indexer.cli.progress import download_bar
    from indexer.embeddings import load_model

    with download_bar("weights") as tell:
        return load_model(settings.model, settings=settings, progress=tell)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; `yes` answers, and must where nobody can."""
    import sys

    from indexer.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can answer here: give --yes.")
    typer.confirm(question, abort=True, err=True)
