"""Which of the models that a run names is taken, and the files that decide what it gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from indexer.errors import WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.settings import Settings


FEATURES = "features:"
"""What a spec begins with that names a file of vectors instead of a model."""


def chosen_spec(specs: Sequence[str], models: Path | None) -> str:
    """Return the first spec whose file is there, with the folder of models for `{models}`.

    A spec that names no file has its weights from elsewhere and is always taken. So is one without
    `{models}` that has no alternative: what reads its file tells best what is wrong.
    Raises WeightsUnavailable, which names what was looked for, if no spec can be taken.
    """
    tried = []
    for spec in specs:
        filled = spec if models is None else spec.replace("{models}", str(models.absolute()))
        if "{models}" in filled:
            tried.append(f"{spec} needs a folder of models (--models)")
            continue
        in_models = "{models}" in spec
        path = path_of(filled)
        if path is None or path.is_file() or (len(specs) == 1 and not in_models):
            return filled
        tried.append(
            f"{path.name} is not in the folder of models"
            if in_models
            else f"there is no file {path}"
        )
    raise WeightsUnavailable(f"The weights cannot be had: {'; '.join(tried)}.")


def path_of(spec: str) -> Path | None:
    """Return the path of the weights, or of the vectors, that a spec names, if it names one."""
    path = spec.partition(":")[2]
    if not spec.startswith(FEATURES):
        path = path.partition("?")[0]
    return Path(path).expanduser() if path else None


def digests_of(spec: str, settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of the weights and the card that a spec and settings name, if any.

    Raises WeightsUnavailable if one is there and cannot be read, UsageError as `card_of` does.
    """
    from indexer.weights import sha256_of

    weights = path_of(spec)
    if spec.partition("?")[0] == "facenet" and settings.facenet_weights:
        weights = Path(settings.facenet_weights).expanduser()
    if weights is None:
        return {}
    files = {"weights": weights}
    if spec.startswith("onnx:"):
        from indexer.embeddings.card import card_of

        files["card"] = card_of(weights, spec.partition("?card=")[2])
    return {kind: sha256_of(path) for kind, path in files.items() if path.is_file()}


def deciding(spec: str, settings: Settings) -> dict[str, Any]:
    """Return what decides the vectors that a model makes, as far as it is known without loading it.

    The same wherever its files lie. Raises WeightsUnavailable if one of them cannot be read.
    """
    from indexer.runtime import runtime_of

    return {
        "model": spec.partition(":")[0] if path_of(spec) else spec,
        "options": {} if spec.startswith(FEATURES) else _options(spec),
        "files": digests_of(spec, settings),
        "runtime": runtime_of(settings).name,
    }


def _options(spec: str) -> dict[str, list[str]]:
    """Return what a spec says after its `?`, less the files that `digests_of` reads."""
    options = parse_qs(spec.partition("?")[2])
    return {name: values for name, values in options.items() if name not in ("card", "base")}
