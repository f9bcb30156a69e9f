"""Clients that ask all the time: each sends its next search as soon as the last is answered.

Those that are refused ask again when they are told to, or, if they are impatient, at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.service.server import Server

MEMORY_EVERY_S = 1.0
BROKEN = 0
"""Stands for the status of a request that was not answered: the connection was cut or refused."""


@dataclass
class Load:
    """What became of the requests of one stretch of time, which lasted `took_s`.

    times_ms: of the answers, by status. other: answers with 200 that are not the expected ones.
    memory_mb: of the server, every MEMORY_EVERY_S.
    """

    clients: int
    took_s: float = 0.0
    times_ms: dict[int, list[float]] = field(default_factory=dict)
    other: int = 0
    memory_mb: list[float] = field(default_factory=list)

    def add(self, status: int, took_ms: float) -> None:
        """Count an answer."""
        self.times_ms.setdefault(status, []).append(took_ms)

    def number(self, *statuses: int) -> int:
        """Return how many answers had one of these statuses."""
        return sum(len(self.times_ms.get(status, ())) for status in statuses)


@dataclass(frozen=True)
class Answer:
    """What a client gets; BROKEN, if nothing. retry_after_s: when it is told to come back."""

    status: int
    body: bytes = b""
    retry_after_s: float = 0.0


class Client:
    """One connection that is kept, and opened again when it is cut."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def search(self, face_id: str) -> Answer:
        """Search for a stored face."""
        try:
            return await self._ask(json.dumps({"face_id": face_id}).encode())
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            return Answer(BROKEN)

    async def _ask(self, body: bytes) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._server.host, self._server.port)
        reader, writer = self._streams
        writer.write(
            f"POST /api/v1/search HTTP/1.1\r\nHost: {self._server.host}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status, *lines = head.split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines if line)
        content = await reader.readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close":
            await self.close()
        return Answer(int(status.split()[1]), content, float(fields.get("retry-after", 0.0)))

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def answers_alone(server: Server, face_ids: list[str]) -> tuple[dict[str, bytes], Load]:
    """Search for each face while nobody else does; return the answers and how long they took.

    Raises RuntimeError if one is refused.
    """
    return asyncio.run(_answers_alone(server, face_ids))


async def _answers_alone(server: Server, face_ids: list[str]) -> tuple[dict[str, bytes], Load]:
    client, load, answers = Client(server), Load(1), {}
    started_s = time.perf_counter()
    try:
        for face_id in face_ids:
            asked_s = time.perf_counter()
            answer = await client.search(face_id)
            load.add(answer.status, 1e3 * (time.perf_counter() - asked_s))
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {answer.body.decode(errors='replace')}")
            answers[face_id] = answer.body
    finally:
        await client.close()
    load.took_s = time.perf_counter() - started_s
    load.memory_mb.append(server.memory_mb)
    return answers, load


def put_load(
    server: Server,
    expected: Mapping[str, bytes],
    clients: int,
    for_s: float,
    *,
    impatient: bool = False,
) -> Load:
    """Let clients search for the faces of `expected` for a time; compare with what it answers."""
    return asyncio.run(_put_load(server, expected, Load(clients), for_s, impatient=impatient))


async def _put_load(
    server: Server, expected: Mapping[str, bytes], load: Load, for_s: float, *, impatient: bool
) -> Load:
    faces = cycle(expected)
    started_s = time.perf_counter()

    async def keep_asking(client: Client) -> None:
        while (asked_s := time.perf_counter()) < started_s + for_s:
            face_id = next(faces)
            answer = await client.search(face_id)
            answered_s = time.perf_counter()
            load.add(answer.status, 1e3 * (answered_s - asked_s))
            load.other += answer.status == 200 and answer.body != expected[face_id]
            if not impatient:
                left_s = max(started_s + for_s - answered_s, 0.0)
                await asyncio.sleep(min(answer.retry_after_s, left_s))
        await client.close()

    watching = asyncio.create_task(_watch_memory(server, load))
    await asyncio.gather(*(keep_asking(Client(server)) for _ in range(load.clients)))
    load.took_s = time.perf_counter() - started_s
    watching.cancel()
    load.memory_mb.append(server.memory_mb)
    return load


async def _watch_memory(server: Server, load: Load) -> None:
    while True:
        load.memory_mb.append(server.memory_mb)
        await asyncio.sleep(MEMORY_EVERY_S)
