"""Lists in pages: `limit` items, and a cursor that says where the next ones begin.

A cursor names the last item given, so that nothing is skipped or given twice while others are
added or deleted. It is opaque: what it holds may change.
"""

from __future__ import annotations

import base64
import json
from itertools import dropwhile, islice
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Item = TypeVar("Item")

MAX_LIMIT = 200


class PageQuery(BaseModel):
    """Which part of a list is wanted."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=MAX_LIMIT, description="How many at most.")
    cursor: str | None = Field(
        None, max_length=4096, description="`next_cursor` of the page before."
    )

    def after(self, *kinds: type) -> tuple[Any, ...] | None:
        """Return by what the last item given was sorted, None on the first page.

        kinds: the types of its parts. Raises Problem for a cursor that is none of this list's.
        """
        if self.cursor is None:
            return None
        parts = read_cursor(self.cursor)
        if tuple(map(type, parts)) != kinds:
            raise _no_cursor()
        return parts


def page(
    items: Iterable[Item], query: PageQuery, key: Callable[[Item], tuple[Any, ...]]
) -> tuple[list[Item], str | None]:
    """Return the items after the cursor, and the next page's cursor, None after the last.

    items: in order of `key`, whose parts are texts and numbers, from the start of the list, or from
    anywhere before the page. Raises Problem for a cursor that is none.
    """
    rest = iter(items)
    if query.cursor is not None:
        after = read_cursor(query.cursor)
        try:
            rest = dropwhile(lambda item: key(item) <= after, rest)
            found = list(islice(rest, query.limit + 1))
        except TypeError as error:  # parts of other types than the list's
            raise _no_cursor() from error
    else:
        found = list(islice(rest, query.limit + 1))
    shown = found[: query.limit]
    return shown, write_cursor(key(shown[-1])) if len(found) > query.limit else None


def write_cursor(parts: tuple[Any, ...]) -> str:
    """Return a cursor for what an item is sorted by."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[Any, ...]:
    """Return what a cursor holds. Raises Problem if it is none."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, RecursionError) as error:
        raise _no_cursor() from error
    if not isinstance(parts, list):
        raise _no_cursor()
    return tuple(parts)


def _no_cursor() -> Problem:
    return Problem("invalid", "cursor: it is no `next_cursor` of this list.")
