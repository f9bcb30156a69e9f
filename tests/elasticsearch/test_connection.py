"""Reaching a cluster: credentials, TLS, versions, and what is done while it is away.

A stub answers, as a bare test node has no security; what a real node does is in the contract suite.
"""

from __future__ import annotations

import hashlib
import io
import logging
import socket
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from indexer import open_index
from indexer.engines.elastic.connection import Connection
from indexer.engines.elastic.location import parse_location
from indexer.errors import IndexBlocked, IndexFailure, SightingsError, StorageFull, UsageError
from indexer.settings import ElasticsearchSettings, Settings
from tests.elasticsearch.stub import Answer, Stub, error

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-Ü"
API_KEY = "aWQ6c2VjcmV0LWtleQ=="  # id:secret-key

Connect = Callable[..., Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes connections that give up soon, and closes them."""
    made = []

    def to(location: str, **settings: Any) -> Connection:
        given = ElasticsearchSettings(**{"retry_s": 0.2, "timeout_s": 5.0, **settings})
        made.append(Connection(parse_location(location), given))
        return made[-1]

    yield to
    for connection in made:
        connection.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def fingerprint(pem: trustme.Blob) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.bytes().decode())).hexdigest()


@contextmanager
def failing(match: str, kind: type[SightingsError] = IndexFailure) -> Iterator[None]:
    """Expect an error, whose whole report never holds a secret."""
    with pytest.raises(kind, match=match) as caught:
        yield
    report = "".join(traceback.format_exception(caught.value))
    assert SECRET not in report
    assert API_KEY not in report
    assert "secret-key" not in report


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Credentials


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


# TLS


def test_a_certificate_of_the_ca_in_the_file_is_trusted(
    tls: ssl.SSLContext, ca_file: str, connect: Connect
) -> None:
    with Stub(tls=tls) as stub:
        for host in ("127.0.0.1", "localhost"):
            connect(stub.location(encrypted=True, host=host), ca_certs=ca_file).check()


def test_a_certificate_of_no_known_ca_is_refused(tls: ssl.SSLContext, connect: Connect) -> None:
    with Stub(tls=tls) as stub:
        with failing("not trusted .*SIGHTINGS_ELASTICSEARCH_CA_CERTS"):
            connect(stub.location(encrypted=True)).check()
        assert not stub.requests


def test_a_certificate_of_another_ca_is_refused(
    tls: ssl.SSLContext, tmp_path: Path, connect: Connect
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with Stub(tls=tls) as stub, failing("not trusted"):
        connect(stub.location(encrypted=True), ca_certs=str(other)).check()


def test_a_certificate_for_another_host_is_refused(
    authority: trustme.CA, ca_file: str, connect: Connect
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    with Stub(tls=context) as stub, failing("not trusted .*host's name"):
        connect(stub.location(encrypted=True), ca_certs=ca_file).check()


def test_a_ca_file_that_is_not_there_or_no_certificate_is_named(
    tmp_path: Path, connect: Connect
) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    for name, reason in {
        "none.pem": "not there",
        "text.pem": "no PEM file",
        ".": "Is a directory|no PEM file",
    }.items():
        with failing(rf"{name}.* is ({reason})", UsageError):
            connect("elasticsearch+https://localhost/ours", ca_certs=str(tmp_path / name))


def test_a_certificate_is_known_by_its_fingerprint_or_its_cas(
    tls: ssl.SSLContext, certificate: trustme.LeafCert, connect: Connect
) -> None:
    digest = fingerprint(certificate.cert_chain_pems[0])
    with_colons = ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper()
    with Stub(tls=tls) as stub:
        for written in (digest, with_colons):
            connect(stub.location(encrypted=True), fingerprint=written).check()


def test_another_fingerprint_is_refused(tls: ssl.SSLContext, connect: Connect) -> None:
    with Stub(tls=tls) as stub:
        with failing("not the fingerprint"):
            connect(stub.location(encrypted=True), fingerprint="ab" * 32).check()
        assert not stub.requests


@pytest.mark.parametrize("settings", [{"ca_certs": "ca.pem"}, {"fingerprint": "ab" * 32}])
def test_trust_without_tls_is_refused(settings: dict[str, str], connect: Connect) -> None:
    with failing(r"write elasticsearch\+https://", UsageError):
        connect("elasticsearch://localhost/ours", **settings)


def test_plain_http_at_a_port_that_wants_tls_says_which_scheme_to_write(
    tls: ssl.SSLContext, connect: Connect
) -> None:
    with Stub(tls=tls) as stub, failing(r"it may want elasticsearch\+https://"):
        connect(stub.location()).check()


def test_tls_at_a_port_that_wants_plain_http_says_which_scheme_to_write(
    ca_file: str, connect: Connect
) -> None:
    with Stub() as stub, failing("write elasticsearch:// instead"):
        connect(stub.location(encrypted=True), ca_certs=ca_file).check()


# What answers


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


# Answers that say no

FLOOD = (
    "index [ours] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage "
    "watermark, index has read-only-allow-delete block];"
)


@pytest.mark.parametrize(
    ("answer", "kind", "match"),
    [
        (error(429, "cluster_block_exception", FLOOD), StorageFull, "disk.*nearly full"),
        (
            error(403, "cluster_block_exception", "[FORBIDDEN/13/cluster read-only / allow delete"),
            StorageFull,
            "nearly full",
        ),
        (
            error(500, "i_o_exception", "No space left on device"),
            StorageFull,
            "What was stored before is intact",
        ),
        (
            error(403, "cluster_block_exception", "[ours] blocked by: [FORBIDDEN/8/index write"),
            IndexBlocked,
            "being replaced, or made read-only",
        ),
        (
            error(404, "index_not_found_exception", "no such index [ours-media]"),
            IndexFailure,
            r"missing on the cluster \(no such index \[ours-media\]\)",
        ),
        (
            error(
                400,
                "strict_dynamic_mapping_exception",
                "[1:10] mapping set to strict, dynamic introduction of [x] within [_doc] is not",
            ),
            IndexFailure,
            r"not made by this version",
        ),
        (
            error(409, "version_conflict_engine_exception", "[x]: version conflict"),
            IndexFailure,
            "changed by another program",
        ),
        (Answer(408, {"status": "red", "timed_out": True}), IndexFailure, "found no node to be on"),
        (
            Answer(413, "<html>Too Large</html>", {}, "text/html"),
            IndexFailure,
            "so large a request",
        ),
        (
            error(400, "validation_exception", "this cluster has [1000]/[1000] shards"),
            IndexFailure,
            r"answered 400 \(validation_exception: this cluster has \[1000\]",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(
    answer: Answer, kind: type[SightingsError], match: str, connect: Connect
) -> None:
    with Stub(every=answer) as stub:
        connection = connect(stub.location(), retry_s=60.0)
        with failing(match, kind):
            connection.call(connection.client.index, index="i", document={"person": SECRET})
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "reason",
    [
        f"[1:9] failed to parse field [x] of type [long]. Preview of field's value: '{SECRET}'",
        f'For input string: "{SECRET}"',
        f"Document contains an immense term. The prefix of the first immense term is: '{SECRET}'",
        f"The [cosine] similarity wants another magnitude. Preview of invalid vector: [{SECRET}]",
    ],
)
def test_values_that_an_error_quotes_are_not_told(reason: str, connect: Connect) -> None:
    caused_by = {"type": "number_format_exception", "reason": f'For input string: "{SECRET}"'}
    answer = error(400, "document_parsing_exception", reason, caused_by=caused_by)
    with Stub(every=answer) as stub:
        connection = connect(stub.location())
        with failing("does not take what this version of Sightings stores"):
            connection.call(connection.client.index, index="i", document={"person": SECRET})


def test_vectors_of_another_length_are_told_with_the_lengths(connect: Connect) -> None:
    reason = "The [dense_vector] field [embedding] has a different number of dimensions [3] than"
    answer = error(
        400,
        "document_parsing_exception",
        "[1:9] failed to parse: null",
        caused_by={"type": "illegal_argument_exception", "reason": reason},
    )
    with Stub(every=answer) as stub:
        connection = connect(stub.location())
        with failing(r"number of dimensions \[3\]"):
            connection.call(connection.client.index, index="i", document={})


def test_the_reason_of_a_failed_search_is_that_of_its_shards(connect: Connect) -> None:
    root = {"type": "query_shard_exception", "reason": "field [x] is no keyword"}
    failed = {"type": "search_phase_execution_exception", "reason": "all shards failed"}
    answer = Answer(400, {"error": {"root_cause": [root], **failed}, "status": 400})
    with Stub(every=answer) as stub:
        connection = connect(stub.location())
        with failing(r"query_shard_exception: field \[x\] is no keyword"):
            connection.call(connection.client.search, index="i")


def test_a_long_reason_is_cut(connect: Connect) -> None:
    with Stub(every=error(400, "illegal_argument_exception", "long " * 1000)) as stub:
        connection = connect(stub.location())
        with pytest.raises(IndexFailure) as caught:
            connection.call(connection.client.search, index="i")
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("value", ["\udcff", 2**70, object()], ids=["surrogate", "number", "type"])
def test_a_value_that_json_cannot_hold_is_a_usage_error(value: Any, connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location())
        document = {"person": SECRET, "value": value}
        with failing("cannot be looked up or stored", UsageError):
            connection.call(connection.client.index, index="i", document=document)
        with failing("cannot be looked up or stored", UsageError):
            connection.call(connection.client.bulk, operations=[{"index": {}}, document])
        assert not stub.requests


def test_an_id_that_no_address_can_hold_is_a_usage_error(connect: Connect) -> None:
    with Stub() as stub:
        connection = connect(stub.location())
        with failing("cannot be looked up or stored", UsageError):
            connection.call(connection.client.get, index="i", id="\udcff")


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
