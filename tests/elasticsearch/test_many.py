"""What does not fit in one request is asked for in several, and comes out the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.engines import open_index
from indexer.engines.elastic import deletion, media, nearest
from indexer.records import Deleted, Filters
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.engines.builders import add_photo, axis, make_label, photo, random_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.engines.base import Index

ORDER = (3, 0, 4, 1, 2)


@pytest.fixture(scope="module")
def index(elasticsearch_url: str) -> Iterator[Index]:
    """Five photos of Ann, not in order of path, and one of nobody."""
    with (
        new_collection(elasticsearch_url) as location,
        open_index(location, create=True, settings=SETTINGS) as index,
    ):
        for n in ORDER:
            (face,) = add_photo(index, f"p{n}", axis(n), path=f"/{n}.jpg")
            index.label([make_label(face, "Ann")])
        add_photo(index, "nobody", axis(5), path="/1b.jpg")
        index.refresh()
        yield index


def test_who_is_in_more_media_than_a_query_names_is_listed_in_order_of_path(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "NAMED_TOGETHER", 2)
    listed = [found.path for found in index.iter_media(Filters(persons=("Ann",)))]
    assert listed == [f"/{n}.jpg" for n in range(5)]


@pytest.mark.parametrize("limit", ["REQUEST_BYTES", "HITS_TOGETHER", "SEARCHES_TOGETHER"])
def test_searches_that_one_request_does_not_hold_find_the_same(
    index: Index, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    vectors = random_vectors(7, seed=1)
    together = index.search_groups(vectors, 4)
    monkeypatch.setattr(nearest, limit, 1)
    assert index.search_groups(vectors, 4) == together
    assert len(together) == 4
    expected = max(float(np.max(vectors @ axis(n))) for n in range(6))
    assert together[0].hits[0].score == pytest.approx(expected, abs=1e-6)


def test_media_are_deleted_in_parts(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "MEDIA_TOGETHER", 2)
    deleted = index.delete_media([photo(f"p{n}").id for n in range(5)])
    assert deleted == Deleted(media=5, faces=5, labels=5)
    assert [found.path for found in index.iter_media()] == ["/1b.jpg"]
