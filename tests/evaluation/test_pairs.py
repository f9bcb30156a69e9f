"""Lists of pairs in LFW's format."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.evaluation.pairs import read_pairs
from indexer.evaluation.records import Pair

if TYPE_CHECKING:
    from pathlib import Path

ANN_1, ANN_2, ANN_12 = (f"Ann_Lee/Ann_Lee_{n}.jpg" for n in ("0001", "0002", "0012"))
BO_3 = "Bo/Bo_0003.jpg"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.txt"


def test_each_fold_has_pairs_of_one_person_and_then_as_many_of_two(file: Path) -> None:
    file.write_text("2\t1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBo\t3\nAnn_Lee\t2\t12\nBo\t3\tAnn_Lee\t12\n")
    assert read_pairs(file) == (
        Pair(ANN_1, ANN_2, same=True, fold=0),
        Pair(ANN_1, BO_3, same=False, fold=0),
        Pair(ANN_2, ANN_12, same=True, fold=1),
        Pair(BO_3, ANN_12, same=False, fold=1),
    )


def test_a_first_line_of_one_number_means_one_fold(file: Path) -> None:
    file.write_text("1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBo\t3\n\n")
    assert [pair.fold for pair in read_pairs(file)] == [0, 0]


def test_spaces_part_where_no_tab_does_and_names_may_hold_them_where_one_does(file: Path) -> None:
    file.write_text("1 1\nBo 3 4\nAnn Lee\t1\tBo\t3\n")
    assert [pair.first for pair in read_pairs(file)] == [BO_3, "Ann Lee/Ann Lee_0001.jpg"]


def test_a_byte_order_mark_is_passed_over(file: Path) -> None:
    file.write_text("\ufeff1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBo\t3\n", encoding="utf-8")
    assert [pair.same for pair in read_pairs(file)] == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"1\nBo\t{'1' * 5000}\t2\nBo\t1\tAnn\t1\n", "is no name with a number"),
        ("1\nBo\t3\t03\nBo\t1\tAnn\t1\n", "line 2: .* pairs a photo with itself"),
        ("1\nBo\t1\t2\nBo\t1\tBo\t2\n", "line 3: .* of two people"),
        ("", "line 1: '' is neither FOLDS"),
        ("ten\t300\n", "line 1: 'ten\\\\t300' is neither FOLDS"),
        ("0\t5\n", "line 1: '0\\\\t5' is neither"),
        ("1\t1\nBo\t1\t2\n", "line 1: 1 folds of 1 pairs of each kind are 2 lines, and 1 follow"),
        ("1\t1\nBo\t1\nBo\t1\tAl\t1\n", "line 2: 'Bo\\\\t1' should be a pair of one person"),
        ("1\t1\nBo\t1\t2\nBo\t1\t2\n", "line 3: 'Bo\\\\t1\\\\t2' should be a pair of two people"),
        ("1\t1\nBo\t1\t2\nBo\t1\tAl\tx\n", "line 3: 'Al' 'x' is no name with a number"),
        ("1\t1\nBo\t1\t0\nBo\t1\tAl\t1\n", "line 2: 'Bo' '0' is no name with a number"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_pairs(file)


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(UsageError, match=r"pairs\.txt cannot be read"):
        read_pairs(file)


def test_the_pairs_of_lfw_are_read_and_their_photos_are_there(shared_data: Path) -> None:
    pairs = read_pairs(shared_data / "data" / "lfw_pairs.txt")
    assert Counter((pair.fold, pair.same) for pair in pairs) == {
        (fold, same): 300 for fold in range(5) for same in (True, False)
    }
    folder = shared_data / "data" / "lfw"
    assert all((folder / name).is_file() for pair in pairs for name in (pair.first, pair.second))
    assert all((p.first.split("/")[0] == p.second.split("/")[0]) == p.same for p in pairs)
