"""Uploads go once their media are out of the index, also if the index has not purged them yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.cli.uploads import with_uploads
from indexer.errors import IndexFailure, PurgeUnfinished
from indexer.settings import Settings
from indexer.settings_api import ApiSettings
from indexer.uploads import upload_folder
from tests.engines.builders import photo

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "stays"),
    [(PurgeUnfinished("its bytes are not off the disks"), False), (IndexFailure("away"), True)],
    ids=["out of the index", "perhaps still in it"],
)
def test_an_error_says_whether_uploads_go(
    error: IndexFailure, stays: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = upload_folder(tmp_path, photo("a").id) / "a.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a photo")
    media = replace(photo("a"), paths=(str(path),))
    settings = Settings(api=ApiSettings(media_root=str(tmp_path)))
    with pytest.raises(IndexFailure) as raised, with_uploads([media], settings):
        raise error
    assert raised.value is error
    assert path.exists() == stays
    assert ("Deleted 1 uploaded file." in capsys.readouterr().out) != stays
