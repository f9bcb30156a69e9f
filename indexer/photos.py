"""Photos: pictures as a viewer shows them, whatever the format stores."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import numpy as np

from indexer.errors import MediaError, MissingExtra
from indexer.files import open_file
from indexer.library_threads import limit_heif
from indexer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from PIL.Image import Exif, Image
    from PIL.ImageFile import ImageFile

    from indexer.settings import MediaSettings

# Not every format that Pillow knows: it takes MPEG films for photos.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF", "JPEG2000", "PPM")
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_END_OF_JPEG = b"\xff\xd9"
# Pillow's blocks of 16 MB that are not given back to the system, which takes long to get again: two
# photos of 12 megapixels fill six.
_BLOCKS_KEPT = 8
_ROWS_AT_ONCE = 32
_CUT_SHORT = "the photo is damaged or cut short; the part that can be decoded was used"

# EXIF tags.
_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
_TAKEN, _TAKEN_OFFSET = 0x9003, 0x9011
_DIGITISED, _CHANGED = 0x9004, 0x0132
# TIFF tags.
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257


@dataclass(frozen=True)
class Photo:
    """A decoded photo: image_rgb is (height, width, 3) uint8 RGB as displayed."""

    image_rgb: np.ndarray = field(repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhotoHeader:
    """What a photo says of itself: width and height in pixels as displayed, and its date."""

    width: int
    height: int
    taken_at: datetime | None


def read_header(path: Path, settings: MediaSettings) -> PhotoHeader | None:
    """Return what a photo says of itself, or None if the file is none by its content.

    taken_at is taken as UTC where no offset is given.
    Raises MediaError if the photo is damaged, has no pixels, or more than allowed.
    """
    with open_file(path) as stream:
        image = _open(path, stream, settings)
        if image is None:
            return None
        exif = _exif(image)
        width, height = _stored_size(image)
        turned = exif.get(_ORIENTATION) in (5, 6, 7, 8)
        return PhotoHeader(*((height, width) if turned else (width, height)), _taken_at(exif))


def read_photo(path: Path, settings: MediaSettings) -> Photo:
    """Return a photo as displayed: upright, over white where it is transparent, scaled to 8 bits.

    Of an animation, the first picture. A photo that is cut short gives the rows that are there
    and a warning. Raises MediaError if the file is no photo, is damaged, has no pixels, or more
    than allowed.
    """
    with open_file(path) as stream:
        image = _open(path, stream, settings)
        if image is None:
            raise MediaError(f"{shown(path)} is not a photo.")
        try:
            image, warnings = _loaded(image, stream)
            _turn_upright(image)
            return Photo(_as_rgb(image), warnings)
        except Exception as error:  # what Pillow raises on damaged files has no common base
            raise MediaError(f"{shown(path)} cannot be decoded: {_reason(error)}.") from error


def _open(path: Path, stream: BinaryIO, settings: MediaSettings) -> ImageFile | None:
    """Open a photo without decoding it, by its content; None if it is none.

    Like PIL.Image.open, but its limit against decompression bombs is a global of the process.
    """
    prefix = stream.read(16)
    for name, factory in _factories(prefix):
        stream.seek(0)
        try:
            image = factory(stream, str(path))
        except Exception as error:  # as above
            raise MediaError(
                f"{shown(path)} is a damaged or empty {name}: {_reason(error)}."
            ) from error
        width, height = image.size
        if width * height > settings.max_pixels:
            raise MediaError(
                f"{shown(path)} has {width} x {height} pixels, more than the "
                f"{settings.max_pixels:,} that the setting media.max_pixels allows."
            )
        return image
    brand = _brand(prefix)
    if brand in _HEIC_BRANDS:
        raise MediaError(f"{shown(path)} cannot be read. {MissingExtra('HEIC photos', 'heic')}")
    if brand in _AVIF_BRANDS:
        raise MediaError(f"{shown(path)} cannot be read: this Pillow was built without AVIF.")
    return None


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


def _factories(prefix: bytes) -> list[tuple[str, Callable[..., ImageFile]]]:
    """Return name and opener of the formats that a file's first 16 bytes fit."""
    from PIL import Image, _imaging

    if _brand(prefix) in _HEIC_BRANDS:
        with suppress(ImportError):
            import pillow_heif

            limit_heif()
            pillow_heif.register_heif_opener()
    if _imaging.get_blocks_max() < _BLOCKS_KEPT:
        _imaging.set_blocks_max(_BLOCKS_KEPT)
    Image.preinit()
    found = _accepting(prefix)
    if not found:
        Image.init()  # all other formats, which takes 50 ms
        found = _accepting(prefix)
    return found


