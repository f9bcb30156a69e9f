"""The command: python -m benchmarks.ingest."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.ingest.clips import parse_plan, render
from benchmarks.ingest.equality import shortened
from benchmarks.ingest.measuring import Media, measure
from benchmarks.ingest.memory import repeat
from benchmarks.ingest.pictures import render_photos
from benchmarks.ingest.records import Task, Tolerances
from benchmarks.ingest.rows import (
    ceiling_row,
    end_row,
    media_row,
    process_rows,
    same_row,
    stage_rows,
)
from benchmarks.ingest.scenes import photos_of
from benchmarks.ingest.workers import Worker
from benchmarks.report import Report
from indexer.embeddings.facenet import VGGFACE2
from indexer.evaluation.machine import describe
from indexer.weights import find_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.ingest.measuring import Measured

FULL_CLIPS = ("1080p-20", "1080p-10", "1080p-2", "720p-20", "720p-10", "720p-2")
QUICK_CLIPS = ("1080p-20", "720p-2")
LONG_CLIPS = ("1080p-10",)
PACKAGES = ("torch", "facenet-pytorch", "opencv-python-headless", "av", "scikit-image", "numpy")
WAIT_POLICY = "OMP_WAIT_POLICY"
TEST_DATA = "SIGHTINGS_TEST_DATA"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the options say and print it; exit with 1 if results differ."""
    options = _parsed(arguments)
    photos = photos_of(options.faces)
    waiting = {WAIT_POLICY: os.environ.get(WAIT_POLICY, "not set")}
    report = Report(describe(*PACKAGES) | waiting, options.json)
    with tempfile.TemporaryDirectory(prefix="sightings-benchmark-") as temporary:
        folder = options.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.memory:
            _memory(options, photos, folder, report)
            return
        measured = [_measured(media, options) for media in _media(options, photos, folder)]
        _add_tables(report, measured)
    texts = [text for each in measured for text in each.difference.texts]
    if texts:
        print("\nResults differ:", *shortened(texts), sep="\n", file=sys.stderr)
        raise SystemExit(1)
    print("\nResults are the same.")


def _media(options: argparse.Namespace, photos: list[Path], folder: Path) -> list[Media]:
    """Return the media, rendered in the folder unless they lie there."""
    plans = [parse_plan(name, options.frames) for name in options.clips]
    media = []
    for plan in plans:
        print(f"Rendering {plan.name} …", file=sys.stderr)
        media.append(Media(plan.name, (render(plan, photos, folder),), plan.kept_percent))
    if options.photos:
        paths = render_photos(options.photos, photos, folder)
        media.append(Media(f"{options.photos} photos", tuple(paths)))
    return media


def _measured(media: Media, options: argparse.Namespace) -> Measured:
    print(f"Measuring {media.name} …", file=sys.stderr)
    tolerances = Tolerances(vector=options.vector_tolerance)
    tasks = {
        "naive": Task(options.weights, options.naive_min_face, options.device),
        "project": Task(options.weights, options.min_face, options.device),
    }
    measured = measure(media, tasks, options.rounds, tolerances)
    row = end_row(measured)
    print(
        f"{media.name}: {row.times_as_fast:.1f} times as fast, {row.times_by_cpu:.1f} by processor "
        f"time, {len(measured.difference.texts)} differences.",
        file=sys.stderr,
    )
    return measured


def _add_tables(report: Report, measured: list[Measured]) -> None:
    report.add("Media", [media_row(each) for each in measured])
    report.add("End to end", [end_row(each) for each in measured])
    report.add("Stages", [row for each in measured for row in stage_rows(each)])
    report.add("Ceiling", [ceiling_row(each) for each in measured])
    report.add("Processes", [row for each in measured for row in process_rows(each)])
    report.add("Results on the same frames", [same_row(each) for each in measured])


def _memory(options: argparse.Namespace, photos: list[Path], folder: Path, report: Report) -> None:
    clip = render(parse_plan(options.clips[0], options.frames), photos, folder)
    print(f"Writing {options.hours:g} hours …", file=sys.stderr)
    path = repeat(clip, options.hours * 60, folder / "long.mp4")
    try:
        task = Task(options.weights, options.min_face, options.device)
        with Worker("memory", task) as worker:
            rows = worker.call("index_watched", path, options.memory)
        report.add(f"Memory while indexing {options.hours:g} hours of {options.clips[0]}", rows)
    finally:
        path.unlink()


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ingest",
        description="How fast media are indexed, beside the straightforward use of the same "
        "libraries. Exits with 1 if the results differ.",
    )
    add = parser.add_argument
    data = Path(os.environ[TEST_DATA]) if TEST_DATA in os.environ else None
    lfw = data / "data" / "lfw" if data else None
    weights = data / "models" / "facenet-vggface2.pt" if data else find_weights(VGGFACE2, None)
    add("--quick", action="store_true", help="few and short clips, one round")
    add("--faces", type=Path, default=lfw, metavar="DIR", help="photos of faces in LFW's layout")
    add("--weights", type=Path, default=weights, metavar="FILE", help="FaceNet's weights")
    add(
        "--clips",
        nargs="*",
        metavar="NAME",
        help=f"default: {' '.join(FULL_CLIPS)}",
    )
    add("--frames", type=int, help="of each clip; default 180, with --quick 60")
    add("--photos", type=int, metavar="N", help="default 16, with --quick 4; 0: none")
    add("--rounds", type=int, help="default 3, with --quick 1")
    add("--min-face", type=int, default=40, metavar="PX", help="smallest face")
    add("--naive-min-face", type=int, metavar="PX", help="the naive side's, to see that it fails")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="of both sides' networks")
    add("--vector-tolerance", type=float, default=Tolerances.vector, metavar="X",
        help="how far components of the same vectors may lie apart")  # fmt: skip
    add("--work", type=Path, metavar="DIR", help="keeps what is rendered, for the next run")
    add("--memory", type=float, metavar="MINUTES", help="only watch the memory for so long")
    add("--hours", type=float, default=1.0, help="length of the video that --memory indexes")
    add("--json", type=Path, metavar="FILE", help="write all figures here, too")
    options = parser.parse_args(arguments)
    for name, what in (("faces", "a folder of photos"), ("weights", "FaceNet's weights")):
        path = getattr(options, name)
        if path is None or not path.exists():
            parser.error(
                f"--{name} has to name {what}" + (f": {path} is not there" if path else "")
            )
    return _with_defaults(options, parser)


def _with_defaults(
    options: argparse.Namespace, parser: argparse.ArgumentParser
) -> argparse.Namespace:
    quick = options.quick
    for name, value in (
        ("clips", LONG_CLIPS if options.memory else QUICK_CLIPS if quick else FULL_CLIPS),
        ("frames", 60 if quick else 180),
        ("photos", 4 if quick else 16),
        ("rounds", 1 if quick else 3),
        ("naive_min_face", options.min_face),
    ):
        if getattr(options, name) is None:
            setattr(options, name, value)
    try:
        for name in options.clips:
            parse_plan(name, options.frames)
    except ValueError as error:
        parser.error(str(error))
    if not options.clips and (options.memory or not options.photos):
        parser.error("there is nothing to index: give --clips a name")
    return options


if __name__ == "__main__":
    main()
