"""Texts for people: names that fit a line, and times."""

from __future__ import annotations


def shown(text: str) -> str:
    """Return a name fit for one line: control characters and broken bytes are escaped."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def clock(seconds: float) -> str:
    """Return a time as MM:SS.s, or H:MM:SS.s from an hour on."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    text = f"{minutes % 60:02d}:{rest / 10:04.1f}"
    return f"{minutes // 60}:{text}" if minutes >= 60 else text
