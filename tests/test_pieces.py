"""P-Net in pieces: what it gives for the whole picture, whatever the picture's size."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.inference import load_net
from indexer.mtcnn import Cascade, mtcnn_networks
from indexer.pieces import SIDES_PX, WHOLE_PX, in_pieces
from indexer.runtime import choose_runtime

WHOLE = SIDES_PX[-1]
# Each length ends otherwise: with a full piece, with one that reaches beyond, and with an odd one.
LENGTHS = (12, 13, 57, 58, 59, WHOLE, WHOLE + 1, WHOLE + 40, 2 * WHOLE - 10, 2 * WHOLE - 9)


@pytest.fixture(scope="module")
def p_net():
    return load_net(mtcnn_networks()[0], choose_runtime("cpu", threads=1))


@pytest.mark.parametrize("height", LENGTHS)
def test_pieces_give_what_the_whole_picture_gives(p_net, height: int) -> None:
    for width in (12, 31, WHOLE, WHOLE + 57):
        pictures = np.random.default_rng(width).random((2, height, width, 3), np.float32) * 2 - 1
        for piecewise, whole in zip(
            in_pieces(p_net, whole_px=0)(pictures), p_net(pictures), strict=True
        ):
            assert piecewise.shape == whole.shape
            assert np.abs(piecewise - whole).max() < 1e-6


def test_the_network_sees_no_picture_larger_than_the_limit(p_net) -> None:
    seen: set[tuple[int, ...]] = set()

    def watched(pixels):
        seen.add(pixels.shape[1:3])
        return p_net(pixels)

    for shape in ((WHOLE_PX // 500, 500), (907, 1210), (1211, 641)):
        in_pieces(watched)(np.zeros((1, *shape, 3), np.float32))
    assert max(height * width for height, width in seen) == WHOLE_PX
    in_parts = {shape for shape in seen if shape != (WHOLE_PX // 500, 500)}
    assert len(in_parts) <= (len(SIDES_PX) + 1) ** 2


@pytest.mark.slow
def test_faces_of_a_large_photo_are_those_that_torch_finds_in_it_whole(portraits) -> None:
    rng = np.random.default_rng(0)
    photo = np.kron(rng.integers(0, 256, (61, 83, 3)), np.ones((41, 43, 1))).astype(np.uint8)
    for place, name in ((0, "eileen"), (1111, "grace"), (2048, "eileen")):
        height, width, _ = portraits[name].shape
        photo[place : place + height, place : place + width] = portraits[name]
    found, whole = (
        Cascade(choose_runtime("cpu", runtime))([photo], min_face_px=40, min_probability=0.7)[0]
        for runtime in ("openvino", "torch")
    )
    assert len(found.boxes) >= 3
    assert np.abs(found.boxes - whole.boxes).max() < 0.01
    assert np.abs(found.landmarks - whole.landmarks).max() < 0.01
