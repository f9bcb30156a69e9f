"""docker-compose.yml keeps the Compose specification, and says what the rest of the project says.

Docker itself is not asked: it is not everywhere where the tests run.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
from celery.bin.worker import worker as celery_worker
from typer.main import get_command

from indexer.cli import app as sightings_app
from indexer.engines.elastic.connection import OLDEST
from indexer.links import stored_links
from indexer.settings import load
from indexer.settings_api import ApiSettings
from tests.compose import (
    COMPOSE,
    ROOT,
    SUBSTITUTION,
    as_run,
    copy_project,
    make_env,
    services,
    variables,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what `docker compose` and the script for its secrets read and write."""
    return copy_project(tmp_path)


def test_the_file_keeps_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(COMPOSE)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_script_gives_every_variable_that_has_no_default(project: Path) -> None:
    make_env(project)
    found = services(variables(project))
    assert {"elasticsearch", "kibana", "redis", "api", "worker", "worker-gpu"} <= found.keys()


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
    make_env(project)
    values = variables(project)
    assert (values["ELASTICSEARCH_PORT"], values["ELASTIC_PASSWORD"]) == ("9300", "mine")
    assert "nothing added" in make_env(project)
    assert variables(project) == values
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


# --- all services ------------------------------------------------------------------------------

OURS = ("prepare-index", "prepare-kibana", "api", "worker", "worker-gpu")
ONCE = ("prepare-index", "prepare-kibana")


@pytest.fixture
def found(project: Path) -> dict[str, Any]:
    """The services with the values of a new `.env`."""
    make_env(project)
    return services(variables(project))


def test_images_of_others_are_pinned_and_ours_are_built_from_the_dockerfile(
    found: dict[str, Any],
) -> None:
    assert (ROOT / "Dockerfile").is_file()
    for name, service in found.items():
        assert ("build" in service) == (name in OURS)
        assert re.search(r":\d+\.\d+\.\d+(-[a-z]+)?$", service["image"])
    builds = {found[name]["build"]["context"] for name in OURS}
    assert builds == {"."}
    without_gpu = {found[name]["image"] for name in OURS if name != "worker-gpu"}
    assert len(without_gpu) == 1
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for name in OURS:
        for argument in found[name]["build"]["args"]:
            assert f"ARG {argument}=" in dockerfile


def test_the_version_of_the_image_is_that_of_the_package(found: dict[str, Any]) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "([^"]+)"', project, re.MULTILINE)
    assert found["api"]["image"] == f"sightings:{version}"
    assert found["worker-gpu"]["image"] == f"sightings:{version}-cuda"


def test_kibana_is_of_the_version_of_elasticsearch(found: dict[str, Any]) -> None:
    versions = {found[name]["image"].partition(":")[2] for name in ("kibana", "elasticsearch")}
    (version,) = versions
    assert tuple(int(part) for part in version.split(".")) >= OLDEST


def test_what_stays_up_says_whether_it_is_well_and_starts_again(found: dict[str, Any]) -> None:
    for name, service in found.items():
        assert ("healthcheck" in service) == (name not in ONCE)
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped")


@pytest.mark.parametrize("name", ["worker", "worker-gpu"])
def test_workers_are_not_killed_before_they_have_given_back_what_is_in_hand(
    name: str, found: dict[str, Any]
) -> None:
    settings = load(environment=found[name]["environment"])
    minutes = re.fullmatch(r"(\d+)m", found[name]["stop_grace_period"])
    assert minutes
    # As docs/service.md says: a minute for what asks nobody, such as loading networks.
    assert 60 * int(minutes[1]) >= settings.tasks.stop_s + 60
    assert "stop_signal" not in found[name]  # SIGTERM
    assert "STOPSIGNAL" not in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_services_wait_for_what_they_need(found: dict[str, Any]) -> None:
    for service in found.values():
        for other, condition in service.get("depends_on", {}).items():
            needed = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert condition == {"condition": needed}
            assert other in found
    order = {name: set(service.get("depends_on", {})) for name, service in found.items()}
    assert order["kibana"] == {"prepare-index"}
    assert order["prepare-kibana"] == {"kibana"}
    assert order["worker"] == order["worker-gpu"] == order["api"] == {"prepare-index", "redis"}


def test_every_volume_is_named_and_used(project: Path, found: dict[str, Any]) -> None:
    named = set(whole(variables(project))["volumes"])
    mounted = [place for service in found.values() for place in service.get("volumes", ())]
    used = {place.partition(":")[0] for place in mounted}
    folders = {place for place in used if place.startswith(".")}
    assert used - folders == named
    assert all(place.endswith(":ro") for place in mounted if place.startswith("."))


