"""Work on media: one segment, then the next that is free, and the media's end.

A run of `sightings index`, tasks and the background worker all go through here.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from indexer.damage import damage_of, in_words
from indexer.errors import (
    ClaimLost,
    IndexFailure,
    Interrupted,
    MediaError,
    NotFound,
    SightingsError,
)
from indexer.files import status_of
from indexer.freed_memory import give_back
from indexer.media import content_id
from indexer.pipeline import link_gap_s, process_segment
from indexer.sources import open_source
from indexer.stage_times import StageTimes
from indexer.text import shown
from indexer.work_log import Outcome, log_end, logged
from indexer.workers import new_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from indexer.engines.base import Index
    from indexer.networks import Networks
    from indexer.pipeline import SegmentFaces
    from indexer.records import Media, Segment
    from indexer.settings import Settings
    from indexer.sources import Source
    from indexer.stage_times import Stage

    OnTimes = Callable[[Mapping[Stage, float]], None]

Result = TypeVar("Result")

LEASE_S = 300.0
"""How long a claim holds without renewal; longer than any one batch of frames takes."""

RENEW_S = 10.0
"""How often a claim is renewed, which is also how soon a cancelled one is noticed."""

MAX_ATTEMPTS = 3
"""A segment that took its worker down this often is given up."""


OTHER_SETTINGS = (
    "Queued under other settings of keyframes, faces or appearances than this worker has, so it "
    "would give other faces. Start all workers with the same settings, and retry it."
)
"""The error of what such a worker took."""

TOO_LONG = (
    "Took longer than the setting tasks.time_limit_s allows. Retry it on a faster machine, or with "
    "a longer limit."
)


def never() -> bool:
    """Say no: nothing ends this work before its time."""
    return False


def claim_next(index: Index, media_id: str, owner: str) -> Segment | None:
    """Claim a media's first free segment, or None."""
    return index.claim_segment(media_id, owner=owner, lease_s=LEASE_S, max_attempts=MAX_ATTEMPTS)


def work_on_segment(
    index: Index,
    segment: Segment,
    media: Media,
    source: Callable[[], Source],
    networks: Networks,
    *,
    on_time: Callable[[float], None] = lambda _: None,
    on_times: OnTimes = lambda _: None,
    until_s: float = float("inf"),
) -> Outcome:
    """Do a claimed segment and store what it gives: it is `done` then, or `failed` with the error.

    source: opens the media, or returns it open; its errors are the segment's. on_time: told the
    time reached; on_times: what the stages took, once it is done. until_s: when it has
    taken too long and fails, on the clock of time.monotonic. Raises ClaimLost if the claim went to
    another or was cancelled, IndexFailure, ModelMismatch.
    """
    renewed_s, times = time.monotonic(), StageTimes()

    def renew(timestamp_s: float) -> None:
        nonlocal renewed_s
        on_time(timestamp_s)
        if time.monotonic() > until_s:
            raise MediaError(TOO_LONG)
        if time.monotonic() - renewed_s > RENEW_S:
            index.renew_claim(segment, lease_s=LEASE_S)
            renewed_s = time.monotonic()

    def found() -> SegmentFaces:
        labels = index.list_labels([media.id])
        return process_segment(
            media, segment.span, source(), networks, labels=labels, on_time=renew, times=times
        )

    result = attempt(index, segment, found)
    if media.kind == "video":
        give_back()
    if isinstance(result, Outcome):
        return result
    return store(index, segment, result, times, on_times)


def attempt(index: Index, segment: Segment, work: Callable[[], Result]) -> Result | Outcome:
    """Return what work on a claimed segment gives; if it cannot be done, the segment is `failed`.

    Then that outcome is returned. Raises what hits all segments: SightingsError but for MediaError.
    """
    try:
        return work()
    except MediaError as error:
        return _failed(index, segment, str(error))
    except SightingsError:
        raise
    except Exception as error:  # what decoders and networks raise has no common base
        return _failed(index, segment, f"Unexpected {type(error).__name__}: {error}")


def store(
    index: Index, segment: Segment, found: SegmentFaces, times: StageTimes, on_times: OnTimes
) -> Outcome:
    """Store what a claimed segment gave, which makes it `done`; see `work_on_segment`."""
    with times.of("store"):
        index.finish_segment(segment, found.faces, tracks=found.tracks, counts=found.counts)
    on_times(times.seconds)
    return Outcome(faces=len(found.faces))


