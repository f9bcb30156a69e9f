"""Rendered clips show what their plans say, and the same photos give the same set."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from indexer.errors import UsageError
from indexer.evaluation.video.plan import HEIGHT, WIDTH, Actor, ClipPlan, Pose, Shot
from indexer.evaluation.video.recipes import MIXED, Recipe, plans_of
from indexer.evaluation.video.rendering import frames_of
from indexer.evaluation.video.sets import render_set
from indexer.evaluation.video.truth import named, truth_of
from indexer.video import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

RED, BLUE = (255, 0, 0), (0, 0, 255)
TINY = Recipe(
    "tiny", clips=2, frames=20, people=2, strangers=1, in_clip=1, strangers_in_clip=1,
    query_frames=5,
)  # fmt: skip


def photo(folder: Path, person: str, number: int, colour: tuple[int, int, int]) -> str:
    name = f"{person}/{person}_{number:04d}.jpg"
    (folder / person).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (250, 250), colour).save(folder / name, quality=95)
    return name


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three people with seven photos of one colour each, a little lighter each time."""
    folder = tmp_path / "photos"
    for person, colour in (("Ann", RED), ("Bob", BLUE), ("Cid", (0, 200, 0))):
        for number in range(1, 8):
            photo(folder, person, number, tuple(min(c + 4 * number, 255) for c in colour))
    return folder


def how_red(picture: np.ndarray) -> np.ndarray:
    values = picture.astype(int)
    return values[..., 0] - np.maximum(values[..., 1], values[..., 2])