def _accepting(prefix: bytes) -> list[tuple[str, Callable[..., ImageFile]]]:
    from PIL import Image

    found = []
    for name in _FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        # A text instead of True says why the format cannot be read here.
        if factory and accept and accept(prefix) and not isinstance(accept(prefix), str):
            found.append((name, factory))
    return found


def _brand(prefix: bytes) -> bytes:
    """Return the brand that ISO/IEC 14496-12 files begin with, empty for other files."""
    return prefix[8:12] if prefix[4:8] == b"ftyp" else b""


def _loaded(image: ImageFile, stream: BinaryIO) -> tuple[ImageFile, tuple[str, ...]]:
    """Decode a photo; of a damaged one the rows before the damage, with a warning.

    Pillow's own tolerance of cut files is a global of the process.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        image.load()
    except Exception:  # as above
        if isinstance(image, JpegImageFile):
            stream.seek(0)
            image = JpegImageFile(io.BytesIO(stream.read() + _END_OF_JPEG))
            with suppress(OSError):
                image.load()
        # Without tiles left to decode, Pillow hands out the rows that it has.
        image.tile = []
        image.load()
        if image.getbbox() is None:
            raise
        return image, (_CUT_SHORT,)
    return image, ()


def _stored_size(image: ImageFile) -> tuple[int, int]:
    """Return width and height before turning; TIFF's own are turned already, or not, by version."""
    tags = getattr(image, "tag_v2", None)
    return (tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT]) if tags else image.size


def _turn_upright(image: Image) -> None:
    from PIL import ImageOps

    with suppress(Exception):  # as above; without readable EXIF a photo is shown as it is stored
        ImageOps.exif_transpose(image, in_place=True)


def _exif(image: ImageFile) -> Exif:
    """Return a photo's EXIF tags; none if they cannot be read."""
    from PIL.Image import Exif

    try:
        return image.getexif()
    except Exception:  # as above
        return Exif()


def _taken_at(exif: Exif) -> datetime | None:
    """Return when the photo was taken, in UTC, or None if that is not said in a readable way."""
    try:
        tags = exif.get_ifd(_EXIF_IFD)
        dates = (tags.get(_TAKEN), tags.get(_DIGITISED), exif.get(_CHANGED))
        taken = next(str(date).strip("\0 ") for date in dates if date)
        offset = str(tags.get(_TAKEN_OFFSET, "")).strip("\0 ") or "+00:00"
        return datetime.strptime(taken + offset, "%Y:%m:%d %H:%M:%S%z").astimezone(timezone.utc)
    except Exception:  # as above
        return None


def _as_rgb(image: Image) -> np.ndarray:
    """Return (h, w, 3) uint8 RGB, transparent parts over white, deep greys scaled to 8 bits."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        grey = _scaled_to_8_bits(np.asarray(image))
        return np.stack([grey] * 3, axis=-1)
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return _pixels(image if image.mode == "RGB" else image.convert("RGB"))


def _pixels(image: Image) -> np.ndarray:
    """Return the pixels of an RGB image.

    In strips, as Pillow makes two copies of what it hands out: of a whole photo they lie in fresh
    pages of memory, which take longer than decoding.
    """
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS_AT_ONCE):
        bottom = min(top + _ROWS_AT_ONCE, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _scaled_to_8_bits(grey: np.ndarray) -> np.ndarray:
    """Scale by the range of the samples: 16 bits, more if a sample needs it, 0 to 1 for floats.

    Floats above 1 are taken to range up to the largest of them; samples of 32 bits that all fit
    into 8 are taken to be 8-bit ones.
    """
    if grey.dtype.kind == "f":
        grey = np.nan_to_num(grey.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        top = max(1.0, float(grey.max()))
    else:
        top = next(top for top in (65535.0, 2.0**31 - 1, 2.0**32) if grey.max() <= top)
        if grey.dtype.itemsize > 2 and grey.max() <= 255:
            top = 255.0
    return np.rint(np.clip(grey / top, 0.0, 1.0) * 255.0).astype(np.uint8)
