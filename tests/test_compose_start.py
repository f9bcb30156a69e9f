"""What docker-compose.yml runs of ours, run here: the same commands and environment, other places.

A container's paths and the other containers' names are put in their local places by `Machine`; the
commands themselves, the settings and the health checks are those of the file, verbatim.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import Elasticsearch

from es_mappings.kibana import to_ndjson
from tests.compose import ROOT, as_run, copy_project, make_env, services, variables
from tests.elasticsearch.stub import Answer, Stub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.redis_server import RedisServer

PATIENCE_S = 180.0


@dataclass(frozen=True)
class Machine:
    """This machine in the place of all containers."""

    services: dict[str, Any]
    places: dict[str, str]

    def command(self, service: str) -> list[str]:
        programs = {"python": sys.executable, "redis-server": "redis-server"}
        beside = Path(sys.executable).parent
        first, *rest = (self.placed(word) for word in self.services[service]["command"])
        return [programs.get(first, str(beside / first)), *rest]

    def environment(self, service: str) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "HOME": self.places["HOME"], "HOSTNAME": os.uname().nodename}
        in_image = {
            "SIGHTINGS_CACHE": self.places["HOME"],
            "SIGHTINGS_API_KEYS_FILE": f"{self.places['HOME']}/private/api-keys.json",
            "SIGHTINGS_API_MEDIA_ROOT": f"{self.places['HOME']}/uploads",
        }
        given = self.services[service].get("environment", {})
        return own | in_image | {name: self.placed(value) for name, value in given.items()}

    def placed(self, text: str) -> str:
        text = as_run(str(text))
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as a service's container would; by default its own."""
        return subprocess.run(
            command or self.command(service),
            env=self.environment(service), cwd=ROOT, check=False, capture_output=True, text=True,
            timeout=PATIENCE_S,
        )  # fmt: skip

    def is_healthy(self, service: str) -> bool:
        """Run a service's health check once."""
        kind, check = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD-SHELL"
        return self.run(service, "/bin/sh", "-c", self.placed(check)).returncode == 0

    @contextmanager
    def started(self, service: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a service and wait until it is healthy; end it as `docker compose stop` does."""
        with subprocess.Popen(
            self.command(service), env=self.environment(service), cwd=ROOT, start_new_session=True
        ) as process:
            try:
                deadline = time.monotonic() + PATIENCE_S
                while not self.is_healthy(service):
                    assert process.poll() is None, f"{service} ended"
                    assert time.monotonic() < deadline, f"{service} is not healthy"
                    time.sleep(0.5)
                yield process
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE_S)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    values = variables_of(tmp_path)
    return Machine(services(values), {"HOME": str(tmp_path), "8470": str(free_port())})


def variables_of(tmp_path: Path) -> dict[str, str]:
    project = tmp_path / "project"
    project.mkdir()
    copy_project(project)
    make_env(project)
    return variables(project) | {"INDEX_NAME": f"t{os.urandom(6).hex()}", "MODEL": "dlib"}


def on(machine: Machine, **places: str) -> Machine:
    names = {"elasticsearch": "elasticsearch:9200", "redis": "redis:6379", "kibana": "kibana:5601"}
    mounted = {"/prepare.py": str(ROOT / "docker" / "prepare.py")}
    moved = {names[name]: place for name, place in places.items()}
    return Machine(machine.services, machine.places | moved | mounted)


def without_users(machine: Machine) -> Machine:
    """A node of the tests has no users, so that credentials for it are none."""
    cut = {
        name: {
            **service,
            "environment": {
                variable: value
                for variable, value in service.get("environment", {}).items()
                if not variable.startswith("SIGHTINGS_ELASTICSEARCH_")
                or variable == "SIGHTINGS_ELASTICSEARCH_REPLICAS"
            },
        }
        for name, service in machine.services.items()
    }
    return Machine(cut, machine.places)


def test_redis_starts_with_its_password_alone(machine: Machine) -> None:
    port = str(free_port())
    command = machine.services["redis"]["command"]
    check = machine.services["redis"]["healthcheck"]["test"]
    check[1] = check[1].replace("redis-cli", f"redis-cli -p {port}")
    machine.services["redis"]["command"] = [*command, "--port", port]
    with machine.started("redis"):
        del machine.services["redis"]["environment"]["REDISCLI_AUTH"]
        assert not machine.is_healthy("redis")


def test_users_are_made_with_the_rights_they_need_and_no_more(machine: Machine) -> None:
    environment = machine.services["prepare-index"]["environment"]
    name = environment["SIGHTINGS_INDEX"].rpartition("/")[2]
    with Stub(users={"elastic": environment["ELASTIC_PASSWORD"]}) as stub:
        here = on(machine, elasticsearch=stub.location().split("/")[2])
        run = here.run("prepare-index", sys.executable, str(ROOT / "docker/prepare.py"), "users")
        assert (run.returncode, run.stdout) == (0, "users: done\n"), run.stderr
        asked = [(r.method, r.path, json.loads(r.body)) for r in stub.requests]
    kibana, role, user = asked
    assert kibana == (
        "POST",
        "/_security/user/kibana_system/_password",
        {"password": machine.services["kibana"]["environment"]["ELASTICSEARCH_PASSWORD"]},
    )
    assert role[:2] == ("PUT", "/_security/role/sightings")
    assert role[2]["indices"] == [{"names": [f"{name}-*"], "privileges": ["all"]}]
    assert user[:2] == ("PUT", "/_security/user/sightings")
    own = machine.services["api"]["environment"]
    assert user[2] == {
        "password": own["SIGHTINGS_ELASTICSEARCH_PASSWORD"],
        "roles": ["sightings"],
    }


def test_a_refusal_ends_the_step_and_shows_no_secret(machine: Machine) -> None:
    with Stub(users={"elastic": "another"}) as stub:
        here = on(machine, elasticsearch=stub.location().split("/")[2])
        run = here.run("prepare-index", sys.executable, str(ROOT / "docker/prepare.py"), "users")
    assert run.returncode == 1
    assert "401" in run.stderr
    secrets = [v for v in here.environment("prepare-index").values() if len(v) >= 30]
    assert not [value for value in secrets if value in run.stdout + run.stderr and "/" not in value]


def test_the_saved_objects_are_imported_into_kibana(machine: Machine) -> None:
    environment = machine.services["prepare-kibana"]["environment"]
    name = environment["SIGHTINGS_INDEX"].rpartition("/")[2]
    with Stub(users={"elastic": environment["ELASTIC_PASSWORD"]}) as stub:
        stub.next.append(Answer(body={"success": True, "successCount": 13}))
        here = on(machine, kibana=stub.location().split("/")[2])
        run = here.run("prepare-kibana")
        assert (run.returncode, run.stdout) == (0, "kibana: done\n"), run.stderr
        (request,) = stub.requests
    assert (request.method, request.path) == (
        "POST",
        "/api/saved_objects/_import?overwrite=true",
    )
    password = environment["ELASTIC_PASSWORD"]
    encoded = b64encode(f"elastic:{password}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {encoded}"
    assert request.headers["kbn-xsrf"] == "true"
    assert request.headers["content-type"].startswith("multipart/form-data")
    port = machine.places["8470"]
    assert to_ndjson(name, f"http://localhost:{port}").encode() in request.body
    assert b'filename="sightings.ndjson"' in request.body


def test_an_import_that_leaves_something_out_is_a_failure(machine: Machine) -> None:
    environment = machine.services["prepare-kibana"]["environment"]
    with Stub(users={"elastic": environment["ELASTIC_PASSWORD"]}) as stub:
        stub.next.append(Answer(body={"success": False, "errors": [{"id": "sightings-x"}]}))
        run = on(machine, kibana=stub.location().split("/")[2]).run("prepare-kibana")
    assert run.returncode == 1
    assert "sightings-x" in run.stderr


def test_service_and_worker_start_and_are_healthy(
    machine: Machine, elasticsearch_url: str, redis_server: RedisServer
) -> None:
    """The index is made by the step before, the key by the documented command."""
    carrier = f"127.0.0.1:{redis_server.port}"
    here = without_users(
        on(machine, elasticsearch=elasticsearch_url.partition("//")[2], redis=carrier)
    )
    password = here.services["redis"]["environment"]["REDISCLI_AUTH"]
    here.places[f":{password}@"] = ""
    name = here.services["api"]["environment"]["SIGHTINGS_INDEX"].rpartition("/")[2]
    script = str(ROOT / "docker/prepare.py")
    try:
        for _ in range(2):  # doing it again is harmless
            run = here.run("prepare-index", sys.executable, script, "index")
            assert (run.returncode, run.stdout) == (0, "index: done\n"), run.stderr
        refused = here.run("api")
        assert refused.returncode == 2
        assert "nobody has a key" in " ".join(refused.stderr.split())
        added = here.run("api", "sightings", "keys", "add", "me", "--scope", "admin")
        assert added.returncode == 0, added.stderr
        with ExitStack() as running:
            running.enter_context(here.started("worker"))
            running.enter_context(here.started("api"))
            listed = here.run("worker", "sightings", "jobs", "--once")
            assert listed.returncode in (0, 1), listed.stderr
    finally:
        with Elasticsearch(elasticsearch_url) as client:
            if indices := list(client.indices.get(index=f"{name}-*", filter_path="*.aliases")):
                client.indices.delete(index=indices)
            client.options(ignore_status=404).indices.delete_index_template(name=f"{name}-*")
