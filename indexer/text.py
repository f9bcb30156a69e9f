"""Texts for people: names that fit a line, and times."""

from __future__ import annotations


def shown(name: object) -> str:
    """Return a name or path as one printable line, whatever it holds."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def clock(seconds: float) -> str:
    """Return a time as MM:SS.s, or H:MM:SS.s from an hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    text = f"{minutes % 60:02d}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{text}" if minutes >= 60 else text
