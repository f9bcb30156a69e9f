"""Processes that write to or read from an index for the tests: MODE LOCATION ARGUMENTS.

write SEED COUNT: index COUNT photos of three faces each; acknowledge what is stored on stdout.
work OWNER: claim segments of the video `shared` until none is free, with thirty faces each.
pack: acknowledge, then end a load, which stores the blocks that are missing.
read: for each line on stdin, tell how many faces a search finds.
"""

from __future__ import annotations

import sys

from indexer.engines import open_index
from indexer.errors import StorageFull
from tests.engines.builders import (
    axis,
    finish,
    link,
    make_face,
    photo,
    random_vectors,
    start,
    video,
)


def acknowledge(*words: object) -> None:
    print(*words, flush=True)


def write(location: str, seed: str, count: str) -> None:
    with open_index(location, create=True) as index:
        acknowledge("open")
        for number in range(int(count)):
            media = photo(f"{seed}/{number}")
            vectors = random_vectors(3, seed=number)
            thumbnail = bytes([number % 256]) * 20_000
            faces = [
                make_face(media, vectors[i], x=100.0 * i, thumbnail=thumbnail) for i in range(3)
            ]
            finish(index, start(index, media), faces)
            acknowledge("stored", media.id)
            link(index, media)
            acknowledge("done", media.id)


def work(location: str, owner: str) -> None:
    with open_index(location) as index:
        shared = video("shared")
        while segment := index.claim_segment(shared.id, owner=owner, lease_s=600.0, max_attempts=1):
            number = segment.span.number
            vectors = random_vectors(30, seed=number)
            faces = [
                make_face(shared, vectors[i], at_s=segment.span.start_s + i, segment=number)
                for i in range(30)
            ]
            finish(index, segment, faces)
            acknowledge(number)


def pack(location: str) -> None:
    with open_index(location) as index, index.loading():
        acknowledge("open")


def read(location: str) -> None:
    with open_index(location) as index:
        acknowledge("open")
        for _ in sys.stdin:
            acknowledge(len(index.search(axis(0), 1000)))


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    try:
        {"write": write, "work": work, "pack": pack, "read": read}[mode](*arguments)
    except StorageFull as error:
        acknowledge("full", error)
