"""Filters: each field, all together, and values that mean nothing but themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from indexer.errors import UsageError
from indexer.records import Filters
from tests.engines.asking import media_names, names_of
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
    put_path,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.records import Media


def add(index: Index, media: Media) -> None:
    finish(index, start(index, media), [make_face(media, axis(0))])
    link(index, media)


def test_no_filter_and_an_empty_filter_pass_everything(index: Index) -> None:
    add_photo(index, "a", axis(0))
    add_photo(index, "b", axis(1))
    assert names_of(index, Filters()) == media_names(index, Filters()) == {"a", "b"}


def test_several_persons_are_alternatives(index: Index) -> None:
    for name, person in (("a", "Ann"), ("b", "Bob"), ("c", "Cid")):
        index.label([make_label(add_photo(index, name, axis(0))[0], person)])
    add_photo(index, "d", axis(0))
    filters = Filters(persons=("Ann", "Cid", "Nobody"))
    assert names_of(index, filters) == media_names(index, filters) == {"a", "c"}


def test_a_person_filter_keeps_the_faces_of_that_person_alone(index: Index) -> None:
    ann, bob = add_photo(index, "a", axis(0), axis(1))
    index.label([make_label(ann, "Ann"), make_label(bob, "Bob")])
    hits = index.search(axis(1), 10, Filters(persons=("Ann",)))
    assert [hit.face.id for hit in hits] == [ann.id]
    assert media_names(index, Filters(persons=("Bob",))) == {"a"}


def test_unnamed_keeps_faces_without_name(index: Index) -> None:
    index.label([make_label(add_photo(index, "a", axis(0))[0], "Ann")])
    add_photo(index, "b", axis(0))
    assert names_of(index, Filters(unnamed=True)) == {"b"}
    assert names_of(index, Filters(unnamed=True, persons=("Ann",))) == set()


def test_media_are_chosen_and_left_out_by_id(index: Index) -> None:
    for name in "abc":
        add_photo(index, name, axis(0))
    a, b, c = (photo(name).id for name in "abc")
    cases = [
        (Filters(media_ids=(a, b, "unknown")), {"a", "b"}),
        (Filters(exclude_media_ids=(a, "unknown")), {"b", "c"}),
        (Filters(media_ids=(a, b), exclude_media_ids=(b, c)), {"a"}),
        (Filters(media_ids=("unknown",)), set()),
    ]
    for filters, expected in cases:
        assert names_of(index, filters) == media_names(index, filters) == expected


def test_a_file_name_is_the_whole_last_part_of_any_path(index: Index) -> None:
    add_photo(index, "a", axis(0), path="/p/one.jpg")
    put_path(index, photo("a"), "/q/two.jpg")
    add_photo(index, "b", axis(0), path="/p/two.jpg")
    add_photo(index, "c", axis(0), path="/one.jpg/three.jpg")
    cases = {
        ("one.jpg",): {"a"},
        ("two.jpg",): {"a", "b"},
        ("one.jpg", "three.jpg"): {"a", "c"},
        ("ne.jpg",): set(),
        ("ONE.JPG",): set(),
        ("/p/one.jpg",): set(),
    }
    for file_names, expected in cases.items():
        filters = Filters(file_names=file_names)
        assert names_of(index, filters) == media_names(index, filters) == expected


def test_a_path_prefix_is_a_folder_or_file_and_never_part_of_a_name(index: Index) -> None:
    paths = {"a": "/a/b", "b": "/a/b/1.jpg", "c": "/a/b/c/2.jpg", "d": "/a/bc.jpg", "e": "/a/b0"}
    for name, path in paths.items():
        add_photo(index, name, axis(0), path=path)
    add_photo(index, "f", axis(0))
    cases = {
        "/a/b": {"a", "b", "c"},
        "/a/b/": {"a", "b", "c"},
        "/a/b/c": {"c"},
        "/a": {"a", "b", "c", "d", "e"},
        "/": {"a", "b", "c", "d", "e"},
        "/A/B": set(),
        "/a/b/%": set(),
        "a/b": set(),
    }
    for prefix, expected in cases.items():
        filters = Filters(path_prefix=prefix)
        assert names_of(index, filters) == media_names(index, filters) == expected, prefix


def test_kind_keeps_photos_or_videos(index: Index) -> None:
    add_photo(index, "a", axis(0))
    add(index, video("b"))
    for kind, expected in (("photo", {"a"}), ("video", {"b"}), ("*", set()), ("phot?", set())):
        filters = Filters(kind=kind)  # type: ignore[arg-type]
        assert names_of(index, filters) == media_names(index, filters) == expected


def test_a_time_range_keeps_what_overlaps_it_in_videos(index: Index) -> None:
    runs = ((10.0, 20.0, [axis(0)]), (30.0, 40.0, [axis(0)]))
    (early,), (late,) = add_video(index, "v", *runs)
    add_photo(index, "a", axis(0))
    cases = [
        (Filters(from_s=15.0, to_s=16.0), {early.id}),
        (Filters(from_s=20.0, to_s=30.0), {early.id, late.id}),
        (Filters(from_s=20.5, to_s=29.5), set()),
        (Filters(from_s=35.0), {late.id}),
        (Filters(to_s=10.0), {early.id}),
        (Filters(from_s=0.0), {early.id, late.id}),
    ]
    for filters, expected in cases:
        assert {face.id for face in index.iter_faces(filters)} == expected, filters
        assert {hit.face.id for hit in index.search(axis(0), 9, filters)} == expected, filters


def test_before_linking_a_time_range_keeps_the_faces_within_it(index: Index) -> None:
    segment = start(index, video("v"))
    faces = [make_face(video("v"), axis(0), at_s=t) for t in (1.0, 2.0, 3.0)]
    finish(index, segment, faces)
    found = index.iter_faces(Filters(from_s=2.0, to_s=2.5))
    assert [face.id for face in found] == [faces[1].id]


def test_recorded_dates_are_inclusive_and_media_without_one_never_match(index: Index) -> None:
    tick = timedelta(microseconds=1)
    for name, date in (("a", NOON - tick), ("b", NOON), ("c", NOON + tick), ("d", None)):
        add(index, photo(name, recorded_at=date))
    cases = [
        (Filters(recorded_from=NOON), {"b", "c"}),
        (Filters(recorded_to=NOON), {"a", "b"}),
        (Filters(recorded_from=NOON, recorded_to=NOON), {"b"}),
        (Filters(recorded_to=NOON + timedelta(days=9999)), {"a", "b", "c"}),
    ]
    for filters, expected in cases:
        assert names_of(index, filters) == media_names(index, filters) == expected


def test_a_date_without_time_zone_is_refused(index: Index) -> None:
    with pytest.raises(UsageError, match="time zone"):
        index.count(Filters(recorded_from=datetime(2024, 5, 1)))


def test_size_and_probability_are_minimums(index: Index) -> None:
    for name, face_px, probability in (("a", 40.0, 0.99), ("b", 80.0, 0.9), ("c", 80.5, 0.99)):
        add_photo(index, name, axis(0), face_px=face_px, probability=probability)
    assert names_of(index, Filters(min_face_px=80.0)) == {"b", "c"}
    assert names_of(index, Filters(min_probability=0.99)) == {"a", "c"}
    assert names_of(index, Filters(min_face_px=80.0, min_probability=0.95)) == {"c"}


def test_every_field_that_is_set_must_hold(index: Index) -> None:
    media = video("a", recorded_at=NOON)
    put_path(index, media, "/p/a.mp4")
    add(index, media)
    index.label([make_label(next(index.iter_faces()), "Ann")])
    everything = Filters(
        persons=("Ann",),
        media_ids=(media.id,),
        exclude_media_ids=("other",),
        file_names=("a.mp4",),
        path_prefix="/p",
        kind="video",
        from_s=0.0,
        to_s=0.0,
        recorded_from=NOON,
        recorded_to=NOON,
        min_face_px=50.0,
        min_probability=0.95,
    )
    assert names_of(index, everything) == {"a"}
    for change in (
        {"persons": ("Bob",)},
        {"exclude_media_ids": (media.id,)},
        {"path_prefix": "/q"},
        {"to_s": -1.0},
        {"min_face_px": 51.0},
    ):
        assert names_of(index, replace(everything, **change)) == set(), change  # type: ignore[arg-type]


def test_a_filter_may_list_thousands_of_values(index: Index) -> None:
    add_photo(index, "a", axis(0), path="/p/a.jpg")
    thousands = tuple(f"value {n}" for n in range(9_000))
    wide = Filters(media_ids=(*thousands, photo("a").id), file_names=(*thousands, "a.jpg"))
    assert names_of(index, wide) == {"a"}
    assert names_of(index, Filters(exclude_media_ids=thousands)) == {"a"}


def test_filters_follow_a_file_that_moves_to_another_media(index: Index) -> None:
    add_photo(index, "a", axis(0), path="/p/x.jpg")
    add_photo(index, "b", axis(0))
    assert names_of(index, Filters(path_prefix="/p")) == {"a"}
    put_path(index, photo("b"), "/p/x.jpg")
    assert names_of(index, Filters(path_prefix="/p")) == {"b"}
    assert names_of(index, Filters(file_names=("x.jpg",))) == {"b"}


def test_filters_follow_names_and_appearances_as_they_change(index: Index) -> None:
    media = video("a")
    face = make_face(media, axis(0), at_s=5.0)
    finish(index, start(index, media), [face])
    assert names_of(index, Filters(unnamed=True)) == {"a"}
    index.label([make_label(face, "Ann")])
    assert names_of(index, Filters(unnamed=True)) == set()
    index.rename_person("Ann", "Eve")
    assert names_of(index, Filters(persons=("Ann",))) == set()
    assert names_of(index, Filters(persons=("Eve",))) == {"a"}
