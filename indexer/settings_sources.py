"""Where settings are written: the environment and a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.errors import UsageError
from indexer.toml_files import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "SIGHTINGS_"
OTHER_VARIABLES = {"SIGHTINGS_CONFIG", "SIGHTINGS_CACHE"}
"""Variables that are no settings; those of the tests start with SIGHTINGS_TEST_."""


def from_environment(environment: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in an environment by name, or by variable if `names` does not know it.

    names: of the settings, by variable.
    """
    given = {
        variable: value
        for variable, value in environment.items()
        if variable.startswith(PREFIX)
        and variable not in OTHER_VARIABLES
        and not variable.startswith("SIGHTINGS_TEST_")
    }
    return {names.get(variable, variable): value for variable, value in given.items()}


def from_file(given: str | Path | None) -> dict[str, Any]:
    """Return the settings of a TOML file by dotted name.

    given: if None, the one in the user's configuration folder is taken if it is there.
    Raises UsageError if the file that was given is not there, or one cannot be read.
    """
    from platformdirs import user_config_path

    path = Path(given) if given else user_config_path("sightings") / "sightings.toml"
    if not path.is_file():
        if not given:
            return {}
        raise UsageError(f"The settings file {path} is not there, or is no file.")
    try:
        content = read_toml(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"The settings file {path} cannot be read: {error}") from error
    return dict(_flattened(content))


def _flattened(tree: Mapping[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{section}{name}.")
        else:
            yield f"{section}{name}", value
