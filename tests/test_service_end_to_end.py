"""The whole service: HTTP, Redis, Elasticsearch and two workers, of which one is killed.

What comes of it is what one `sightings index` makes of the same files, and is found alike.
"""

from __future__ import annotations

import re
import shutil
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.settings import ElasticsearchSettings
from indexer.stage_times import STAGES
from tests.cli.running import sightings
from tests.clips import BROWN, GREEN, GREY, clip, photo, still
from tests.elasticsearch.collections import new_collection
from tests.elasticsearch.contents import contents, differences
from tests.service_processes import Command, Http, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from indexer.engines.base import Index
    from indexer.records import Segment
    from tests.elasticsearch.contents import Contents
    from tests.redis_server import RedisServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LONG_FPS = 2
LONG_SHOTS = [("eileen", GREEN, 50), ("", BROWN, 5), ("grace", GREY, 75), ("eileen", BROWN, 55)]
"""Who is seen on which background for how many seconds: 185 in all, so four segments."""
SEGMENTS_OF_LONG = 4
OTHERS = ("videos/obama_c.mp4", "videos/pwij3p.mpg", "stills/alex-lacamoire.png")
UPLOAD = "stills/obama_and_biden.jpg"
QUERY = "stills/obama-240p.jpg"
OF_JOBS = ("batch", "queued_at")
"""Fields that tell with what something was queued; who indexes without a queue leaves them out."""
SPAN_FIELDS = ("start_s", "end_s", "score", "verdict", "timestamp_s", "face_id")


@dataclass(frozen=True)
class Ended:
    """The service after all was done: its collection, and what it held then.

    jobs: as HTTP told of them at the end. attempts: of all segments. in_hand: the attempt that was
    lost with the killed worker.
    """

    http: Http
    index: Index
    location: str
    files: list[Path]
    found: Contents
    jobs: list[dict[str, Any]]
    attempts: list[int]
    in_hand: Segment
    survivor: Command


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, portraits: dict[str, np.ndarray]
) -> Path:
    """Photos and three videos, one of them rendered and three minutes long."""
    folder = tmp_path_factory.mktemp("service") / "media"
    for person in ("eileen", "grace"):
        photo(folder / "portraits" / f"{person}.png", still(portraits, person))
    for name in OTHERS:
        shutil.copy(shared_data / "data" / name, folder)
    shots = [_swaying(portraits, *shot) for shot in LONG_SHOTS]
    clip(folder / "long.mp4", *shots, fps=LONG_FPS)
    return folder


def _swaying(
    portraits: dict[str, np.ndarray], person: str, colour: tuple[int, int, int], seconds: int
) -> Iterator[np.ndarray]:
    people = [person] if person else []
    for number in range(seconds * LONG_FPS):
        yield still(portraits, *people, colour=colour, shift=abs(number % 40 - 20) - 10)


@pytest.fixture(scope="module")
def location(elasticsearch_url: str) -> Iterator[str]:
    with new_collection(elasticsearch_url) as location:
        yield location


@pytest.fixture(scope="module")
def user(folder: Path, location: str, shared_redis: RedisServer) -> Iterator[Path]:
    """A user's home folder, and the variables that all of the service is started with."""
    shared_redis.client.flushall()
    home = folder.parent / "home"
    values = {
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "OMP_WAIT_POLICY": "PASSIVE",
        "SIGHTINGS_INDEX": location,
        "SIGHTINGS_MODEL": "dlib",
        "SIGHTINGS_ELASTICSEARCH_REPLICAS": "0",
        "SIGHTINGS_ELASTICSEARCH_EXPUNGE_S": "0",
        "SIGHTINGS_TASKS_BROKER_URL": shared_redis.url,
        "SIGHTINGS_TASKS_SWEEP_S": "2",
        "SIGHTINGS_API_PORT": "0",
        "SIGHTINGS_API_ROOTS": str(folder),
        "SIGHTINGS_API_MEDIA_ROOT": str(home / "uploads"),
        "SIGHTINGS_API_SIGNING_KEYS": "of these tests alone",
    }
    home.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield home


