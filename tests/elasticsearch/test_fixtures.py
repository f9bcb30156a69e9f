"""Tests with nodes are slow ones, and without Java they are skipped, though not in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.elasticsearch.installation import Installation

ROOT = Path(__file__).resolve().parents[2]

ASKING = """
import pytest

def test_by_name(elasticsearch_url):
    assert elasticsearch_url

@pytest.fixture
def location(request):
    return request.getfixturevalue("elasticsearch_url")

def test_unmarked(location):
    assert location

@pytest.mark.slow
def test_marked(location):
    assert location
"""


FAILING = """
def test_of_something_else(elasticsearch_url):
    assert not elasticsearch_url
"""


def run(folder: Path, *options: str, **environment: str) -> list[str]:
    """Run tests that ask for a node in each way; return the summary's lines."""
    output = output_of(ASKING, folder, *options, **environment)
    return output.partition("short test summary info")[2].splitlines()[1:]


def output_of(tests: str, folder: Path, *options: str, **environment: str) -> str:
    (folder / "test_asking.py").write_text(tests)
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.elasticsearch_fixtures"]
    ran = subprocess.run(
        [*command, f"--config-file={ROOT}/pyproject.toml", str(folder), *options],
        cwd=ROOT,
        env=inherited | {"COLUMNS": "500"} | environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=False,
    )
    return ran.stdout


def test_a_test_that_names_a_node_is_slow_and_one_that_hides_it_fails(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1"
    slow = run(tmp_path, "-m", "slow", SIGHTINGS_TEST_ELASTICSEARCH_URL=url)
    assert slow[-1].startswith("2 passed, 1 deselected")
    fast = run(tmp_path, "-m", "not slow", SIGHTINGS_TEST_ELASTICSEARCH_URL=url)
    assert "test_unmarked uses Elasticsearch and lacks @pytest.mark.slow" in fast[0]
    assert fast[-1].startswith("2 deselected, 1 error")


def test_without_java_they_are_skipped_with_the_reason(tmp_path: Path) -> None:
    lines = run(tmp_path, "-m", "slow", SIGHTINGS_TEST_JAVA_HOME=str(tmp_path))
    assert "need a JDK of version 21 or newer" in lines[0]
    assert lines[-1].startswith("2 skipped")


def test_without_java_they_fail_in_ci(tmp_path: Path) -> None:
    lines = run(tmp_path, "-m", "slow", SIGHTINGS_TEST_JAVA_HOME=str(tmp_path), CI="true")
    assert "need a JDK of version 21 or newer" in lines[0]
    assert lines[-1].startswith("1 deselected, 2 errors")


@pytest.mark.slow
def test_a_test_that_fails_shows_what_the_node_said_last(
    elasticsearch_installation: Installation, tmp_path: Path
) -> None:
    assert elasticsearch_installation.home.is_dir()
    output = output_of(FAILING, tmp_path, SIGHTINGS_TEST_ELASTICSEARCH_URL="")
    shown = output.partition("- log of node at http://127.0.0.1:")[2]
    assert "started {node}" in shown
