"""`sightings serve` as a process of its own: over real sockets, with a real network."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests
from PIL import Image

from tests.cli.running import sightings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, portraits) -> tuple[Path, Path]:
    """An index made by the command line with a real network, and the folder of its media."""
    folder = tmp_path_factory.mktemp("served")
    media, index = folder / "media", folder / "faces.sightings"
    for person in ("eileen", "grace"):
        (media / person).mkdir(parents=True)
        Image.fromarray(portraits[person]).save(media / person / "0001.png")
    run = sightings("index", media, "--index", index, "--model", "dlib", "--names-from-folders")
    assert run.code == 0, run.err
    return index, media


@contextmanager
def served(index: Path, folder: Path, *options: object) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start a service on a free port; give its address and its process, and end it."""
    command = [sys.executable, "-m", "indexer", "serve", "--index", index, "--port", 0, *options]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGHTINGS_")},
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
    }
    process = subprocess.Popen(
        [str(part) for part in command], stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "Sightings serves http" in line, line + (process.stderr.read() or "")
        yield line.split()[2], process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()


def found(lists: list[dict[str, Any]]) -> list[tuple[str, float, str]]:
    return [
        (result["media"]["path"], result["score"], result["verdict"])
        for result in lists[0]["results"]
    ]


def test_a_photo_gives_over_http_what_the_command_line_prints(indexed, tmp_path) -> None:
    index, media = indexed
    photo = media / "grace" / "0001.png"
    with served(index, tmp_path) as (address, _):
        with photo.open("rb") as stream:
            answer = requests.post(
                f"{address}api/v1/search", files={"photo": stream}, data={"top": "5"}, timeout=120
            )
        assert answer.status_code == 200, answer.text
        lists = answer.json()["lists"]
    printed = json.loads(sightings("search", photo, "--index", index, "--top", 5, "--json").out)
    assert found(lists) == found([printed])
    assert lists[0]["results"][0]["person"] == "grace"


def test_what_is_uploaded_is_indexed_by_the_services_own_worker(indexed, tmp_path) -> None:
    index, media = indexed
    with Image.open(media / "eileen" / "0001.png") as picture:
        picture.rotate(3).save(tmp_path / "new.png")
    with served(index, tmp_path) as (address, _):
        with (tmp_path / "new.png").open("rb") as stream:
            url = f"{address}api/v1/media"
            job = requests.post(url, files={"file": stream}, timeout=60).json()
        deadline = time.monotonic() + 120
        while (state := requests.get(f"{address}{job['url'][1:]}", timeout=30).json())[
            "state"
        ] not in ("done", "failed"):
            assert time.monotonic() < deadline, state
            time.sleep(0.2)
        assert state["state"] == "done"
        body = {"person": "eileen"}
        lists = requests.post(f"{address}api/v1/search", json=body, timeout=60).json()["lists"]
        assert job["queued"][0]["path"] in {path for path, _, _ in found(lists)}


def test_ending_it_leaves_no_process_and_no_file_behind(indexed, tmp_path) -> None:
    index, media = indexed
    with served(index, tmp_path) as (address, process):
        with (media / "grace" / "0001.png").open("rb") as stream:
            requests.post(f"{address}api/v1/faces/detect", files={"photo": stream}, timeout=120)
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
    _gone, alive = psutil.wait_procs(children, timeout=15)
    assert alive == []
    assert process.returncode in (0, 130)


def test_slow_readers_of_files_hold_up_nobody(indexed, tmp_path) -> None:
    """Players that pause keep their connection: more of them than threads, and all is answered."""
    index, _ = indexed
    large = tmp_path / "large.bmp"
    Image.new("RGB", (4000, 3000), (9, 9, 9)).save(large)  # 36 MB: more than sockets hold
    with served(index, tmp_path, "--set", "api.threads=2", "--set", f"api.roots={tmp_path}") as (
        address, _,
    ):  # fmt: skip
        body = {"paths": [str(large)]}
        media = requests.post(f"{address}api/v1/media", json=body, timeout=60).json()["queued"][0]
        host, port = address.split("/")[2].split(":")
        with ExitStack() as paused:
            for start in (0, 1, 2, 3, 4):
                reader = paused.enter_context(socket.create_connection((host, int(port)), 30))
                text = (
                    f"GET {media['file_url']} HTTP/1.1\r\nHost: {host}\r\n"
                    f"Range: bytes={start}-\r\n\r\n"
                )
                reader.sendall(text.encode())
                assert reader.recv(12) == b"HTTP/1.1 206"
            for _ in range(3):
                assert requests.get(f"{address}healthz", timeout=10).status_code == 200
        part = requests.get(
            f"{address}{media['file_url'][1:]}", headers={"Range": "bytes=1000-1999"}, timeout=30
        )
        assert part.content == large.read_bytes()[1000:2000]


def test_elsewhere_than_on_loopback_it_starts_only_with_a_key(indexed, tmp_path) -> None:
    index, _ = indexed
    keys = f"api.keys_file={tmp_path / 'keys.json'}"
    refused = sightings("serve", "--index", index, "--host", "0.0.0.0", "--port", 0, "--set", keys)
    assert refused.code == 2
    assert "sightings keys add" in refused.err
    key = sightings("keys", "add", "tester", "--scope", "search", "--set", keys).out.strip()
    with served(index, tmp_path, "--host", "0.0.0.0", "--set", keys) as (address, _):
        local = address.replace("0.0.0.0", "127.0.0.1")
        assert requests.get(f"{local}api/v1/media", timeout=30).status_code == 401
        header = {"Authorization": f"Bearer {key}"}
        assert requests.get(f"{local}api/v1/media", headers=header, timeout=30).status_code == 200
