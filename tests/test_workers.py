"""A claim's owner tells whether its process still lives."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.workers import is_dead, new_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME_AND_WAIT = "from indexer.workers import new_owner; print(new_owner(), flush=True); input()"


@contextmanager
def a_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that waits, and its name as an owner."""
    with subprocess.Popen(
        [sys.executable, "-c", _NAME_AND_WAIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_running_process_is_not_dead() -> None:
    assert not is_dead(new_owner())
    with a_process() as (_, owner):
        assert not is_dead(owner)


def test_each_run_has_a_name_of_its_own() -> None:
    assert new_owner() != new_owner()


def test_a_killed_process_is_dead_at_once_even_before_its_parent_takes_note() -> None:
    with a_process() as (process, owner):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(owner)  # a zombie
        process.wait()
        assert is_dead(owner)


def test_another_process_with_the_same_number_is_not_the_owner() -> None:
    host, pid, started_s, nonce = new_owner().rsplit("/", 3)
    assert is_dead(f"{host}/{pid}/{float(started_s) - 100:.2f}/{nonce}")
    assert not is_dead(f"{host}/{pid}/{float(started_s) + 1:.2f}/{nonce}")  # clocks are not exact


def test_of_processes_of_other_machines_and_unknown_names_nothing_is_known() -> None:
    assert not is_dead("elsewhere/1/1.00/00000000")
    assert not is_dead("a name of another form")
