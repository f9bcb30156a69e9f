"""`sightings enqueue` and `sightings jobs`: what they print, and how they end."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.media import content_id
from indexer.settings import AppearanceSettings
from indexer.work import claim_next
from tests.cli.running import in_terminal, sightings
from tests.clips import clip, photo, shot, still
from tests.engines.builders import MODEL, finish

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, portraits: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an index, which commands find, and media to be queued."""
    photo(tmp_path / "media" / "a.png", still(portraits, "eileen"))
    clip(tmp_path / "media" / "b.mp4", shot(portraits, "grace", 6))
    location = tmp_path / "faces.sightings"
    monkeypatch.setenv("SIGHTINGS_INDEX", str(location))
    with open_index(str(location), create=True) as index:
        index.adopt_model(MODEL)
    return tmp_path


def fail(place: Path, path: Path) -> None:
    """Let a queued media fail as a worker would."""
    with open_index(str(place / "faces.sightings")) as index:
        (media,) = (each for each in index.iter_media() if each.path == str(path))
        index.fail_segment(claim_next(index, media.id, "host/1/1.0/x"), "its header is broken")
        index.link_appearances(media.id, AppearanceSettings())


def test_enqueue_says_what_it_queued_and_who_will_do_it(place: Path) -> None:
    run = sightings("enqueue", place / "media")
    assert run.code == 0
    assert run.out.startswith("2 queued, 0 skipped, 0 under way already, 0 failed.\nBatch: ")
    assert "`sightings serve` over this index does the work" in run.err
    again = sightings("enqueue", place / "media", "--json").document
    paths = [str(place / "media" / name) for name in ("a.png", "b.mp4")]
    assert (again["queued"], again["under_way"], again["failed"]) == ([], paths, [])


def test_enqueue_ends_with_1_where_a_file_cannot_be_read(place: Path) -> None:
    (place / "media" / "c.png").write_bytes(b"")
    run = sightings("enqueue", place / "media")
    assert run.code == 1
    assert "failed: " in run.err
    assert "c.png is empty" in run.err
    assert run.out.startswith("2 queued")


def test_enqueue_queues_and_ends_with_3_where_redis_is_out_of_reach(place: Path) -> None:
    run = sightings(
        "enqueue", place / "media", "--set", "tasks.broker_url=redis://:hush@127.0.0.1:1/0"
    )
    assert run.code == 3
    assert "tasks.broker_url cannot be reached" in run.err
    assert "hush" not in run.out + run.err
    (batch,) = sightings("jobs", "--json").document
    assert batch["media"] == {"queued": 2}


def test_a_broker_other_than_redis_is_wrong_usage(place: Path) -> None:
    run = sightings("enqueue", place, "--set", "tasks.broker_url=amqp://user:hush@host")
    assert run.code == 2
    assert "redis://" in run.err
    assert "hush" not in run.err


def test_jobs_shows_batches_with_what_is_done_of_them(place: Path) -> None:
    batch = sightings("enqueue", place / "media", "--json").document["batch"]
    with open_index(str(place / "faces.sightings")) as index:
        (photo_media, _) = index.iter_media()
        finish(index, claim_next(index, photo_media.id, "host/1/1.0/x"))
    header, row = sightings("jobs").out.splitlines()
    assert header.split() == ["batch", "state", "media", "failed", "parts", "a", "minute", "left"]
    assert row.split()[:5] == [batch, "working", "0/2", "0", "1/2"]
    (listed,) = sightings("jobs", "--json", "--batch", batch).document
    assert (listed["id"], listed["state"]) == (batch, "working")
    assert listed["segments"]["total"] == 2
    assert [item["state"] for item in listed["items"]] == ["working", "queued"]
    assert [item["segments"]["done"] for item in listed["items"]] == [1, 0]


