"""Encrypted connections to a stub: whom they trust."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from indexer.errors import UsageError
from tests.elasticsearch.connecting import Connect, failing
from tests.elasticsearch.stub import Stub

if TYPE_CHECKING:
    from pathlib import Path


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
