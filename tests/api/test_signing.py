"""What is signed: cookies that run out, links that open one picture, and the key of both."""

from __future__ import annotations

import stat
import time
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from api.security.keys import KeyStore
from api.security.signing import COOKIE, Signer, signing_keys
from indexer.errors import EnvironmentFailure
from indexer.settings_api import ApiSettings
from tests.api.answers import code

if TYPE_CHECKING:
    from pathlib import Path


class AnHourAgo(TimestampSigner):
    """Signs as if it were an hour earlier."""

    def get_timestamp(self) -> int:
        return int(time.time()) - 3600


def test_a_cookie_that_was_made_up_or_has_run_out_is_refused(serve, tmp_path) -> None:
    key, _ = KeyStore(tmp_path / "private" / "keys.json").add("page", ["search"])
    made_up = Signer(("wrong",), 60).cookie(key.id)
    old = URLSafeTimedSerializer(["right"], salt="sightings session", signer=AnHourAgo)
    for session_s, cookie, expected in (
        (3000, Signer(("right",), 60).cookie(key.id), 200),
        (3000, made_up, 401),
        (3000, old.dumps(key.id), 401),
        (4000, old.dumps(key.id), 200),
    ):
        service = serve(require_key=True, signing_keys="right", session_s=session_s)
        service.client.set_cookie(COOKIE, cookie, domain="localhost")
        answer = service.get("/api/v1/people")
        assert answer.status_code == expected
        assert expected == 200 or code(answer) == (401, "key_refused")


def test_a_link_opens_one_picture_and_no_other_moment(serve, tmp_path) -> None:
    service = serve(require_key=True)
    media = service.archive.media["both.mp4"]
    link = service.app.extensions["sightings"].signer.links.of_media(media.id)["frame_url"]
    assert service.get(link).status_code == 200
    assert service.get(f"{link}&max_side_px=64").status_code == 200
    for more in ("timestamp_s=1.7", "timestamp_s=0", "unknown=1"):
        assert code(service.get(f"{link}&{more}")) == (401, "key_needed")
    key = KeyStore(tmp_path / "private" / "keys.json").add("page", ["search"])[1]
    header = {"Authorization": f"Bearer {key}"}
    assert service.get(f"{link}&timestamp_s=1.7", headers=header).status_code == 200


def settings_in(folder: Path) -> ApiSettings:
    return ApiSettings(keys_file=str(folder / "keys.json"))


@pytest.mark.parametrize("content", ["", "\n", "short", "x" * 31])
def test_a_file_without_a_good_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "signing-key").write_text(content)
    with pytest.raises(EnvironmentFailure, match=r"signing-key.*too short"):
        signing_keys(settings_in(tmp_path))


def test_processes_that_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    for attempt in range(20):
        folder, found = tmp_path / str(attempt), []
        together = Barrier(4)

        def start(folder: Path = folder, found: list = found, together: Barrier = together) -> None:
            together.wait()
            found.append(signing_keys(settings_in(folder)))

        threads = [Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len(set(found)) == 1
        assert [path.name for path in folder.iterdir()] == ["signing-key"]
        assert stat.S_IMODE((folder / "signing-key").stat().st_mode) == 0o600
