"""Names come from folders, from a CSV file or by hand, and only onto faces that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer import open_index
from indexer.errors import NotFound, UsageError
from indexer.ingest import ingest
from indexer.naming import (
    NamedRow,
    name_faces,
    name_from_file,
    name_from_folder,
    read_names,
    unname_face,
)
from tests.clips import WIDTH, clip, faces_of, photo, shot, still

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.reports import Report


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        yield index


def ingest_with_folders(index: Index, folder: Path, networks: Networks) -> Report:
    def name(media, path):
        return name_from_folder(index, media, path)

    return ingest(index, [folder], networks, after_media=name)


def ingest_with_names(index: Index, folder: Path, csv: Path, networks: Networks) -> Report:
    report = ingest(index, [folder], networks)
    labelled, missing = name_from_file(index, read_names(csv))
    report.labelled += labelled
    report.warnings += missing
    return report


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_folder_names_the_faces_in_its_photos(index, tmp_path, portraits, networks) -> None:
    photo(tmp_path / "media" / "Eileen_Collins" / "1.png", still(portraits, "eileen"))
    photo(tmp_path / "media" / "Grace_Hopper" / "1.png", still(portraits, "grace"))
    assert ingest_with_folders(index, tmp_path / "media", networks).labelled == 2
    assert [(p.name, p.faces, p.media) for p in index.list_people()] == [
        ("Eileen_Collins", 1, 1),
        ("Grace_Hopper", 1, 1),
    ]


def test_of_several_faces_a_folder_names_the_one_nearest_the_centre(
    index, tmp_path, portraits, networks
) -> None:
    both = still(portraits, "eileen", "grace")[:, WIDTH // 4 :]
    photo(tmp_path / "media" / "Grace_Hopper" / "1.png", both)
    ingest_with_folders(index, tmp_path / "media", networks)
    left, right = sorted(faces_of(index), key=lambda face: face.box_xyxy)
    assert (left.person, right.person) == (None, "Grace_Hopper")


def test_a_folder_names_nobody_in_videos_and_in_photos_without_faces(
    index, tmp_path, portraits, networks
) -> None:
    folder = photo(tmp_path / "media" / "Grace_Hopper" / "1.png", still(portraits, "coffee")).parent
    clip(folder / "2.mp4", shot(portraits, "grace", 3))
    report = ingest_with_folders(index, tmp_path / "media", networks)
    assert (len(report.done), report.labelled, index.list_labels()) == (2, 0, [])


def test_naming_from_folders_again_gives_no_new_names(index, tmp_path, portraits, networks) -> None:
    photo(tmp_path / "media" / "Grace_Hopper" / "1.png", still(portraits, "grace"))
    ingest_with_folders(index, tmp_path / "media", networks)
    before = index.list_labels()
    report = ingest_with_folders(index, tmp_path / "media", networks)
    assert (report.labelled, index.list_labels()) == (0, before)


def test_media_that_are_done_already_can_be_named_later(
    index, tmp_path, portraits, networks
) -> None:
    photo(tmp_path / "media" / "Grace_Hopper" / "1.png", still(portraits, "grace"))
    ingest(index, [tmp_path / "media"], networks)
    report = ingest_with_folders(index, tmp_path / "media", networks)
    assert (report.done, report.labelled) == ([], 1)


def test_a_csv_names_by_path_from_its_own_folder(index, tmp_path, portraits, networks) -> None:
    photo(tmp_path / "media" / "a.png", still(portraits, "grace"))
    csv = written(tmp_path / "names.csv", "path,person", "media/a.png,Grace Hopper")
    assert ingest_with_names(index, tmp_path / "media", csv, networks).labelled == 1
    assert faces_of(index)[0].person == "Grace Hopper"
    assert ingest_with_names(index, tmp_path / "media", csv, networks).labelled == 0


def test_a_csv_names_by_time_and_box(index, tmp_path, portraits, networks) -> None:
    clip(tmp_path / "a.mp4", shot(portraits, "eileen", 6), shot(portraits, "grace", 6))
    photo(tmp_path / "b.png", still(portraits, "eileen", "grace"))
    csv = written(
        tmp_path / "names.csv",
        "path,time_s,person,x1,y1,x2,y2",
        "a.mp4,0.3,Eileen,,,,",
        "a.mp4,2.6,Grace,,,,",
        "b.png,,Grace,450,45,520,135",
        "b.png,,Eileen,130,50,200,135",
    )
    assert ingest_with_names(index, tmp_path, csv, networks).labelled == 4
    named = {(face.appearance_start_s, face.person) for face in faces_of(index)}
    assert named == {(0.0, "Eileen"), (1.2, "Grace"), (None, "Eileen"), (None, "Grace")}
    photo_faces = [face for face in faces_of(index) if face.appearance_id is None]
    assert max(photo_faces, key=lambda face: face.box_xyxy).person == "Grace"


def test_a_row_without_a_face_is_reported_and_the_others_count(
    index, tmp_path, portraits, networks
) -> None:
    clip(tmp_path / "a.mp4", shot(portraits, "eileen", 4))
    photo(tmp_path / "b.png", still(portraits, "coffee"))
    photo(tmp_path / "c.png", still(portraits, "grace"))
    csv = written(
        tmp_path / "names.csv",
        "path,person,time_s,x1,y1,x2,y2",
        "a.mp4,Too Late,9,,,,",
        "a.mp4,Elsewhere,0.2,0,0,50,50",
        "a.mp4,Eileen,0.2,,,,",
        "b.png,Coffee,,,,,",
        "c.png,Grace,,,,,",
    )
    report = ingest_with_names(index, tmp_path, csv, networks)
    nowhere = "no face where the names file says"
    assert report.warnings == [
        f"{tmp_path / 'a.mp4'}: {nowhere} 'Too Late' is.",
        f"{tmp_path / 'a.mp4'}: {nowhere} 'Elsewhere' is.",
        f"{tmp_path / 'b.png'}: {nowhere} 'Coffee' is.",
    ]
    assert (report.labelled, report.failed, len(report.done)) == (2, [], 3)
    assert [person.name for person in index.list_people()] == ["Eileen", "Grace"]


def test_a_path_of_the_csv_that_is_not_indexed_is_told(
    index, tmp_path, portraits, networks
) -> None:
    photo(tmp_path / "a.png", still(portraits, "grace"))
    csv = written(tmp_path / "names.csv", "path,person", "a.png,Grace", "typo.png,Eileen")
    ingest_with_names(index, tmp_path, csv, networks)
    _, (text,) = name_from_file(index, read_names(csv))
    assert text.startswith(f"{tmp_path / 'typo.png'}: the names file names Eileen there")


def test_a_csv_may_come_from_a_spreadsheet(tmp_path) -> None:
    csv = tmp_path / "names.csv"
    csv.write_bytes(b'\xef\xbb\xbfpath,person,time_s\r\n"a, ""b"".png",Ren\xc3\xa9e,\r\n')
    path = str(tmp_path / 'a, "b".png')
    assert read_names(csv) == {path: [NamedRow(path, "Renée", None, None)]}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["file,name", "a.png,Grace"], "path and person are needed"),
        (["path,person,age", "a.png,Grace,85"], "must name columns out of path, person"),
        ([], "path and person are needed"),
        (["path,person", "a.png,"], "line 2: a path and a person are needed"),
        (["path,person", 'a.png,"  "'], "line 2: a path and a person are needed"),
        (["path,person", "a.png,Grace,3"], "line 2: .* as many fields as the first line"),
        (["path,person,time_s", "a.png,Grace"], "line 2: .* as many fields as the first line"),
        (["path,person,time_s", "a.png,Grace,soon"], "line 2: could not convert"),
        (["path,person,time_s", "a.png,Grace,nan"], "line 2: 'nan' is no time or place"),
        (["path,person,x1,y1,x2,y2", "a.png,Grace,1,2,3,"], "line 2: .*needs all of x1"),
        (["path,person", 'a.png,"Grace'], "cannot be read: unexpected end of data"),
    ],
)
def test_a_csv_that_cannot_be_meant_is_refused_by_line(tmp_path, lines, told) -> None:
    with pytest.raises(UsageError, match=told):
        read_names(written(tmp_path / "names.csv", *lines))


def test_a_csv_that_is_missing_or_no_text_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"absent\.csv cannot be read"):
        read_names(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"path,person\n\xff\xfe,x\n")
    with pytest.raises(UsageError, match=r"binary\.csv cannot be read"):
        read_names(tmp_path / "binary.csv")


def test_a_name_by_hand_counts_for_the_whole_appearance_and_can_be_taken_back(
    index, tmp_path, portraits, networks
) -> None:
    ingest(index, [clip(tmp_path / "a.mp4", shot(portraits, "grace", 6))], networks)
    first = faces_of(index)[0]
    assert name_faces(index, "Grace", [first.id]) == 1
    assert {face.person for face in faces_of(index)} == {"Grace"}
    assert unname_face(index, faces_of(index)[-1].id) == 1
    assert {face.person for face in faces_of(index)} == {None}


def test_an_unknown_face_is_not_named_and_neither_are_the_others(
    index, tmp_path, portraits, networks
) -> None:
    ingest(index, [photo(tmp_path / "a.png", still(portraits, "grace"))], networks)
    with pytest.raises(NotFound, match="No face 'nobody-0-0'"):
        name_faces(index, "Grace", [faces_of(index)[0].id, "nobody-0-0"])
    assert index.list_labels() == []
