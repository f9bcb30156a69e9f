"""Models as the JSON that engines and files of models store."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from indexer.records import ModelIdentity, Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_document(model: ModelIdentity) -> dict[str, Any]:
    """Return a model as JSON; what older programs do not know only where it is set."""
    document = asdict(model)
    for name in ("calibrated", "link_cosine"):
        if document[name] is None:
            del document[name]
    return document


def from_document(document: Mapping[str, Any]) -> ModelIdentity:
    """Return the model that `to_document` was given."""
    fields = dict(document)
    for name in ("thresholds", "calibrated"):
        if fields.get(name) is not None:
            fields[name] = Thresholds(**fields[name])
    return ModelIdentity(**fields)
