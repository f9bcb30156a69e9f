"""`--set` sets any setting of any command that reads settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer

from indexer.cli import app
from tests.cli.running import sightings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click import Command


def commands(command: Command, *names: str) -> Iterator[tuple[str, Command]]:
    """Yield what can be run by its words: `people list`, and `jobs`, which has commands below."""
    below = getattr(command, "commands", {})
    if names and (not below or getattr(command, "invoke_without_command", False)):
        yield " ".join(names), command
    for name, each in below.items():
        yield from commands(each, *names, name)


EACH = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", EACH)
def test_each_command_takes_it(name: str) -> None:
    options = {option for each in EACH[name].params for option in each.opts}
    assert "--set" in options


@pytest.mark.parametrize(
    "command",
    [
        "media list",
        "people list",
        "stats",
        "models",
        "settings",
        "jobs",
        "optimize",
        "faces {clip}",
    ],
)
@pytest.mark.usefixtures("library")
def test_a_setting_that_is_none_is_refused_everywhere(command: str) -> None:
    run = sightings(*command.split(), "--set", "faces.min_face_px=2")
    assert run.code == 2
    assert "The setting faces.min_face_px is" in run.err


def test_the_settings_in_force_are_those_that_were_set() -> None:
    listed = sightings("settings", "--set", "api.port=1234", "--json").document
    assert listed["api.port"] == 1234
