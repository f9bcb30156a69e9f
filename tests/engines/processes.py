"""Running `working_process` from a test."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]


def start_process(
    *arguments: object, before: Callable[[], None] | None = None
) -> subprocess.Popen[str]:
    """Start a process with pipes; `before` runs in it first."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engines.working_process", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509  # no other thread runs in the tests
    )


def lines_of(process: subprocess.Popen[str]) -> list[str]:
    """Wait for a process and return what it still had to say."""
    return process.communicate()[0].splitlines()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return next_line(process)


def is_intact(location: Path) -> bool:
    """Whether SQLite finds nothing wrong with an index file."""
    connection = sqlite3.connect(location)
    try:
        whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        linked: list[Any] = connection.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.close()
    return whole and linked == []
