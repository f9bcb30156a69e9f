"""`sightings keys`: who may use the service."""

from __future__ import annotations

from tests.cli.running import sightings


def test_a_key_is_shown_once_listed_and_removed() -> None:
    added = sightings("keys", "add", "Anna's laptop", "--scope", "search", "--scope", "ingest")
    assert added.code == 0
    assert added.out.startswith("sightings_")
    listed = sightings("keys", "list", "--json")
    (key,) = listed.document
    assert (key["name"], key["scopes"]) == ("Anna's laptop", ["ingest", "search"])
    secret = added.out.strip().split("_", 2)[2]
    assert secret not in listed.out
    assert secret not in sightings("keys", "list").out + added.err
    assert sightings("keys", "remove", key["id"]).code == 0
    assert sightings("keys", "list").code == 1


def test_a_key_may_only_search_unless_more_is_said() -> None:
    sightings("keys", "add", "page")
    (key,) = sightings("keys", "list", "--json").document
    assert key["scopes"] == ["search"]


def test_unknown_scopes_and_ids_are_refused() -> None:
    run = sightings("keys", "add", "x", "--scope", "everything")
    assert (run.code, "search, ingest, admin" in run.err) == (2, True)
    assert sightings("keys", "remove", "unknown").code == 1
