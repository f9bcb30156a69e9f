"""A contact sheet: the query and its results as one picture, with names and scores."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

from indexer.errors import EnvironmentFailure, UsageError
from indexer.text import clock, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image, ImageDraw, ImageFont

    from indexer.engines.base import Index
    from indexer.query import Query
    from indexer.records import Verdict
    from indexer.results import Result

COLUMNS = 7
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
TILE_PX, CAPTION_PX, GAP_PX, FONT_PX = 160, 76, 12, 13
FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf")
INK, GREY, PAPER = (32, 32, 32), (110, 110, 110), (255, 255, 255)
COLOURS: dict[Verdict | None, tuple[int, int, int]] = {
    "same person": (32, 128, 64),
    "possible": (190, 120, 0),
    "different": (170, 40, 40),
    None: GREY,
}


def check_sheet(path: Path) -> None:
    """Raise UsageError unless a contact sheet can be written there, before work is done for it."""
    if path.suffix.lower() not in SUFFIXES or not path.parent.is_dir():
        raise UsageError(
            f"No contact sheet can be written to {path}: name a file that ends in "
            f"{', '.join(SUFFIXES)}, in a folder that is there."
        )


def write_sheet(path: Path, index: Index, query: Query, results: Sequence[Result]) -> None:
    """Write a PNG (or what the suffix says) of the query and its results, best first.

    Raises EnvironmentFailure if the file cannot be written.
    """
    sheet = draw_sheet(
        query.thumbnail,
        query.description,
        [(result, index.thumbnail(result.best.face.id)) for result in results],
    )
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(f"The contact sheet {path} cannot be written: {error}") from error


def draw_sheet(
    query_thumbnail: bytes | None,
    description: str,
    results: Sequence[tuple[Result, bytes | None]],
) -> Image.Image:
    """Return the sheet: a tile for the query, then one a result, in rows of seven."""
    from PIL import Image, ImageDraw

    count = len(results) + 1
    rows = -(-count // COLUMNS)
    width = min(count, COLUMNS) * (TILE_PX + GAP_PX) + GAP_PX
    sheet = Image.new("RGB", (width, rows * (TILE_PX + CAPTION_PX + GAP_PX) + GAP_PX), PAPER)
    draw, font = ImageDraw.Draw(sheet), _font()
    caption = ["query", *_wrapped(description, font)]
    _tile(sheet, draw, font, 0, query_thumbnail, caption, INK)
    for place, (result, thumbnail) in enumerate(results, 1):
        _tile(sheet, draw, font, place, thumbnail, _caption(result), COLOURS[result.verdict])
    return sheet


def _caption(result: Result) -> list[str]:
    verdict = f"{result.score:.2f} {result.verdict or ''}"
    name = result.media.path.rsplit("/", 1)[-1]
    moment = clock(result.best.face.timestamp_s) if result.media.kind == "video" else ""
    return [verdict, result.person or "", name, moment]


def _tile(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont,
    place: int,
    thumbnail: bytes | None,
    lines: Sequence[str],
    colour: tuple[int, int, int],
) -> None:
    from PIL import Image

    row, column = divmod(place, COLUMNS)
    x = GAP_PX + column * (TILE_PX + GAP_PX)
    y = GAP_PX + row * (TILE_PX + CAPTION_PX + GAP_PX)
    if thumbnail:
        sheet.paste(Image.open(io.BytesIO(thumbnail)).resize((TILE_PX, TILE_PX)), (x, y))
    draw.rectangle((x - 2, y - 2, x + TILE_PX + 1, y + TILE_PX + 1), outline=colour, width=2)
    for number, line in enumerate(filter(None, lines)):
        text = _fitted(line, font)
        ink = colour if number == 0 else GREY
        draw.text((x, y + TILE_PX + 5 + number * (FONT_PX + 4)), text, fill=ink, font=font)


def _wrapped(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Return a text on two lines: as many words as a tile is wide, and the rest."""
    words = text.split(" ")
    count = max(
        n for n in range(len(words) + 1) if not n or font.getlength(" ".join(words[:n])) <= TILE_PX
    )
    return [" ".join(words[:count]), " ".join(words[count:])]


def _fitted(line: str, font: ImageFont.FreeTypeFont) -> str:
    """Return a line cut to a tile's width; its end counts most, so the start goes."""
    text = shown(line)
    if font.getlength(text) <= TILE_PX:
        return text
    while text and font.getlength(f"…{text}") > TILE_PX:
        text = text[1:]
    return f"…{text}"


def _font() -> ImageFont.FreeTypeFont:
    """Return a font with as many scripts as there is; Pillow's own has little beyond ASCII."""
    from PIL import ImageFont

    for name in _font_files():
        with suppress(OSError):
            return ImageFont.truetype(name, FONT_PX)
    font = ImageFont.load_default(FONT_PX)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise EnvironmentFailure("Pillow was built without FreeType, which contact sheets need.")
    return font


def _font_files() -> Iterator[str]:
    """Yield fonts that Pillow may find in the system's folders, and the one that Matplotlib has."""
    from importlib.util import find_spec
    from pathlib import Path

    yield from FONTS
    matplotlib = find_spec("matplotlib")
    if matplotlib and matplotlib.origin:
        yield str(Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / FONTS[1])
