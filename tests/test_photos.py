from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from indexer.errors import MediaError
from indexer.photos import read_header, read_photo
from indexer.settings import MediaSettings
from tests.media_maker import corner_names, corners

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = MediaSettings()
ORIENTATION = 0x0112
WHITE, GREY = (255, 255, 255), (128, 128, 128)


def saved(path: Path, image: Image.Image | np.ndarray, **options: object) -> Path:
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def noise(width: int = 600, height: int = 400) -> np.ndarray:
    return np.random.default_rng(7).integers(1, 255, (height, width, 3), np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header states a size for which it holds next to no data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "suffix", ["jpg", "png", "webp", "bmp", "tiff", "gif", "jp2", "ppm", "mpo", "avif", "heic"]
)
def test_photos_of_every_format_are_read_as_rgb(tmp_path: Path, suffix: str) -> None:
    if suffix == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    photo = read_photo(saved(tmp_path / f"a.{suffix}", corners()), SETTINGS)
    assert (photo.image_rgb.shape, photo.image_rgb.dtype) == ((96, 160, 3), np.uint8)
    assert corner_names(photo.image_rgb) == "rgbw"
    assert photo.warnings == ()


def test_content_decides_the_format_and_not_the_suffix(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", corners()).rename(tmp_path / "a.txt")
    assert corner_names(read_photo(path, SETTINGS).image_rgb) == "rgbw"


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_of_an_animation_the_first_picture_is_read(tmp_path: Path, suffix: str) -> None:
    second = Image.new("RGB", (160, 96))
    path = saved(tmp_path / f"a.{suffix}", corners(), save_all=True, append_images=[second])
    assert corner_names(read_photo(path, SETTINGS).image_rgb) == "rgbw"


# Where the corners of an upright picture lie when it is stored in each orientation.
STORED = {1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "gwrb", 7: "wgbr", 8: "brwg"}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize(("orientation", "stored_as"), STORED.items())
def test_every_exif_orientation_is_shown_upright(
    tmp_path: Path, suffix: str, orientation: int, stored_as: str
) -> None:
    turns = {
        1: lambda image: image,
        2: lambda image: image[:, ::-1],
        3: lambda image: image[::-1, ::-1],
        4: lambda image: image[::-1],
        5: lambda image: image.transpose(1, 0, 2),
        6: lambda image: image.transpose(1, 0, 2)[::-1],
        7: lambda image: image.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda image: image.transpose(1, 0, 2)[:, ::-1],
    }
    stored = np.ascontiguousarray(turns[orientation](corners()))
    assert corner_names(stored) == stored_as
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / f"a.{suffix}", stored, exif=exif)
    header = read_header(path, SETTINGS)
    assert header is not None
    assert (header.width, header.height) == (160, 96)
    image = read_photo(path, SETTINGS).image_rgb
    assert (image.shape, corner_names(image)) == ((96, 160, 3), "rgbw")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_leaves_a_photo_as_it_is_stored(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "a.jpg", corners(), exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12broken"
    )
    header = read_header(path, SETTINGS)
    assert header is not None
    assert (header.width, header.taken_at) == (160, None)
    assert corner_names(read_photo(path, SETTINGS).image_rgb) == "rgbw"


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_greys_are_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    greys = np.repeat(np.array([[0, 257, 32_896, 65_535]], np.uint16), 8, axis=0)
    image = read_photo(saved(tmp_path / f"a.{suffix}", greys), SETTINGS).image_rgb
    assert image[0].tolist() == [[0] * 3, [1] * 3, [128] * 3, [255] * 3]


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bit_colours_are_scaled_and_not_clipped(tmp_path: Path, suffix: str) -> None:
    deep = corners()[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), deep)
    assert np.array_equal(read_photo(tmp_path / f"a.{suffix}", SETTINGS).image_rgb, corners())


def test_float_greys_from_0_to_1_are_scaled(tmp_path: Path) -> None:
    greys = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
    image = read_photo(saved(tmp_path / "a.tiff", greys), SETTINGS).image_rgb
    assert image[0, :, 0].tolist() == [0, 128, 255, 0]


def test_float_greys_above_1_are_scaled_by_the_largest(tmp_path: Path) -> None:
    greys = np.array([[0.0, 500.0, 1000.0]], np.float32)
    image = read_photo(saved(tmp_path / "a.tiff", greys), SETTINGS).image_rgb
    assert image[0, :, 0].tolist() == [0, 128, 255]


def test_pictures_of_one_bit_are_black_and_white(tmp_path: Path) -> None:
    bits = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    image = read_photo(saved(tmp_path / "a.png", bits), SETTINGS).image_rgb
    assert image[0].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize(("mode", "suffix"), [("P", "png"), ("CMYK", "jpg"), ("CMYK", "tiff")])
