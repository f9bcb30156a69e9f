"""Runs the service: the application behind waitress, and a worker of its own without Redis."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from waitress import create_server
from waitress.server import BaseWSGIServer, MultiSocketServer

from api.admission import largest_body
from api.app import create_app
from api.channel import channels_of
from api.security.hosts import needs_key
from api.security.keys import KeyStore, keys_path
from indexer import open_index
from indexer.background import BackgroundWorker
from indexer.engines.elastic.location import is_on_cluster
from indexer.errors import BrokerFailure, EnvironmentFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from indexer.engines.base import Index
    from indexer.settings import Settings

_CONNECTIONS = 1000


def run(settings: Settings, *, ready: Callable[[str], None]) -> None:
    """Serve until the process is interrupted.

    settings: `index` says where the index is, never empty; it is made if it is not there. A cluster
    may come up later. ready: told the address once requests are taken.
    Raises UsageError if others could come without a key, EnvironmentFailure.
    """
    require_keys(settings)
    with ExitStack() as ending:
        app = _application(settings, ending)
        server = listening(app, settings)
        ending.callback(server.close)
        ready(_address(server, settings))
        # It returns when a signal interrupts it.
        server.run()


def require_keys(settings: Settings) -> None:
    """Raise UsageError where keys are needed and there are none."""
    if needs_key(settings.api) and not KeyStore(keys_path(settings.api)).all():
        raise UsageError(
            f"Listening at {settings.api.host}, others than you may reach the service, and nobody "
            "has a key. Make one first: sightings keys add NAME --scope admin. Or listen at "
            "127.0.0.1, without api.hosts and api.require_key."
        )


def _application(settings: Settings, ending: ExitStack) -> Flask:
    def opened() -> Index:
        return open_index(settings.index, create=True, settings=settings)

    if not is_on_cluster(settings.index):
        opened().close()  # so that what is wrong with it is said now
    parts: dict[str, Any]
    if settings.tasks.broker_url:
        from tasks.sending import sender, waiting, workers_alive
        from tasks.stages import SharedHistograms

        send = sender(settings)
        parts = {"queued": lambda: waiting(settings), "rates_in": settings.tasks.broker_url}
        parts["worker_is_well"] = _answers(lambda: workers_alive(settings))
        parts["stages"] = SharedHistograms(settings.tasks).read
    else:
        worker = ending.enter_context(BackgroundWorker(settings))
        send = worker.wake
        parts = {"worker_is_well": lambda: worker.error is None, "stages": worker.stages.read}
    app = create_app(settings, opened, send=send, **parts)
    service = app.extensions["sightings"]
    ending.callback(service.close)
    service.decoders.warm_up()
    return app


def _answers(are_alive: Callable[[], bool]) -> Callable[[], bool]:
    def well() -> bool:
        try:
            return are_alive()
        except BrokerFailure:
            return False

    return well


def listening(app: Flask, settings: Settings) -> BaseWSGIServer | MultiSocketServer:
    """Return a server of the application, which `run()` begins. Raises EnvironmentFailure."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # overload is answered, not logged
    api = settings.api
    connections: dict[int, Any] = {}
    try:
        server = create_server(
            app,
            map=connections,
            host=api.host,
            port=api.port,
            threads=api.threads,
            connection_limit=_CONNECTIONS,
            max_request_body_size=largest_body(api) + 1,
            **(_proxy(api.trusted_proxy) if api.trusted_proxy else {}),
            clear_untrusted_proxy_headers=True,
            asyncore_use_poll=True,
            ident=None,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentFailure(
            f"{api.host}, port {api.port}, cannot be listened at: {reason}. Choose another with "
            "--host and --port."
        ) from error
    for each in connections.values():
        if isinstance(each, BaseWSGIServer):
            each.channel_class = channels_of(app)
    return server


def _proxy(address: str) -> dict[str, str]:
    return {"trusted_proxy": address, "trusted_proxy_headers": "x-forwarded-for"}


def _address(server: BaseWSGIServer | MultiSocketServer, settings: Settings) -> str:
    if isinstance(server, MultiSocketServer):
        port = server.effective_listen[0][1]
    else:
        port = server.effective_port
    host = settings.api.host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
