"""Lists of pairs in LFW's format: https://vis-www.cs.umass.edu/lfw/README.txt, `pairs.txt`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.errors import UsageError
from indexer.evaluation.records import Pair

if TYPE_CHECKING:
    from pathlib import Path

MOST_DIGITS = 9


def read_pairs(file: Path) -> tuple[Pair, ...]:
    """Read pairs of photos, with as many folds as the file has.

    The first line gives the folds and how many pairs of each kind a fold has, or the pairs alone
    where there is one fold (as in `pairsDevTrain.txt`). Then come, fold by fold, the pairs of one
    person (NAME N1 N2) and those of two (NAME1 N1 NAME2 N2), apart by tabs, or by spaces where a
    line has no tab. Photo 1 of `Ann_Lee` is named `Ann_Lee/Ann_Lee_0001.jpg`.
    Raises UsageError, which names the line, for a file that is not of this form, and for a pair
    that is none: of a photo and itself, or of one person where two are wanted.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The pairs in {file} cannot be read: {error}.") from error
    while lines and not lines[-1].strip():
        lines.pop()
    folds, of_each_kind = _header(file, lines[0] if lines else "")
    wanted = folds * 2 * of_each_kind
    if len(lines) - 1 != wanted:
        raise UsageError(
            f"{file}, line 1: {folds} folds of {of_each_kind} pairs of each kind are {wanted} "
            f"lines, and {len(lines) - 1} follow. Is the file whole?"
        )
    return tuple(
        _pair(
            f"{file}, line {number + 2}",
            line,
            same=number % (2 * of_each_kind) < of_each_kind,
            fold=number // (2 * of_each_kind),
        )
        for number, line in enumerate(lines[1:])
    )


def _header(file: Path, line: str) -> tuple[int, int]:
    numbers = [_number(word) for word in line.split()]
    if len(numbers) not in (1, 2) or not all(numbers):
        raise UsageError(
            f"{file}, line 1: {line[:80]!r} is neither FOLDS<tab>PAIRS nor PAIRS, with numbers "
            "from 1: this is no list of pairs in LFW's format."
        )
    return (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _pair(place: str, line: str, *, same: bool, fold: int) -> Pair:
    fields = [field.strip() for field in (line.split("\t") if "\t" in line else line.split())]
    if same and len(fields) == 3:
        first, second = (fields[0], fields[1]), (fields[0], fields[2])
    elif not same and len(fields) == 4:
        first, second = (fields[0], fields[1]), (fields[2], fields[3])
    else:
        wanted = "one person: NAME N1 N2" if same else "two people: NAME1 N1 NAME2 N2"
        raise UsageError(f"{place}: {line[:80]!r} should be a pair of {wanted}.")
    pair = Pair(_photo(place, *first), _photo(place, *second), same, fold)
    if pair.first == pair.second:
        raise UsageError(f"{place}: {line[:80]!r} pairs a photo with itself.")
    if not same and first[0] == second[0]:
        raise UsageError(f"{place}: {line[:80]!r} should be of two people, and names one twice.")
    return pair


def _photo(place: str, person: str, number: str) -> str:
    if not person or not _number(number):
        raise UsageError(f"{place}: {person!r} {number!r} is no name with a number from 1.")
    return f"{person}/{person}_{int(number):04d}.jpg"


def _number(word: str) -> int:
    """Return a number written in ASCII digits, as many as any list needs, or 0."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS else 0
