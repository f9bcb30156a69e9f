"""Users, passwords and API keys: what is taken, what is refused, and that nothing tells them.

A stub answers, as a bare test node has no security.
"""

from __future__ import annotations

import io
import logging
import subprocess
import sys

import pytest

from indexer.errors import UsageError
from indexer.settings import ElasticsearchSettings
from tests.elasticsearch.connecting import API_KEY, SECRET, Connect, failing
from tests.elasticsearch.stub import Answer, Stub, error


@pytest.mark.parametrize(
    "credentials",
    [
        {"api_key": API_KEY},
        {"api_key": f"{API_KEY}\n"},
        {"api_key": "id:secret-key"},
        {"username": "ann", "password": SECRET},
    ],
    ids=["encoded key", "key from a file", "id and key", "user"],
)
def test_right_credentials_are_taken(credentials: dict[str, str], connect: Connect) -> None:
    with Stub(api_key=API_KEY, users={"ann": SECRET}) as stub:
        connect(stub.location(), **credentials).check()


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"api_key": "d3Jvbmc6a2V5"},
        {"username": "ann", "password": "wrong"},
        {"username": "eve", "password": SECRET},
    ],
    ids=["none", "key", "password", "user"],
)
def test_wrong_credentials_name_the_settings(credentials: dict[str, str], connect: Connect) -> None:
    with Stub(api_key=API_KEY, users={"ann": SECRET}) as stub:
        connection = connect(stub.location(), **credentials)
        with failing("does not accept the credentials.*SIGHTINGS_ELASTICSEARCH_API_KEY"):
            connection.check()
        assert len(stub.requests) == 1, "asking again with wrong credentials may lock a user out"


@pytest.mark.parametrize("api_key", [f"{SECRET} x", f"{SECRET}\nHost: evil", SECRET])
def test_a_key_that_no_header_can_hold_is_refused_unseen(api_key: str, connect: Connect) -> None:
    with failing("elasticsearch.api_key", UsageError):
        connect("elasticsearch://localhost/ours", api_key=api_key)


def test_a_user_name_with_a_colon_is_refused(connect: Connect) -> None:
    with failing("username holds a colon", UsageError):
        connect("elasticsearch://localhost/ours", username="a:b", password=SECRET)


def test_what_a_user_may_not_do_is_told_with_the_privilege_that_is_missing(
    connect: Connect,
) -> None:
    roles = ",".join(f"role-number-{number}" for number in range(100))
    reason = (
        f"action [cluster:monitor/nodes/info] is unauthorized for user [ann] with effective roles "
        f"[{roles}], this action is granted by the cluster privileges [monitor,manage,all]"
    )
    with Stub(every=error(403, "security_exception", reason)) as stub:
        connection = connect(stub.location(), username="ann", password=SECRET)
        with failing(r"do not allow cluster:monitor/nodes/info .*privileges monitor,manage,all"):
            connection.check()


def test_secrets_and_documents_are_in_no_log_and_no_repr(
    connect: Connect, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    caplog.set_level(logging.DEBUG)
    # As an application logs; caplog also listens to loggers that let nothing through.
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(log)])
    with Stub(users={"ann": SECRET}) as stub:
        connection = connect(stub.location(), username="ann", password=SECRET, retry_s=5.0)
        connection.check()
        stub.next.append(Answer(503))
        connection.call(connection.client.index, index="i", document={"person": "Grace Hopper"})
    assert "/i/_doc" in log.getvalue()
    settings = ElasticsearchSettings(username="ann", password=SECRET)
    shown = f"{log.getvalue()}{connection!r}{vars(connection)}{connection.client!r}{settings!r}"
    assert SECRET not in shown
    assert "Grace Hopper" not in shown


def test_retries_write_nothing_on_the_terminal() -> None:
    program = (
        "import sys\n"
        "from indexer.engines.elastic.connection import Connection\n"
        "from indexer.engines.elastic.location import parse_location\n"
        "from indexer.settings import ElasticsearchSettings\n"
        "settings = ElasticsearchSettings(retry_s=5.0)\n"
        "Connection(parse_location(sys.argv[1]), settings).check()\n"
    )
    with Stub() as stub:
        stub.next.append(Answer(503))
        command = [sys.executable, "-c", program, stub.location()]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert len(stub.requests) == 2
    assert run.stdout + run.stderr == ""
