"""Texts for people: names that fit a line, paths, times and counts."""

from __future__ import annotations


def shown(name: object) -> str:
    """Return a name or path as one printable line, whatever it holds."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def near(path: str) -> str:
    """Return a path from the working folder on, if it lies in that."""
    from pathlib import Path

    whole, here = Path(path), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else path


def clock(seconds: float) -> str:
    """Return a time as MM:SS.s, or H:MM:SS.s from an hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    text = f"{minutes % 60:02d}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{text}" if minutes >= 60 else text


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, e.g. `1 face` and `2 faces`."""
    return f"{number} {noun}" if number == 1 or noun == "media" else f"{number} {noun}s"


def about(path: str, text: str) -> str:
    """Return what is said of a file as one printable line that names it once.

    Many messages begin with their file, those of a whole media do not.
    """
    name, said = shown(path), shown(text)
    return said if name in said else f"{name}: {said}"


def said_of(path: str, text: str) -> str:
    """Return what is said of a file, as one printable line, without its name at the start."""
    said = shown(text)
    for separator in (": ", " "):
        said = said.removeprefix(f"{shown(path)}{separator}")
    return said
