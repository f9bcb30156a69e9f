"""Results by group, from a CSV of attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.evaluation.groups import Attributes, compare_groups, read_attributes
from tests.evaluation.made_up import at, features_of

if TYPE_CHECKING:
    from pathlib import Path

PHOTOS = features_of(
    [("A", at(0)), ("A", at(20)), ("B", at(50)), ("B", at(130)), ("C", at(200)), ("D", at(210))]
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "attributes.csv"


def test_attributes_of_people_are_read(file: Path) -> None:
    file.write_text("\ufeffperson, age ,hat\nA,old,yes\nB, young,\n\nC,old,no\n", encoding="utf-8")
    assert read_attributes(file) == Attributes(
        "person", {"age": {"A": "old", "B": "young", "C": "old"}, "hat": {"A": "yes", "C": "no"}}
    )


def test_the_same_may_be_said_twice(file: Path) -> None:
    file.write_text("name,age\nA/A_0001.jpg,old\nA/A_0001.jpg,old\nA/A_0001.jpg,\n")
    assert read_attributes(file).values == {"age": {"A/A_0001.jpg": "old"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the columns should be `person`"),
        ("person\nA\n", "line 1: the columns should be"),
        ("who,age\nA,old\n", "line 1: the columns should be"),
        ("person,age,age\nA,old,old\n", "line 1: the columns should be"),
        ("person,age\nA,old\nB\n", "line 3: 1 columns, not 2"),
        ('person,age\nA,"old\nB,young\n', "cannot be read: unexpected end of data"),
        ("person,age\nA,old\nA,young\n", "line 3: 'A' is 'young' here and 'old' above, under age"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_attributes(file)


def test_pairs_within_groups_by_hand() -> None:
    """A pair is accepted within 60 degrees."""
    attributes = Attributes(
        "person", {"age": {"A": "old", "B": "old", "C": "young", "D": "young", "Zoe": "young"}}
    )
    old, young = compare_groups(PHOTOS, attributes, threshold=0.499).groups
    assert (old.attribute, old.group, old.people, old.photos) == ("age", "old", 2, 4)
    # A1-A2 is accepted, B1-B2 is not; of A and B only 50 and 30 degrees are within 60.
    assert (old.same, old.different, old.tar, old.far) == (2, 4, 0.5, 0.5)
    assert (old.false_accepts, old.accuracy) == (2, 0.5)
    # One photo each: nothing is known of pairs of one person, and the two look alike.
    assert (young.same, young.different, young.tar, young.far) == (0, 1, None, 1.0)
    assert young.accuracy is None


def test_a_photo_may_have_attributes_of_its_own_and_belong_to_no_group() -> None:
    a1, a2, b1, b2, *_ = PHOTOS.names
    attributes = Attributes("name", {"hat": {a1: "no", b1: "no", b2: "yes", a2: "yes"}})
    no, yes = compare_groups(PHOTOS, attributes, threshold=0.499).groups
    assert (no.same, no.different, no.far) == (0, 1, 1.0)
    assert (yes.same, yes.different, yes.far) == (0, 1, 0.0)


def test_a_group_of_one_photo_makes_no_pair() -> None:
    (group,) = compare_groups(PHOTOS, Attributes("person", {"hat": {"C": "no"}}), 0.5).groups
    assert (group.photos, group.same, group.different, group.tar, group.far) == (
        1,
        0,
        0,
        None,
        None,
    )


def test_only_so_many_photos_of_a_person_count_where_there_is_a_limit() -> None:
    attributes = Attributes("person", {"age": {"A": "old", "B": "old"}})
    (old,) = compare_groups(PHOTOS, attributes, 0.5, per_person=1).groups
    assert (old.photos, old.same, old.different) == (2, 0, 1)


def test_attributes_of_nobody_here_are_refused() -> None:
    with pytest.raises(UsageError, match="name none of the 6 photos by `name`; the first would be"):
        compare_groups(PHOTOS, Attributes("name", {"age": {"A": "old"}}), 0.5)


def test_numbers_have_the_names_of_outcomes() -> None:
    attributes = Attributes("person", {"age": {"A": "old", "B": "old"}})
    (row,) = compare_groups(PHOTOS, attributes, 0.499).metrics()["by_group"]
    assert {key: row[key] for key in ("attribute", "group", "pairs", "accuracy", "tar", "far")} == {
        "attribute": "age", "group": "old", "pairs": 6, "accuracy": 0.5, "tar": 0.5, "far": 0.5,
    }  # fmt: skip
