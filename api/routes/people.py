"""Names: list, rename, merge, forget.

A person is given as a parameter, not as a part of the path: names may hold any character, and
paths may not.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import documented, read_body
from api.documents import deleted_answer, thumbnail_url
from api.filters import Name, Text
from api.paging import PageQuery, page
from api.problems import Problem
from api.routes.resources import blueprint, failures
from api.schemas import ForgottenAnswer, PersonPage, RenamedAnswer
from api.security.access import needs
from api.service import current
from indexer.known import alike_faces, is_known, require_name
from indexer.records import Deleted, Filters, Person

api = blueprint("people", "People")


class PeopleQuery(PageQuery):
    """Which people are listed."""

    model_config = ConfigDict(extra="forbid")
    contains: Text | None = Field(None, description="Whose name contains this, in any case.")


class RenameBody(BaseModel):
    """Who is renamed."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    new_name: Name
    merge: bool = Field(False, description="Make the two one, if the new name exists.")


class ForgetQuery(BaseModel):
    """Who is forgotten."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    alike: bool = Field(False, description="Also unnamed faces with the verdict `same person`.")


@api.get("/people", responses={200: PersonPage, **failures()})
@needs("search")
def list_people(query: PeopleQuery) -> dict[str, Any]:
    """List names in their order, with how many faces and media carry them."""
    wanted = (query.contains or "").casefold()
    people = [p for p in current().index.list_people() if wanted in p.name.casefold()]
    items, cursor = page(people, query, lambda person: (person.name,))
    return {"items": [_answer(person) for person in items], "next_cursor": cursor}


@api.patch(
    "/people",
    responses={200: RenamedAnswer, **failures(404, 409, 415, 507)},
    openapi_extensions=documented(json=RenameBody),
)
@needs("admin")
def rename_person() -> dict[str, Any]:
    """Rename a person; with `merge`, two become one if the new name exists."""
    body, index = read_body(RenameBody), current().index
    require_name(body.new_name)
    _require_known(body.name)
    if body.name != body.new_name and not body.merge and is_known(index, body.new_name):
        raise Problem("name_taken", "That name exists; with merge=true the two become one.")
    return {"renamed": index.rename_person(body.name, body.new_name)}


@api.delete("/people", responses={200: ForgottenAnswer, **failures(404, 507)})
@needs("admin")
def forget_person(query: ForgetQuery) -> dict[str, Any]:
    """Delete a person's faces, embeddings, pictures and labels for good."""
    index = current().index
    _require_known(query.name)
    others = alike_faces(index, query.name)
    # Before the person, by whom they are found: whoever is stopped here can ask again.
    alike = index.delete_faces(others) if query.alike and others else Deleted()
    named = index.forget_person(query.name)
    deleted = Deleted(
        alike.media + named.media,
        alike.faces + named.faces,
        alike.labels + named.labels,
        tuple(dict.fromkeys((*alike.still_in, *named.still_in))),
    )
    left = 0 if query.alike else len(others)
    return {**deleted_answer(deleted), "alike_left": left}


def _answer(person: Person) -> dict[str, Any]:
    first = next(iter(current().index.iter_faces(Filters(persons=(person.name,)))), None)
    return {**vars(person), "thumbnail_url": thumbnail_url(first.id) if first else None}


def _require_known(name: str) -> None:
    if not is_known(current().index, name):
        raise Problem("person_not_found", "Nobody in the index has this name.")
