"""docker-compose.yml as Docker would read it, and what it runs as plain commands.

Docker itself is not asked: it is not everywhere where the tests run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "docker-compose.yml"
SUBSTITUTION = re.compile(r"(?<!\$)\$\{(\w+)(?:(:-|:\?)([^}]*))?\}")


def copy_project(folder: Path) -> Path:
    """Copy what `docker compose` and the script for its secrets read and write."""
    shutil.copyfile(COMPOSE, folder / "docker-compose.yml")
    shutil.copytree(ROOT / "docker", folder / "docker")
    return folder


def make_env(project: Path) -> str:
    """Run the script for the secrets; return what it prints."""
    done = subprocess.run(
        [sys.executable, str(project / "docker" / "make_env.py")],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return done.stdout


def variables(project: Path) -> dict[str, str]:
    """Return the variables of a project's `.env`."""
    lines = (project / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def whole(values: dict[str, str]) -> dict[str, Any]:
    """Return the file with every variable in its place; a missing one is a KeyError."""

    def value(found: re.Match[str]) -> str:
        name, operator, rest = found.groups()
        return values.get(name) or rest if operator == ":-" else values[name]

    text = SUBSTITUTION.sub(value, COMPOSE.read_text(encoding="utf-8"))
    assert "${" not in text
    return dict(YAML(typ="safe").load(text))


def services(values: dict[str, str]) -> dict[str, Any]:
    """Return the services, see `whole`."""
    return dict(whole(values)["services"])


def as_run(text: str) -> str:
    """Return a text of the file as the container gets it."""
    return text.replace("$$", "$")
