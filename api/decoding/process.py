"""One decoding process as the service sees it: requests, answers by a deadline, or its end."""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.decoding.messages import packed, received
from indexer.errors import MediaError
from indexer.library_threads import ONE_FOR_ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "HOME")
_CHUNK_BYTES = 1 << 20


class DecodingEnded(MediaError):
    """The process took too long or died; it cannot be used any more."""


class DecodingProcess:
    """A child that decodes files; one thread at a time may use it.

    It is told nothing of the service's environment but where programs lie.
    """

    def __init__(self, memory_mb: int) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment |= ONE_FOR_ALL
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api.decoding.child", str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # It has no more memory than this, so that no honest answer is larger.
        self._most_bytes = memory_mb << 20
        self._requests, self._answers = self._process.stdin, self._process.stdout.fileno()
        self.answered = 0

    def ask(self, operation: str, **arguments: Any) -> None:
        """Send a request. Raises DecodingEnded if the process is gone."""
        try:
            self._requests.write(packed({"operation": operation, **arguments}))
        except OSError as error:
            raise self._died() from error

    def answer(self, limit_s: float) -> tuple[dict[str, Any], bytes]:
        """Return the next answer: header and payload.

        Raises MediaError if the file cannot be decoded, DecodingEnded if nothing came within
        `limit_s`, the process died of the file, or what came is no answer.
        """
        deadline = time.monotonic() + limit_s
        with self.understood():
            header, payload = received(
                lambda count: self._read(count, deadline, limit_s), most_bytes=self._most_bytes
            )
        self.answered += 1
        if "error" in header:
            raise MediaError(str(header["error"]))
        return header, payload

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Run a block that takes an answer apart: one of another shape raises DecodingEnded.

        A file may have made the process do anything, so nothing that it says is taken for granted.
        """
        try:
            yield
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self.kill()
            raise DecodingEnded(
                "It cannot be decoded: the process that tried gave no sense."
            ) from error

    def _read(self, count: int, deadline: float, limit_s: float) -> bytes:
        parts, missing = [], count
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        while missing:
            left_s = max(deadline - time.monotonic(), 0.0)
            if not waiting.poll(math.ceil(1000 * left_s)):
                self.kill()
                raise DecodingEnded(f"It could not be decoded within {limit_s:g} s.")
            part = os.read(self._answers, min(missing, _CHUNK_BYTES))
            if not part:
                raise self._died()
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _died(self) -> DecodingEnded:
        self.kill()
        return DecodingEnded("It cannot be decoded: the process that tried ended.")

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once; calling it twice does no harm."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
