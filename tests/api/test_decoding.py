"""Decoding in processes of their own: bounds hold, and a file that breaks one harms no other."""

from __future__ import annotations

import os
import signal
import struct
import time
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import pytest
from PIL import Image

from api.decoding.decoders import Decoders
from api.decoding.messages import packed
from api.decoding.process import DecodingProcess
from api.problems import Problem
from indexer.errors import MediaError
from indexer.media import probe
from indexer.settings import MediaSettings, Settings
from indexer.settings_api import ApiSettings
from indexer.sources import open_source

PIXELS = 400_000_000


@pytest.fixture
def decoders():
    """Decoders of default settings."""
    made = Decoders(ApiSettings(decoders=1, queue_s=0.1))
    yield made
    made.close()


def children() -> set[int]:
    return {
        child.pid
        for child in psutil.Process().children(recursive=True)
        if "api.decoding.child" in " ".join(child.cmdline())
    }


@pytest.mark.parametrize("name", ["both.mp4", "grace.png"])
def test_another_process_decodes_the_same_frames(decoders, made_archive, name: str) -> None:
    path = made_archive.folder / name
    known = probe(path, "", MediaSettings())
    with decoders.opened(path, name=name, max_pixels=PIXELS) as (media, source):
        assert media == known
        frames = list(source.frames())
    with open_source(path, known.kind, Settings()) as here:
        expected = list(here.frames())
        assert source.timestamps_s == pytest.approx(here.timestamps_s)
        assert source.warnings() == here.warnings()
        assert source.damage(0.0, 9e9) == here.damage(0.0, 9e9)
    assert [(f.index, f.timestamp_s) for f in frames] == [
        (f.index, f.timestamp_s) for f in expected
    ]
    assert all(
        np.array_equal(a.image_rgb, b.image_rgb) for a, b in zip(frames, expected, strict=True)
    )


def test_a_process_serves_many_files_and_ends_with_the_service(made_archive) -> None:
    decoders = Decoders(ApiSettings(decoders=1))
    before = children()
    for _ in range(3):
        decoders.look(made_archive.folder / "grace.png", name="x", max_pixels=PIXELS)
    assert len(children() - before) == 1
    decoders.close()
    assert children() <= before


def test_a_photo_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    Image.new("1", (14_000, 14_000)).save(bomb)
    decoders = Decoders(ApiSettings(decoders=1, decode_memory_mb=512))
    with (
        pytest.raises(MediaError, match=r"holiday\.png .*(?i:memory)"),
        decoders.opened(bomb, name="holiday.png", max_pixels=PIXELS),
    ):
        pytest.fail("it was decoded")
    decoders.close()


def test_a_file_that_takes_too_long_is_refused_and_its_process_ended(made_archive) -> None:
    decoders = Decoders(ApiSettings(decoders=1, decode_s=0.001))
    before = children()
    with pytest.raises(MediaError, match=r"slow\.mp4.*within 0\.001 s"):
        decoders.look(made_archive.folder / "both.mp4", name="slow.mp4", max_pixels=PIXELS)
    assert children() <= before


def test_a_process_that_was_killed_is_replaced(decoders, made_archive) -> None:
    photo, before = made_archive.folder / "grace.png", children()
    decoders.look(photo, name="x", max_pixels=PIXELS)
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    while psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert decoders.look(photo, name="x", max_pixels=PIXELS)[0].kind == "photo"


def test_a_process_that_dies_of_a_file_leaves_an_error_that_names_it(
    decoders, made_archive
) -> None:
    before, video = children(), made_archive.folder / "both.mp4"

    def killed_while_reading() -> None:
        with decoders.opened(video, name="fatal.mp4", max_pixels=PIXELS) as (_, source):
            (child,) = children() - before
            os.kill(child, signal.SIGKILL)
            list(source.frames())

    with pytest.raises(MediaError, match=r"fatal\.mp4.*ended"):
        killed_while_reading()
    assert decoders.look(made_archive.folder / "grace.png", name="x", max_pixels=PIXELS)


