"""Labels name faces and their appearances; the stronger statement wins."""

from __future__ import annotations

from dataclasses import replace

from indexer.labels import labels_naming, persons_of, unmatched
from tests.people import LEFT, RIGHT, face, label


def in_appearance(target, name: str, start_s: float, end_s: float):
    return replace(target, appearance_id=name, appearance_start_s=start_s, appearance_end_s=end_s)


EARLY = in_appearance(face("anna", 1.0), "one", 0.0, 5.0)
LATE = in_appearance(face("anna", 4.0), "one", 0.0, 5.0)
OTHER = in_appearance(face("bert", 1.0, RIGHT), "two", 0.0, 5.0)
FACES = [EARLY, LATE, OTHER]


def test_a_named_face_names_its_whole_appearance_and_nobody_else() -> None:
    assert persons_of(FACES, [label(EARLY, "Anna")]) == {
        EARLY.id: "Anna",
        LATE.id: "Anna",
        OTHER.id: None,
    }


def test_without_labels_all_faces_are_unnamed() -> None:
    assert set(persons_of(FACES, []).values()) == {None}


def test_a_label_by_hand_beats_a_file_that_beats_a_folder() -> None:
    folder, file = label(EARLY, "F", "folder", 3), label(EARLY, "C", "csv", 2)
    assert persons_of([EARLY], [folder, file])[EARLY.id] == "C"
    assert persons_of([EARLY], [folder, file, label(EARLY, "H", "hand", 1)])[EARLY.id] == "H"


def test_the_latest_of_equal_labels_wins() -> None:
    older, newer = label(EARLY, "Old", second=1), label(LATE, "New", second=2)
    assert persons_of([OTHER, EARLY, LATE], [newer, older])[EARLY.id] == "Old"
    third = in_appearance(face("anna", 2.0), "one", 0.0, 5.0)
    assert persons_of([*FACES, third], [newer, older])[third.id] == "New"


def test_a_hand_label_on_the_appearance_beats_a_folder_label_on_the_face() -> None:
    labels = [label(EARLY, "Folder", "folder", 5), label(LATE, "Hand", "hand", 1)]
    assert persons_of(FACES, labels)[EARLY.id] == "Hand"


def test_a_label_finds_its_face_by_time_and_overlap() -> None:
    moved = replace(EARLY, box_xyxy=(25.0, 22.0, 85.0, 82.0), id="moved")
    assert persons_of([moved], [label(EARLY, "Anna")])["moved"] == "Anna"
    away = replace(EARLY, box_xyxy=(70.0, 20.0, 130.0, 80.0), id="away")
    assert persons_of([away], [label(EARLY, "Anna")])["away"] is None


def test_of_two_overlapping_faces_the_nearer_box_is_meant() -> None:
    near = replace(EARLY, box_xyxy=(22.0, 20.0, 82.0, 80.0), id="near", appearance_id=None)
    far = replace(EARLY, box_xyxy=(32.0, 20.0, 92.0, 80.0), id="far", appearance_id=None)
    named = persons_of([far, near], [label(EARLY, "Anna")])
    assert named == {"far": None, "near": "Anna"}


def test_a_label_whose_frame_was_not_kept_names_the_appearance_around_it() -> None:
    gone = face("anna", 2.5, LEFT)
    assert persons_of(FACES, [label(gone, "Anna")])[LATE.id] == "Anna"


def test_a_label_outside_every_face_is_reported() -> None:
    lost = label(face("carl", 9.0), "Carl")
    assert unmatched(FACES, [label(EARLY, "Anna"), lost]) == (lost,)


def test_the_labels_that_name_a_face_are_those_of_its_appearance() -> None:
    own, others = label(EARLY, "Anna"), label(OTHER, "Bert")
    assert labels_naming(LATE, FACES, [own, others]) == [own]
