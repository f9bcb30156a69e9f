"""Two indexes of one user: what is uploaded to both is kept for both."""

from __future__ import annotations

import io
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.app import create_app
from indexer import open_index
from indexer.settings import Settings
from indexer.settings_api import ApiSettings
from tests.clips import photo, still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient


@contextmanager
def service_of(location: Path, private: Path) -> Iterator[FlaskClient]:
    """A service under default settings, but for its keys."""
    api = ApiSettings(keys_file=str(private / "keys.json"))
    settings = Settings(index=str(location), api=api)
    app = create_app(settings, lambda: open_index(location), send=lambda _: None)
    yield app.test_client()
    app.extensions["sightings"].close()


def upload(client: FlaskClient, content: bytes) -> Any:
    form = {"file": (io.BytesIO(content), "anna.png")}
    sent = client.post("/api/v1/media", data=form, content_type="multipart/form-data")
    return sent.json["queued"][0]


def test_deleting_from_one_index_leaves_the_upload_of_the_other(
    made_archive, portraits, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    content = photo(tmp_path / "new.png", still(portraits, "grace", shift=20)).read_bytes()
    places = [tmp_path / "one.sightings", tmp_path / "two.sightings"]
    for place in places:
        shutil.copy(made_archive.location, place)
    with service_of(places[0], tmp_path / "a") as one, service_of(places[1], tmp_path / "b") as two:
        media = [upload(client, content) for client in (one, two)]
        assert media[0]["id"] == media[1]["id"]
        assert one.delete(media[0]["url"]).json["files"] == 1
        assert two.get(media[1]["file_url"]).data == content
        assert two.delete(media[1]["url"]).json["files"] == 1
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
