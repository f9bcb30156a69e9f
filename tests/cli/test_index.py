"""`sightings index` and `reindex` on real faces, with dlib's network."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from indexer.evaluation.matrix import CARDS
from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Library, RealLibrary
    from tests.cli.running import Run


@pytest.fixture
def real_copy(real_library: RealLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the real index, to do with as a test likes; commands find it by a variable."""
    index = tmp_path / "real.sightings"
    shutil.copy(real_library.index, index)
    monkeypatch.setenv("SIGHTINGS_INDEX", str(index))
    return index


def people() -> set[str]:
    return {person["name"] for person in sightings("people", "list", "--json").document}


def test_a_run_says_what_it_did_and_where(real_library: RealLibrary) -> None:
    assert real_library.run.code == 0
    assert real_library.run.err == ""
    summary, place = real_library.run.out.splitlines()
    assert summary == "4 done, 0 skipped, 0 failed; 6 faces stored, 3 names given."
    assert place == f"Index: {real_library.index}"


def test_a_second_run_does_no_work_and_says_so(real_library: RealLibrary, real_copy: Path) -> None:
    run = sightings("index", real_library.folder)
    assert run.code == 0
    assert run.out.splitlines() == [
        "0 done, 4 skipped, 0 failed; 0 faces stored, 0 names given.",
        "Nothing to do: all of it is indexed already.",
        f"Index: {real_copy}",
    ]


@pytest.mark.usefixtures("real_copy")
def test_bad_files_are_reported_and_the_others_done(
    real_library: RealLibrary, tmp_path: Path
) -> None:
    shutil.copy(real_library.folder / "both.png", tmp_path / "copy.png")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text\n.jpg").write_text("no picture")
    run = sightings("index", tmp_path / "copy.png", tmp_path / "empty.jpg", tmp_path / "text\n.jpg",
                    tmp_path / "gone.jpg")  # fmt: skip
    assert run.code == 1
    assert "0 done, 1 skipped, 3 failed" in run.out
    assert len(run.err.splitlines()) == 3
    assert f"failed: {tmp_path}/empty.jpg is empty.\n" in run.err
    assert f"failed: {tmp_path}/text\\n.jpg " in run.err
    assert f"failed: {tmp_path}/gone.jpg cannot be read: No such file or directory.\n" in run.err


@pytest.mark.usefixtures("real_copy")
def test_a_report_as_json_is_all_of_standard_output(
    real_library: RealLibrary, tmp_path: Path
) -> None:
    (tmp_path / "empty.jpg").touch()
    run = sightings("index", real_library.folder / "both.png", tmp_path / "empty.jpg", "--json")
    assert run.code == 1
    assert run.err == ""
    assert run.document["skipped"] == [str(real_library.folder / "both.png")]
    assert run.document["failed"] == [f"{tmp_path}/empty.jpg is empty."]
    assert (run.document["done"], run.document["faces"]) == ([], 0)


@pytest.mark.usefixtures("real_copy")
def test_names_come_from_a_file_by_path_time_and_box(
    real_library: RealLibrary, tmp_path: Path
) -> None:
    names = tmp_path / "names.csv"
    names.write_text(
        "path,person,time_s,x1,y1,x2,y2\n"
        f"{real_library.folder}/clip.mp4,Eileen Collins,1.5,,,,\n"
        f"{real_library.folder}/clip.mp4,Nobody,0.2,,,,\n"
    )
    run = sightings("index", real_library.folder / "clip.mp4", "--names", names)
    assert run.code == 0
    assert "1 skipped" in run.out
    assert "no face where the names file says 'Nobody' is" in run.err
    assert "Eileen Collins" in people()


def indexed_again(real_library: RealLibrary, *options: str) -> Run:
    return sightings("index", real_library.folder / "both.png", *options)


@pytest.mark.parametrize(
    ("options", "faces"),
    [
        (["--force"], 2),
        (["--min-face", "2000"], 0),
        (["--min-probability", "1"], 0),
        (["--max-side", "30"], 0),
        (["--set", "faces.min_face_px=2000"], 0),
    ],
    ids=str,
)
@pytest.mark.usefixtures("real_copy")
def test_other_options_look_for_faces_again(
    real_library: RealLibrary, options: list[str], faces: int
) -> None:
    run = indexed_again(real_library, *options)
    assert "1 done, 0 skipped" in run.out
    found = sightings("faces", real_library.folder / "both.png", "--json").document
    assert len(found) == faces


@pytest.mark.parametrize(
    ("strategy", "key_frames"), [("fps=2", 4), ("random=3", 3), ("all", 20)], ids=str
)
@pytest.mark.usefixtures("real_copy")
def test_key_frames_are_chosen_as_asked(
    real_library: RealLibrary, strategy: str, key_frames: int
) -> None:
    clip = real_library.folder / "clip.mp4"
    assert sightings("index", clip, "--key-frames", strategy, "--max-side", "150").code == 0
    (shown,) = sightings("media", "show", clip, "--json").document
    assert [segment["key_frames"] for segment in shown["segments"]] == [key_frames]


@pytest.mark.usefixtures("real_copy")
def test_an_unknown_strategy_is_wrong_usage(real_library: RealLibrary) -> None:
    run = sightings("index", real_library.folder / "clip.mp4", "--key-frames", "quatsch")
    assert run.code == 2
    assert "quatsch" in run.err


@pytest.mark.usefixtures("real_copy")
def test_re_embedding_with_the_model_that_is_live_is_wrong_usage() -> None:
    run = sightings("reindex", "--model", "dlib")
    assert run.code == 2
    assert run.err.startswith("sightings: ")


def test_re_embedding_waits_for_media_that_cannot_be_read(library: Library) -> None:
    run = sightings("reindex", "--model", "dlib")
    assert run.code == 1
    assert f"{library.folder}/ben.jpg is no longer there" in run.err
    assert "The old model stays live; run this again when the media above are mended." in run.out
    assert sightings("stats", "--json").document["model"].startswith("tiny-")


@pytest.mark.usefixtures("real_copy")
def test_re_embedding_with_another_model_makes_it_live(shared_data: Path) -> None:
    card = CARDS / "mobilefacenet.json"
    model = f"onnx:{shared_data}/models/mobilefacenet.onnx?card={card}"
    run = sightings("reindex", "--model", model)
    assert run.code == 0
    assert run.out.startswith("6 faces of 4 media embedded anew. mobilefacenet-")
    assert sightings("stats", "--json").document["model"].startswith("mobilefacenet-")
    assert sightings("search", "--person", "eileen").code == 0
