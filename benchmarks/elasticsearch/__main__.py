"""The command: python -m benchmarks.elasticsearch --start-node (or --url http://HOST:9200)."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.elasticsearch.exact import questions
from benchmarks.elasticsearch.gallery import Gallery, of_people, synthetic
from benchmarks.elasticsearch.loading import measure_loading
from benchmarks.elasticsearch.machine import describe
from benchmarks.elasticsearch.searching import measure_searching
from benchmarks.elasticsearch.writing import measure_writing
from benchmarks.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTS = ("writing", "loading", "searching")
VECTOR_TYPES = ("int8_hnsw", "int8_flat", "int4_hnsw", "bbq_hnsw", "flat", "hnsw")
HEAP_MB = 2048
FACES_OF_SEGMENT = 500
"""A bulk request's worth: what a bare loop sends at once, a segment is finished with."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the options say, and print it."""
    options = _parsed(arguments)
    with _cluster(options) as url:
        report = Report(describe(url), options.json)
        if "writing" in options.parts:
            gallery = synthetic(options.write_faces, video_faces=FACES_OF_SEGMENT)
            for vector_type in options.write_vectors:
                written = measure_writing(url, gallery, vector_type, options.repetitions)
                report.add("Writing, until searchable", written)
        if "loading" in options.parts:
            gallery = synthetic(options.write_faces)
            loaded = measure_loading(url, gallery, VECTOR_TYPES[0], options.repetitions)
            report.add("A first load, until searchable, and the merge after it", loaded)
        if "searching" in options.parts:
            for gallery in _galleries(options):
                asked = questions(gallery)
                for vector_type in options.vectors:
                    figures = measure_searching(url, gallery, asked, vector_type, options.rounds)
                    for title, rows in figures:
                        report.add(f"{title}: {gallery.name}", rows)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.elasticsearch", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="a node of a cluster; collections bench* are made and deleted")
    where.add_argument(
        "--start-node", action="store_true", help="start one, as the tests do (needs JDK and Maven)"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--faces", nargs="*", type=int, default=[10_000], help="numbers of made-up faces to search"
    )
    parser.add_argument(
        "--faces-from", type=Path, metavar="INDEX", help="search the vectors of an index, too"
    )
    parser.add_argument("--vectors", nargs="+", choices=VECTOR_TYPES, default=VECTOR_TYPES[:4])
    parser.add_argument("--queries", type=int, default=100, help="for recall, of each filter")
    parser.add_argument("--rounds", type=int, default=100, help="of the timed searches")
    parser.add_argument("--write-faces", type=int, default=10_000)
    parser.add_argument(
        "--write-vectors", nargs="+", choices=VECTOR_TYPES, default=["int8_flat", "int8_hnsw"]
    )
    parser.add_argument("--repetitions", type=int, default=5, help="of each way of writing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here, too")
    return parser.parse_args(arguments)


@contextmanager
def _cluster(options: argparse.Namespace) -> Iterator[str]:
    if options.url:
        yield options.url.rstrip("/")
        return
    from tests.elasticsearch.archive import with_archive
    from tests.elasticsearch.installation import install
    from tests.elasticsearch.node import Node

    with Node(with_archive(install()), heap_mb=HEAP_MB) as node:
        yield node.url


def _galleries(options: argparse.Namespace) -> Iterator[Gallery]:
    if options.faces_from:
        yield _own_faces(options)
    for faces in options.faces:
        yield synthetic(faces, queries=options.queries)


def _own_faces(options: argparse.Namespace) -> Gallery:
    """Return the vectors of an index; people are the folders that their photos lie in."""
    from indexer.engines import open_index

    vectors, folders = [], []
    with open_index(str(options.faces_from)) as index:
        paths = {media.id: Path(media.path) for media in index.iter_media()}
        for face in index.iter_faces(embeddings=True):
            vectors.append(face.vector)
            folders.append(paths[face.media_id].parent.name)
    name = f"faces of {options.faces_from.name}"
    return of_people(name, np.array(vectors), folders, queries=options.queries)


if __name__ == "__main__":
    main()
