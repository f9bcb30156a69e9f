"""The commands with an index on a cluster: how it is named, reached and told about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.running import sightings
from tests.elasticsearch.stub import Stub

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2"

WITH_INDEX = [
    ["stats"],
    ["search", "--person", "Anna"],
    ["media", "list"],
    ["people", "list"],
    ["people", "forget", "Anna", "--yes"],
    ["reindex", "--model", "dlib"],
    ["index", "photo.jpg", "--model", "dlib"],
]


@pytest.mark.parametrize("command", WITH_INDEX, ids=" ".join)
@pytest.mark.usefixtures("home")
def test_every_command_reaches_the_cluster_with_the_credentials_of_the_settings(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_API_KEY", SECRET)
    with Stub(api_key="another") as stub:
        run = sightings(*command, "--index", stub.location())
        assert stub.requests[0].headers["authorization"] == f"ApiKey {SECRET}"
    assert (run.code, run.out) == (3, "")
    assert "does not accept the credentials" in run.err
    assert SECRET not in run.err


def test_an_index_on_a_cluster_makes_no_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    before = sorted(home.rglob("*"))
    with Stub(versions={"old": "8.19.0"}) as stub:
        monkeypatch.setenv("SIGHTINGS_INDEX", stub.location())
        run = sightings("index", "photo.jpg", "--model", "dlib")
    assert run.code == 3
    assert "9.3 or newer" in run.err
    assert list(here.iterdir()) == []
    assert sorted(home.rglob("*")) == before


@pytest.mark.usefixtures("home")
def test_settings_are_listed_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_USERNAME", "ann")
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_PASSWORD", SECRET)
    text, document = sightings("settings").out, sightings("settings", "--json").document
    assert "elasticsearch.username = ann" in text
    assert "elasticsearch.password = (set)" in text
    assert "elasticsearch.api_key = (empty)" in text
    assert document["elasticsearch.password"] == "(set)"
    assert SECRET not in text + str(document)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stats", "--index", f"elasticsearch://ann:{SECRET}@es/ours"], "names no user and no"),
        (["stats", "--index", f"https://ann:{SECRET}@es:9200/ours"], "elasticsearch://HOST:9200"),
        (["stats", "--index", "elasticsearch://es/Ours"], "cannot be the name of an index"),
        (
            ["index", "a.jpg", "--set", f"elasticsearch.password:{SECRET}"],
            "--set takes NAME=VALUE, not 'elasticsearch.password…'.",
        ),
        (["index", "a.jpg", "--set", f"elasticsearch.password={SECRET}"], "username is not set"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("home")
def test_wrong_usage_ends_with_2_and_shows_no_secret(arguments: list[str], message: str) -> None:
    run = sightings(*arguments)
    assert (run.code, run.out) == (2, "")
    assert message in " ".join(run.err.split())
    assert SECRET not in run.err
