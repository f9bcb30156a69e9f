"""HEIC photos: the library that reads them is an extra, and is loaded for them alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


def test_only_heic_photos_load_the_library_for_them_which_takes_one_thread(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    for name in ("a.jpg", "b.png", "c.heic"):
        Image.new("RGB", (64, 48), "navy").save(tmp_path / name)
    program = """
import sys
from pathlib import Path
from indexer.photos import read_photo
from indexer.settings import MediaSettings
for name in sys.argv[1:]:
    shape = read_photo(Path(name), MediaSettings()).image_rgb.shape
    heif = sys.modules.get("pillow_heif")
    print(Path(name).name, shape, heif and heif.options.DECODE_THREADS)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "a.jpg (48, 64, 3) None",
        "b.png (48, 64, 3) None",
        "c.heic (48, 64, 3) 1",
    ]


def test_heic_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    program = """
import sys
sys.modules["pillow_heif"] = None
from pathlib import Path
from indexer.photos import read_header
from indexer.settings import MediaSettings
try:
    read_header(Path(sys.argv[1]), MediaSettings())
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.heic")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "MediaError" in done.stdout
    assert 'HEIC photos needs: pip install "sightings[heic]"' in done.stdout
