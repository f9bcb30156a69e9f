from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.app import create_app
from indexer import open_index
from indexer.engines.embedded.index import open_embedded
from indexer.ingest import ingest
from indexer.naming import name_faces
from indexer.records import Filters
from indexer.settings import Settings
from indexer.settings_api import ApiSettings
from tests.clips import GREY, clip, photo, shot, still

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import Face, Media


@dataclass(frozen=True)
class Archive:
    """An index of two portraits and a clip of both people, Eileen first; Grace is named."""

    location: Path
    folder: Path
    media: dict[str, Media]
    faces: dict[str, Face]

    def open(self) -> Index:
        return open_embedded(str(self.location), busy_timeout_s=2.0)


@dataclass(frozen=True)
class Running:
    """A service in this process, and what it told its workers."""

    app: Flask
    client: FlaskClient
    archive: Archive
    settings: Settings
    sent: list[str]

    def get(self, address: str, **options: Any) -> Any:
        return self.client.get(address, **options)

    def post(self, address: str, **options: Any) -> Any:
        return self.client.post(address, **options)

    @property
    def index(self) -> Index:
        return self.app.extensions["sightings"].index


@pytest.fixture(scope="session")
def made_archive(tmp_path_factory, portraits, networks) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    media = folder / "media"
    photo(media / "eileen.png", still(portraits, "eileen"))
    photo(media / "grace.png", still(portraits, "grace"))
    clip(media / "both.mp4", shot(portraits, "eileen", 6), shot(portraits, "grace", 6, GREY))
    location = folder / "faces.sightings"
    with open_index(location, create=True) as index:
        report = ingest(index, [media], networks)
        assert len(report.done) == 3, report
        found = {Path(m.path).name: m for m in index.iter_media()}
        faces = {
            name: next(iter(index.iter_faces(Filters(media_ids=(m.id,)))))
            for name, m in found.items()
        }
        name_faces(index, "Grace", [faces["grace.png"].id])
    return Archive(location, media, found, faces)


@pytest.fixture
def archive(made_archive: Archive, tmp_path: Path) -> Archive:
    """A copy of the index, to do with as a test likes; the media are shared."""
    location = tmp_path / "faces.sightings"
    shutil.copy(made_archive.location, location)
    return replace(made_archive, location=location)


@pytest.fixture
def serve(archive: Archive, tmp_path: Path, networks: Networks) -> Iterator[Callable[..., Running]]:
    """Start a service on the archive; its settings of section `api` are given by name."""
    with ExitStack() as ending:

        def started(base_url: str = "http://localhost/", **changes: Any) -> Running:
            values = {
                "keys_file": str(tmp_path / "private" / "keys.json"),
                "media_root": str(tmp_path / "uploads"),
            }
            settings = Settings(index=str(archive.location), api=ApiSettings(**(values | changes)))
            sent: list[str] = []
            app = create_app(settings, archive.open, send=sent.extend, networks=networks)
            ending.callback(app.extensions["sightings"].close)
            client = app.test_client()
            client.environ_base["HTTP_HOST"] = base_url.split("/")[2]
            return Running(app, client, archive, settings, sent)

        yield started


@pytest.fixture
def service(serve: Callable[..., Running]) -> Running:
    """A service on loopback with default settings: nobody needs a key."""
    return serve()
