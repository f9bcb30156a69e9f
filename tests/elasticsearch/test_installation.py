"""The nodes' home is built whole or not at all, once for all processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.elasticsearch.installation import cache_folder, install
from tests.elasticsearch.java import Unavailable

if TYPE_CHECKING:
    from tests.elasticsearch.installation import Installation

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def empty_cache(
    elasticsearch_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty cache on a machine that has all that an installation needs."""
    assert elasticsearch_installation.home.is_dir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_folder()


def homes(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.is_dir()]


def test_processes_at_once_build_one_home(empty_cache: Path) -> None:
    (empty_cache / "building-killed" / "lib").mkdir(parents=True)
    script = "from tests.elasticsearch.installation import install; print(install().home)"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = {process.communicate(timeout=500)[0].strip() for process in processes}
    assert told == {str(home) for home in homes(empty_cache)}
    assert len(told) == 1


def test_a_failing_download_shows_what_maven_said_and_leaves_nothing(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho 'ERROR: no route to host'; exit 1\n")
    maven.chmod(0o755)
    with pytest.raises(RuntimeError, match="no route to host"):
        install()
    assert homes(empty_cache) == []


def test_a_missing_maven_is_told(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="mvn is missing"):
        install()
    assert homes(empty_cache) == []