def test_frames_that_nobody_reads_do_not_get_into_the_next_answer(decoders, made_archive) -> None:
    video, photo = made_archive.folder / "both.mp4", made_archive.folder / "grace.png"
    with decoders.opened(video, name="v", max_pixels=PIXELS) as (_, source):
        next(source.frames())
    assert decoders.look(photo, name="p", max_pixels=PIXELS)[0].kind == "photo"


def test_while_all_processes_are_busy_others_are_told_to_come_back(decoders, made_archive) -> None:
    photo, refused = made_archive.folder / "grace.png", []

    def second() -> None:
        try:
            decoders.look(photo, name="x", max_pixels=PIXELS)
        except Problem as problem:
            refused.append(problem.code)

    with decoders.opened(photo, name="x", max_pixels=PIXELS):
        thread = Thread(target=second)
        thread.start()
        thread.join(30)
    assert refused == ["overloaded"]


def test_the_process_cannot_write_files_nor_see_secrets(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SIGHTINGS_ELASTICSEARCH_PASSWORD", "hidden-word")
    decoders, before = Decoders(ApiSettings(decoders=1)), children()
    decoders.warm_up()
    (child,) = children() - before
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    decoders.look(tmp_path / "a.png", name="x", max_pixels=PIXELS)
    assert "hidden-word" not in Path(f"/proc/{child}/environ").read_text()
    limits = Path(f"/proc/{child}/limits").read_text()
    (size,) = [line for line in limits.splitlines() if line.startswith("Max file size")]
    assert size.split()[3:5] == ["0", "0"]
    decoders.close()


def lies(process: DecodingProcess, answer: bytes) -> None:
    """Let a process answer what a file that has taken it over could."""
    reading, writing = os.pipe()
    os.write(writing, answer)
    os.dup2(reading, process._answers)
    os.close(reading)
    os.close(writing)


HONEST = {"kind": "photo", "size_bytes": 1, "width": 1, "height": 1, "duration_s": None,
          "recorded_at": None}  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        struct.pack("<II", 0xFFFFFFFF, 0),
        struct.pack("<II", 2, 0xFFFFFFFF) + b"{}",
        struct.pack("<II", 3, 0) + b"{no",
        struct.pack("<II", 2, 0) + b"[]",
        struct.pack("<II", 2, 0) + b"\xff\xfe",
        struct.pack("<II", 20_000, 0) + b"[" * 10_000 + b"]" * 10_000,
        packed({}),
        packed({"media": []}),
        packed({"media": HONEST | {"kind": "program"}}, b"\0" * 8),
        packed({"media": HONEST | {"width": "wide"}}, b"\0" * 8),
        packed({"media": HONEST | {"recorded_at": "yesterday"}}, b"\0" * 8),
        packed({"media": HONEST | {"duration_s": float("inf")}}, b"\0" * 8),
        packed({"media": HONEST}, b"\0" * 7),
        packed({"media": HONEST}, struct.pack("<d", float("nan"))),
    ],
    ids=(str(number) for number in range(14)),
)
def test_an_answer_that_makes_no_sense_refuses_the_file_and_ends_the_process(
    made_archive, answer: bytes
) -> None:
    decoders, process = Decoders(ApiSettings(decoders=1)), DecodingProcess(512)
    decoders._give_back(process)
    lies(process, answer)
    with pytest.raises(MediaError, match=r"odd\.png: .*no sense"):
        decoders.look(made_archive.folder / "grace.png", name="odd.png", max_pixels=PIXELS)
    assert not process.alive
    decoders.close()


@pytest.mark.parametrize("header", [{"shape": [2, 2, 3]}, {"shape": [1, 1, 3], "index": None}])
def test_a_frame_that_makes_no_sense_refuses_the_file(made_archive, header) -> None:
    decoders, process = Decoders(ApiSettings(decoders=1)), DecodingProcess(512)
    decoders._give_back(process)

    def read() -> None:
        photo = made_archive.folder / "grace.png"
        with decoders.opened(photo, name="odd.png", max_pixels=PIXELS) as (_, source):
            answer = {"index": 0, "timestamp_s": 0.0, "decode_errors": 0} | header
            lies(process, packed(answer, bytes(3)))
            list(source.frames())

    with pytest.raises(MediaError, match=r"odd\.png: .*no sense"):
        read()
    decoders.close()
