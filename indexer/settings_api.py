"""The settings of the service that `sightings serve` runs: section `api` of the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from indexer.errors import UsageError
from indexer.settings_fields import Count, NonNegative, Positive, secret, setting

# What the package `limits` takes, which need not be installed to read settings.
_RATE = r"\s*[1-9][0-9]*\s*(/|per)\s*([1-9][0-9]*)?\s*(second|minute|hour|day|month|year)s?\s*"


@dataclass(frozen=True)
class ApiSettings:
    """Where the service listens, who may use it, and how much of it.

    Raises UsageError for rates that are none.
    """

    host: str = setting(
        "127.0.0.1",
        "address to listen at; any but a loopback one needs API keys (see `api.keys_file`)",
    )
    port: Annotated[int, Ge(0), Le(65535)] = setting(8470, "port to listen at; 0: a free one")
    threads: Count = setting(64, "requests answered at once; others wait")
    hosts: str = setting(
        "",
        "host names, with commas, by which browsers reach the service besides its own address; "
        "with any, keys are needed on loopback, too",
    )
    require_key: bool = setting(False, "need a key on loopback, too")
    https: bool = setting(
        False, "browsers reach the service over HTTPS only: the cookie goes over nothing else"
    )
    trusted_proxy: str = setting(
        "",
        "address of a proxy in front of the service, whose X-Forwarded-For is believed: rates then "
        "count by the address that it names; empty: none",
    )
    keys_file: str = setting(
        "", "path of the file of API keys, hashed; empty: `api-keys.json` in your data folder"
    )
    signing_keys: str = secret(
        "secrets, with commas, that sign cookies and picture paths: the first signs, the others "
        "still hold; empty: one that is made and kept beside the keys file"
    )
    session_s: Positive = setting(604_800.0, "how long a browser stays signed in")
    media_root: str = setting(
        "",
        "folder that uploads are kept in, shared with workers and with no other index; empty: one "
        "of the index's own below `media` in the data folder",
    )
    roots: str = setting(
        "",
        "folders, with commas, whose files may be indexed by path; with any, no file outside of "
        "them and of media_root is served",
    )
    max_upload_bytes: Count = setting(4 << 30, "largest upload to be indexed")
    max_duration_s: Positive = setting(14_400.0, "longest video that can be uploaded")
    max_query_bytes: Count = setting(32 << 20, "largest photo to search for")
    max_query_photos: Count = setting(10, "photos in one search")
    max_query_pixels: Count = setting(50_000_000, "largest photo to search for, in pixels")
    max_query_video_bytes: Count = setting(512 << 20, "largest video to search for")
    max_query_video_s: Positive = setting(600.0, "longest video to search for")
    decoders: Count = setting(2, "processes that decode what was uploaded, one file each")
    decode_memory_mb: Annotated[int, Ge(512)] = setting(
        2048, "address space of such a process; a file that needs more is refused"
    )
    decode_s: Positive = setting(
        20.0,
        "how long one photo or frame may take to decode; as long again for each GiB of the file",
    )
    rate: str = setting(
        "3000/minute", "requests of one key (of one address without keys) in a time"
    )
    search_rate: str = setting("600/minute", "the same for searches, and for faces to be found")
    max_searches: Count = setting(
        8, "searches at once; more are answered with 503 and when to try again"
    )
    queue_s: NonNegative = setting(5.0, "how long a search waits for its turn before that")

    def __post_init__(self) -> None:
        for name in ("rate", "search_rate"):
            if not re.fullmatch(f"{_RATE}([,;|]{_RATE})*", getattr(self, name), re.IGNORECASE):
                raise UsageError(
                    f"api.{name} ({getattr(self, name)!r}) is no rate, such as 600/minute."
                )