def test_a_batch_is_shown_with_each_of_its_media_and_how_far_it_is(place: Path) -> None:
    batch = sightings("enqueue", place / "media", "--json").document["batch"]
    with open_index(str(place / "faces.sightings")) as index:
        photo_media, video = index.iter_media()
        finish(index, claim_next(index, photo_media.id, "host/1/1.0/x"))
        index.link_appearances(photo_media.id, AppearanceSettings())
        claim_next(index, video.id, "host/1/1.0/x")
    whole, row, headers, *media = sightings("jobs", "--batch", batch).out.splitlines()
    assert (whole.split()[0], row.split()[0]) == ("batch", batch)
    assert headers.split() == ["id", "state", "failed", "parts", "a", "minute", "left", "path"]
    under_way, done = (line.split() for line in media)
    assert under_way == [video.id[:12], "working", "0", "0/1", "?", video.path]
    assert done[:4] == [photo_media.id[:12], "done", "0", "1/1"]
    assert done[4:] == [photo_media.path]
    (listed,) = sightings("jobs", "--batch", batch, "--json").document
    told = {item["id"]: item["segments"] for item in listed["items"]}
    assert told[video.id] == {
        "total": 1, "done": 0, "failed": 0, "working": 1, "rate_per_s": 0.0, "eta_s": None,
    }  # fmt: skip
    assert told[photo_media.id]["rate_per_s"] == 0.0
    assert told[photo_media.id]["eta_s"] == 0.0


def test_of_a_large_batch_the_media_that_are_worked_on_are_shown(place: Path) -> None:
    batch = sightings("enqueue", place / "media", "--json").document["batch"]
    with open_index(str(place / "faces.sightings")) as index:
        _, video = index.iter_media()
        claim_next(index, video.id, "host/1/1.0/x")
    lines = sightings("jobs", "--batch", batch, "--limit", 1).out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["id", video.id[:12]]


def test_jobs_with_nothing_queued_says_so(place: Path) -> None:  # noqa: ARG001
    run = sightings("jobs")
    assert (run.code, run.out) == (1, "")
    assert "Nothing is queued" in run.err
    assert sightings("jobs", "--json").document == []


def test_a_batch_that_is_not_there_is_told_apart_from_nothing_queued(place: Path) -> None:
    sightings("enqueue", place / "media")
    for options in ((), ("--json",)):
        run = sightings("jobs", "--batch", "20200101T000000000-00000000", *options)
        assert (run.code, run.out) == (1, "")
        assert "There is no batch 20200101T000000000-00000000" in run.err


@pytest.mark.parametrize("subcommand", ["cancel", "retry"])
@pytest.mark.parametrize("option", [("--index", "other"), ("--batch", "b"), ("--json",)])
def test_an_option_before_a_subcommand_is_refused_and_nothing_happens(
    place: Path, option: tuple[str, ...], subcommand: str
) -> None:
    sightings("enqueue", place / "media")
    run = sightings("jobs", *option, subcommand, place / "media" / "a.png")
    assert (run.code, run.out) == (2, "")
    assert option[0] in run.err
    assert f"sightings jobs {subcommand}" in run.err
    assert sightings("jobs", "--json").document[0]["media"] == {"queued": 2}


def test_a_terminal_shows_jobs_live_until_they_are_over(place: Path) -> None:
    batch = sightings("enqueue", place / "media" / "a.png", "--json").document["batch"]
    fail(place, place / "media" / "a.png")
    run = in_terminal("jobs", "--batch", batch, columns=120)
    assert run.code == 0
    assert batch in run.out
    assert "a.png" in run.out.partition("failed: ")[0]
    assert "its header is broken" in " ".join(run.out.split())


def test_failures_are_told_and_retried(place: Path) -> None:
    batch = sightings("enqueue", place / "media", "--json").document["batch"]
    fail(place, place / "media" / "a.png")
    run = sightings("jobs", "--batch", batch)
    assert "a.png: its header is broken" in run.err
    assert f"sightings jobs retry --batch {batch}" in run.err
    retried = sightings("jobs", "retry", "--json").document
    assert retried["queued"] == [str(place / "media" / "a.png")]
    assert sightings("jobs", "--json").document[0]["media"] == {"queued": 2}
    assert sightings("jobs", "retry", place / "media" / "b.mp4").out.startswith("0 queued")


