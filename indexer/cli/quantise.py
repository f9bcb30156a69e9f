"""`sightings quantise`: a model in 8 bits, about twice as fast on processors."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli.options import SetOption, load_embedder, load_settings
from indexer.cli.output import say
from indexer.text import shown


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("quantise")(quantise_command)


def quantise_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.npz", help="Where to write the model.")],
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="facenet, facenet:PATH or onnx:PATH.")
    ],
    faces: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Photos of faces, to range values by and to tell what is lost."
        ),
    ],
    assignments: SetOption = None,
) -> None:
    """Make FaceNet or an ONNX network compute in 8 bits: another model, a little less exact."""
    from indexer.embeddings.int8 import checked, quantise
    from indexer.face_samples import face_crops
    from indexer.runtime import runtime_of

    settings = load_settings(assignments, model=model)
    embedder = checked(load_embedder(settings))
    crops = face_crops(faces, embedder, settings)
    cosines = quantise(embedder, crops, file, runtime_of(settings).threads)
    say(
        f"Written: {shown(file)}. On {len(cosines)} faces that it did not see, its vectors "
        f"have cosines of {cosines.mean():.4f} on average and {cosines.min():.4f} at "
        f"least with those of {embedder.identity.key}."
    )
    say(f"Use it: --model {shlex.quote(f'int8:{file}')}")
