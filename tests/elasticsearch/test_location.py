"""How the place of an index on a cluster is written."""

from __future__ import annotations

import pytest

from indexer.engines.elastic.location import Location, is_on_cluster, parse_location
from indexer.errors import UsageError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "urls", "name"),
    [
        ("elasticsearch://localhost/ours", ["http://localhost:9200"], "ours"),
        ("elasticsearch://Localhost:9201/ours", ["http://localhost:9201"], "ours"),
        ("Elasticsearch+HTTPS://es.example.org/a", ["https://es.example.org:9200"], "a"),
        (
            "elasticsearch://es1,es_2:9201,192.0.2.7/2026.holiday-eu_1",
            ["http://es1:9200", "http://es_2:9201", "http://192.0.2.7:9200"],
            "2026.holiday-eu_1",
        ),
        (
            "elasticsearch://[::1]:9201,[2001:db8::7]/ours",
            ["http://[::1]:9201", "http://[2001:db8::7]:9200"],
            "ours",
        ),
        ("elasticsearch://es,es:9200/ours", ["http://es:9200"], "ours"),
        ("elasticsearch://es/" + "n" * 100, ["http://es:9200"], "n" * 100),
        ("elasticsearch://es/myfaces-media2", ["http://es:9200"], "myfaces-media2"),
    ],
)
def test_a_location_has_nodes_and_a_name(text: str, urls: list[str], name: str) -> None:
    assert is_on_cluster(text)
    assert parse_location(text) == Location(tuple(urls), name, text)


def test_only_the_scheme_with_https_is_encrypted() -> None:
    assert parse_location("elasticsearch+https://es/ours").encrypted
    assert not parse_location("elasticsearch://es/ours").encrypted


@pytest.mark.parametrize(
    "text",
    [
        "elasticsearch://localhost",
        "elasticsearch://localhost/",
        "elasticsearch://localhost/ours/",
        "elasticsearch://localhost/ours/faces",
        "elasticsearch://localhost/ours?pretty",
        "elasticsearch://localhost/ours#top",
        "elasticsearch:///ours",
        "elasticsearch://,/ours",
        "elasticsearch://es,/ours",
        "elasticsearch://es:/ours",
        "elasticsearch://es:http/ours",
        "elasticsearch://es:92:00/ours",
        "elasticsearch://::1/ours",
        "elasticsearch://[::1/ours",
        "elasticsearch://[es]/ours",
        "elasticsearch://[fe80::1%eth0]/ours",
        "elasticsearch://a..b/ours",
        "elasticsearch://-es/ours",
        "elasticsearch://bücher.example/ours",
        f"elasticsearch://{'x' * 64}/ours",
        "elasticsearch://local host/ours",
        "elasticsearch://es\n/ours",
        "elasticsearch:/localhost/ours",
        "elasticsearch+http://localhost/ours",
        "localhost:9200/ours",
    ],
)
def test_what_has_another_form_is_refused_with_the_right_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"elasticsearch://HOST:9200/NAME") as caught:
        parse_location(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", [0, 65536, 10**9])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="is not a port"):
        parse_location(f"elasticsearch://es:{port}/ours")


@pytest.mark.parametrize(
    "name", ["Ours", "_ours", "-ours", ".ours", "o rs", "ö", "o*", "o,p", "o:p", "n" * 101, "o\n"]
)
def test_a_name_that_no_index_may_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be the name.*at most 100 lower-case letters"):
        parse_location(f"elasticsearch://es/{name}")


@pytest.mark.parametrize(
    "name", ["faces", "a-faces", "media-a", "a-segments-b", "files", "a-labels"]
)
def test_a_name_with_a_word_that_tells_indices_apart_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="Use another word"):
        parse_location(f"elasticsearch://es/{name}")


@pytest.mark.parametrize(
    "text",
    [
        f"elasticsearch://ann:{SECRET}@es:9200/ours",
        f"elasticsearch+https://ann:{SECRET}@es/ours",
        f"elasticsearch://es1,ann:{SECRET}@es2/ours",
        f"elasticsearch://ann:{SECRET}/x@es/ours",
        f"elasticsearch://ann:{SECRET}@",
    ],
)
def test_a_password_is_refused_unseen(text: str) -> None:
    with pytest.raises(UsageError, match="SIGHTINGS_ELASTICSEARCH_PASSWORD") as caught:
        parse_location(text)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["faces.sightings", "/a/elasticsearch", "elasticsearch", "elasticsearch:/a", ""]
)
def test_a_path_is_no_location_on_a_cluster(path: str) -> None:
    assert not is_on_cluster(path)
