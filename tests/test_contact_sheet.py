"""A contact sheet shows the query and each result with its verdict's colour and a caption."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from indexer.contact_sheet import (
    CAPTION_PX,
    COLOURS,
    COLUMNS,
    GAP_PX,
    PAPER,
    TILE_PX,
    draw_sheet,
)
from indexer.results import Hit, Result
from tests.engines.builders import axis, make_face, photo, video

if TYPE_CHECKING:
    from indexer.records import Verdict

STEP_X, STEP_Y = TILE_PX + GAP_PX, TILE_PX + CAPTION_PX + GAP_PX
BLUE, YELLOW = (0, 0, 255), (255, 255, 0)


def jpeg(colour: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (112, 112), colour).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def result(
    name: str = "a.jpg", score: float = 0.9, verdict: Verdict | None = None, **face
) -> Result:
    media = (video if name.endswith("mp4") else photo)(name)
    media = type(media)(**{**vars(media), "paths": (f"/photos/{name}",)})
    hit = Hit(make_face(media, axis(0), **face), score)
    return Result(media, score, verdict, hit, ())


def drawn(*results: Result) -> np.ndarray:
    tiles = [(shown, jpeg(YELLOW)) for shown in results]
    return np.asarray(draw_sheet(jpeg(BLUE), "face 1 of 1 in anna.jpg", tiles)).astype(int)


def near(colour: np.ndarray, expected: tuple[int, int, int]) -> bool:
    return bool(np.abs(colour - expected).max() < 30)


def caption(sheet: np.ndarray, place: int) -> np.ndarray:
    """The part of the sheet below a tile of the first row."""
    x, y = GAP_PX + place * STEP_X, GAP_PX + TILE_PX + 4
    return sheet[y : y + CAPTION_PX - 4, x - 2 : x + STEP_X - 2]


def test_the_query_comes_first_and_the_results_follow() -> None:
    sheet = drawn(result(), result("b.jpg"))
    middle = GAP_PX + TILE_PX // 2
    assert near(sheet[middle, middle], BLUE)
    assert near(sheet[middle, middle + STEP_X], YELLOW)
    assert near(sheet[middle, middle + 2 * STEP_X], YELLOW)


@pytest.mark.parametrize(
    ("tiles", "columns", "rows"), [(1, 1, 1), (7, 7, 1), (8, 7, 2), (21, 7, 3)]
)
def test_tiles_stand_in_rows_of_seven(tiles: int, columns: int, rows: int) -> None:
    assert COLUMNS == 7
    sheet = drawn(*[result()] * (tiles - 1))
    assert sheet.shape == (rows * STEP_Y + GAP_PX, columns * STEP_X + GAP_PX, 3)


@pytest.mark.parametrize("verdict", COLOURS)
def test_a_frame_has_its_verdicts_colour(verdict: Verdict | None) -> None:
    sheet = drawn(result(verdict=verdict))
    assert tuple(sheet[GAP_PX + 50, GAP_PX + STEP_X - 1]) == COLOURS[verdict]


def test_a_tile_without_a_picture_is_left_blank() -> None:
    sheet = np.asarray(draw_sheet(None, "Anna", [(result(), None)]))
    middle = GAP_PX + TILE_PX // 2
    assert tuple(sheet[middle, middle]) == PAPER
    assert tuple(sheet[middle, middle + STEP_X]) == PAPER


def test_captions_tell_results_apart() -> None:
    captions = [
        caption(drawn(shown), 1).tobytes()
        for shown in (
            result(),
            result(score=0.8),
            result("other.jpg"),
            result(person="Anna"),
            result("a.mp4", at_s=0.0),
            result("a.mp4", at_s=72.5),
        )
    ]
    assert len(set(captions)) == 6


@pytest.mark.parametrize("name", ["a" * 200 + ".jpg", "quote\"'\n.jpg", "[bold]Łukasz Ü漢字🙂.jpg"])
def test_any_name_stays_below_its_own_tile(name: str) -> None:
    sheet = drawn(result(name, person=name), result("b.jpg"))
    alone = drawn(result("c.jpg"), result("b.jpg"))
    assert np.array_equal(caption(sheet, 0), caption(alone, 0))
    assert np.array_equal(caption(sheet, 2), caption(alone, 2))
    assert not np.array_equal(caption(sheet, 1), caption(alone, 1))
