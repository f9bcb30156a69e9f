"""Which files the service may touch: those in media_root and the allowed roots, links followed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.problems import Problem
from api.security.hosts import listed
from indexer.uploads import media_root

if TYPE_CHECKING:
    from indexer.settings import Settings
    from indexer.settings_api import ApiSettings


def allowed_roots(settings: ApiSettings) -> tuple[Path, ...]:
    """Return the folders whose files may be indexed by path, with links resolved."""
    return tuple(Path(root).resolve() for root in listed(settings.roots))


def is_below(path: Path, root: Path) -> bool:
    """Whether a path lies in a folder once all links are followed; root: resolved."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # loops of links, names that are none
        return False


def require_below_roots(text: str, settings: ApiSettings) -> Path:
    """Return a path that may be indexed. Raises Problem `path_refused` for any other.

    Whether something is there is not said of what lies elsewhere.
    """
    path = Path(text)
    if "\0" in text or not path.is_absolute() or not is_allowed(path, settings):
        allowed = ", ".join(map(str, allowed_roots(settings))) or "none are set: api.roots"
        raise Problem("path_refused", f"Files must lie below one of the roots ({allowed}).")
    return path


def is_allowed(path: Path, settings: ApiSettings) -> bool:
    """Whether a path may be indexed: it lies below one of the roots once all links are followed."""
    return any(is_below(path, root) for root in allowed_roots(settings))


def may_serve(path: Path, settings: Settings) -> bool:
    """Whether a file of the index may be sent: any if no roots are set, else what is in them."""
    roots = allowed_roots(settings.api)
    return not roots or any(is_below(path, root) for root in (*roots, media_root(settings)))
