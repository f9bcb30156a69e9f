"""Labels, and the names that they give to faces."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from indexer.errors import NotFound
from indexer.records import Deleted, Filters, Person
from tests.engines.builders import (
    NOON,
    add_photo,
    add_video,
    axis,
    finish,
    link,
    make_face,
    make_label,
    photo,
    present,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index

MINUTE = timedelta(minutes=1)


def people(index: Index) -> list[tuple[str, int, int]]:
    return [(person.name, person.faces, person.media) for person in index.list_people()]


def test_a_label_names_its_face_at_once(index: Index) -> None:
    ann, other = add_photo(index, "p", axis(0), axis(1))
    assert index.label([make_label(ann, "Ann")]) == ()
    assert present(index, ann).person == "Ann"
    assert present(index, other).person is None


def test_a_label_is_given_back_exactly(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    label = make_label(face, "Zoë \udcff", source="csv", created_at=NOON + MINUTE / 7)
    index.label([label])
    assert index.list_labels() == [label]


def test_a_label_names_the_whole_appearance(index: Index) -> None:
    ann, other = add_video(index, "v", (0.0, 4.0, [axis(0)] * 3), (0.0, 4.0, [axis(1)]))
    index.label([make_label(ann[1], "Ann")])
    assert [present(index, face).person for face in ann] == ["Ann"] * 3
    assert present(index, other[0]).person is None


def test_labelling_the_same_face_again_replaces(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.label([make_label(face, "Ann")])
    index.label([make_label(face, "Eve")])
    assert present(index, face).person == "Eve"
    assert [label.person for label in index.list_labels()] == ["Eve"]


def test_a_label_by_hand_beats_one_from_a_file_whichever_came_first(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.label([make_label(face, "Hand")])
    index.label([make_label(face, "File", source="csv", created_at=NOON + MINUTE)])
    assert present(index, face).person == "Hand"
    assert len(index.list_labels()) == 2


def test_labels_that_find_no_face_are_returned_and_stored(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    hit = make_label(face, "Ann")
    miss = make_label(face, "Bob", box_xyxy=(400.0, 100.0, 450.0, 150.0))
    assert index.label([hit, miss]) == (miss,)
    assert len(index.list_labels()) == 2
    assert people(index) == [("Ann", 1, 1)]


def test_labels_of_media_unlinked_or_unknown_are_stored_and_not_returned(index: Index) -> None:
    start(index, photo("working"))
    labels = [make_label(make_face(photo(name), axis(0)), "Ann") for name in ("working", "later")]
    assert index.label(labels) == ()
    assert {label.media_id for label in index.list_labels()} == {
        photo("working").id,
        photo("later").id,
    }
    (face,) = add_photo(index, "later", axis(0))
    assert present(index, face).person == "Ann"


def test_labelling_nothing_changes_nothing(index: Index) -> None:
    assert index.label([]) == ()
    assert index.list_labels() == []


def test_deleting_a_label_takes_back_its_name_or_gives_way_to_another(index: Index) -> None:
    ann, bob = add_photo(index, "p", axis(0), axis(1))
    labels = [
        make_label(ann, "Ann"),
        make_label(bob, "Bob"),
        make_label(bob, "Robert", source="folder"),
    ]
    index.label(labels)
    assert index.delete_labels([labels[0].id, labels[1].id, "unknown"]) == 2
    assert (present(index, ann).person, present(index, bob).person) == (None, "Robert")
    assert index.list_labels() == [labels[2]]


def test_labels_are_listed_by_media_and_person_in_order_of_id(index: Index) -> None:
    labels = [
        make_label(make_face(photo(name), axis(0), x=100.0 * i), person)
        for name in "ab"
        for i, person in enumerate(("Ann", "Bob", "Cid"))
    ]
    index.label(labels)
    by_id = sorted(labels, key=lambda label: label.id)
    a = photo("a").id
    assert index.list_labels() == by_id
    assert index.list_labels([a]) == [label for label in by_id if label.media_id == a]
    assert index.list_labels(persons=["Ann", "Bob"]) == [
        label for label in by_id if label.person in ("Ann", "Bob")
    ]
    assert index.list_labels([a], ["Cid", "' OR 1=1 --"]) == [labels[2]]


def test_people_are_counted_in_faces_and_media_in_order_of_name(index: Index) -> None:
    assert index.list_people() == []
    for name in "ab":
        ann, bob = add_photo(index, name, axis(0), axis(1))
        index.label([make_label(ann, "Ann"), make_label(bob, "bob" if name == "a" else "Ann")])
    assert index.list_people() == [Person("Ann", 3, 2), Person("bob", 1, 1)]


def test_renaming_a_person_renames_faces_and_labels(index: Index) -> None:
    (faces,) = add_video(index, "v", (0.0, 4.0, [axis(0)] * 3))
    index.label([make_label(faces[0], "Ann")])
    assert index.rename_person("Ann", "Anna") == 3
    assert people(index) == [("Anna", 3, 1)]
    assert [label.person for label in index.list_labels()] == ["Anna"]


def test_renaming_to_an_existing_name_merges_the_two(index: Index) -> None:
    for name, person in (("a", "Ann"), ("b", "Anna")):
        index.label([make_label(add_photo(index, name, axis(0))[0], person)])
    assert index.rename_person("Ann", "Anna") == 1
    assert people(index) == [("Anna", 2, 2)]
    assert index.count(Filters(persons=("Anna",))) == 2


def test_a_person_known_by_a_label_alone_can_be_renamed(index: Index) -> None:
    label = make_label(make_face(photo("later"), axis(0)), "Ann")
    index.label([label])
    assert index.rename_person("Ann", "Anna") == 0
    (face,) = add_photo(index, "later", axis(0))
    assert present(index, face).person == "Anna"


@pytest.mark.parametrize("name", ["Nobody", "", "%", "Ann' --"])
def test_a_person_who_is_not_there_can_be_neither_renamed_nor_forgotten(
    index: Index, name: str
) -> None:
    index.label([make_label(add_photo(index, "p", axis(0))[0], "Ann")])
    with pytest.raises(NotFound):
        index.rename_person(name, "Eve")
    with pytest.raises(NotFound):
        index.forget_person(name)
    assert people(index) == [("Ann", 1, 1)]


def test_forgetting_a_person_deletes_all_faces_and_labels(index: Index) -> None:
    ann, bob = add_video(index, "v", (0.0, 4.0, [axis(0)] * 3), (0.0, 4.0, [axis(1)]))
    (photographed,) = add_photo(index, "p", axis(2))
    overruled = make_label(ann[0], "Annie", source="csv")
    elsewhere = make_label(make_face(photo("later"), axis(0)), "Ann")
    index.label([make_label(ann[0], "Ann"), overruled, make_label(bob[0], "Bob"), elsewhere])
    index.label([make_label(photographed, "Ann")])
    assert index.forget_person("Ann") == Deleted(media=0, faces=4, labels=4)
    assert [face.id for face in index.iter_faces()] == [bob[0].id]
    assert [index.thumbnail(face.id) for face in (*ann, photographed)] == [None] * 4
    assert [hit.face.id for hit in index.search(axis(0), 10)] == [bob[0].id]
    assert [label.person for label in index.list_labels()] == ["Bob"]
    assert people(index) == [("Bob", 1, 1)]
    assert index.get_media(photo("p").id) is not None


def test_forgetting_a_person_leaves_faces_whose_stronger_name_is_anothers(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.label([make_label(face, "Bob"), make_label(face, "Ann", source="folder")])
    assert index.forget_person("Ann") == Deleted(faces=0, labels=1)
    assert present(index, face).person == "Bob"


def test_a_forgotten_person_comes_back_without_a_name(index: Index) -> None:
    (face,) = add_photo(index, "p", axis(0))
    index.label([make_label(face, "Ann")])
    index.forget_person("Ann")
    add_photo(index, "p", axis(0))
    assert present(index, face).person is None


def test_names_of_a_media_in_progress_are_kept_through_linking(index: Index) -> None:
    face = make_face(video("v"), axis(0), at_s=1.0)
    finish(index, start(index, video("v")), [face])
    index.label([make_label(face, "Ann")])
    link(index, video("v"))
    assert present(index, face).person == "Ann"
