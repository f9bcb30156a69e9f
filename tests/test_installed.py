"""Sightings as others get it: a wheel that is installed, away from the files it was made of."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from es_mappings import KINDS
from indexer.evaluation.matrix import CARDS, COMING_ALONG

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("api", "es_mappings", "indexer", "tasks")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")

LOOK = """
import json
from importlib.resources import files

import api
import es_mappings
import indexer
import tasks.app
from api.routes.page import page
from indexer.evaluation.matrix import CARDS, COMING_ALONG
from indexer.settings import Settings
from indexer.settings_tasks import TaskSettings

celery = tasks.app.make_app(Settings(tasks=TaskSettings(broker_url="redis://localhost:1/0")))
print(json.dumps({
    "places": [module.__file__ for module in (api, es_mappings, indexer, tasks)],
    "page": sorted(page().files),
    "templates": [kind for kind in es_mappings.KINDS
                  if files("es_mappings").joinpath(f"{kind}.json").is_file()],
    "matrices": sorted(name for name, file in COMING_ALONG.items() if file.is_file()),
    "cards": sorted(path.name for path in CARDS.glob("*.json")),
    "tasks": sorted(name for name in celery.tasks if name.startswith("sightings.")),
}))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's packages alone; what they need is taken from the environment."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(ROOT / name, source / name)
    wheels = folder / "wheels"
    _run(*PIP, "wheel", "--no-deps", "--wheel-dir", wheels, source)
    (wheel,) = wheels.glob("sightings-*.whl")
    target = folder / "packages"
    _run(*PIP, "install", "--no-deps", "--target", target, wheel)
    shutil.rmtree(source)
    return target


@pytest.fixture
def home(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder and home; what is run there finds what is installed, and not this project."""
    for name in os.environ:
        if name.startswith("SIGHTINGS_"):
            monkeypatch.delenv(name)
    for name in ("DATA", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(installed))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(*command: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.usefixtures("home")
def test_its_packages_have_the_files_that_are_no_code(installed: Path) -> None:
    found = json.loads(_run(sys.executable, "-c", LOOK))
    assert [Path(place).parents[1] for place in found["places"]] == [installed] * len(PACKAGES)
    page = ROOT / "api" / "page"
    assert found["page"] == sorted(
        str(path.relative_to(page)) for path in page.rglob("*") if path.is_file()
    )
    assert found["templates"] == list(KINDS)
    assert found["matrices"] == sorted(COMING_ALONG)
    assert found["cards"] == sorted(path.name for path in CARDS.glob("*.json"))
    assert found["tasks"] == ["sightings.media", "sightings.segment", "sightings.sweep"]


@pytest.mark.usefixtures("home")
def test_its_commands_start(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in (("-m", "indexer"), (installed / "bin" / "sightings",)):
        help_text = _run(sys.executable, *program, "--help")
        assert "Usage: " in help_text
        assert all(command in help_text for command in ("index", "search", "serve", "enqueue"))
    cluster = "elasticsearch://localhost:9200/archive"
    url = "https://faces.example.org"
    objects = _run(sys.executable, "-m", "indexer", "kibana", "--url", url, "--index", cluster)
    assert '"type":"dashboard"' in objects.replace(" ", "")
    monkeypatch.setenv("SIGHTINGS_TASKS_BROKER_URL", "redis://localhost:1/0")
    assert "sightings" in _run(sys.executable, "-m", "celery", "-A", "tasks", "report")


def test_its_service_starts_and_shows_the_page(home: Path) -> None:
    command = [sys.executable, "-m", "indexer", "serve", "--index", str(home / "f.sightings")]
    with subprocess.Popen(
        [*command, "--port", "0"], stderr=subprocess.PIPE, text=True, cwd=home
    ) as serve:
        try:
            assert serve.stderr is not None
            said = serve.stderr.readline()
            address = re.search(r"http://\S+/", said)
            assert address, said + serve.stderr.read()
            page = requests.get(address[0], timeout=60)
            assert page.ok
            assert "<title>" in page.text
            (script,) = re.findall(r'<script[^>]* src="/?([^"]+)"', page.text)[:1]
            assert requests.get(address[0] + script, timeout=60).ok
        finally:
            serve.terminate()
