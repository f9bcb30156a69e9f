"""Others at work while a model takes another's place, is adopted, or while faces are loaded."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from elastic_transport import ConnectionError as ConnectionLost

from indexer.engines import open_index
from indexer.errors import IndexBlocked, IndexFailure, UsageError
from indexer.settings import ElasticsearchSettings
from tests.elasticsearch.between import asking, between
from tests.elasticsearch.collections import SETTINGS, new_collection
from tests.elasticsearch.contents import contents, layout
from tests.elasticsearch.tampering import in_use, let_leases_run_out, name_of
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
    photo,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from elasticsearch import Elasticsearch

    from indexer.engines.base import Index
    from indexer.records import Face, ModelIdentity
    from tests.elasticsearch.between import Ask

IMPATIENT = replace(SETTINGS, retry_s=0.0)
LOADING = ElasticsearchSettings(replicas=1, expunge_s=0, first_load=True)
THIRD_MODEL = replace(OTHER_MODEL, weights_sha256="3" * 64)


@pytest.fixture
def other(index: Index, location: str) -> Iterator[Index]:  # noqa: ARG001
    """The same collection in another process, which does not wait for others."""
    with open_index(location, settings=IMPATIENT) as other:
        yield other


def built(index: Index, faces: list[Face], model: ModelIdentity = OTHER_MODEL) -> None:
    """Have all but the activation done."""
    index.begin_version(model)
    index.put_vectors(model.key, {face.id: axis(0, dimensions=4) for face in faces})


def live_vector(index: Index) -> np.ndarray:
    assert index.model is not None
    return axis(0, dimensions=index.model.dimensions)


def add(index: Index, name: str) -> Face:
    """Index a photo with a face of whichever model is live."""
    assert index.model is not None
    index.start_media(photo(name), WHOLE)
    face = make_face(photo(name), live_vector(index), model=index.model.key)
    finish(index, claim(index, photo(name)), [face])
    link(index, photo(name))
    return face


def take_turns(index: Index, faces: list[Face]) -> tuple[ModelIdentity, ModelIdentity]:
    """Return the live model and another one, of which a version is built."""
    live = index.model
    assert live is not None
    following = THIRD_MODEL if live == OTHER_MODEL else OTHER_MODEL
    index.drop_old_versions()
    built(index, faces, following)
    return live, following


# --- what is live is never taken for unfinished --------------------------------------------------


def test_a_live_version_that_is_still_marked_as_being_built_is_not_dropped(
    index: Index, location: str, client: Elasticsearch
) -> None:
    """An earlier version of Sightings took the mark away after the swap, if it came to that."""
    faces = add_photo(index, "p", axis(0), axis(1))
    built(index, faces)
    index.activate_version(OTHER_MODEL.key)
    name = name_of(location)
    live = in_use(client, f"{name}-faces")
    client.indices.put_alias(index=live, name=f"{name}-building")
    with pytest.raises(UsageError, match="No version of"):
        index.put_vectors(OTHER_MODEL.key, {})
    built(index, faces, THIRD_MODEL)
    assert index.count() == 2
    index.activate_version(THIRD_MODEL.key)
    assert (index.model, index.count()) == (THIRD_MODEL, 2)
    assert index.stats()["versions_kept"].count(live) == 1  # type: ignore[union-attr]
    with open_index(location, settings=SETTINGS) as opened:
        assert opened.stats()["version_building"] == ""


def test_a_swap_whose_answer_is_lost_has_worked(index: Index) -> None:
    built(index, add_photo(index, "p", axis(0)))
    lost: list[str] = []

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        answer = ask(node, method, target, body, headers)
        if target == "/_aliases" and not lost:
            lost.append(target)
            raise ConnectionLost("cut")
        return answer

    with asking(perform):
        index.activate_version(OTHER_MODEL.key)
    assert lost
    assert (index.model, index.count()) == (OTHER_MODEL, 1)
    add(index, "q")


def test_one_who_begins_another_model_at_any_moment_never_drops_what_goes_live(
    index: Index, other: Index
) -> None:
    faces = add_photo(index, "p", axis(0), axis(1))
    yet_another = replace(OTHER_MODEL, weights_sha256="4" * 64)
    won = set()
    for number in count(0):
        live, following = take_turns(index, faces)
        with (
            between((number, lambda: other.begin_version(yet_another))) as requests,
            suppress(UsageError, IndexFailure),
        ):
            index.activate_version(following.key)
        assert index.model in (live, following)
        assert len(index.search(live_vector(index), 10)) == 2
        won.add(index.model == following)
        if number > len(requests):
            break
    assert won == {True, False}


def test_what_goes_live_at_any_moment_of_anothers_beginning_is_not_dropped(
    index: Index, other: Index
) -> None:
    faces = add_photo(index, "p", axis(0), axis(1))
    yet_another = replace(OTHER_MODEL, weights_sha256="4" * 64)
    won = set()
    for number in count(0):
        live, following = take_turns(index, faces)

        def activate(following: ModelIdentity = following) -> None:
            with suppress(UsageError, IndexFailure):
                index.activate_version(following.key)

        with between((number, activate)) as requests:
            other.begin_version(yet_another)
        assert index.model in (live, following)
        assert len(index.search(live_vector(index), 10)) == 2
        won.add(index.model == following)
        if number > len(requests):
            break
    assert won == {True, False}


def test_two_who_begin_other_models_at_the_same_moment_leave_a_collection_that_opens(
    index: Index, other: Index, location: str
) -> None:
    (face,) = add_photo(index, "p", axis(0))
    for number in count(0):
        with between((number, lambda: other.begin_version(THIRD_MODEL))) as requests:
            index.begin_version(OTHER_MODEL)
        with open_index(location, settings=SETTINGS) as opened:
            opened.begin_version(THIRD_MODEL)
            assert len(str(opened.stats()["version_building"]).split(", ")) == 1
            assert [found.id for found in opened.unembedded_faces(THIRD_MODEL.key)] == [face.id]
        if number > len(requests):
            break
    assert number > 4


# --- nothing that is written meanwhile is lost ---------------------------------------------------


def test_what_is_written_at_any_moment_of_a_swap_is_in_the_new_version_or_was_refused(
    index: Index, other: Index
) -> None:
    faces = add_photo(index, "p", axis(0), axis(1))
    refused = []
    for number in count(0):
        _, following = take_turns(index, faces)

        def name(number: int = number) -> None:
            try:
                other.label([make_label(faces[number % 2], f"Ann {number}")])
            except IndexBlocked:
                refused.append(number)

        with between((number, name)) as requests:
            index.activate_version(following.key)
        assert index.model == following
        if refused[-1:] == [number]:
            index.finish_naming([faces[0].media_id])  # the label itself was stored
        assert named(index, faces[number % 2]) == f"Ann {number}"
        if number > len(requests):
            break
    assert refused
    assert len(refused) < number


def named(index: Index, face: Face) -> str | None:
    found = index.get_face(face.id)
    assert found is not None
    return found.person


def test_one_who_is_taken_for_dead_replaces_nothing_that_others_write_then(
    index: Index, other: Index, location: str
) -> None:
    """Asleep for longer than its lease; others let writes in, and make some."""
    faces = add_photo(index, "p", axis(0))
    outcomes = set()
    for number in count(0):
        live, following = take_turns(index, faces)

        def go_on(number: int = number) -> None:
            let_leases_run_out(location)
            open_index(location, settings=SETTINGS).close()
            other.label([make_label(faces[0], f"Ann {number}")])

        with between((number, go_on)) as requests:
            try:
                index.activate_version(following.key)
            except IndexFailure:
                assert index.model == live
        outcomes.add(index.model == following)
        # Between the last look at the lease and the swap, no lease can run out.
        if requests[number : number + 1] != ["POST /_aliases"]:
            assert named(index, faces[0]) == f"Ann {number}"
        with open_index(location, settings=SETTINGS) as opened:
            opened.label([make_label(faces[0], "Bob")])
        if number > len(requests):
            break
    assert outcomes == {True, False}


def test_a_writer_waits_for_the_end_of_a_swap_and_goes_on_in_the_new_version(
    index: Index, location: str
) -> None:
    (face,) = add_photo(index, "p", axis(0))
    built(index, [face])
    waits, failures = threading.Event(), []
    blocked: list[str] = []

    def write() -> None:
        try:
            with open_index(location, settings=SETTINGS) as writer:
                writer.label([make_label(face, "Ann")])
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=write)

    def perform(ask: Ask, node: Any, method: str, target: str, body: Any, headers: Any) -> Any:
        answer = ask(node, method, target, body, headers)
        if threading.current_thread() is writer and b"cluster_block_exception" in answer.body:
            waits.set()
        if target.endswith("/_block/write"):
            blocked.append(target)
            writer.start()
            assert waits.wait(30)
        return answer

    with asking(perform):
        index.activate_version(OTHER_MODEL.key)
        writer.join(60)
    assert failures == []
    assert blocked
    assert (index.model, named(index, face)) == (OTHER_MODEL, "Ann")


def test_faces_that_an_operator_made_read_only_are_told_at_once(
    index: Index, location: str, client: Elasticsearch
) -> None:
    (face,) = add_photo(index, "p", axis(0))
    client.indices.add_block(index=in_use(client, f"{name_of(location)}-faces"), block="write")
    with pytest.raises(IndexBlocked, match="read-only"):
        index.label([make_label(face, "Ann")])


@pytest.mark.parametrize("theirs", ["name and activate", "delete"])
def test_vectors_that_come_late_bring_back_nothing_old(
    theirs: str, index: Index, other: Index, location: str
) -> None:
    index.adopt_model(MODEL)
    for number in count(0):
        face = add(index, f"p{number}")
        _, following = take_turns(index, [*index.iter_faces()])

        def change(face: Face = face, following: ModelIdentity = following) -> None:
            if theirs == "delete":
                other.delete_faces([face.id])
            else:
                other.label([make_label(face, "Ann")])
                other.activate_version(following.key)

        with between((number, change)) as requests, suppress(UsageError):
            index.put_vectors(following.key, {face.id: axis(1, dimensions=4)})
        if theirs == "delete":
            everywhere = contents(location).items()
            assert [kind for kind, found in everywhere if face.id in found] == []
        else:
            assert (index.model, named(index, face)) == (following, "Ann")
        if number > len(requests):
            break
    assert number > 4


# --- adopting a first model ----------------------------------------------------------------------


def test_one_who_creates_the_collection_late_does_not_damage_it(elasticsearch_url: str) -> None:
    for number in count(0):
        with new_collection(elasticsearch_url) as location:

            def begin(location: str = location) -> None:
                with open_index(location, create=True, settings=SETTINGS) as first:
                    first.adopt_model(MODEL)
                    first.refresh()

            with between((number, begin)) as requests:
                open_index(location, create=True, settings=SETTINGS).close()
            with open_index(location, settings=SETTINGS) as index:
                assert index.model == MODEL
        if number > len(requests):
            break
    assert number > 8


# --- loads ---------------------------------------------------------------------------------------


def test_a_load_brings_back_copies_whatever_others_do_at_any_moment(location: str) -> None:
    """Workers whose weights lie elsewhere say so in the index, and load too."""
    with (
        open_index(location, create=True, settings=LOADING) as index,
        open_index(location, settings=LOADING) as other,
    ):
        index.adopt_model(MODEL)
        before = layout(location)
        for number in count(0):
            elsewhere = replace(MODEL, weights_path=f"/{number}")
            load = other.loading()

            def come(model: ModelIdentity = elsewhere, load: Any = load) -> None:
                other.adopt_model(model)
                load.__enter__()

            with between((number, come)) as requests, index.loading():
                pass
            load.__exit__(None, None, None)
            after = layout(location)
            for of_index in (*before.values(), *after.values()):
                of_index.pop("model", None)
            assert after == before
            assert index.model == elsewhere
            if number > len(requests):
                break
    assert number > 4
