"""Memory for pictures: used again, but never while anybody can see it."""

from __future__ import annotations

import numpy as np

from indexer.picture_memory import PictureMemory

SHAPE = (4, 6, 3)


def address(picture: np.ndarray) -> int:
    return picture.__array_interface__["data"][0]


def test_pictures_that_are_held_lie_apart() -> None:
    memory = PictureMemory(SHAPE)
    pictures = [memory.picture() for _ in range(5)]
    for number, picture in enumerate(pictures):
        picture[:] = number
    assert [picture.shape for picture in pictures] == [SHAPE] * 5
    assert [np.unique(picture).tolist() for picture in pictures] == [[n] for n in range(5)]


def test_memory_of_a_picture_that_is_gone_is_used_again() -> None:
    memory = PictureMemory(SHAPE)
    first = memory.picture()
    places = {address(first)}
    del first
    for _ in range(10):
        picture = memory.picture()
        places.add(address(picture))
        del picture
    assert len(places) == 1


def test_a_view_keeps_the_memory() -> None:
    memory = PictureMemory(SHAPE)
    picture = memory.picture()
    picture[:] = 7
    views = [picture[1:3], picture[:, ::-1][2:], picture.reshape(-1)[5:], memoryview(picture[0])]
    del picture
    memory.picture()[:] = 0
    assert all((np.asarray(view) == 7).all() for view in views)


def test_pictures_outlive_what_lent_them() -> None:
    memory = PictureMemory(SHAPE)
    picture = memory.picture()
    picture[:] = 3
    del memory
    assert (picture == 3).all()
