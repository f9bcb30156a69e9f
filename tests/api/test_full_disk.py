"""A disk that is full is told to whoever sent what finds no place on it, and leaves nothing."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.answers import code
from tests.api.test_bodies import FORM, MEBIBYTE, UPLOAD, answered, head, listens
from tests.clips import photo, still

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")


@pytest.fixture
def content(tmp_path: Path, portraits) -> bytes:
    return photo(tmp_path / "new" / "anna.png", still(portraits, "grace", shift=20)).read_bytes()


def sent(content: bytes, field: str) -> dict[str, Any]:
    form = {field: [(io.BytesIO(content), "anna.png")]}
    return {"data": form, "content_type": "multipart/form-data"}


def on_full_disk(monkeypatch: pytest.MonkeyPatch, folder: Path, act: Callable[[], Any]) -> Any:
    """Do something while the next file in a folder lies on a device that is always full."""
    (folder / "full").symlink_to(FULL)
    with monkeypatch.context() as patch:
        patch.setattr("secrets.token_hex", lambda _: "full")
        return act()


@pytest.mark.parametrize(
    ("address", "field"),
    [("/api/v1/media", "file"), ("/api/v1/search", "photo"), ("/api/v1/faces/detect", "photo")],
)
def test_an_upload_that_finds_no_space_is_answered_with_507(
    service, content, monkeypatch, address: str, field: str
) -> None:
    parts = service.app.extensions["sightings"]
    folder = (parts.incoming if field == "file" else parts.queries).folder
    answer = on_full_disk(
        monkeypatch, folder, lambda: service.post(address, **sent(content, field))
    )
    assert code(answer) == (507, "disk_full")
    assert answer.json["detail"] == "The service has no space left to take what was sent."
    assert list(folder.iterdir()) == []
    assert service.get("/api/v1/media?state=queued").json["items"] == []
    assert service.post(address, **sent(content, field)).status_code in (200, 202)


def test_a_body_that_cannot_even_be_received_is_answered_with_507(service, monkeypatch) -> None:
    """Large ones lie in a temporary file before the application sees their request."""
    opened = tempfile.TemporaryFile
    with listens(service) as port, monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", lambda mode: FULL.open(mode, buffering=0))
        body = UPLOAD % bytes(2 * MEBIBYTE)
        asked = head("/api/v1/media", f"Content-Length: {len(body)}", f"Content-Type: {FORM}")
        assert answered(port, asked, body)[:2] == (507, "disk_full")
    assert tempfile.TemporaryFile is opened
