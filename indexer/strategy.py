"""How the frames of a video that are looked at are chosen: what a setting's text means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from indexer.errors import UsageError


@dataclass(frozen=True)
class Strategy:
    """A parsed key-frame strategy: `delta-e`, `fps=R`, `random=N` or `all`."""

    name: str
    amount: float = 0.0


def parse_strategy(text: str) -> Strategy:
    """Return the strategy that a setting names. Raises UsageError for anything else."""
    name, _, amount = text.partition("=")
    if name in {"delta-e", "all"} and not amount:
        return Strategy(name)
    if name in {"fps", "random"}:
        try:
            value = float(amount) if name == "fps" else int(amount)
        except ValueError:
            value = 0
        if 0 < value < math.inf:
            return Strategy(name, value)
    raise UsageError(
        f"{text!r} is no key-frame strategy. Use delta-e, fps=R (R frames a second), "
        "random=N (N frames a video) or all."
    )
