"""A process that ends when this one does, and can be killed and paused."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STOP_LIMIT_S = 30


class NodeProcess:
    """A process that reads its standard input and ends with it; its output goes to a file."""

    def __init__(self, command: Sequence[str], folder: Path, log: Path) -> None:
        self._resumer: subprocess.Popen[bytes] | None = None
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                # Ctrl-C is for the tests, which then stop their nodes in order.
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def is_paused(self) -> bool:
        return self._resumer is not None

    def pause(self) -> None:
        """Stop the process where it is: its connections stay open and get no answer."""
        if self.is_paused:
            return
        # A paused process would not notice that its parent ends, so another one waits for that.
        self._resumer = subprocess.Popen(
            ["sh", "-c", f"cat > /dev/null; kill -CONT {self.pid}"],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        if self._resumer is None:
            return
        assert self._resumer.stdin is not None
        self._resumer.stdin.close()
        self._resumer.wait(STOP_LIMIT_S)
        self._resumer = None

    def kill(self) -> None:
        """End the process at once, paused or not."""
        self._process.kill()
        self.resume()
        self._wait()

    def stop(self) -> None:
        """Let the process end in order; one that hangs is killed."""
        self.resume()
        self._process.terminate()
        try:
            self._wait()
        except subprocess.TimeoutExpired:
            self.kill()

    def _wait(self) -> None:
        self._process.wait(STOP_LIMIT_S)
        assert self._process.stdin is not None
        self._process.stdin.close()
