"""Reaching a cluster: versions, and what is done while it is away.

A stub answers, as it can be of any version; what a real node does is in the contract suite.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from indexer import open_index
from indexer.errors import UsageError
from indexer.settings import ElasticsearchSettings, Settings
from tests.elasticsearch.connecting import API_KEY, SECRET, Connect, failing, free_port
from tests.elasticsearch.stub import Answer, Stub, error


@pytest.mark.parametrize("version", ["9.3.0", "9.5.3", "9.10.0", "9.4.0-SNAPSHOT", "10.0.0"])
def test_supported_versions_are_taken(version: str, connect: Connect) -> None:
    with Stub(versions={"node-1": version}) as stub:
        connect(stub.location()).check()


@pytest.mark.parametrize("version", ["9.2.4", "8.19.0", "7.17.29", "nonsense"])
def test_an_older_version_is_refused(version: str, connect: Connect) -> None:
    with Stub(versions={"node-1": version}) as stub, failing(f"9.3 or newer.*{version}"):
        connect(stub.location()).check()


def test_only_the_older_nodes_are_named(connect: Connect) -> None:
    versions = {"new-1": "9.5.3", "old-1": "9.2.0", "new-2": "9.3.0", "old-2": "8.19.1"}
    told = r"on every node; old-1 \(id-old-1\) has 9.2.0, old-2 \(id-old-2\) has 8.19.1\. "
    with Stub(versions=versions) as stub, failing(told):
        connect(stub.location()).check()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, "<html>Welcome to nginx!</html>", {}, "text/html"),
        Answer(404, "<html>nginx</html>", {}, "text/html"),
        Answer(301, "", {"Location": "https://elsewhere.example/"}, "text/html"),
        Answer(200, {"nodes": {"x": {"name": "opensearch", "version": "3.2.0"}}}, {}),
        Answer(404, {"detail": "Not Found"}, {}),
        Answer(200, "{truncated", {}),
        Answer(200, "pixels", {}, "image/png"),
        Answer(200, "[]", {}),
    ],
    ids=["page", "missing page", "redirect", "fork", "other JSON", "no JSON", "picture", "list"],
)
def test_what_is_not_elasticsearch_is_told(answer: Answer, connect: Connect) -> None:
    with Stub(every=answer) as stub, failing("is not Elasticsearch"):
        connect(stub.location(), api_key=API_KEY).check()


def test_a_cluster_that_names_no_node_is_refused(connect: Connect) -> None:
    with Stub(versions={}) as stub, failing("names no node"):
        connect(stub.location()).check()


def test_nothing_listening_is_told_with_the_place(connect: Connect) -> None:
    location = f"elasticsearch://127.0.0.1:{free_port()}/ours"
    with failing(f"{location} does not answer.*nothing listens there"):
        connect(location).check()


def test_an_unknown_host_is_told(connect: Connect) -> None:
    with failing("its host's name is unknown"):
        connect("elasticsearch://no-such-host.invalid/ours").check()


def test_a_server_that_takes_too_long_is_told(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = f"elasticsearch://127.0.0.1:{silent.getsockname()[1]}/ours"
        with failing("does not answer in time.*elasticsearch.timeout_s"):
            connect(location, timeout_s=0.1).check()


def test_proxies_of_the_environment_are_not_used(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with Stub() as stub:
        connect(stub.location()).check()


# Calls while the cluster is busy or away

BUSY = [
    error(429, "es_rejected_execution_exception", "rejected execution of coordinating operation"),
    error(429, "circuit_breaking_exception", "[parent] Data too large"),
    Answer(502, "<html>Bad Gateway</html>", {}, "text/html"),
    error(503, "master_not_discovered_exception", "no master"),
    error(503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered"),
    Answer(504, "", {}, "text/plain"),
    error(500, "node_disconnected_exception", "[node-2][127.0.0.1:9300] disconnected"),
    error(500, "illegal_index_shard_state_exception", "CurrentState[RECOVERING]"),
    Answer(200, {"hits": {"hits": [{"_id": "x" * 5000}]}}, cut=True),
    Answer(200, {"acknowledged": True}, cut=True),
]


@pytest.mark.parametrize("answer", BUSY, ids=lambda a: f"{a.status}{' cut' if a.cut else ''}")
def test_a_busy_cluster_is_asked_again(answer: Answer, connect: Connect) -> None:
    retried = []
    with Stub() as stub:
        connection = connect(stub.location(), retry_s=5.0)
        stub.next += [answer, Answer(body={"count": 3})]
        asked = connection.call(
            connection.client.count, index="i", on_retry=lambda: retried.append(1)
        )
    assert asked.body == {"count": 3}
    assert len(stub.requests) == 2
    assert len(retried) == 1


def test_what_is_sent_again_is_the_same(connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location(), retry_s=5.0)
        stub.next += [Answer(503), Answer(body={"errors": False, "items": []})]
        lines = [{"index": {"_id": "1"}}, {"person": "Ä"}, b'{"delete":{"_id":"2"}}']
        connection.call(connection.client.bulk, index="i", operations=lines)
    first, second = stub.requests
    assert (
        first.body
        == second.body
        == ('{"index":{"_id":"1"}}\n{"person":"Ä"}\n{"delete":{"_id":"2"}}\n'.encode())
    )


def test_a_cluster_that_stays_busy_ends_in_an_error_that_says_for_how_long(
    connect: Connect,
) -> None:
    reason = "all shards failed"
    with Stub(every=error(503, "search_phase_execution_exception", reason)) as stub:
        connection = connect(stub.location(), retry_s=1.0)
        with failing(
            "busy or not ready, though it was tried for 1 s: .*503.*elasticsearch.retry_s"
        ):
            connection.call(connection.client.search, index="i")
    assert len(stub.requests) >= 3


def test_without_any_time_to_retry_a_call_is_made_once(connect: Connect) -> None:
    with Stub(every=Answer(503)) as stub:
        connection = connect(stub.location(), retry_s=0.0)
        with failing("busy or not ready: "):
            connection.call(connection.client.search, index="i")
    assert len(stub.requests) == 1


def test_a_cluster_that_comes_back_is_gone_on_with(connect: Connect) -> None:
    port = free_port()
    connection = connect(f"elasticsearch://127.0.0.1:{port}/ours", retry_s=20.0)
    missed = threading.Event()
    answers: list[Any] = []

    def ask() -> None:
        api = connection.client.count
        answers.append(connection.call(api, index="i", on_retry=missed.set).meta.status)

    asking = threading.Thread(target=ask)
    asking.start()
    assert missed.wait(10)
    with Stub(port=port):
        asking.join(20)
    assert answers == [200]


def test_another_node_is_asked_when_one_is_away(connect: Connect) -> None:
    with Stub() as stub:
        away = ",".join(f"127.0.0.1:{free_port()}" for _ in range(2))
        location = f"elasticsearch://{away},127.0.0.1:{stub.port}/ours"
        for _ in range(6):
            connect(location, retry_s=20.0).check()


def test_each_node_is_asked_even_when_the_first_takes_longer_than_retries_may(
    connect: Connect,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, Stub() as stub:
        location = f"elasticsearch://127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{stub.port}/ours"
        for _ in range(6):  # which node is asked first is drawn by chance
            connect(location, retry_s=0.01, timeout_s=0.2).check()


def test_answers_that_are_expected_come_back(connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location())
        for answer in (
            Answer(404, {"_id": "x", "found": False}),
            error(409, "version_conflict_engine_exception", "[x]: version conflict"),
            error(429, "es_rejected_execution_exception", "rejected"),
        ):
            stub.next.append(answer)
            given = connection.call(
                connection.client.get, expect=(404, 409, 429), index="i", id="x"
            )
            assert given.meta.status == answer.status
            assert given.body == answer.body


def test_a_call_may_have_a_time_limit_of_its_own(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        location = f"elasticsearch://127.0.0.1:{silent.getsockname()[1]}/ours"
        connection = connect(location, timeout_s=60.0, retry_s=0.0)
        for api in (connection.client.search, connection.client.indices.refresh):
            with failing("does not answer in time"):
                connection.call(api, index="i", timeout_s=0.05)


def test_a_call_with_its_own_time_limit_keeps_the_credentials(connect: Connect) -> None:
    with Stub(api_key=API_KEY) as stub:
        connection = connect(stub.location(), api_key=API_KEY)
        connection.call(connection.client.indices.refresh, index="i", timeout_s=5.0)


def test_threads_share_a_connection(connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location(), retry_s=5.0)
        stub.next += [Answer(503)] * 4
        threads = [threading.Thread(target=connection.check) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(stub.requests) == 12


def test_a_closed_connection_says_so_at_once(connect: Connect) -> None:
    connection = connect("elasticsearch://localhost/ours", retry_s=60.0)
    connection.close()
    with failing("is closed; open it again"):
        connection.call(connection.client.search, index="i")


# Opening


def test_an_index_on_a_cluster_is_opened_with_the_settings() -> None:
    settings = Settings(elasticsearch=ElasticsearchSettings(username="ann", password=SECRET))
    with Stub(users={"ann": "other"}) as stub, failing("does not accept the credentials"):
        open_index(stub.location(), settings=settings)


def test_a_password_in_the_location_is_refused_unseen() -> None:
    with failing("SIGHTINGS_ELASTICSEARCH_PASSWORD", UsageError):
        open_index(f"elasticsearch://ann:{SECRET}@localhost:9200/ours")
    with failing("elasticsearch://HOST:9200/NAME", UsageError):
        open_index(f"https://ann:{SECRET}@localhost:9200/ours")


@pytest.mark.parametrize("package", ["elasticsearch", "tenacity", "orjson"])
def test_without_its_packages_the_extra_is_named(package: str) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from indexer import open_index\n"
        "from indexer.errors import MissingExtra\n"
        "try: open_index('elasticsearch://localhost/ours')\n"
        "except MissingExtra as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert "sightings[elasticsearch]" in run.stdout, run.stderr
