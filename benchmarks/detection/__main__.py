"""The command: python -m benchmarks.detection."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.detection import material
from benchmarks.detection.measuring import measure, other_looks
from benchmarks.detection.rows import settings_rows, speed_row
from benchmarks.detection.sides import Look
from benchmarks.ingest.clips import parse_plan
from benchmarks.ingest.equality import shortened
from benchmarks.ingest.scenes import photos_of
from benchmarks.report import Report
from indexer.evaluation.machine import describe
from indexer.mtcnn import WINDOW_PX
from indexer.settings import FaceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.detection.material import Pictures
    from benchmarks.detection.measuring import Measured

CLIPS = ("360p-20", "720p-20", "1080p-20")
MIN_FACES_PX = (20, 40, 60, 80, 120)
MAX_SIDES_PX = (1280, 960, 640)
PACKAGES = ("torch", "facenet-pytorch", "openvino", "opencv-python-headless", "numpy")
TEST_DATA = "SIGHTINGS_TEST_DATA"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the options say and print it; exit with 1 if the faces differ."""
    options = _parsed(arguments)
    photos = photos_of(options.faces)
    report = Report(describe(*PACKAGES), options.json)
    with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as temporary:
        folder = options.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        measured = [_measured(each, options) for each in _pictures(options, photos, folder)]
    report.add("facenet-pytorch and the default settings", [speed_row(each) for each in measured])
    if options.min_faces or options.max_sides:
        rows = [row for each in measured for row in settings_rows(each)]
        report.add("Other settings beside the default ones", rows)
    texts = [text for each in measured for text in each.difference.texts]
    if texts:
        print("\nFaces differ:", *shortened(texts), sep="\n", file=sys.stderr)
        raise SystemExit(1)
    print("\nFaces are the same.")


def _pictures(options: argparse.Namespace, photos: list[Path], folder: Path) -> Iterator[Pictures]:
    """Yield the pictures, one kind at a time, as they are large."""
    for name in options.clips:
        print(f"Rendering {name} …", file=sys.stderr)
        yield material.clip(name, options.frames, photos, folder)
    if options.rendered:
        yield material.rendered(options.rendered, photos, folder)
    if options.photos:
        yield material.given(options.photos, photos)
    if options.videos:
        yield material.filmed(options.videos)


def _measured(pictures: Pictures, options: argparse.Namespace) -> Measured:
    print(f"Measuring {pictures.name} …", file=sys.stderr)
    least = FaceSettings().min_face_px
    default = Look(least, 0, options.min_probability, options.threads)
    naive = replace(default, min_face_px=options.naive_min_face or least)
    faces = options.min_faces or (least,)
    others = other_looks(default, faces, options.max_sides, pictures.longest_side_px)
    measured = measure(pictures, default, others, naive, options.rounds)
    row = speed_row(measured)
    print(
        f"{pictures.name}: {row.times_as_fast:.1f} times as fast, {row.times_by_cpu:.1f} by "
        f"processor time, {row.differences} differences.",
        file=sys.stderr,
    )
    return measured


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description="How fast faces are found, beside facenet-pytorch, and what faster settings "
        "miss. Exits with 1 if the two find other faces with the same settings.",
    )
    add = parser.add_argument
    lfw = Path(os.environ[TEST_DATA]) / "data" / "lfw" if TEST_DATA in os.environ else None
    add("--faces", type=Path, default=lfw, metavar="DIR", help="photos of faces in LFW's layout")
    add("--clips", nargs="*", default=CLIPS, metavar="NAME", help=f"default: {' '.join(CLIPS)}")
    add("--frames", type=int, default=90, help="of each clip, before the filter; default 90")
    add("--rendered", type=int, default=8, metavar="N", help="rendered photos; default 8")
    add("--photos", type=int, default=200, metavar="N", help="of --faces; default 200")
    add("--videos", type=Path, nargs="*", default=(), metavar="FILE", help="every 25th frame")
    add("--rounds", type=int, default=3, help="default 3")
    faces, sides = (" ".join(map(str, values)) for values in (MIN_FACES_PX, MAX_SIDES_PX))
    add("--min-faces", type=int, nargs="*", default=MIN_FACES_PX, metavar="PX",
        help=f"values of faces.min_face_px; default: {faces}")  # fmt: skip
    add("--max-sides", type=int, nargs="*", default=MAX_SIDES_PX, metavar="PX",
        help=f"values of faces.max_side_px; default: {sides}")  # fmt: skip
    add("--min-probability", type=float, default=FaceSettings().min_probability, metavar="P",
        help="of both sides; facenet-pytorch's own default is 0.7")  # fmt: skip
    add("--threads", type=int, default=0, help="of both sides; default: what their libraries take")
    add("--naive-min-face", type=int, metavar="PX", help="facenet-pytorch's, to see that it fails")
    add("--work", type=Path, metavar="DIR", help="keeps what is rendered, for the next run")
    add("--json", type=Path, metavar="FILE", help="write all figures here, too")
    options = parser.parse_args(arguments)
    wrong = _wrong(options)
    if wrong:
        parser.error(wrong)
    return options


def _wrong(options: argparse.Namespace) -> str | None:
    """Return what is wrong with the options, in words."""
    if options.faces is None or not options.faces.is_dir():
        there = f": {options.faces} is not there" if options.faces else ""
        return f"--faces has to name a folder of photos{there}"
    for path in options.videos:
        if not path.is_file():
            return f"--videos: {path} is not there"
    if options.rounds < 1 or options.threads < 0:
        return "--rounds has to be 1 or more, --threads not below 0"
    if any(px < WINDOW_PX for px in options.min_faces):
        return f"--min-faces: MTCNN sees no face under {WINDOW_PX} pixels"
    if not (options.clips or options.rendered or options.photos or options.videos):
        return "there is nothing to look at: give --clips, --rendered, --photos or --videos"
    try:
        for name in options.clips:
            parse_plan(name, options.frames)
    except ValueError as error:
        return str(error)
    return None


if __name__ == "__main__":
    main()
