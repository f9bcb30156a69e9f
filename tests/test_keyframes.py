"""The key-frame filter keeps frames that differ enough, and says until when they hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage.color import deltaE_cie76, rgb2lab

from indexer.colour import cell_means, delta_e, full_difference, lab
from indexer.errors import UsageError
from indexer.keyframes import key_frames, random_times
from indexer.settings import KeyframeSettings
from indexer.strategy import parse_strategy
from tests.pictures import GREY, WHITE, frames, noise, plain, with_square

SETTINGS = KeyframeSettings(max_gap_s=100.0)


def kept(images: list[np.ndarray], settings: KeyframeSettings = SETTINGS) -> list[int]:
    return [key.frame.index for key in key_frames(frames(images), settings)]


def test_a_static_shot_keeps_only_its_first_frame() -> None:
    assert kept([plain(GREY)] * 75) == [0]


def test_a_cut_is_a_key_frame() -> None:
    assert kept([plain(GREY)] * 10 + [plain(WHITE)] * 10) == [0, 10]


def test_dropped_frames_belong_to_the_key_frame_before_them() -> None:
    keys = list(key_frames(frames([plain(GREY)] * 10 + [plain(WHITE)] * 5), SETTINGS))
    assert [(key.frame.timestamp_s, key.until_s) for key in keys] == [(0.0, 0.36), (0.4, 0.56)]


def test_a_slow_pan_is_kept_when_it_has_drifted_far_enough() -> None:
    wide = np.concatenate([noise(0), noise(1), noise(2)], axis=1)
    pan = [wide[:, i : i + 320] for i in range(0, 640, 2)]
    keys = kept(pan)
    assert len(keys) > 5
    assert max(np.diff(keys)) < 25


def test_comparing_with_the_previous_frame_misses_slow_drift() -> None:
    fade = [plain((level, level, level)) for level in range(60, 200)]
    assert len(kept(fade)) > 3
    assert kept(fade, replace(SETTINGS, reference="previous")) == [0]


def test_a_small_new_face_in_a_static_scene_is_a_key_frame() -> None:
    scene = plain(GREY)
    with_face = with_square(scene, 140, 60, 20)
    whole = delta_e(lab(scene), lab(with_face)).mean()
    assert whole < SETTINGS.min_delta_e
    assert kept([scene] * 5 + [with_face] * 5) == [0, 5]


def test_a_frame_is_kept_after_the_maximum_gap_however_alike() -> None:
    assert kept([plain(GREY)] * 75, replace(SETTINGS, max_gap_s=1.0)) == [0, 25, 50]
    assert kept([plain(GREY)] * 75, replace(SETTINGS, max_gap_s=0.8)) == [0, 20, 40, 60]


def test_a_change_of_picture_size_is_a_cut() -> None:
    assert kept([plain(GREY)] * 3 + [plain(GREY, 160, 90)] * 3) == [0, 3]


def test_decisions_equal_those_of_full_frames_near_the_threshold() -> None:
    """A drifting noise clip has many differences close to the threshold."""
    rng = np.random.default_rng(5)
    base = rng.integers(40, 200, (180, 320, 3)).astype(float)
    clip = [
        np.clip(base + rng.normal(0, 4, base.shape) + i * 2.0, 0, 255).astype(np.uint8)
        for i in range(60)
    ]
    expected, reference = [], None
    for i, image in enumerate(clip):
        colours = rgb2lab(image)
        if reference is None or deltaE_cie76(reference, colours).mean() >= SETTINGS.min_delta_e:
            expected.append(i)
            reference = colours
    settings = replace(SETTINGS, min_cell_delta_e=1000.0)
    assert kept(clip, settings) == expected
    assert len(expected) > 3


def test_decisions_equal_those_of_full_frames_near_the_threshold_of_a_cell() -> None:
    scene = np.random.default_rng(6).integers(90, 170, (360, 640, 3)).astype(np.int16)
    clip = []
    for step in range(80):
        changed = scene.copy()
        changed[120:160, 200:240] += step % 40 * 2 - 40
        clip.append(np.clip(changed, 0, 255).astype(np.uint8))
    settings = replace(SETTINGS, min_delta_e=1000.0, min_cell_delta_e=20.0)
    expected, reference = [], None
    for i, image in enumerate(clip):
        colours = rgb2lab(image)
        if reference is None or cell_means(deltaE_cie76(reference, colours)).max() >= 20.0:
            expected.append(i)
            reference = colours
    assert kept(clip, settings) == expected
    assert len(expected) > 3


@pytest.mark.parametrize("of", ["mean", "cell"])
def test_a_difference_that_equals_the_threshold_is_enough(of: str) -> None:
    """Of pictures too small for points, so that differences are exact."""
    clip = [noise(0, 80, 45), noise(1, 80, 45)]
    mean, cells = full_difference(*clip)
    reached = mean if of == "mean" else float(cells.max())
    name = "min_delta_e" if of == "mean" else "min_cell_delta_e"
    unreached = replace(SETTINGS, min_delta_e=1000.0, min_cell_delta_e=1000.0)
    assert kept(clip, replace(unreached, **{name: reached})) == [0, 1]
    assert kept(clip, replace(unreached, **{name: np.nextafter(reached, 1000.0)})) == [0]


def test_frames_a_second_keeps_one_frame_for_each_period() -> None:
    keys = list(key_frames(frames([plain(GREY)] * 75), replace(SETTINGS, strategy="fps=2")))
    assert [key.frame.timestamp_s for key in keys] == [0.0, 0.52, 1.0, 1.52, 2.0, 2.52]
    assert [key.until_s for key in keys] == [key.frame.timestamp_s for key in keys]


def test_all_keeps_every_frame() -> None:
    assert kept([plain(GREY)] * 7, replace(SETTINGS, strategy="all")) == list(range(7))


def test_random_draws_the_same_frames_again_and_others_with_another_seed() -> None:
    times = np.arange(500) / 25
    first = random_times(times, 5, seed=0)
    assert len(first) == 5
    assert random_times(times, 5, seed=0) == first
    assert random_times(times, 5, seed=1) != first


def test_random_keeps_the_drawn_frames_whatever_the_segment() -> None:
    clip = frames([plain(GREY)] * 100)
    drawn = random_times(np.array([frame.timestamp_s for frame in clip]), 5, seed=3)
    settings = replace(SETTINGS, strategy="random=5")
    parts = [key_frames(clip[:40], settings, drawn_times=drawn)]
    parts.append(key_frames(clip[40:], settings, drawn_times=drawn))
    assert {round(key.frame.timestamp_s, 6) for part in parts for key in part} == drawn


def test_a_random_draw_of_more_frames_than_there_are_takes_all() -> None:
    assert len(random_times(np.arange(3.0), 10, seed=0)) == 3


def test_a_cut_has_a_large_difference_and_a_first_frame_an_infinite_one() -> None:
    keys = list(key_frames(frames([plain(GREY), plain(WHITE)]), SETTINGS))
    assert keys[0].delta_e == np.inf
    assert keys[1].delta_e == pytest.approx(46.4, abs=0.5)


def test_no_frames_give_no_key_frames() -> None:
    assert kept([]) == []


@pytest.mark.parametrize("text", ["fps", "fps=0", "fps=-1", "fps=x", "random=1.5", "best", "all=3"])
def test_an_unknown_strategy_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(UsageError, match="Use delta-e, fps=R"):
        parse_strategy(text)
