"""The decoding process: reads one file at a time and gives what it holds, within bounds.

Run as `python -m api.decoding.child MEGABYTES`. It answers requests on its standard input: `look`
(what a file is, and when its frames are shown), `open` and `frames` (its decoded frames), `picture`
(one of them as JPEG).
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from api.decoding.messages import packed, received
from indexer.errors import MediaError

if TYPE_CHECKING:
    import numpy as np

    from indexer.records import Media
    from indexer.sources import Source

_OPEN_FILES = 64
_OUT_OF_MEMORY = "It needs more memory than the setting api.decode_memory_mb allows."


def main() -> None:
    """Answer requests until the other side is gone."""
    limit = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    # What decoders print must not get between the messages.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _warm_up()
    with ExitStack() as held:
        decoder = _Decoder(answers, held)
        while True:
            try:
                request, _ = received(_exactly(sys.stdin.buffer))
            except EOFError:
                return
            decoder.answer(request)


def _warm_up() -> None:
    """Load the heavy packages before the first file comes."""
    import av
    import numpy as np
    from PIL import Image

    Image.init()
    assert av.library_versions
    assert np.zeros(1).size


def _exactly(stream: BinaryIO) -> Any:
    def read(count: int) -> bytes:
        data = stream.read(count)
        if len(data) < count:
            raise EOFError
        return data

    return read


class _Decoder:
    """Holds at most one file open."""

    def __init__(self, answers: BinaryIO, held: ExitStack) -> None:
        self._answers = answers
        self._held = held
        self._source: Source | None = None

    def answer(self, request: dict[str, Any]) -> None:
        operation = getattr(self, f"_{request.pop('operation')}")
        try:
            operation(**request)
        except MediaError as error:
            self._send({"error": str(error)})
        except MemoryError:
            self._send({"error": _OUT_OF_MEMORY})
        except Exception as error:  # what decoders raise has no common base
            memory = isinstance(error, OSError) and error.errno == 12
            text = _OUT_OF_MEMORY if memory else f"Unexpected {type(error).__name__}: {error}"
            self._send({"error": text})

    def _send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        self._answers.write(packed(header, payload))
        self._answers.flush()

    def _look(self, path: str, max_pixels: int) -> None:
        media, times_s = _looked(path, max_pixels)
        self._send({"media": _media_header(media)}, _packed(times_s))

    def _open(self, path: str, max_pixels: int) -> None:
        self._close_source()
        media, times_s = _looked(path, max_pixels)
        self._source = self._opened(path, media, max_pixels)
        self._send({"media": _media_header(media)}, _packed(times_s))

    def _frames(self, start_s: float, end_s: float | None) -> None:
        assert self._source is not None
        until_s = float("inf") if end_s is None else end_s
        for frame in self._source.frames(start_s, until_s):
            header = {
                "index": frame.index,
                "timestamp_s": frame.timestamp_s,
                "shape": frame.image_rgb.shape,
                "decode_errors": self._source.decode_errors,
            }
            self._send(header, frame.image_rgb.tobytes())
        self._send(
            {
                "end": True,
                "decode_errors": self._source.decode_errors,
                "warnings": self._source.warnings(),
                "damage": asdict(self._source.damage(start_s, until_s)),
            }
        )

    def _picture(
        self,
        path: str,
        max_pixels: int,
        timestamp_s: float,
        max_side_px: int,
        box_xyxy: list[float] | None,
    ) -> None:
        self._close_source()
        media, _ = _looked(path, max_pixels)
        source = self._opened(path, media, max_pixels)
        frame = _frame_at(source, timestamp_s)
        jpeg, width, height = _as_jpeg(frame.image_rgb, max_side_px, box_xyxy)
        header = {"timestamp_s": frame.timestamp_s, "width": width, "height": height}
        self._send(header, jpeg)
        self._close_source()

    def _opened(self, path: str, media: Media, max_pixels: int) -> Source:
        from indexer.settings import MediaSettings, Settings
        from indexer.sources import open_source

        settings = Settings(media=MediaSettings(max_pixels=max_pixels))
        return self._held.enter_context(open_source(Path(path), media.kind, settings))

    def _close_source(self) -> None:
        self._source = None
        self._held.close()


def _looked(path: str, max_pixels: int) -> tuple[Media, np.ndarray]:
    from indexer.media import look
    from indexer.settings import MediaSettings

    return look(Path(path), "", MediaSettings(max_pixels=max_pixels))


def _packed(times_s: np.ndarray) -> bytes:
    return times_s.astype("<f8").tobytes()


def _media_header(media: Media) -> dict[str, Any]:
    header = asdict(media)
    return header | {"recorded_at": media.recorded_at and media.recorded_at.isoformat()}


def _frame_at(source: Source, timestamp_s: float) -> Any:
    """Return the frame that is shown at a time, the first if none is yet."""
    import numpy as np

    shown = int(np.searchsorted(source.timestamps_s, timestamp_s + 1e-3, side="right")) - 1
    start_s = float(source.timestamps_s[max(shown, 0)])
    for frame in source.frames(start_s):
        return frame
    raise MediaError(f"No frame from {start_s:.2f} s on can be decoded.")


def _as_jpeg(
    image_rgb: np.ndarray, max_side_px: int, box_xyxy: list[float] | None
) -> tuple[bytes, int, int]:
    import io

    from PIL import Image, ImageDraw

    picture = Image.fromarray(image_rgb)
    scale = min(1.0, max_side_px / max(picture.size))
    if scale < 1.0:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.BOX)
    if box_xyxy is not None:
        box = [edge * scale for edge in box_xyxy]
        line_px = max(2, round(max(picture.size) / 320))
        draw = ImageDraw.Draw(picture)
        around = [box[0] - line_px, box[1] - line_px, box[2] + line_px, box[3] + line_px]
        draw.rectangle(around, outline=(0, 0, 0), width=2 * line_px)
        draw.rectangle(box, outline=(255, 214, 10), width=line_px)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    return stream.getvalue(), picture.width, picture.height


if __name__ == "__main__":
    main()
