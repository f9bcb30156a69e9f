"""A cluster whose disks are nearly full: it tells, keeps what it has, and takes up again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from indexer.engines import open_index
from indexer.errors import StorageFull
from tests.elasticsearch.contents import contents, differences, layout, raw_client
from tests.elasticsearch.ingests import (
    SETTINGS,
    completed,
    ingest_process,
    new_index,
    wait_for_segments,
)
from tests.engines.builders import OTHER_MODEL, add_photo, axis, make_label, photo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.elasticsearch.contents import Contents


def set_flood_stage(location: str, *, on: bool) -> None:
    """Block the collection's indices as Elasticsearch does by itself at the flood stage."""
    with raw_client(location) as (client, name):
        block = {"index.blocks.read_only_allow_delete": True if on else None}
        client.indices.put_settings(index=f"{name}-*", settings=block)


@pytest.mark.parametrize("first_load", [False, True])
def test_an_ingest_that_meets_a_full_disk_says_so_and_the_next_one_goes_on(
    location: str, large: Path, memory: Path, undisturbed: Contents, first_load: bool
) -> None:
    settings = replace(SETTINGS, first_load=first_load)
    with new_index(location, settings) as index:
        with ingest_process(location, large, memory, elasticsearch=settings) as process:
            wait_for_segments(index, 3, process)
            set_flood_stage(location, on=True)
            error = process.answer()
        assert isinstance(error, StorageFull)
        assert "Free space or add a node" in str(error)
        index.refresh()
        faces = index.count()
    with open_index(location, settings=settings) as index:
        (face, *_) = index.iter_faces(embeddings=True)
        assert len(index.search(face.vector, 100)) == faces
    set_flood_stage(location, on=False)
    completed(location, large, memory, elasticsearch=settings)
    assert differences(contents(location), undisturbed) == []
    assert all("loading" not in told for told in layout(location).values())


def test_a_deletion_that_a_full_disk_stops_says_so_and_can_be_done_again(location: str) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        (ann,) = add_photo(index, "p", axis(0))
        add_photo(index, "q", axis(1))
        index.label([make_label(ann, "Ann")])
        set_flood_stage(location, on=True)
        for delete in (
            lambda: index.forget_person("Ann"),
            lambda: index.delete_media([photo("q").id]),
            lambda: index.delete_faces([ann.id]),
        ):
            with pytest.raises(StorageFull, match="Free space"):
                delete()
        assert index.count() == 2
        set_flood_stage(location, on=False)
        assert index.forget_person("Ann").faces == 1
        assert index.delete_media([photo("q").id]).media == 1
        assert index.count() == 0


def test_replaced_versions_can_be_dropped_from_a_full_disk(location: str) -> None:
    with open_index(location, create=True, settings=SETTINGS) as index:
        (face,) = add_photo(index, "p", axis(0))
        index.begin_version(OTHER_MODEL)
        index.put_vectors(OTHER_MODEL.key, {face.id: axis(0, dimensions=4)})
        index.activate_version(OTHER_MODEL.key)
        set_flood_stage(location, on=True)
        assert index.drop_old_versions() == 1
        assert index.count() == 1
