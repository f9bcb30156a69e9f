"""`sightings pca`: a reduction of the index's embeddings to fewer dimensions."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli.options import (
    IndexOption,
    SetOption,
    index_path,
    load_settings,
    open_existing,
)
from indexer.cli.output import say
from indexer.text import counted, shown


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("pca")(pca_command)


def pca_command(
    dimensions: Annotated[
        int, typer.Option(metavar="N", help="Dimensions that are kept of each embedding.")
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.npz",
            help="Where to write it; by default beside the index.",
            show_default=False,
        ),
    ] = None,
    index: IndexOption = None,
    whiten: Annotated[
        bool, typer.Option("--whiten", help="Let all dimensions vary equally.")
    ] = False,
    assignments: SetOption = None,
) -> None:
    """Fit PCA to the embeddings of all faces; `reindex` then reduces them by it."""
    from indexer.reduction import fit_index, save

    settings = load_settings(assignments, index=index)
    path = file or _beside(index_path(settings), dimensions, whiten=whiten)
    with open_existing(settings) as opened:
        reduction, base = fit_index(opened, dimensions, whiten=whiten)
    save(path, reduction, base)
    say(
        f"Fitted to {counted(reduction.vectors, 'face')}: {dimensions} of {base.dimensions} "
        f"dimensions keep {reduction.kept:.1%} of the variance of {base.key}."
    )
    say(f"Written: {shown(path)}. The index needs this file as long as it is reduced by it.")
    say(f"Now reduce it: sightings reindex --model {shlex.quote(f'pca:{path}')}")


def _beside(location: str, dimensions: int, *, whiten: bool) -> Path:
    from indexer.engines.elastic.location import is_on_cluster
    from indexer.errors import UsageError

    if is_on_cluster(location):
        raise UsageError("Name a FILE.npz: nothing can be written beside an index on a cluster.")
    whitened = "-whitened" if whiten else ""
    return Path(location).with_suffix(f".pca{dimensions}{whitened}.npz")
