"""Runs of the tests beside and after each other do not meet on ports or in folders."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.elasticsearch.ports import take_place

ROOT = Path(__file__).resolve().parents[2]
TAKE = """
import time
from tests.elasticsearch.ports import take_place
place = take_place()
print(place.http, place.folder, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_another_process_takes_other_ports_and_its_folder_is_removed_when_it_died() -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", TAKE], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        http, folder = other.stdout.readline().split()
        beside = take_place()
        other.kill()
    assert beside.http != int(http)
    assert Path(folder).is_dir()
    after = take_place()
    assert after.http == int(http)
    assert not Path(folder).exists()
    for place in [beside, after]:
        place.give_back()


def test_a_port_on_which_something_listens_is_passed_over() -> None:
    first = take_place()
    first.give_back()
    with socket.create_server(("127.0.0.1", first.transport)):
        second = take_place()
    assert second.http > first.http
    second.give_back()


def test_what_is_given_back_is_gone_and_can_be_taken_again() -> None:
    first = take_place()
    first.give_back()
    assert not first.folder.exists()
    second = take_place()
    assert (second.http, second.transport) == (first.http, first.transport)
    assert second.folder != first.folder
    second.give_back()
