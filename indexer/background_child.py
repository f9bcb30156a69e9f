"""The process that works on queued media where there is no Redis: `python -m` by its parent alone.

Its first line of standard input are the settings as JSON, every further line says that there may be
work, and the end of it, which also the parent's death is, that it shall stop. Each line of its
standard output is a JSON object: `error` is what keeps it from working now, or null; `took_s` is
what the stages of a segment took, which is done. What others print in this process goes to standard
error.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
from itertools import islice
from typing import TYPE_CHECKING, Any

from indexer.errors import EnvironmentFailure, SightingsError
from indexer.jobs import free_media
from indexer.location import open_or_create
from indexer.networks import load_networks
from indexer.settings import load
from indexer.work import work_on_queued
from indexer.workers import release_dead

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.records import ModelIdentity
    from indexer.settings import Settings

POLL_S = 5.0
"""How often it looks for work that nobody told it of, such as what `sightings enqueue` queued."""

AT_ONCE = 100
"""Media that are looked up together."""

LONGEST_WAIT_S = 60.0


def main(load_for: Callable[[ModelIdentity | None, Settings], Networks] = load_networks) -> None:
    """Work until standard input ends; what is in hand then is given back."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tell = _messages()
    settings = load(json.loads(sys.stdin.readline()))
    woken = threading.Event()
    threading.Thread(target=_listen, args=(woken,), daemon=True).start()
    try:
        _work_until_stopped(settings, load_for, woken, tell)
    except KeyboardInterrupt:
        return


def _messages() -> Callable[..., None]:
    """Take standard output for messages alone; return what tells the parent something."""
    messages = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(**told: Any) -> None:
        messages.write(json.dumps(told) + "\n")
        messages.flush()

    return tell


def _listen(woken: threading.Event) -> None:
    for _ in sys.stdin:
        woken.set()
    if hasattr(signal, "pthread_kill"):
        # A real signal: what interrupt_main() does is noticed only when a wait is over.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()
        woken.set()


def _work_until_stopped(
    settings: Settings,
    load_for: Callable[[ModelIdentity | None, Settings], Networks],
    woken: threading.Event,
    tell: Callable[..., None],
) -> None:
    networks: Networks | None = None
    failures = 0
    while True:
        wait_s = POLL_S
        try:
            with open_or_create(settings) as index:
                while found := _next_media(index):
                    model = index.model
                    if networks is None or not model or model.key != networks.embedder.identity.key:
                        networks = load_for(model, settings)
                        index.adopt_model(networks.embedder.identity)
                        tell(error=None)
                    for media_id in found:
                        work_on_queued(
                            index, media_id, networks, on_times=lambda times: tell(took_s=times)
                        )
                        tell(error=None)
                    failures = 0
                tell(error=None)
        except SightingsError as error:
            failures += 1
            wait_s = min(2.0**failures, LONGEST_WAIT_S)
            tell(error=str(error))
            if not isinstance(error, EnvironmentFailure):
                wait_s = LONGEST_WAIT_S  # settings do not change by waiting
        woken.wait(wait_s)
        woken.clear()


def _next_media(index: Index) -> list[str]:
    release_dead(index)
    return [media.id for media in islice(free_media(index), AT_ONCE)]


if __name__ == "__main__":
    main()