def test_palettes_and_printers_colours_become_rgb(tmp_path: Path, mode: str, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(corners()).convert(mode))
    assert corner_names(read_photo(path, SETTINGS).image_rgb) == "rgbw"


def clear(mode: str) -> Image.Image:
    """Two black pixels, the left one solid, the right one transparent."""
    image = Image.new("LA", (2, 1), (0, 255))
    image.putpixel((1, 0), (0, 0))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix"), [("LA", "png"), ("RGBA", "png"), ("RGBA", "webp"), ("RGBA", "tiff")]
)
def test_what_is_transparent_is_white(tmp_path: Path, mode: str, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    path = saved(tmp_path / f"a.{suffix}", clear(mode), **options)
    image = read_photo(path, SETTINGS).image_rgb
    assert image[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_a_transparent_palette_entry_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((1, 0), 1)
    photo = read_photo(saved(tmp_path / "a.gif", image, transparency=1), SETTINGS)
    assert photo.image_rgb[0].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "gif", "tiff"])
def test_of_a_photo_that_is_cut_short_the_part_that_is_there_is_used(
    tmp_path: Path, suffix: str
) -> None:
    options = {"interlace": 0} if suffix == "gif" else {}
    whole = read_photo(saved(tmp_path / f"a.{suffix}", noise(), **options), SETTINGS).image_rgb
    data = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(data[: len(data) * 6 // 10])
    photo = read_photo(tmp_path / f"a.{suffix}", SETTINGS)
    rows = slice(250, 400) if suffix == "bmp" else slice(0, 150)  # BMP is stored upside down
    assert np.array_equal(photo.image_rgb[rows], whole[rows])
    assert photo.image_rgb.shape == (400, 600, 3)
    assert photo.warnings == (
        "the photo is damaged or cut short; the part that can be decoded was used",
    )


def test_of_a_progressive_jpeg_that_is_cut_short_a_coarse_picture_is_used(tmp_path: Path) -> None:
    large = np.kron(corners(), np.ones((4, 4, 1), np.uint8))
    path = saved(tmp_path / "a.jpg", large // 2 + noise(640, 384) // 2, progressive=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    photo = read_photo(path, SETTINGS)
    assert corner_names(cv2.blur(photo.image_rgb, (64, 64))) == "rgbw"
    assert len(photo.warnings) == 1


@pytest.mark.parametrize("suffix", ["webp", "jp2", "avif"])
def test_a_photo_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"a.{suffix}", noise())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(MediaError, match=r"cannot be decoded|is a damaged"):
        read_photo(path, SETTINGS)


def test_a_jpeg_cut_within_its_header_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", noise())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(MediaError, match=r"a\.jpg is a damaged or empty JPEG"):
        read_photo(path, SETTINGS)


def test_a_file_that_is_no_photo_has_no_header_and_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no photo")
    assert read_header(tmp_path / "a.jpg", SETTINGS) is None
    with pytest.raises(MediaError, match=r"a\.jpg is not a photo"):
        read_photo(tmp_path / "a.jpg", SETTINGS)


def test_a_missing_photo_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.jpg cannot be read: No such file"):
        read_photo(tmp_path / "a.jpg", SETTINGS)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0)])
def test_a_photo_without_pixels_is_refused(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "a.png").write_bytes(png_claiming(width, height))
    with pytest.raises(MediaError, match=r"a\.png is a damaged or empty PNG"):
        read_photo(tmp_path / "a.png", SETTINGS)


@pytest.mark.parametrize("read", [read_header, read_photo])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, read) -> None:
    (tmp_path / "a.png").write_bytes(png_claiming(20_000, 20_000))
    with pytest.raises(
        MediaError,
        match=r"a\.png has 20000 x 20000 pixels, more than the 178,956,970 .*media\.max_pixels",
    ):
        read(tmp_path / "a.png", SETTINGS)


@pytest.mark.filterwarnings("error")
def test_the_limit_is_ours_alone_and_no_warning_is_shown_below_it(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    path = saved(tmp_path / "a.png", Image.new("1", (12_000, 9_000)))
    header = read_header(path, SETTINGS)
    assert header is not None
    assert header.width * header.height > Image.MAX_IMAGE_PIXELS
    with pytest.raises(MediaError, match="1,000"):
        read_photo(path, MediaSettings(max_pixels=1_000))
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


@pytest.mark.parametrize("size", [(20_000, 12), (12, 20_000)])
def test_a_strip_20000_pixels_long_is_a_photo_like_any_other(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = saved(tmp_path / "a.jpg", Image.new("RGB", size, GREY))
    assert read_photo(path, SETTINGS).image_rgb.shape == (size[1], size[0], 3)


def test_the_stills_of_the_test_data_are_read_as_pillow_reads_them(shared_data: Path) -> None:
    for path in sorted((shared_data / "data" / "stills").iterdir()):
        data = path.read_bytes()
        photo = read_photo(path, SETTINGS)
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.array_equal(photo.image_rgb, expected), path.name