def test_cancelling_a_batch_removes_what_was_never_done(place: Path) -> None:
    batch = sightings("enqueue", place / "media", "--json").document["batch"]
    run = sightings("jobs", "cancel", "--batch", batch)
    assert run.out == (
        "2 removed, 0 as before, 0 cut short, 0 not under way.\n"
        "Deleted 2 media, 0 faces, 0 labels.\n"
    )
    assert sightings("media", "list", "--json").document == []


def test_cancelling_removes_uploads_and_no_other_files(place: Path) -> None:
    source = place / "media" / "a.png"
    media_id = content_id(source)
    upload = place / "uploads" / media_id[:2] / media_id / "a.png"
    upload.parent.mkdir(parents=True)
    shutil.copy(source, upload)
    setting = ("--set", f"api.media_root={place / 'uploads'}")
    sightings("enqueue", source, upload)
    run = sightings("jobs", "cancel", media_id, *setting)
    assert run.out.endswith("Deleted 1 media, 0 faces, 0 labels.\nDeleted 1 uploaded file.\n")
    assert list((place / "uploads").iterdir()) == []
    assert source.exists()
    sightings("enqueue", source)
    deleted = sightings("jobs", "cancel", source, *setting, "--json").document["deleted"]
    assert deleted == {"media": 1, "faces": 0, "labels": 0, "files": 0, "still_in": []}
    assert source.exists()


def test_cancelling_media_takes_paths_and_ids(place: Path) -> None:
    sightings("enqueue", place / "media")
    path = place / "media" / "a.png"
    assert sightings("jobs", "cancel", path, "--json").document["removed"] == [str(path)]
    assert sightings("jobs", "cancel", path).code == 1
    assert sightings("jobs", "cancel").code == 2
    assert sightings("jobs", "cancel", "--batch", "unknown").code == 1


def test_what_is_queued_while_redis_is_away_is_told_with_its_batch(place: Path) -> None:
    away = ("--set", "tasks.broker_url=redis://127.0.0.1:1/0")
    run = sightings("enqueue", place / "media", *away)
    assert run.code == 3
    queued, batch = run.out.splitlines()
    assert queued == "2 queued, 0 skipped, 0 under way already, 0 failed."
    assert "tasks.broker_url cannot be reached" in run.err
    listed = sightings("jobs", "--once", "--json").document
    assert [each["id"] for each in listed] == [batch.removeprefix("Batch: ")]


def test_a_failure_names_its_file_once(tmp_path: Path) -> None:
    cut, index = tmp_path / "cut.png", ("--index", tmp_path / "new.sightings")
    photo(cut, still({}))
    cut.write_bytes(cut.read_bytes()[:60])
    for more in ((), (), ("--force",)):
        run = sightings("index", cut, *index, "--model", "dlib", *more)
        (line,) = (line for line in run.err.splitlines() if line.startswith("failed: "))
        assert line.count(str(cut)) == 1, line


def test_failures_of_a_batch_name_their_file_once(place: Path) -> None:
    path = place / "media" / "a.png"
    sightings("enqueue", path)
    with open_index(str(place / "faces.sightings")) as index:
        (media,) = index.iter_media()
        index.fail_segment(
            claim_next(index, media.id, "host/1/1.0/x"), f"{path} cannot be decoded: broken."
        )
        index.link_appearances(media.id, AppearanceSettings())
    (batch,) = sightings("jobs", "--json", "--once").document
    err = sightings("jobs", "--once", "--batch", batch["id"]).err
    assert err.splitlines()[0] == f"failed: {path} cannot be decoded: broken."
    again = sightings("enqueue", path).err.splitlines()[-1]
    assert again.startswith(f"failed: {path} failed before: cannot be decoded: broken. Retry")
