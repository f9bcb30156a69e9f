"""Paths of the service's pictures, with a signature that opens them without a key.

Pages that cannot send headers, such as Kibana's, show pictures by them. A signature depends on its
path and on the key alone: it holds until the key is taken away.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from indexer.settings_api import ApiSettings

BASE = "/api/v1"
"""What all paths of the service's resources begin with."""

PREVIEW_PX = 320
"""The longer side of the small picture of a photo or video."""

_PURPOSE = b"sightings picture path\0"


def face_path(face_id: str) -> str:
    """Return the path of a face."""
    return f"{BASE}/faces/{quote(face_id, safe='')}"


def media_path(media_id: str) -> str:
    """Return the path of a photo or video."""
    return f"{BASE}/media/{quote(media_id, safe='')}"


@dataclass(frozen=True)
class PictureLinks:
    """Signs with the first of some keys, at least one, and accepts what any of them signed."""

    keys: tuple[str, ...] = field(repr=False)

    def signed(self, path: str) -> str:
        """Return a path with its signature as the parameter `signature`."""
        return f"{path}?signature={_signature(self.keys[0], path)}"

    def is_signed(self, path: str, signature: str) -> bool:
        """Whether a signature is one of the path's."""
        given = signature.encode("utf-8", "surrogatepass")
        # All keys are tried, so that the time taken tells nothing.
        found = [hmac.compare_digest(_signature(key, path).encode(), given) for key in self.keys]
        return any(found)

    def of_face(self, face_id: str) -> dict[str, str]:
        """Return where a face's picture and its frame are, as fields of documents."""
        path = face_path(face_id)
        return {
            "thumbnail_url": self.signed(f"{path}/thumbnail"),
            "frame_url": self.signed(f"{path}/frame"),
        }

    def of_media(self, media_id: str) -> dict[str, str]:
        """Return where a photo, or a video's first frame, is shown small and large."""
        frame = self.signed(f"{media_path(media_id)}/frame")
        return {"thumbnail_url": f"{frame}&max_side_px={PREVIEW_PX}", "frame_url": frame}


def given_keys(settings: ApiSettings) -> tuple[str, ...]:
    """Return the signing keys of the settings, the newest first; none if none are set."""
    return tuple(key.strip() for key in settings.signing_keys.split(",") if key.strip())


def stored_links(settings: ApiSettings) -> PictureLinks | None:
    """Return what signs the links that documents carry; None: without keys they carry none."""
    keys = given_keys(settings)
    return PictureLinks(keys) if keys else None


def _signature(key: str, path: str) -> str:
    secret, text = (part.encode("utf-8", "surrogatepass") for part in (key, path))
    digest = hmac.digest(secret, _PURPOSE + text, hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