def test_a_face_is_drawn_where_the_truth_has_its_box(tmp_path: Path) -> None:
    name = photo(tmp_path, "Ann", 1, RED)
    path = Pose(0.0, -60, 180, 60), Pose(1.0, 500, 200, 90)
    plan = ClipPlan("clip", (Shot("walk", 25, (Actor("Ann", (name,), path),)),), seed=3)
    truth = named(truth_of(plan, 40.0), "Ann")
    assert truth is not None
    for number, picture in enumerate(frames_of(plan, tmp_path)):
        red = how_red(picture) > 150
        if not truth.present[number]:
            continue
        x1, y1, x2, y2 = np.clip(truth.boxes[number], 0, [WIDTH, HEIGHT] * 2).round().astype(int)
        middle = red[(y1 + y2) // 2, x1:x2]
        assert middle.mean() > 0.95
        if truth.visible[number]:
            rows, columns = np.nonzero(red)
            centre = np.array([(columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2])
            of_box = np.array([(x1 + x2) / 2, (y1 + y2) / 2])
            assert np.abs(centre - of_box).max() < 0.1 * (x2 - x1)


def test_one_photo_turns_into_the_next_where_the_person_stands(tmp_path: Path) -> None:
    names = photo(tmp_path, "Ann", 1, RED), photo(tmp_path, "Ann", 2, BLUE)
    actor = Actor("Ann", names, (Pose(0.0, 320, 180, 100),), changes_s=(0.4,))
    plan = ClipPlan("clip", (Shot("interview", 25, (actor,)),), seed=3)
    centres = np.array([picture[180, 320] for picture in frames_of(plan, tmp_path)], int)
    redder = centres[:, 0] - centres[:, 2]
    assert (redder[:10] > 200).all()
    assert (np.abs(redder[12:16]) < 200).all()
    assert (redder[19:] < -200).all()


def test_little_light_darkens_the_picture_but_not_its_noise(tmp_path: Path) -> None:
    bright = ClipPlan("clip", (Shot("nobody", 2),), seed=3)
    dark = ClipPlan("clip", (Shot("nobody", 2, light=0.2),), seed=3)
    for light, little in zip(frames_of(bright, tmp_path), frames_of(dark, tmp_path), strict=True):
        assert little.mean() == pytest.approx(0.2 * light.mean(), rel=0.05)
    first, second = (picture.astype(int) for picture in frames_of(dark, tmp_path))
    assert (first - second).std() == pytest.approx(3 * 2**0.5, rel=0.15)


def test_a_set_is_clips_with_truth_and_queries_that_are_not_in_them(
    photos: Path, tmp_path: Path
) -> None:
    videos = render_set(photos, tmp_path / "sets", recipe=TINY)
    assert [clip.name for clip in videos.clips] == ["clip-01", "clip-02"]
    for clip in videos.clips:
        with VideoReader(clip.path) as reader:
            assert (reader.width, reader.height) == (WIDTH, HEIGHT)
            assert reader.timestamps_s.tolist() == clip.times_s.tolist()
        told = json.loads(clip.path.with_suffix(".json").read_text())
        assert sorted(told["people"]) == [each.person for each in clip.people]
    for query in videos.queries:
        assert len(query.photos) == 2
        with VideoReader(query.clip) as reader:
            assert len(reader.timestamps_s) == 5
    assert len(videos.queries) == 2


def test_nobody_is_searched_for_with_a_photo_that_is_seen(photos: Path) -> None:
    names = [f"{each.parent.name}/{each.name}" for each in sorted(photos.glob("*/*.jpg"))]
    plans = plans_of(TINY, names, photos)
    for role in plans.roles:
        apart = [set(role.in_clips), set(role.queries), set(role.in_query_clip)]
        assert sum(map(len, apart)) == len(set.union(*apart)) == 7


def test_the_same_photos_give_the_same_set_in_another_folder(photos: Path, tmp_path: Path) -> None:
    first = render_set(photos, tmp_path / "one", recipe=TINY)
    second = render_set(photos, tmp_path / "two", recipe=TINY)
    assert first.digest == second.digest
    assert first.made_with == second.made_with
    for one, two in zip(first.clips, second.clips, strict=True):
        assert one.path.read_bytes() == two.path.read_bytes()


def test_photos_of_any_format_are_shown_as_a_viewer_shows_them(tmp_path: Path) -> None:
    """PNG of 16 bits of grey and JPEG that is stored lying, by suffixes in capitals."""
    folder = tmp_path / "photos"
    upper_half = np.zeros((200, 200), np.uint8)
    upper_half[:100] = 255
    lying = Image.Exif()
    lying[0x0112] = 6  # to be turned a quarter clockwise
    for person in ("Ann", "Bob", "Cid"):
        (folder / person).mkdir(parents=True)
        for number in range(7):
            path = folder / person / f"{number}"
            if number % 2:
                deep = upper_half.astype(np.uint16) * 257
                Image.fromarray(deep).save(path.with_suffix(".PNG"))
            else:
                turned = Image.fromarray(np.rot90(upper_half))
                turned.save(path.with_suffix(".JPG"), exif=lying)
    videos = render_set(folder, tmp_path / "sets", recipe=TINY)
    assert {photo.suffix for each in videos.queries for photo in each.photos} <= {".PNG", ".JPG"}
    for name in ("Ann/0.JPG", "Ann/1.PNG"):
        actor = Actor("Ann", (name,), (Pose(0.0, 320, 180, 100),))
        plan = ClipPlan("clip", (Shot("interview", 1, (actor,)),), seed=3)
        (picture,) = frames_of(plan, folder)
        assert picture[150, 320].min() > 200
        assert picture[210, 320].max() < 55


def test_another_seed_or_another_photo_is_another_set(photos: Path, tmp_path: Path) -> None:
    first = render_set(photos, tmp_path, recipe=TINY)
    assert render_set(photos, tmp_path, recipe=replace(TINY, seed=8)).digest != first.digest
    for number in range(1, 8):
        photo(photos, "Ann", number, (9, 9, 9))
    assert render_set(photos, tmp_path, recipe=TINY).digest != first.digest


def test_clips_that_are_there_are_used_again_and_missing_ones_rendered(
    photos: Path, tmp_path: Path
) -> None:
    first = render_set(photos, tmp_path, recipe=TINY)
    kept, lost = (clip.path for clip in first.clips)
    before = kept.stat().st_mtime_ns
    lost.unlink()
    again = render_set(photos, tmp_path, recipe=TINY)
    assert again.made_with == first.made_with
    assert kept.stat().st_mtime_ns == before
    assert lost.exists()


def test_too_few_people_are_told_with_what_is_needed(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has 3 people with 7 photos or more, and 3 in all"):
        render_set(photos, tmp_path, recipe=replace(TINY, people=3))


def test_the_mixed_set_has_6000_frames_and_everything_that_is_hard(photos: Path) -> None:
    names = [f"P{i:03d}/P{i:03d}_{n:04d}.jpg" for i in range(60) for n in range(1, 9)]
    plans = plans_of(MIXED, names, photos)
    assert sum(plan.frames for plan in plans.clips) == 6000
    kinds = {shot.kind for plan in plans.clips for shot in plan.shots}
    assert len(kinds) == 11
    asked = {role.person for role in plans.roles}
    for plan in plans.clips:
        people = {actor.person for shot in plan.shots for actor in shot.actors}
        assert people & asked
    assert {actor.person for p in plans.clips for s in p.shots for actor in s.actors} - asked
