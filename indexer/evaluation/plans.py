"""A run that is ready to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from indexer.evaluation.records import Outcome


def _nothing(_: Outcome) -> None:
    """Take no note."""


@dataclass(frozen=True)
class Plan:
    """What decides what comes of a run, and how it is done.

    deciding: all of it, in values that JSON takes: an outcome is kept by it. configuration: what
    is run, in words and numbers, without paths of this machine. carry_out: does it, and raises any
    SightingsError. note: told the outcome, also one that was kept from before.
    """

    deciding: Mapping[str, Any]
    configuration: Mapping[str, Any]
    carry_out: Callable[[], Outcome]
    note: Callable[[Outcome], None] = _nothing


def without_blanks(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without what is not set."""
    return {
        name: value
        for name, value in told.items()
        if value is not None and value is not False and value not in ("", {})
    }
