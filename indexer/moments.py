"""Dates and times as people type them."""

from __future__ import annotations

from datetime import date, datetime, time, timezone

from indexer.errors import UsageError


def moment(text: str | None, name: str, *, end_of_day: bool = False) -> datetime | None:
    """Return the moment that a date or time means, in UTC; without an offset it is UTC.

    None stays None. name: what the text was given as. end_of_day: a date means its last moment,
    not its first. Raises UsageError for anything else.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        if day is None:
            found = datetime.fromisoformat(text)
        else:
            found = datetime.combine(day, time.max if end_of_day else time.min)
        if found.tzinfo is None:
            return found.replace(tzinfo=timezone.utc)
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{name} takes a date or a time, 2024-05-31 or 2024-05-31T18:00:00, not {text!r}."
        ) from error
