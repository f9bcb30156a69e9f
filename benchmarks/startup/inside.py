"""A fresh process that takes time stamps around what `sightings search` calls, in its order.

The command imports packages when it first needs them; here they are imported first, so that the
parts that follow are their own work.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

AGAIN = 20


def main(started: str, index: str, photo: str) -> None:
    """Search an index for a photo and print seconds, by the clock and the processors, by part.

    started: `time.monotonic()` of the process that started this one, just before.
    """
    stamps = Stamps(float(started))
    stamps.stop("the interpreter")
    import_all()
    stamps.stop("imports")
    from indexer import open_index
    from indexer.networks import load_networks
    from indexer.query import PictureQueries
    from indexer.searching import find
    from indexer.settings import load

    settings = load({"index": index})
    with open_index(index, settings=settings) as opened:
        stamps.stop("settings, opening the index")
        networks = load_networks(opened.model, settings)
        stamps.stop("loading the networks")
        queries = PictureQueries(opened, settings, networks=networks)
        (query,) = queries.any_media([Path(photo)])
        stamps.stop("the photo: reading, faces, embedding")
        find(opened, query)
        stamps.stop("the search, with reading all vectors")
        for _ in range(AGAIN):
            find(opened, query)
        stamps.stop("the search again", AGAIN)
    stamps.stop("closing")
    print(json.dumps(stamps.parts))


def import_all() -> None:
    """Import what a search with the networks in the cache imports."""
    from importlib import import_module

    from indexer.openvino_net import openvino

    openvino()
    for name in (
        "PIL.Image",
        "cv2",
        "indexer.cli",
        "indexer.cli.progress",
        "indexer.contact_sheet",
        "indexer.crops",
        "indexer.detectors",
        "indexer.embeddings.facenet",
        "indexer.embeddings.onnx_net",
        "indexer.engines.embedded.index",
        "indexer.faces",
        "indexer.links",
        "indexer.media",
        "indexer.moments",
        "indexer.networks",
        "indexer.photos",
        "indexer.pipeline",
        "indexer.query",
        "indexer.searching",
        "indexer.torch_net",
        "numkong",
    ):
        import_module(name)


class Stamps:
    """Times since the last stamp, by the name of what was done meanwhile.

    parts: seconds by the clock and of the processors that it took once, and how often it was done.
    """

    def __init__(self, started: float) -> None:
        self.parts: dict[str, tuple[float, float, int]] = {}
        self._wall_s, self._cpu_s = started, 0.0

    def stop(self, name: str, times: int = 1) -> None:
        """Say that something was done, and how many times."""
        wall_s, cpu_s = time.monotonic(), time.process_time()
        each_s, each_cpu_s = (wall_s - self._wall_s) / times, (cpu_s - self._cpu_s) / times
        self.parts[name] = each_s, each_cpu_s, times
        self._wall_s, self._cpu_s = wall_s, cpu_s


if __name__ == "__main__":
    main(*sys.argv[1:])
