"""Searches: by photos, by a stored face, by a name, and by a video, which is a job."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast

from flask import request
from flask_openapi3 import FileStorage
from pydantic import BaseModel, ConfigDict, Field

from api.bodies import JSON, documented, read_body
from api.documents import list_answer
from api.filters import FaceFilters, Name, face_filters
from api.photo_queries import VideoMet, faces_of_uploads, photo_answers
from api.problems import Problem
from api.routes.resources import blueprint, failures
from api.search_schemas import SearchAnswer, VideoSearchAnswer
from api.security.access import needs
from api.service import current
from indexer.errors import NotFound, UsageError
from indexer.links import BASE
from indexer.query import person_query, photo_queries, stored_face_query
from indexer.searching import TOP, find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from api.video_searches import VideoSearch
    from indexer.query import FaceChoice, Query
    from indexer.results import Result

api = blueprint("search", "Where a person appears")
FaceText = Annotated[str, Field(pattern=r"^(largest|all|[1-9]\d{0,3})$")]


class SearchFields(FaceFilters):
    """What is wanted of a search."""

    model_config = ConfigDict(extra="forbid")
    top: int = Field(TOP, ge=1, le=500, description="How many photos and videos at most.")
    min_score: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Lowest score, a cosine."
    )
    include_different: bool = Field(False, description="Also those whose verdict is `different`.")


class StoredSearch(SearchFields):
    """A search for a stored face, or for a named person."""

    face_id: Name | None = None
    person: Name | None = None


class PhotoSearchFields(SearchFields):
    """The fields of a search for photos, beside the photos."""

    face: list[FaceText] = Field(
        [],
        max_length=100,
        description="Which face: `largest`, its number from the left, or `all` of a single photo; "
        "of several photos one for each.",
    )


class PhotoSearch(PhotoSearchFields):
    """A search for photos of one person, or for the people of one video."""

    photo: list[FileStorage] = Field([], description="Photos of one person, or one video.")


class SearchPath(BaseModel):
    """A search's address."""

    model_config = ConfigDict(extra="forbid")
    search_id: str = Field(max_length=200)


@api.post(
    "/search",
    responses={200: SearchAnswer, 202: VideoSearchAnswer, **failures(404, 409, 413, 415, 507)},
    openapi_extensions=documented(multipart=PhotoSearch, json=StoredSearch),
)
@needs("search")
def search() -> Any:
    """Find the photos and videos in which a person appears, and when.

    A form with photos, or JSON with a stored face or a name. A video is searched for in the
    background: 202, and the answer's `url` tells how far it is and what was found.
    """
    if request.mimetype == JSON:
        return _stored_search()
    return _photo_search()


@api.get("/search/<search_id>", responses={200: VideoSearchAnswer, **failures(404)})
@needs("search")
def get_search(path: SearchPath) -> dict[str, Any]:
    """Show how far a search for a video is, and what was found."""
    return video_answer(current().video_searches.get(path.search_id))


@api.delete("/search/<search_id>", responses={204: None, **failures(404)})
@needs("search")
def delete_search(path: SearchPath) -> tuple[str, int]:
    """Stop a search for a video and forget it."""
    current().video_searches.remove(path.search_id)
    return "", 204


def _stored_search() -> dict[str, Any]:
    wanted, service = read_body(StoredSearch), current()
    if (wanted.face_id is None) == (wanted.person is None):
        raise UsageError("Give either face_id or person, or send photos as a form.")
    kind = "face" if wanted.face_id is not None else "person"
    with service.turns.taken(), service.metrics.searches.labels(kind).time():
        results = _finder(wanted)
        try:
            if wanted.face_id is not None:
                query = stored_face_query(service.index, wanted.face_id)
            else:
                query = person_query(service.index, wanted.person or "")
        except NotFound as error:
            raise Problem(f"{kind}_not_found", str(error)) from error
        return {"lists": [list_answer(query, results(query))], "photos": []}


def _photo_search() -> Any:
    wanted, service = read_body(PhotoSearchFields, forms=True), current()
    choices = [cast("FaceChoice", int(f) if f.isdecimal() else f) for f in wanted.face]
    results = _finder(wanted)
    try:
        with (
            service.turns.taken(),
            service.metrics.searches.labels("photo").time(),
            faces_of_uploads(request.files, required=True) as photos,
        ):
            queries = photo_queries([(photo.name, photo.faces) for photo in photos], choices)
            lists = [list_answer(query, results(query)) for query in queries]
            return {"lists": lists, "photos": photo_answers(photos)}
    except VideoMet as met:
        return _video_search(met, results, alone=len(request.files.getlist("photo")) == 1)


def _video_search(
    met: VideoMet, results: Callable[[Query], list[Result]], *, alone: bool
) -> tuple[dict[str, Any], int]:
    """Queue a search for a video that was met among the uploads; its file was saved again."""
    limits = current().settings.api
    if not alone:
        raise Problem("media_refused", f"{met.name} is a video: a search takes one, by itself.")
    if met.media.size_bytes > limits.max_query_video_bytes:
        raise Problem("too_large", f"{met.name}: {limits.max_query_video_bytes} bytes are allowed.")
    if (met.media.duration_s or 0.0) > limits.max_query_video_s:
        raise Problem("media_refused", f"{met.name} is longer than {limits.max_query_video_s:g} s.")
    path = _kept(met.path)
    try:
        job = current().video_searches.add(path, met.name, met.media.duration_s, results)
    except Problem:
        path.unlink(missing_ok=True)
        raise
    return video_answer(job), 202


def _kept(path: Path) -> Path:
    """Save the only upload again; the first copy was deleted when its request was looked at."""
    (upload,) = request.files.getlist("photo")
    kept = path.with_name(f"{path.name}-kept")
    upload.stream.seek(0)
    upload.save(kept)
    kept.chmod(0o600)
    return kept


def _finder(wanted: SearchFields) -> Callable[[Query], list[Result]]:
    """Return what finds a query's results under the request's filters, also later on."""
    service = current()
    index, metrics = service.index, service.metrics
    options = partial(
        find,
        index,
        filters=face_filters(wanted, index),
        top=wanted.top,
        min_score=wanted.min_score,
        include_different=wanted.include_different,
    )

    def found(query: Query) -> list[Result]:
        with metrics.stage("find"):
            return options(query)

    return found


def video_answer(job: VideoSearch) -> dict[str, Any]:
    """Return a search for a video; see `search_schemas.VideoSearchAnswer`."""
    outcome = job.outcome
    query = outcome.query
    return {
        "id": job.id,
        "state": outcome.state,
        "name": job.name,
        "reached_s": job.reached_s,
        "duration_s": job.duration_s,
        "url": f"{BASE}/search/{job.id}",
        "lists": [list_answer(query, outcome.results)] if query is not None else None,
        "error": outcome.error,
    }