def test_services_of_ours_have_no_rights_and_share_what_they_must(found: dict[str, Any]) -> None:
    for name in (*OURS, "redis"):
        assert found[name]["cap_drop"] == ["ALL"]
        assert found[name]["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in found[name]
    own = {name: set(found[name]["volumes"]) for name in ("api", "worker", "worker-gpu")}
    assert own["worker"] == own["worker-gpu"] < own["api"]
    # Who may use the service is the service's business alone.
    assert {place.partition(":")[0] for place in own["api"] - own["worker"]} == {"keys"}


def test_others_than_this_machine_reach_the_service_alone_and_only_if_told(
    project: Path, found: dict[str, Any]
) -> None:
    ports = [port for service in found.values() for port in service.get("ports", ())]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "ports" not in found["redis"]
    opened = services(variables(project) | {"API_ADDRESS": "0.0.0.0"})
    told = {name for name, service in opened.items() for port in service.get("ports", ())
            if not port.startswith("127.0.0.1:")}  # fmt: skip
    assert told == {"api"}


def test_the_environment_of_ours_is_settings_that_fit_the_other_services(
    found: dict[str, Any],
) -> None:
    for name in OURS:
        settings = load(environment=found[name]["environment"])
        hosts = re.search(r"//([a-z]+):(\d+)/archive$", settings.index)
        assert hosts
        assert hosts[1] in found
        assert found[hosts[1]]["ports"][0].endswith(f":{hosts[2]}")
        password = found["redis"]["environment"]["REDISCLI_AUTH"]
        assert settings.tasks.broker_url == f"redis://:{password}@redis:6379/0"
        assert settings.api.host == "0.0.0.0"
        assert stored_links(settings.api) is not None


def test_no_two_secrets_are_the_same_and_kibanas_are_long_enough(found: dict[str, Any]) -> None:
    kibana = found["kibana"]["environment"]
    keys = [value for name, value in kibana.items() if name.endswith("ENCRYPTIONKEY")]
    assert len(set(keys)) == len(keys) == 3
    assert all(len(key) >= 32 for key in keys)
    assert kibana["ELASTICSEARCH_USERNAME"] == "kibana_system"
    passwords = [
        kibana["ELASTICSEARCH_PASSWORD"],
        found["elasticsearch"]["environment"]["ELASTIC_PASSWORD"],
        found["api"]["environment"]["SIGHTINGS_ELASTICSEARCH_PASSWORD"],
    ]
    assert len({*passwords, *keys}) == 6
    assert found["prepare-index"]["environment"]["KIBANA_PASSWORD"] == passwords[0]


def test_kibana_calls_nobody(found: dict[str, Any]) -> None:
    environment = found["kibana"]["environment"]
    for name in ("TELEMETRY_ENABLED", "NEWSFEED_ENABLED", "MAP_INCLUDEELASTICMAPSSERVICE"):
        assert environment[name] == "false"


@pytest.mark.parametrize("name", ["api", "worker", "worker-gpu"])
def test_each_command_can_be_typed(name: str, found: dict[str, Any]) -> None:
    program, *words = (as_run(word) for word in found[name]["command"])
    if program == "sightings":
        command: Any = get_command(sightings_app)
        command.commands[words[0]].make_context(words[0], words[1:])
    else:
        assert (program, words[:3]) == ("celery", ["-A", "tasks", "worker"])
        parser = celery_worker.make_parser(click.Context(celery_worker))
        options, rest, _ = parser.parse_args(words[3:])
        assert rest == []
        assert {"concurrency", "queues"} <= options.keys() or name == "worker"


def test_the_port_of_the_service_is_the_one_that_is_published(found: dict[str, Any]) -> None:
    settings = load(environment=found["api"]["environment"])
    assert settings.api.port == ApiSettings().port
    assert found["api"]["ports"] == [f"127.0.0.1:{settings.api.port}:{settings.api.port}"]
    assert f":{settings.api.port}/readyz" in found["api"]["healthcheck"]["test"][1]


def test_with_a_gpu_its_worker_takes_the_queue_that_the_others_send_to(project: Path) -> None:
    make_env(project)
    found = services(variables(project) | {"GPU_QUEUE": "fast"})
    assert found["worker-gpu"]["profiles"] == ["gpu"]
    command = found["worker-gpu"]["command"]
    assert command[command.index("--queues") + 1] == "fast"
    for name in ("api", "worker", "worker-gpu"):
        assert load(environment=found[name]["environment"]).tasks.gpu_queue == "fast"
    assert found["worker-gpu"]["build"]["args"]["TORCH_BUILD"] == "cuda"
    (device,) = found["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


def test_the_page_about_it_names_every_variable_that_has_a_default() -> None:
    text = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    table = {name for line in text.splitlines() if line.startswith("| `")
             for name in re.findall(r"`([A-Z_]+)`", line.split("|")[1])}  # fmt: skip
    compose = SUBSTITUTION.finditer(COMPOSE.read_text(encoding="utf-8"))
    assert table == {each[1] for each in compose if each[2] == ":-"}
