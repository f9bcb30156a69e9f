"""Where an index on a cluster lies, as users write it: elasticsearch://HOST:9200/NAME."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

from indexer.errors import UsageError
from indexer.text import shown

SCHEMES = {"elasticsearch": "http", "elasticsearch+https": "https"}
"""The protocol spoken to the cluster, by the scheme of a location."""

COLLECTIONS = ("faces", "media", "segments", "files", "labels")
"""Parts of the names of a cluster's indices, NAME-faces-... and so on."""

MAX_NAME = 100
DEFAULT_PORT = 9200
_FORM = "elasticsearch://HOST:9200/NAME (or elasticsearch+https://…; more hosts after commas)"
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"


@dataclass(frozen=True)
class Location:
    """An index on a cluster: its nodes' URLs, the index's name, and both as the user wrote them."""

    urls: tuple[str, ...]
    name: str
    text: str

    @property
    def encrypted(self) -> bool:
        """Whether the cluster is spoken to by TLS."""
        return self.urls[0].startswith("https:")


def is_on_cluster(text: str) -> bool:
    """Whether a location is meant for this engine, well-formed or not."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def parse_location(text: str) -> Location:
    """Return the parts of a location.

    Raises UsageError, which never shows a password, if it has not the right form.
    """
    found = re.fullmatch(r"([A-Za-z+]+)://([^/]*)(/.*)?", text, re.DOTALL)
    protocol = SCHEMES.get(found.group(1).lower()) if found else None
    if "@" in text:
        raise UsageError(
            "A location names no user and no password, as it is shown and stored. Set "
            "SIGHTINGS_ELASTICSEARCH_API_KEY, or SIGHTINGS_ELASTICSEARCH_USERNAME and "
            f"SIGHTINGS_ELASTICSEARCH_PASSWORD, and write {_FORM}."
        )
    if not found or not protocol:
        raise UsageError(f"{shown(text)} does not say where an index lies. Write {_FORM}.")
    hosts, path = found.group(2), found.group(3) or ""
    if "?" in text or "#" in text or "/" in path[1:] or not path[1:]:
        raise UsageError(
            f"{shown(text)} must end in one slash and the name of the index. Write {_FORM}."
        )
    urls = tuple(dict.fromkeys(f"{protocol}://{_node(host)}" for host in hosts.split(",")))
    return Location(urls, _checked_name(path[1:]), text)


def _node(written: str) -> str:
    """Return HOST:PORT of a node, with the default port if none is written."""
    found = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]+))?", written)
    if not found or not _is_host(found.group(1)):
        raise UsageError(
            f"{shown(written)!r} is not the host (and port) of a node; an IPv6 address stands in "
            f"brackets. Write {_FORM}."
        )
    port = int(found.group(2) or DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise UsageError(f"{port} is not a port: those go from 1 to 65535.")
    return f"{found.group(1).lower()}:{port}"


def _is_host(name: str) -> bool:
    if name.startswith("["):
        try:
            return not IPv6Address(name[1:-1]).scope_id
        except ValueError:
            return False
    return len(name) <= 253 and bool(re.fullmatch(rf"{_LABEL}(\.{_LABEL})*\.?", name))


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name) or len(name) > MAX_NAME:
        raise UsageError(
            f"{shown(name)!r} cannot be the name of an index on Elasticsearch: at most {MAX_NAME} "
            "lower-case letters, digits and - _ . that start with a letter or digit."
        )
    if taken := [part for part in name.split("-") if part in COLLECTIONS]:
        raise UsageError(
            f"{name!r} cannot be the name of an index on Elasticsearch: its part {taken[0]!r} "
            f"tells apart what belongs to an index ({', '.join(COLLECTIONS)}). Use another word."
        )
    return name