@pytest.fixture(scope="module")
def ended(user: Path, folder: Path, location: str, shared_data: Path) -> Iterator[Ended]:
    """Queue the folder and an upload over HTTP, kill a worker in the middle, wait for the end.

    The workers come when everything is queued, in a collection that the service has made.
    """
    with ExitStack() as stack:
        serve = stack.enter_context(running(user / "serve.log", "sightings", "serve"))
        http = Http(serve)
        wait_until(lambda: http.well() == {"index"}, lambda: [serve.log_end()])
        index = stack.enter_context(
            open_index(location, settings=ElasticsearchSettings(replicas=0, expunge_s=0))
        )
        queued = [http.post("/api/v1/media", json={"paths": [str(folder)]})]
        with (shared_data / "data" / UPLOAD).open("rb") as stream:
            queued.append(http.post("/api/v1/media", files={"file": stream}))
        workers = [
            stack.enter_context(
                running(
                    user / f"{name}.log",
                    *("celery", "-A", "tasks", "worker", "--loglevel", "INFO"),
                    *("--hostname", f"{name}@%h"),
                )
            )
            for name in ("one", "two")
        ]
        for worker in workers:
            worker.wait_for(" ready.")
        wait_until(http.is_ready, lambda: [serve.log_end()])
        doomed, in_hand = _stopped_in_the_middle(index, workers, queued[0])
        doomed.kill()
        wait_until(
            lambda: all(_job(http, each)["state"] in ("done", "failed") for each in queued),
            lambda: [each.log_end() for each in (serve, *workers)],
        )
        media = [each for one in queued for each in one["queued"]]
        segments = [s for each in media for s in http.get(each["url"])["segments"]]
        yield Ended(
            http=http,
            index=index,
            location=location,
            files=[folder, user / "uploads"],
            found=contents(location),
            jobs=[_job(http, each) for each in queued],
            attempts=[segment["attempts"] for segment in segments],
            in_hand=in_hand,
            survivor=next(worker for worker in workers if worker is not doomed),
        )


def _job(http: Http, queued: dict[str, Any]) -> dict[str, Any]:
    return http.get(queued["url"])


def _stopped_in_the_middle(
    index: Index, workers: list[Command], queued: dict[str, Any]
) -> tuple[Command, Segment]:
    """Hold a worker that is at a segment of the long video, of which another is done already."""
    (long,) = (media for media in queued["queued"] if media["path"].endswith("long.mp4"))
    held: list[tuple[Command, Segment]] = []

    def holds() -> bool:
        for worker in workers:
            if _in_hand(index, long["id"], worker) is not None:
                worker.send(signal.SIGSTOP)
                # It may have finished meanwhile; from now on nothing of it moves.
                if segment := _in_hand(index, long["id"], worker):
                    held.append((worker, segment))
                    return True
                worker.send(signal.SIGCONT)
        return False

    wait_until(holds, lambda: [worker.log_end() for worker in workers])
    return held[0]


def _in_hand(index: Index, media_id: str, worker: Command) -> Segment | None:
    segments = index.list_segments(media_id)
    if not any(segment.state == "done" for segment in segments):
        return None
    for segment in segments:
        if segment.state == "claimed" and int((segment.owner or "").split("/")[1]) in worker.pids:
            return segment
    return None


def test_everything_is_done_once_although_a_worker_was_killed(ended: Ended) -> None:
    folder_job, upload_job = ended.jobs
    assert [job["state"] for job in ended.jobs] == ["done", "done"]
    assert (folder_job["media"]["done"], upload_job["media"]["done"]) == (6, 1)
    total = 5 + SEGMENTS_OF_LONG
    assert (folder_job["segments"]["total"], folder_job["segments"]["done"]) == (total, total)
    assert [job["segments"]["failed"] for job in ended.jobs] == [0, 0]
    assert len(ended.attempts) == total + 1
    assert sum(ended.attempts) == total + 2, "the segment in hand, and no other, was done again"
    segments = ended.index.list_segments(ended.in_hand.media_id)
    assert segments[ended.in_hand.span.number].attempts == ended.in_hand.attempts + 1
    assert ended.index.claim_owners() == ()
    assert ended.survivor.process.poll() is None


