"""docker-compose.yml keeps the Compose specification, and says what the rest of the project says.

Docker itself is not asked: it is not everywhere where the tests run.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = ROOT / "docker-compose.yml"
SUBSTITUTION = re.compile(r"(?<!\$)\$\{(\w+)(?:(:-|:\?)([^}]*))?\}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what `docker compose` and the script for its secrets read and write."""
    shutil.copyfile(COMPOSE, tmp_path / "docker-compose.yml")
    shutil.copytree(ROOT / "docker", tmp_path / "docker")
    return tmp_path


def make_env(project: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(project / "docker" / "make_env.py")],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return done.stdout


def variables(project: Path) -> dict[str, str]:
    lines = (project / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def services(values: dict[str, str]) -> dict[str, Any]:
    """Return the services with every variable in its place; a missing one is a KeyError."""

    def value(found: re.Match[str]) -> str:
        name, operator, rest = found.groups()
        return values.get(name) or rest if operator == ":-" else values[name]

    text = SUBSTITUTION.sub(value, COMPOSE.read_text(encoding="utf-8"))
    assert "${" not in text
    return dict(YAML(typ="safe").load(text)["services"])


def test_the_file_keeps_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(COMPOSE)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_script_gives_every_variable_that_has_no_default(project: Path) -> None:
    make_env(project)
    found = services(variables(project))
    assert "elasticsearch" in found


def test_without_the_script_the_error_names_it() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    required = [found for found in SUBSTITUTION.finditer(text) if found[2] != ":-"]
    assert required
    assert all(found[2] == ":?" and "docker/make_env.py" in found[3] for found in required)


def test_secrets_are_long_differ_each_time_and_are_for_the_owner_only(project: Path) -> None:
    make_env(project)
    one = variables(project)
    assert all(len(secret) >= 32 for secret in one.values())
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    (project / ".env").unlink()
    make_env(project)
    assert not set(one.values()) & set(variables(project).values())


def test_the_script_keeps_what_the_file_says_already(project: Path) -> None:
    (project / ".env").write_text("ELASTICSEARCH_PORT=9300\nELASTIC_PASSWORD=mine\n")
    assert "nothing added" in make_env(project)
    assert variables(project) == {"ELASTICSEARCH_PORT": "9300", "ELASTIC_PASSWORD": "mine"}
    assert services(variables(project))["elasticsearch"]["ports"] == ["127.0.0.1:9300:9200"]


def test_the_script_does_not_print_secrets(project: Path) -> None:
    printed = make_env(project)
    assert not any(secret in printed for secret in variables(project).values())


def test_elasticsearch_is_the_version_that_the_tests_run(project: Path) -> None:
    make_env(project)
    image = services(variables(project))["elasticsearch"]["image"]
    pom = (ROOT / "tests" / "elasticsearch" / "launcher" / "pom.xml").read_text(encoding="utf-8")
    assert image.partition(":")[2] in re.findall(r"<elasticsearch.version>([^<]+)<", pom)


def test_elasticsearch_asks_for_a_password_and_listens_to_this_machine_only(project: Path) -> None:
    make_env(project)
    service = services(variables(project))["elasticsearch"]
    environment = service["environment"]
    assert environment["xpack.security.enabled"] == "true"
    assert environment["ELASTIC_PASSWORD"] == variables(project)["ELASTIC_PASSWORD"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


@pytest.mark.parametrize("answer", ["200", "401"])
def test_the_health_check_gives_the_password_and_believes_the_answer(
    answer: str, project: Path, tmp_path: Path
) -> None:
    """Run as the container would, with a `curl` that keeps what it was given."""
    make_env(project)
    kind, command = services(variables(project))["elasticsearch"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    curl = tmp_path / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text(f'#!/bin/sh\ncat > "{tmp_path}/config"\n[ {answer} = 200 ] || exit 22\n')
    curl.chmod(0o700)
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("$$", "$")],
        env={"PATH": f"{curl.parent}:{os.defpath}", "ELASTIC_PASSWORD": "se.cr-et"},
        check=False,
        timeout=30,
    )
    assert (done.returncode == 0) == (answer == "200")
    assert (tmp_path / "config").read_text() == 'user = "elastic:se.cr-et"'
