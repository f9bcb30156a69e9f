"""The command line: arguments to calls, and errors to messages and exit codes.

Exit codes: 0 found or done; 1 nothing found, or some files failed; 2 wrong usage; 3 something
around the program is wrong (index, weights, packages, disk); 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import typer

from indexer.cli import (
    calibrate,
    demo,
    evaluate,
    export,
    index,
    jobs,
    keys,
    kibana,
    library,
    pca,
    people,
    quantise,
    search,
    serve,
    upkeep,
)
from indexer.cli.ending import INTERRUPTED, end_in_order
from indexer.cli.output import note
from indexer.errors import EnvironmentFailure, NoFace, NotFound, SightingsError
from indexer.library_threads import PASSIVE, set_before_imports
from indexer.text import shown

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
export.add_to(app)
upkeep.add_to(app)
calibrate.add_to(app)
pca.add_to(app)
quantise.add_to(app)
jobs.add_to(app)
demo.add_to(app)
evaluate.add_to(app)
serve.add_to(app)
keys.add_to(app)
kibana.add_to(app)


def main() -> None:
    """Run the command line."""
    end_in_order()
    set_before_imports(PASSIVE)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks must not end the run.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            note("sightings: interrupted; what was finished is stored.")
        raise
    except SightingsError as error:
        note(f"sightings: {error}")
        interrupted = isinstance(error.__cause__, KeyboardInterrupt)
        sys.exit(INTERRUPTED if interrupted else exit_code(error))
    except BrokenPipeError:  # whoever reads has read enough
        _drop_output()
        sys.exit(1)
    except OSError as error:
        _drop_output()
        where = shown(error.filename) if error.filename else "The output"
        note(f"sightings: {where} cannot be read or written: {error.strerror or error}.")
        sys.exit(3)


def _drop_output() -> None:
    """Let go of what is still to be written: Python would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_code(error: SightingsError) -> int:
    """Return the exit code for an error."""
    if isinstance(error, EnvironmentFailure):
        return 3
    return 1 if isinstance(error, (NoFace, NotFound)) else 2