def _failed(index: Index, segment: Segment, error: str) -> Outcome:
    index.fail_segment(segment, error)
    return Outcome(error=error)


def finish_media(index: Index, media_id: str, settings: Settings, path: str = "") -> Media:
    """Link a media if all its segments are finished; return it as it is then.

    path: named in its warnings, by default its first. It can be repeated, by several at once.
    Raises NotFound for an unknown media.
    """
    media = index.get_media(media_id)
    if media is None:
        raise NotFound(f"There is no media {media_id} in the index.")
    damage = damage_of(segment.counts for segment in index.list_segments(media_id))
    warnings = [f"{shown(path or media.path)}: {text}" for text in in_words(damage)]
    linking = replace(settings.appearances, max_gap_s=link_gap_s(settings))
    return index.link_appearances(media_id, linking, warnings=warnings)


def work_on_queued(
    index: Index,
    media_id: str,
    networks: Networks,
    *,
    on_times: OnTimes = lambda _: None,
    budget_s: float = float("inf"),
    longest_s: float = float("inf"),
    is_last: Callable[[], bool] = never,
    is_over: Callable[[], bool] = never,
) -> Media | None:
    """Work on a media's free segments, one after the other, and finish it if they were the last.

    on_times: told what the stages of each segment took. budget_s: no other segment is begun after
    this time; the file is read once for all of them, as opening a video reads it whole. longest_s:
    a segment that is not done by then fails. is_last: asked after each segment, whether no other is
    begun all the same. is_over: asked now and then, whether to give back the segment in hand.
    A media that is unknown, or not queued or working, is left alone; one that was queued under
    settings that are not these fails, with an error that says so. Returns the media as it is then,
    None if it is unknown (cancelled, perhaps). If this is stopped or cannot go on, the segment in
    hand is given back; its attempt does not count, unless longest_s is over.
    Raises Interrupted if `is_over`, IndexFailure, ModelMismatch.
    """
    media = index.get_media(media_id)
    if media is None or media.state not in ("queued", "working"):
        return media
    same_settings = media.options == networks.settings.options_for(media.kind)
    owner, begun_s = new_owner(), time.monotonic()
    until_s = begun_s + longest_s

    def look(_: float) -> None:
        if is_over():
            raise Interrupted("The worker is to end: the segment in hand is given back.")

    try:
        with ExitStack() as opened:
            source = _opened_once(index, media, networks.settings, opened)
            while segment := claim_next(index, media_id, owner):
                with suppress(ClaimLost), logged(media, segment) as ended:
                    if same_settings:
                        outcome = work_on_segment(
                            index,
                            segment,
                            media,
                            source,
                            networks,
                            on_time=look,
                            on_times=on_times,
                            until_s=until_s,
                        )
                    else:
                        outcome = _failed(index, segment, OTHER_SETTINGS)
                    ended(outcome)
                if time.monotonic() >= begun_s + budget_s or is_last():
                    break
        return _ended(index, media_id, networks.settings)
    except NotFound:
        return None
    except BaseException:
        # Should this fail too, the claim is found to be a dead worker's, or its lease runs out.
        with suppress(IndexFailure):
            index.release_claims(owner, forgive=time.monotonic() < until_s)
        raise


def _ended(index: Index, media_id: str, settings: Settings) -> Media:
    media = finish_media(index, media_id, settings)
    log_end(media)
    return media


def present_path(index: Index, media: Media) -> Path:
    """Return a path at which a media's bytes still lie. Raises MediaError if there is none."""
    for known in media.paths:
        path = Path(known)
        with suppress(MediaError):
            stat, file = status_of(path), index.find_file(known)
            if (
                file is not None
                and file.media_id == media.id
                and (file.size_bytes, file.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
            ):
                return path
            if content_id(path) == media.id:
                return path
    raise MediaError(
        f"{shown(media.path)} is no longer there, or has other content than when it was queued. "
        "Bring it back and retry, or remove the media."
    )


def _opened_once(
    index: Index, media: Media, settings: Settings, opened: ExitStack
) -> Callable[[], Source]:
    found: list[Source] = []

    def source() -> Source:
        if not found:
            path = present_path(index, media)
            found.append(opened.enter_context(open_source(path, media.kind, settings)))
        return found[0]

    return source
