"""The part of the contract by which an index is looked after."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Upkeep(ABC):
    """What nobody needs for the work itself, but the index in the long run."""

    def loading(self) -> AbstractContextManager[None]:
        """Return a context in which much is written; the engine may put off what that hinders."""
        return nullcontext()

    @abstractmethod
    def optimize(self) -> None:
        """Make searches fast after much was written, and finish what deletions had to leave."""

    def renew_links(self) -> int:
        """Sign the links of stored media and faces anew; return how many had others, or none.

        Raises UsageError without signing keys. An engine whose documents nobody else reads stores
        no links.
        """
        return 0

    @abstractmethod
    def stats(self) -> dict[str, int | str]:
        """Return media_<state>, photos, videos, faces, appearances, people, labels,
        segments_<state>, size_bytes, location, engine and model (its key, "" without one), and
        what an engine has to say besides, such as how it searches.
        """  # noqa: D205
