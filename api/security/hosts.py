"""Which names the service answers to, and which pages may change things: rebinding and CSRF."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from api.problems import Problem

if TYPE_CHECKING:
    from flask import Request

    from indexer.settings_api import ApiSettings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOCAL_NAMES = frozenset({"localhost"})


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own and nobody else's."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in _LOCAL_NAMES


def needs_key(settings: ApiSettings) -> bool:
    """Whether every request needs a key: wherever others than this machine's users may come."""
    return settings.require_key or not is_loopback(settings.host) or bool(listed(settings.hosts))


def listed(names: str) -> tuple[str, ...]:
    """Return the parts of a setting with commas."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


def require_host(request: Request, settings: ApiSettings) -> None:
    """Raise Problem if the request names a host that this service is not.

    A page whose name's owner makes it mean this machine (DNS rebinding) sends its own name.
    """
    name = host_name(request.host)
    named = {host.lower() for host in listed(settings.hosts)}
    if is_loopback(name) or name in named | {settings.host.strip("[]").lower()}:
        return
    # At an address of the network it may have any name. Every request needs a key there, and the
    # cookie of another name is not sent along.
    if needs_key(settings) and not named:
        return
    raise Problem("host_refused", "Use the address that `sightings serve` shows, or set api.hosts.")


def require_same_site(request: Request) -> None:
    """Raise Problem if a page of another site tries to change something (CSRF).

    Browsers say where a request comes from; programs, which need not, are not tricked by pages.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Problem("cross_site", f"The request comes from a page that is {site}.")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit_netloc(origin) != request.host.lower():
        raise Problem("cross_site", "The request's Origin is not this service.")


def urlsplit_netloc(origin: str) -> str:
    """Return host and port of an origin; empty for `null` and what is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def host_name(host: str) -> str:
    """Return a Host header without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
