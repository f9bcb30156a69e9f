"""A video is closed while a thread reads it, as when somebody who stops the work cannot wait."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from indexer.errors import MediaError
from indexer.video import VideoReader
from tests.media_maker import make_video, numbered

if TYPE_CHECKING:
    from pathlib import Path

READING = """
import random, sys, threading, time
from pathlib import Path
from indexer.errors import MediaError
from indexer.video import VideoReader

chance = random.Random(3)
for _ in range(40):
    reader, begun, ends = VideoReader(Path(sys.argv[1])), threading.Event(), []
    def read():
        try:
            for _ in reader.frames():
                begun.set()
        except MediaError as error:
            ends.append(str(error))
    thread = threading.Thread(target=read)
    thread.start()
    begun.wait()
    time.sleep(chance.random() / 200)
    reader.close()
    thread.join()
    print(*ends)
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("closing") / "clip.mp4"
    return make_video(path, numbered(250, 640, 360))


@pytest.mark.slow
def test_no_process_crashes_when_a_video_is_closed_while_a_thread_reads_it(video: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", READING, str(video)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    ends = set(run.stdout.splitlines())
    assert f"{video} was closed before it was read to its end." in ends


def test_pictures_are_let_go_without_python_looking_for_rings(video: Path) -> None:
    """One that is held keeps the memory of all pictures of its decoder: 60 MB of 1080p."""
    gc.collect()
    gc.disable()
    try:
        with VideoReader(video) as reader:
            assert sum(frame.shape == (360, 640, 3) for frame in reader.frames(2.0)) > 100
        del reader
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kept = {type(each).__name__ for each in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not kept & {"VideoFrame", "VideoStream", "InputContainer", "Pass", "VideoReader"}


def test_no_frame_is_given_of_a_video_that_was_closed(video: Path) -> None:
    reader = VideoReader(video)
    frames = reader.frames()
    assert next(frames).index == 0
    reader.close()
    reader.close()
    with pytest.raises(MediaError, match=r"clip\.mp4 was closed before it was read to its end\."):
        next(frames)
    with pytest.raises(MediaError, match="was closed"):
        next(reader.frames(0.0, 1.0))