def test_no_message_is_left(ended: Ended) -> None:
    wait_until(
        lambda: "sightings_queue_messages 0.0" in ended.http.text("/metrics"),
        lambda: ended.http.text("/metrics"),
    )


def test_what_the_stages_took_is_counted_of_all_workers(ended: Ended) -> None:
    told = ended.http.text("/metrics")
    counted = re.findall(r'stage_seconds_count\{stage="(\w+)"\} (\d+)', told)
    # The segment that was lost with its worker never came to its end.
    assert dict(counted) == dict.fromkeys(STAGES, str(len(ended.attempts)))


def test_the_documents_are_those_of_one_command_line_run(
    ended: Ended, elasticsearch_url: str
) -> None:
    with new_collection(elasticsearch_url) as alone:
        run = sightings("index", *ended.files, "--index", alone)
        assert run.code == 0, run.err
        expected = contents(alone)
    assert len(expected["segments-1"]) == 6 + SEGMENTS_OF_LONG
    assert differences(_without_jobs(ended.found), _without_jobs(expected)) == []


def _without_jobs(found: Contents) -> Contents:
    return {
        kind: {
            key: {name: value for name, value in source.items() if name not in OF_JOBS}
            for key, source in documents.items()
        }
        for kind, documents in found.items()
    }


def test_a_photo_finds_the_same_over_http_as_on_the_command_line(
    ended: Ended, shared_data: Path
) -> None:
    path = shared_data / "data" / QUERY
    for form, options in (
        ({"include_different": "true"}, ["--all"]),
        ({"kind": "video", "top": "1"}, ["--kind", "video", "--top", "1"]),
    ):
        with path.open("rb") as stream:
            answer = ended.http.post("/api/v1/search", files={"photo": stream}, data=form)
        printed = sightings("search", path, "--json", *options).document
        assert printed["results"], printed
        assert _told(answer["lists"][0]) == _told(printed)
    best = answer["lists"][0]["results"][0]
    assert (best["media"]["path"].endswith("obama_c.mp4"), best["verdict"]) == (
        True, "same person",
    )  # fmt: skip


def test_a_stored_face_and_a_named_person_are_found_alike(ended: Ended) -> None:
    (media,) = (m for m in ended.index.iter_media() if m.path.endswith("eileen.png"))
    (face,) = ended.http.get(f"/api/v1/media/{media.id}/faces")["items"]
    searches = [({"face_id": face["face_id"]}, ["--stored-face", face["face_id"]])]
    ended.http.patch(f"/api/v1/faces/{face['face_id']}", json={"person": "Eileen"})
    searches.append(({"person": "Eileen"}, ["--person", "Eileen"]))
    for body, options in searches:
        (answered,) = ended.http.post("/api/v1/search", json=body)["lists"]
        printed = sightings("search", *options, "--json").document
        assert _told(answered) == _told(printed)
        (video,) = (r for r in answered["results"] if r["media"]["path"].endswith("long.mp4"))
        spans = [(span["start_s"], span["end_s"]) for span in video["appearances"]]
        assert [pytest.approx(span, abs=1.0) for span in spans] == [(0, 50), (130, 185)]


def _told(found: dict[str, Any]) -> Any:
    """What both say of a search: HTTP adds addresses, and names a photo without its folder."""
    fields = ("media", "score", "verdict", "best", "appearances", "person")
    query = {name: found["query"][name] for name in ("face", "box")}
    results = [{name: result[name] for name in fields} for result in found["results"]]
    for result in results:
        result["appearances"] = [
            {name: span[name] for name in SPAN_FIELDS} for span in result["appearances"]
        ]
    return query, results
