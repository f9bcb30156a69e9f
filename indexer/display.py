"""How a decoded picture of a video is turned and mirrored for display."""

from __future__ import annotations

from typing import Any

import numpy as np


def display_matrix(picture: Any) -> np.ndarray:
    """Return where a picture's right and down go when it is displayed: (2, 2) rows of (x, y)."""
    from av.sidedata.sidedata import SideDataContainer, Type

    # Not `picture.side_data`, which the picture keeps: they would hold each other, and with them
    # the memory of the decoder's other pictures, until Python looks for such rings.
    of: Any = SideDataContainer
    data = of(picture).get(Type.DISPLAYMATRIX)
    if data is None:
        return np.eye(2)
    return np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2].astype(np.float64)


def lies(turn: np.ndarray) -> bool:
    """Return whether a picture's width becomes its height when it is displayed."""
    return bool(abs(turn[0, 0]) < abs(turn[0, 1]))


def displayed(image: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn and mirror a picture by quarter turns as a display matrix says.

    image: (h, w, 3). Returns a view of it.
    """
    if lies(turn):
        image, turn = image.transpose(1, 0, 2), turn[::-1]
    return image[:: -1 if turn[1, 1] < 0 else 1, :: -1 if turn[0, 0] < 0 else 1]


def undisplayed(
    points: np.ndarray, width: int, height: int, turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return where pixels of a displayed picture lie in the one it is made of: rows, columns.

    points: numbers of pixels of the displayed picture, row by row. width, height: of the picture
    before it is turned.
    """
    is_turned = lies(turn)
    if is_turned:
        width, height, turn = height, width, turn[::-1]
    rows, columns = np.divmod(points, width)
    if turn[1, 1] < 0:
        rows = height - 1 - rows
    if turn[0, 0] < 0:
        columns = width - 1 - columns
    return (columns, rows) if is_turned else (rows, columns)
