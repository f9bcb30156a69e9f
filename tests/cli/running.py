"""Runs the command line as users do: in this process, in one of its own, or in a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from indexer.cli import main

COMMAND = (sys.executable, "-m", "indexer")


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: str
    err: str = ""

    @property
    def document(self) -> Any:
        """The JSON document that is all of standard output."""
        return json.loads(self.out)

    @property
    def found(self) -> list[str]:
        """The file names of a search's results."""
        return [Path(result["media"]["path"]).name for result in self.document["results"]]


def sightings(*arguments: object) -> Run:
    """Run a command in this process; an error that is not meant for users comes through."""
    out, err, before, code = StringIO(), StringIO(), sys.argv, 0
    sys.argv = ["sightings", *map(str, arguments)]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = before
    return Run(code, out.getvalue(), err.getvalue())


def in_terminal(*arguments: object, columns: int = 80, answer: str = "") -> Run:
    """Run a command in a terminal of its own; `out` is all that is seen there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, answer.encode())
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    return Run(process.wait(), seen.decode().replace("\r\n", "\n"))
