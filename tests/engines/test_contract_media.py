"""Media and their files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from indexer.records import Deleted, Filters, MediaFile
from tests.engines.builders import (
    NOON,
    add_photo,
    axis,
    link,
    make_label,
    photo,
    present,
    put_path,
    start,
    video,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.engines.base import Index

ODD_PATHS = [
    '/p/it\'s "quoted".jpg',
    "/p/line\nbreak.jpg",
    "/p/Ünïcödé 写真.jpg",
    "/p/undecodable \udcff byte.jpg",
    "/p/" + "n" * 10_000,
]


def test_an_empty_index_knows_nothing(index: Index) -> None:
    assert index.get_media(photo("a").id) is None
    assert index.find_file("/p/a.jpg") is None
    assert list(index.iter_media()) == []
    assert list(index.iter_files()) == []
    assert index.list_segments(photo("a").id) == []


def test_a_started_media_is_given_back_as_it_was_but_working(index: Index) -> None:
    media = video("a", recorded_at=NOON + timedelta(microseconds=1), options="margin=14")
    start(index, media)
    found = index.get_media(media.id)
    assert found is not None
    assert (found.kind, found.size_bytes, found.width, found.height) == ("video", 1000, 640, 480)
    assert found.duration_s == 60.0
    assert found.recorded_at == NOON + timedelta(microseconds=1)
    assert found.options == "margin=14"
    assert (found.state, found.error, found.indexed_at) == ("working", None, None)
    assert found.warnings == ()


def test_paths_come_from_files_alone_and_are_sorted(index: Index) -> None:
    media = photo("a", paths=("/never/stored.jpg",))
    put_path(index, media, "/p/b.jpg")
    start(index, media)
    put_path(index, media, "/p/a.jpg")
    found = index.get_media(media.id)
    assert found is not None
    assert found.paths == ("/p/a.jpg", "/p/b.jpg")


def test_a_file_is_known_by_its_path_even_before_its_media(index: Index) -> None:
    file = MediaFile("/p/a.jpg", 2**40, 1_700_000_000_123_456_789, photo("a").id)
    index.put_file(file)
    assert index.find_file("/p/a.jpg") == file
    assert index.get_media(file.media_id) is None


def test_any_path_is_kept_exactly(index: Index) -> None:
    for path in ODD_PATHS:
        put_path(index, photo("a"), path)
    assert [index.find_file(path).path for path in ODD_PATHS] == ODD_PATHS  # type: ignore[union-attr]


def test_a_path_belongs_to_the_media_that_was_put_last(index: Index) -> None:
    for name in ("a", "b"):
        add_photo(index, name, path="/p/same.jpg")
    old, new = index.get_media(photo("a").id), index.get_media(photo("b").id)
    assert old is not None
    assert new is not None
    assert (old.paths, new.paths) == ((), ("/p/same.jpg",))


def test_removing_its_last_file_leaves_the_media(index: Index) -> None:
    face = add_photo(index, "a", axis(0), path="/p/a.jpg")[0]
    index.remove_file("/p/a.jpg")
    index.remove_file("/p/unknown.jpg")
    assert index.find_file("/p/a.jpg") is None
    media = index.get_media(photo("a").id)
    assert media is not None
    assert (media.paths, media.path) == ((), media.id)
    assert present(index, face).id == face.id


def test_files_come_in_order_of_path(index: Index) -> None:
    paths = [f"/p/{n:04d}.jpg" for n in range(1201)]
    for path in reversed(paths):
        put_path(index, photo("a"), path)
    assert [file.path for file in index.iter_files()] == paths


def test_media_come_in_order_of_first_path_and_by_id_without_one(index: Index) -> None:
    add_photo(index, "late", path="/p/z.jpg")
    add_photo(index, "early", path="/p/y.jpg")
    put_path(index, photo("late"), "/p/a.jpg")
    for name in ("one", "two", "three"):
        add_photo(index, name)
    pathless = sorted(photo(name).id for name in ("one", "two", "three"))
    # "/" sorts before every digit of an id.
    assert [media.path for media in index.iter_media()] == ["/p/a.jpg", "/p/y.jpg", *pathless]


def test_media_can_be_read_from_behind_any_of_them_whether_it_is_still_there_or_not(
    index: Index,
) -> None:
    add_photo(index, "named", axis(0), path="/p/m.jpg")
    index.label([make_label(next(index.iter_faces()), "Ann")])
    for name in ("odd", "upper", "without a path"):
        add_photo(index, name)
    put_path(index, photo("odd"), "/p/undecodable \udcff byte.jpg")
    put_path(index, photo("upper"), "/p/B.jpg")
    listed = list(index.iter_media())
    assert len(listed) == 4
    for place, media in enumerate(listed):
        after = (media.path, media.id)
        assert list(index.iter_media(after=after)) == listed[place + 1 :]
        assert list(index.iter_media(Filters(persons=("Ann",)), after=after)) == [
            each for each in listed[place + 1 :] if each.path == "/p/m.jpg"
        ]
    index.delete_media([listed[1].id])
    assert list(index.iter_media(after=(listed[1].path, listed[1].id))) == listed[2:]
    assert list(index.iter_media(after=("", "\ud800"), states=["working"])) == [
        each for each in listed if each.state == "working" and each != listed[1]
    ]


def test_iterating_over_media_goes_on_while_they_are_deleted(index: Index) -> None:
    for name in "abc":
        add_photo(index, name, path=f"/p/{name}.jpg")
    seen = []
    for media in index.iter_media():
        seen.append(media.path)
        index.delete_media([media.id])
    assert seen[0] == "/p/a.jpg"
    assert list(index.iter_media()) == []


def test_deleting_a_media_deletes_all_that_belongs_to_it(index: Index) -> None:
    gone = add_photo(index, "gone", axis(0), axis(1), path="/p/gone.jpg")
    kept = add_photo(index, "kept", axis(2), path="/p/kept.jpg")[0]
    index.label([make_label(gone[0], "Ann"), make_label(kept, "Bob")])
    deleted = index.delete_media([photo("gone").id, "unknown"])
    assert deleted == Deleted(media=1, faces=2, labels=1)
    assert index.get_media(photo("gone").id) is None
    assert index.find_file("/p/gone.jpg") is None
    assert index.list_segments(photo("gone").id) == []
    assert index.get_face(gone[0].id) is None
    assert index.thumbnail(gone[0].id) is None
    assert [person.name for person in index.list_people()] == ["Bob"]
    assert [hit.face.id for hit in index.search(axis(0), 10)] == [kept.id]


def test_deleting_what_is_not_there_deletes_nothing(index: Index) -> None:
    add_photo(index, "a", axis(0))
    assert index.delete_media([]) == index.delete_faces([]) == Deleted()
    assert index.delete_media(["unknown", "' OR 1=1 --"]) == Deleted()
    assert index.count() == 1


def test_a_deleted_media_can_be_indexed_again(index: Index) -> None:
    face = add_photo(index, "a", axis(0))[0]
    index.delete_media([face.media_id])
    add_photo(index, "a", axis(1))
    assert index.search(axis(1), 1)[0].score == 1.0


def test_what_one_object_writes_another_one_finds(open_again: Callable[[], Index]) -> None:
    writer, reader = open_again(), open_again()
    assert reader.search(axis(0), 1) == []
    face = add_photo(writer, "a", axis(0), path="/p/a.jpg")[0]
    reader.refresh()
    assert [hit.face.id for hit in reader.search(axis(0), 1)] == [face.id]
    writer.delete_media([face.media_id])
    reader.refresh()
    assert reader.search(axis(0), 1) == []


def test_closing_twice_does_no_harm(index: Index) -> None:
    with index:
        pass
    index.close()


def test_statistics_count_what_is_there(index: Index) -> None:
    assert index.stats()["model"] == ""
    faces = add_photo(index, "a", axis(0), axis(1))
    index.label([make_label(faces[0], "Ann")])
    segment = start(index, video("b"))
    stats = index.stats()
    assert (stats["photos"], stats["videos"], stats["faces"], stats["appearances"]) == (1, 1, 2, 0)
    assert (stats["people"], stats["labels"]) == (1, 1)
    assert (stats["media_done"], stats["media_working"]) == (1, 1)
    assert (stats["media_queued"], stats["media_failed"]) == (0, 0)
    assert (stats["segments_done"], stats["segments_claimed"]) == (1, 1)
    assert (stats["segments_pending"], stats["segments_failed"]) == (0, 0)
    assert int(stats["size_bytes"]) > 0
    assert str(stats["model"]).startswith("tiny-")
    assert {"location", "engine"} <= stats.keys()
    index.fail_segment(segment, "broken")
    link(index, video("b"))
    assert index.stats()["media_failed"] == 1


def test_filters_on_faces_do_not_apply_to_the_list_of_media(index: Index) -> None:
    add_photo(index, "a", axis(0))
    filters = Filters(min_face_px=1e6, min_probability=1.0, unnamed=True, from_s=5.0, to_s=6.0)
    assert [media.id for media in index.iter_media(filters)] == [photo("a").id]
