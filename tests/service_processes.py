"""The service as users run it: commands in processes of their own, set up by `os.environ`."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 240.0
END_S = 20.0


class Command:
    """An installed command in a process group of its own; what it says goes to a file."""

    def __init__(self, log: Path, name: str, *arguments: object) -> None:
        self._log = log
        program = Path(sysconfig.get_path("scripts"), name)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(program), *map(str, arguments)],
                # Elsewhere than in the checkout: it must be found as an installed one is.
                cwd=log.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        """What it has said."""
        return self._log.read_text(errors="replace")

    @property
    def pids(self) -> set[int]:
        """Itself and the processes that it has started."""
        process = psutil.Process(self.process.pid)
        return {process.pid, *(child.pid for child in process.children(recursive=True))}

    def wait_for(self, words: str) -> None:
        """Wait until it has said something."""
        wait_until(lambda: words in self.text or self.process.poll() is not None, self.log_end)
        assert words in self.text, self.log_end()

    def log_end(self) -> str:
        return self.text[-4000:]

    def send(self, signal_number: int) -> None:
        """Send a signal to all of its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal_number)

    def kill(self) -> None:
        """End all of its processes as `kill -9` does."""
        self.send(signal.SIGKILL)
        self.process.wait(END_S)


@contextmanager
def running(log: Path, name: str, *arguments: object) -> Iterator[Command]:
    """Run a command; at the end it is told to end, and killed if it does not."""
    command = Command(log, name, *arguments)
    try:
        yield command
    finally:
        command.process.terminate()
        try:
            command.process.wait(END_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            command.kill()


class Http:
    """A running `sightings serve`, asked over its socket."""

    def __init__(self, serve: Command) -> None:
        serve.wait_for("Sightings serves http")
        said = serve.text.partition("Sightings serves ")[2]
        self.address = said.split()[0].rstrip("/")

    def is_ready(self) -> bool:
        return requests.get(f"{self.address}/readyz", timeout=60).ok

    def well(self) -> set[str]:
        """The parts that `/readyz` says are well."""
        checks = requests.get(f"{self.address}/readyz", timeout=60).json()["checks"]
        return {name for name, state in checks.items() if state == "ok"}

    def text(self, path: str) -> str:
        return requests.get(self.address + path, timeout=60).text

    def get(self, path: str) -> Any:
        return self._answered(requests.get(self.address + path, timeout=60))

    def post(self, path: str, **content: Any) -> Any:
        return self._answered(requests.post(self.address + path, timeout=120, **content))

    def patch(self, path: str, **content: Any) -> Any:
        return self._answered(requests.patch(self.address + path, timeout=60, **content))

    @staticmethod
    def _answered(response: requests.Response) -> Any:
        assert response.ok, response.text
        return response.json()


def wait_until(happened: Callable[[], bool], told: Callable[[], object] = lambda: "") -> None:
    """Wait for something that happens sooner or later; `told`: what is said if it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, f"it never happened: {told()}"
        time.sleep(0.05)
