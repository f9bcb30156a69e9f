"""Another model's version that is killed in the making is whole, or is not the live one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from indexer.engines import open_index
from indexer.errors import UsageError
from indexer.tracks import pack_tracks
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, differences, layout
from tests.elasticsearch.dying import killed
from tests.elasticsearch.tampering import let_leases_run_out
from tests.engines.builders import (
    MODEL,
    OTHER_MODEL,
    WHOLE,
    add_photo,
    axis,
    claim,
    finish,
    link,
    make_face,
    make_label,
    make_track,
    start,
    video,
)

if TYPE_CHECKING:
    from indexer.engines.base import Index
    from indexer.records import Media, Segment
    from tests.elasticsearch.contents import Contents

ROOT = Path(__file__).resolve().parents[2]
BEGUN, ALMOST_DONE, TWIN = video("begun"), video("almost done"), video("twin")
PHOTO_FACES = 2


def test_killed_before_any_request_and_run_again_the_version_is_that_of_an_undisturbed_run(
    elasticsearch_url: str,
) -> None:
    undisturbed, laid_out, _ = replaced(elasticsearch_url, killed_before=0)
    for number in count(1):
        found, found_layout, requests = replaced(elasticsearch_url, killed_before=number)
        assert differences(found, undisturbed) == [], requests
        assert found_layout == laid_out, requests
        if len(requests) < number:
            break
    assert number > 8


def replaced(url: str, *, killed_before: int) -> tuple[Contents, dict[str, Any], list[str]]:
    """Replace the model of a new collection, killed and run again, and end what was in progress."""
    with new_collection(url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            populate(index)
        with open_index(location, settings=SETTINGS) as index:
            requests = killed(killed_before, lambda: replace_model(index))
        let_leases_run_out(location)
        with open_index(location, settings=SETTINGS) as index:
            assert_whole(index)
            # Once another model is live, there is nothing left to do.
            with suppress(UsageError):
                replace_model(index)
            assert index.model == OTHER_MODEL
            assert_whole(index)
            for media in (BEGUN, ALMOST_DONE):
                finish_with_track(index, claim(index, media), media)
                assert link(index, media).state == "done"
        return contents(location), layout(location), requests


def populate(index: Index) -> None:
    """Photos, a video of which a worker has begun, and one that is linked but not done."""
    for n in range(PHOTO_FACES):
        (face,) = add_photo(index, f"p{n}", axis(n))
        index.label([make_label(face, f"Person {n}")])
    finish_with_track(index, start(index, TWIN), TWIN)
    last = len(killed(99, lambda: link(index, TWIN)))
    finish_with_track(index, start(index, ALMOST_DONE), ALMOST_DONE)
    assert len(killed(last, lambda: link(index, ALMOST_DONE))) == last
    found = index.get_media(ALMOST_DONE.id)
    assert found is not None
    assert found.state == "working"
    index.start_media(BEGUN, WHOLE)
    claim(index, BEGUN)


def replace_model(index: Index) -> None:
    index.begin_version(OTHER_MODEL)
    for face in list(index.unembedded_faces(OTHER_MODEL.key)):
        index.put_vectors(OTHER_MODEL.key, {face.id: axis(0, dimensions=4)})
    index.activate_version(OTHER_MODEL.key)


def finish_with_track(index: Index, segment: Segment, media: Media) -> None:
    model = index.model
    assert model is not None
    vector = axis(5) if model == MODEL else axis(1, dimensions=4)
    face = make_face(media, vector, at_s=1.0, model=model.key)
    track = make_track([face], start_s=0.0, end_s=2.0)
    finish(index, segment, [face], tracks=pack_tracks([track], min_cosine=0.5))


def assert_whole(index: Index) -> None:
    """Whichever model is live, a search with it finds each of the stored faces."""
    assert index.model in (MODEL, OTHER_MODEL)
    vector = axis(0) if index.model == MODEL else axis(0, dimensions=4)
    hits = index.search(vector, 100)
    assert len({hit.face.id for hit in hits}) == len(hits) == PHOTO_FACES + 2
    assert {hit.face.model for hit in hits} == {index.model.key}


REPLACE = """
import sys
from indexer.engines import open_index
from tests.elasticsearch.dying import die_before
from tests.elasticsearch.test_versions_cut_short import SETTINGS, replace_model
with open_index(sys.argv[1], settings=SETTINGS) as index:
    die_before(int(sys.argv[2]))
    replace_model(index)
"""


@pytest.mark.parametrize("who", ["the next to open", "one who has it open"])
def test_what_a_killed_process_was_replacing_can_be_written(
    who: str, elasticsearch_url: str
) -> None:
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            populate(index)
            requests = killed(99, lambda: replace_model(index))
        swap = max(n for n, request in enumerate(requests, 1) if request == "POST /_aliases")
    with new_collection(elasticsearch_url) as location:
        with open_index(location, create=True, settings=SETTINGS) as index:
            populate(index)
            command = [sys.executable, "-c", REPLACE, location, str(swap)]
            assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == -9
            assert "true" in read_only(location)
            if who == "one who has it open":
                add_photo(index, "new", axis(7))
        with open_index(location, settings=SETTINGS) as index:
            assert "true" not in read_only(location)
            add_photo(index, "new", axis(7))
            assert index.count() == PHOTO_FACES + 3


def read_only(location: str) -> list[str]:
    """The write blocks of the versions of the faces."""
    found = layout(location).items()
    return [of["index.blocks.write"] for name, of in found if "index.blocks.write" in of]
