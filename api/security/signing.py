"""The keys that sign the paths of pictures (`indexer.links`) and the cookie, and the cookie itself.

The first signing key signs, all verify: put a new one in front to rotate, take the old one away
once nothing that it signed is in use.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from api.security.keys import keys_path, write_private
from indexer.errors import EnvironmentFailure
from indexer.links import PictureLinks, given_keys

if TYPE_CHECKING:
    from indexer.settings_api import ApiSettings

COOKIE = "sightings_session"
_KEY_BYTES = 32


def signing_keys(settings: ApiSettings) -> tuple[str, ...]:
    """Return the signing keys, newest first; without any set, one made and kept beside the keys.

    Raises EnvironmentFailure if that file cannot be read or made, or holds no key.
    """
    given = given_keys(settings)
    if given:
        return given
    path = keys_path(settings).with_name("signing-key")
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileExistsError):  # of two that start at once, both take the first's
                write_private(path, secrets.token_urlsafe(_KEY_BYTES), replace=False)
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise EnvironmentFailure(
            f"The signing key {path} cannot be read or made: {reason}."
        ) from error
    if len(key) < _KEY_BYTES:
        raise EnvironmentFailure(
            f"The signing key {path} is too short to be one: delete that file, and one is made."
        )
    return (key,)


class Signer:
    """Signs with the first of some keys and accepts what any of them signed."""

    def __init__(self, keys: tuple[str, ...], session_s: float) -> None:
        from itsdangerous import URLSafeTimedSerializer

        self.links = PictureLinks(keys)
        oldest_first = list(reversed(keys))
        self._cookies = URLSafeTimedSerializer(oldest_first, salt="sightings session")
        self._session_s = session_s

    def cookie(self, key_id: str) -> str:
        """Return what a browser that signed in with a key is given."""
        return str(self._cookies.dumps(key_id))

    def key_of(self, cookie: str) -> str | None:
        """Return the id of the key that a cookie stands for; None if it is no longer good."""
        from itsdangerous import BadData

        try:
            key_id = self._cookies.loads(cookie, max_age=round(self._session_s))
        except BadData:
            return None
        return key_id if isinstance(key_id, str) else None
