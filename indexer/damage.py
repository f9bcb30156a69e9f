"""What was wrong with a media's frames and file, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.records import SegmentCounts


@dataclass(frozen=True)
class Damage:
    """What was met while frames of a time range were read; file: in words, of the whole file."""

    undecodable: int = 0
    left_out: int = 0
    file: tuple[str, ...] = ()


def damage_of(segments: Iterable[SegmentCounts]) -> Damage:
    """Return what was met in all segments together."""
    listed = list(segments)
    return Damage(
        sum(counts.decode_errors for counts in listed),
        sum(counts.left_out for counts in listed),
        tuple(dict.fromkeys(text for counts in listed for text in counts.warnings)),
    )


def in_words(damage: Damage) -> tuple[str, ...]:
    """Return what to warn of."""
    found = list(damage.file)
    if damage.undecodable:
        found.append(f"{counted(damage.undecodable, 'frame')} could not be decoded")
    if damage.left_out:
        were = "was" if damage.left_out == 1 else "were"
        found.append(
            f"{counted(damage.left_out, 'frame')} with timestamps that go back {were} left out"
        )
    return tuple(found)
