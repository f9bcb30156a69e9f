"""`sightings people`: naming, renaming, merging and forgetting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from tests.cli.running import sightings

if TYPE_CHECKING:
    from tests.cli.conftest import Library

HARD_NAME = 'Zoë "Z" O\'Brian [bold]red[/bold] \n漢字'


def people() -> dict[str, tuple[int, int]]:
    """Return each person's faces and media."""
    listed = sightings("people", "list", "--json").document
    return {person["name"]: (person["faces"], person["media"]) for person in listed}


@pytest.mark.usefixtures("library")
def test_people_are_listed_with_their_faces_and_media() -> None:
    lines = [line.split() for line in sightings("people", "list").out.splitlines()]
    assert lines == [["person", "faces", "media"], ["Anna", "1", "1"], ["Ben", "1", "1"]]


def test_naming_a_face_of_a_video_names_its_whole_appearance(library: Library) -> None:
    run = sightings("people", "name", "Cleo", library.in_clip[0])
    assert (run.code, run.out) == (0, "1 face newly named Cleo.\n")
    assert people()["Cleo"] == (2, 1)
    faces = sightings("faces", library.folder / "clip.mp4", "--json").document
    assert [face["person"] for face in faces] == ["Cleo", "Cleo", None, None]


def test_a_named_person_is_found_elsewhere(library: Library) -> None:
    sightings("people", "name", "Cleo", library.in_clip[0])
    run = sightings("search", "--person", "Cleo", "--unnamed", "--json")
    assert run.code == 0
    assert "running.mp4" in run.found


def test_naming_again_changes_nothing(library: Library) -> None:
    sightings("people", "name", "Cleo", library.in_clip[0])
    run = sightings("people", "name", "Cleo", library.in_clip[0])
    assert run.out == "0 faces newly named Cleo.\n"
    assert run.err == "1 face had that name before.\n"


def test_a_name_that_is_taken_back_is_gone(library: Library) -> None:
    assert sightings("people", "unname", library.anna).out == "1 label taken back.\n"
    assert set(people()) == {"Ben"}


def test_names_may_hold_anything_and_are_shown_on_one_line(library: Library) -> None:
    sightings("people", "name", HARD_NAME, library.odd)
    assert people()[HARD_NAME] == (1, 1)
    assert 'Zoë "Z" O\'Brian [bold]red[/bold] \\n漢字' in sightings("people", "list").out
    found = sightings("search", "--person", HARD_NAME)
    assert "[bold]red[/bold] \\n漢字" in found.out.splitlines()[1]


@pytest.mark.parametrize("name", ["", "  "])
def test_a_blank_name_is_wrong_usage(library: Library, name: str) -> None:
    for command in (["name", name, library.odd], ["rename", "Anna", name]):
        run = sightings("people", *command)
        assert run.code == 2
        assert "A name needs at least one character" in run.err
    assert set(people()) == {"Anna", "Ben"}


@pytest.mark.parametrize("command", ["name X", "unname"])
@pytest.mark.usefixtures("library")
def test_an_unknown_face_is_not_found(command: str) -> None:
    run = sightings("people", *command.split(), "123-0-1.2.3.4")
    assert run.code == 1
    assert run.err.startswith("sightings: No ")
    assert set(people()) == {"Anna", "Ben"}


@pytest.mark.usefixtures("library")
def test_a_person_is_renamed() -> None:
    run = sightings("people", "rename", "Anna", "Anna Example")
    assert (run.code, run.out) == (0, "1 face renamed from Anna to Anna Example.\n")
    assert set(people()) == {"Anna Example", "Ben"}


@pytest.mark.usefixtures("library")
def test_two_people_become_one_only_when_that_is_confirmed() -> None:
    refused = sightings("people", "rename", "Anna", "Ben")
    assert refused.code == 2
    assert "Ben exists: make Anna one with it for good? Nobody can answer" in refused.err
    assert set(people()) == {"Anna", "Ben"}
    assert sightings("people", "rename", "Anna", "Ben", "--yes").code == 0
    assert people() == {"Ben": (2, 2)}


@pytest.mark.parametrize("command", ["rename Nobody Else", "forget Nobody", "forget Nobody --yes"])
@pytest.mark.usefixtures("library")
def test_an_unknown_person_is_not_found(command: str) -> None:
    run = sightings("people", *command.split())
    assert run.code == 1
    assert "Nobody in the index is named 'Nobody'; `sightings people list` shows" in run.err


@pytest.mark.usefixtures("library")
def test_nobody_is_forgotten_where_nobody_can_be_asked() -> None:
    run = sightings("people", "forget", "Anna")
    assert run.code == 2
    assert "give --yes" in run.err
    assert set(people()) == {"Anna", "Ben"}


def test_a_forgotten_person_is_gone_and_what_looks_alike_is_named(library: Library) -> None:
    run = sightings("people", "forget", "Anna", "--yes")
    assert run.code == 0
    assert run.out == "Anna: 1 face in 1 media.\nDeleted 0 media, 1 face, 1 label.\n"
    assert run.err.startswith("There are 5 unnamed faces with the verdict `same person`, such as ")
    assert set(people()) == {"Ben"}
    with open_index(str(library.index)) as index:
        assert index.count() == 8


def test_unnamed_faces_alike_are_forgotten_with_their_whole_appearances(library: Library) -> None:
    run = sightings("people", "forget", "Anna", "--yes", "--alike")
    assert run.out.splitlines()[1:] == [
        "There were 5 unnamed faces with the verdict `same person`, too.",
        "Deleted 0 media, 5 faces, 0 labels.",
        "Deleted 0 media, 1 face, 1 label.",
    ]
    left = sightings("faces", library.folder / "clip.mp4", "--json").document
    assert [face["face_id"] for face in left] == [library.in_clip[3]]
    with open_index(str(library.index)) as index:
        assert index.count() == 3


def test_faces_that_carry_another_name_are_never_forgotten_for_being_alike(
    library: Library,
) -> None:
    sightings("people", "name", "Cleo", library.in_clip[0])
    sightings("people", "forget", "Anna", "--yes", "--alike")
    assert people()["Cleo"] == (2, 1)


def test_nobody_named_is_said(library: Library) -> None:
    sightings("people", "unname", library.anna, library.ben)
    run = sightings("people", "list")
    assert (run.code, run.out) == (1, "")
    assert "Nobody is named yet" in run.err
