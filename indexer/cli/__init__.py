"""The command line: arguments to calls, and errors to messages and exit codes.

Exit codes: 0 found or done; 1 nothing found, or some files failed; 2 wrong usage; 3 something
around the program is wrong (index, weights, packages, disk).
"""

from __future__ import annotations

import sys

import typer

from indexer.cli import demo, index, library, people, search
from indexer.cli.output import note
from indexer.errors import EnvironmentFailure, NoFace, NotFound, SightingsError

app = typer.Typer(
    name="sightings",
    help="Find where a person appears in your photos and videos.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Faces are biometric data: index only people who agreed, and forget those who ask.",
)
index.add_to(app)
search.add_to(app)
library.add_to(app)
people.add_to(app)
demo.add_to(app)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except SightingsError as error:
        note(f"sightings: {error}")
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def exit_code(error: SightingsError) -> int:
    """Return the exit code for an error."""
    if isinstance(error, EnvironmentFailure):
        return 3
    return 1 if isinstance(error, (NoFace, NotFound)) else 2
