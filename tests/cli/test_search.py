"""`sightings search`: what is found, filtered, printed and drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.cli.conftest import ODD_NAME
from tests.cli.running import sightings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Library, RealLibrary
    from tests.cli.running import Run


def search(library: Library, *arguments: object) -> Run:
    return sightings("search", "--stored-face", library.anna, "--json", *arguments)


def test_results_come_best_first_without_those_that_are_different(library: Library) -> None:
    run = search(library)
    assert run.code == 0
    assert run.found == ["anna.jpg", ODD_NAME, "clip.mp4", "running.mp4", "maybe.jpg"]
    verdicts = [result["verdict"] for result in run.document["results"]]
    assert verdicts == ["same person"] * 4 + ["possible"]


def test_json_has_the_documented_shape(library: Library) -> None:
    run = search(library, "--kind", "video", "--top", "1")
    (result,) = run.document["results"]
    assert set(result) == {"media", "score", "verdict", "best", "appearances", "person"}
    assert set(result["media"]) == {"id", "path", "kind", "state"}
    assert result["media"]["path"] == str(library.folder / "clip.mp4")
    assert result["media"]["kind"] == "video"
    assert result["score"] == pytest.approx(0.85)
    assert set(result["best"]) == {"timestamp_s", "box", "face_id", "euclidean"}
    assert result["best"]["timestamp_s"] == 2.0
    assert result["best"]["box"] == [0.0, 100.0, 50.0, 150.0]
    assert result["best"]["face_id"] == library.in_clip[0]
    first, second = result["appearances"]
    assert first == {
        "start_s": 2.0,
        "end_s": 6.0,
        "score": pytest.approx(0.85),
        "verdict": "same person",
        "timestamp_s": 2.0,
        "face_id": library.in_clip[0],
    }
    assert (second["start_s"], second["end_s"], second["verdict"]) == (15.0, 19.0, "same person")
    assert result["person"] is None
    assert run.err == ""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--all"], ["anna.jpg", ODD_NAME, "clip.mp4", "running.mp4", "maybe.jpg", "ben.jpg"]),
        (["--top", "2"], ["anna.jpg", ODD_NAME]),
        (["--min-score", "0.8"], ["anna.jpg", ODD_NAME, "clip.mp4"]),
        (["--named", "Anna"], ["anna.jpg"]),
        (["--named", "Anna", "--named", "Ben", "--all"], ["anna.jpg", "ben.jpg"]),
        (["--unnamed"], [ODD_NAME, "clip.mp4", "running.mp4", "maybe.jpg"]),
        (["--media", "{folder}/clip.mp4"], ["clip.mp4"]),
        (["--media", "{folder}/clip.mp4", "--media", "{folder}/ben.jpg", "--all"],
         ["clip.mp4", "ben.jpg"]),
        (["--file-name", "clip.mp4", "--file-name", "maybe.jpg"], ["clip.mp4", "maybe.jpg"]),
        (["--under", "{folder}/sub"], ["maybe.jpg"]),
        (["--under", "{folder}/sub/../sub"], ["maybe.jpg"]),
        (["--kind", "video"], ["clip.mp4", "running.mp4"]),
        (["--kind", "photo"], ["anna.jpg", ODD_NAME, "maybe.jpg"]),
        (["--from-s", "3"], ["clip.mp4"]),
        (["--to-s", "1.5"], ["running.mp4"]),
        (["--from-s", "7", "--to-s", "14"], []),
        (["--recorded-from", "2024-05-01"], ["anna.jpg"]),
        (["--recorded-to", "2024-05-01"], ["anna.jpg"]),
        (["--recorded-from", "2024-05-01T12:00:01"], []),
        (["--recorded-to", "2024-05-01 11:59"], []),
        (["--recorded-from", "2024-05-01T14:00:00+02:00"], ["anna.jpg"]),
        (["--min-face", "40"], ["anna.jpg", "clip.mp4", "running.mp4", "maybe.jpg"]),
        (["--min-probability", "0.9"], ["anna.jpg", ODD_NAME, "clip.mp4", "running.mp4"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_options_decide_what_counts(
    library: Library, options: list[str], expected: list[str]
) -> None:
    run = search(library, *(option.format(folder=library.folder) for option in options))
    assert run.found == expected
    assert run.code == (0 if expected else 1)


def test_a_higher_score_leaves_out_spans_below_it_too(library: Library) -> None:
    (result,) = search(library, "--min-score", "0.8", "--kind", "video").document["results"]
    assert [span["start_s"] for span in result["appearances"]] == [2.0]


@pytest.mark.usefixtures("library")
def test_a_named_person_is_searched_for_by_name() -> None:
    run = sightings("search", "--person", "Anna", "--json")
    assert run.document["query"] == {"description": "Anna", "face": None, "box": None}
    assert run.found[:2] == ["anna.jpg", ODD_NAME]
    assert run.document["results"][0]["person"] == "Anna"


def test_a_stored_face_may_be_given_with_a_shortened_media_id(library: Library) -> None:
    media_id, rest = library.anna.split("-", 1)
    run = sightings("search", "--stored-face", f"{media_id[:8]}-{rest}", "--json")
    assert run.found[0] == "anna.jpg"


def test_the_table_shows_spans_and_marks_what_is_in_progress(library: Library) -> None:
    run = sightings("search", "--stored-face", library.anna)
    table = [line.split() for line in run.out.splitlines()]
    folder = str(library.folder)
    assert table[0] == ["#", "verdict", "score", "person", "where", "when", "best"]
    assert table[1] == ["1", "same", "person", "1.000", "Anna", f"{folder}/anna.jpg"]
    spans = ["00:02.0–00:06.0,", "00:15.0–00:19.0"]
    assert table[3] == [
        "3",
        "same",
        "person",
        "0.850",
        "-",
        f"{folder}/clip.mp4",
        *spans,
        "00:02.0",
    ]
    running = [f"{folder}/running.mp4", "(working)", "00:01.0–00:01.0", "00:01.0"]
    assert table[4] == ["4", "same", "person", "0.720", "-", *running]


def test_paths_below_the_working_folder_are_shown_from_there(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(library.folder)
    run = sightings("search", "--stored-face", library.anna)
    assert [line.split()[-1] for line in run.out.splitlines()[1:3]] == [
        "anna.jpg",
        "[bold]\\nÜ漢.jpg",
    ]
    assert run.out.splitlines()[5].split()[-1] == "sub/maybe.jpg"


def test_nothing_found_is_said_and_has_its_exit_code(library: Library) -> None:
    run = sightings("search", "--stored-face", library.anna, "--min-score", "0.7", "--to-s", "0.5")
    assert run.code == 1
    assert run.out == ""
    assert run.err.startswith(f"Nothing found for stored face {library.anna}.\n")
    assert "--all" in run.err


def test_a_search_that_finds_nothing_still_prints_json(library: Library) -> None:
    run = search(library, "--to-s", "0.5")
    assert run.code == 1
    assert run.document["results"] == []


def real(library: RealLibrary, *arguments: object) -> Run:
    return sightings("search", "--index", library.index, *arguments)


def test_a_photo_finds_the_person_in_photos_and_videos(real_library: RealLibrary) -> None:
    run = real(real_library, real_library.folder / "eileen" / "0001.png", "--json")
    assert sorted(run.found) == ["0001.png", "both.png", "clip.mp4"]
    assert {result["verdict"] for result in run.document["results"]} == {"same person"}
    (clip,) = (r for r in run.document["results"] if r["media"]["kind"] == "video")
    (span,) = clip["appearances"]
    assert (span["start_s"], span["end_s"]) == pytest.approx((1.0, 1.9))
    assert run.document["query"]["face"] == 1


def test_faces_of_a_query_are_numbered_from_left_to_right(real_library: RealLibrary) -> None:
    both = real_library.folder / "both.png"
    people = []
    for number in (1, 2):
        run = real(real_library, both, "--face", number, "--json", "--named", "eileen",
                   "--named", "grace")  # fmt: skip
        assert run.document["query"]["face"] == number
        people.append(run.document["results"][0]["person"])
    assert people == ["grace", "eileen"]


def test_all_faces_of_a_query_give_a_list_each(real_library: RealLibrary) -> None:
    run = real(real_library, real_library.folder / "both.png", "--face", "all", "--json")
    assert [found["query"]["face"] for found in run.document["lists"]] == [1, 2]
    paths = [found["results"][0]["media"]["path"] for found in run.document["lists"]]
    assert paths == [str(real_library.folder / "both.png")] * 2


def test_all_faces_have_a_table_and_a_contact_sheet_each(
    real_library: RealLibrary, tmp_path: Path
) -> None:
    both, sheet = real_library.folder / "both.png", tmp_path / "sheet.png"
    run = real(real_library, both, "--face", "all", "--sheet", sheet)
    assert run.out.startswith(f"face 1 of 2 in {both}:\n#  verdict")
    assert f"\nface 2 of 2 in {both}:\n#  verdict" in run.out
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["sheet-1.png", "sheet-2.png"]
    for number in (1, 2):
        with Image.open(tmp_path / f"sheet-{number}.png") as picture:
            assert picture.format == "PNG"
            assert picture.width >= 2 * 160


def test_several_photos_of_one_person_are_one_query(real_library: RealLibrary) -> None:
    folder = real_library.folder
    run = real(
        real_library, folder / "eileen" / "0001.png", folder / "eileen" / "0001.png", "--json"
    )
    assert run.document["query"]["description"] == "2 photos"
    assert sorted(run.found) == ["0001.png", "both.png", "clip.mp4"]


def test_a_video_is_a_query_too(real_library: RealLibrary) -> None:
    run = real(real_library, real_library.folder / "clip.mp4", "--json", "--kind", "photo")
    assert sorted(run.found) == ["0001.png", "both.png"]


def test_a_photo_of_nobody_says_so(real_library: RealLibrary, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody.png"
    Image.new("RGB", (200, 200), (128, 128, 128)).save(nobody)
    run = real(real_library, nobody)
    assert run.code == 1
    assert run.err.startswith(f"sightings: No face was found in {nobody} (looked for: 40 px")


def test_a_face_that_the_photo_does_not_show_is_wrong_usage(real_library: RealLibrary) -> None:
    run = real(real_library, real_library.folder / "both.png", "--face", "3")
    assert run.code == 2
    assert "shows 2 faces; face 3 is not one of them" in run.err


def test_one_sheet_is_written_where_it_was_asked_for(
    real_library: RealLibrary, tmp_path: Path
) -> None:
    query = real_library.folder / "eileen" / "0001.png"
    run = real(real_library, query, "--json", "--sheet", tmp_path / "found.jpg")
    assert run.document["results"]
    assert run.err == f"Contact sheet: {tmp_path / 'found.jpg'}\n"
    with Image.open(tmp_path / "found.jpg") as picture:
        assert picture.format == "JPEG"


@pytest.mark.parametrize("place", ["no/such/folder/sheet.png", "sheet.quatsch"])
def test_a_sheet_that_cannot_be_written_is_refused_before_the_search(
    library: Library, tmp_path: Path, place: str
) -> None:
    run = sightings(
        "search", "--stored-face", library.anna, "--kind", "photo", "--sheet", tmp_path / place
    )
    assert run.code == 2
    assert f"No contact sheet can be written to {tmp_path / place}" in run.err
    assert run.out == ""


@pytest.mark.parametrize(
    "filters", [("--from-s", "5", "--to-s", "1"), ("--named", "Anna", "--unnamed")]
)
def test_filters_that_exclude_each_other_are_wrong_usage(
    library: Library, filters: tuple[str, ...]
) -> None:
    assert sightings("search", "--stored-face", library.anna, *filters).code == 2


def test_of_a_photo_of_several_people_it_is_said_whose_face_is_searched_for(
    real_library: RealLibrary,
) -> None:
    both, alone = real_library.folder / "both.png", real_library.folder / "grace" / "0001.png"
    (line,) = real(real_library, both).err.splitlines()
    assert line in {
        f"face {number} of 2 in {both} (the largest; --face N takes another)" for number in (1, 2)
    }
    (line,) = real(real_library, both, alone).err.splitlines()
    assert line.endswith(f"of 2 in {both} (the largest)")
    for quiet in ((alone,), (both, "--face", "2"), (both, "--face", "all"), (both, "--json")):
        assert real(real_library, *quiet).err == ""
