"""`sightings people`: names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import (
    IndexOption,
    JsonOption,
    SetOption,
    YesOption,
    confirm,
    load_settings,
    open_existing,
)
from indexer.cli.output import note, say, table
from indexer.text import shown

if TYPE_CHECKING:
    from indexer.engines.base import Index

people_app = typer.Typer(help="Names: list, give, take, merge, forget.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME")]
Faces = Annotated[
    list[str], typer.Argument(metavar="FACE...", help="Ids from `sightings faces MEDIA`.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(people_app, name="people")


@people_app.command("list")
def list_people(index: IndexOption = None, as_json: JsonOption = False) -> None:
    """List names with how many faces and media carry them."""
    from indexer.cli.document import print_json

    with open_existing(load_settings(index=index)) as opened:
        people = opened.list_people()
    if as_json:
        print_json([vars(person) for person in people])
    else:
        table(
            ("person", "faces", "media"),
            [(person.name, str(person.faces), str(person.media)) for person in people],
        )
    if not people:
        raise typer.Exit(1)


@people_app.command("name")
def name_faces(name: Name, faces: Faces, index: IndexOption = None) -> None:
    """Name faces, and with them the appearances they stand for."""
    from indexer.naming import name_faces as give

    with open_existing(load_settings(index=index)) as opened:
        given = give(opened, name, faces)
    say(f"{given} of {len(faces)} faces named {shown(name)} anew.")


@people_app.command("unname")
def unname_faces(faces: Faces, index: IndexOption = None) -> None:
    """Take the names of faces, and of their appearances, back."""
    from indexer.naming import unname_face

    with open_existing(load_settings(index=index)) as opened:
        taken = sum(unname_face(opened, face) for face in faces)
    say(f"{taken} labels taken back.")


@people_app.command("rename")
def rename_person(old: Name, new: Name, index: IndexOption = None, yes: YesOption = False) -> None:
    """Rename a person; if the new name exists, the two become one."""
    from indexer.errors import UsageError

    if not new.strip():
        raise UsageError("A name needs at least one letter.")
    with open_existing(load_settings(index=index)) as opened:
        if any(person.name == new for person in opened.list_people()) and old != new:
            confirm(f"{shown(new)} exists: make {shown(old)} one with it?", yes=yes)
        renamed = opened.rename_person(old, new)
    say(f"{renamed} faces renamed from {shown(old)} to {shown(new)}.")


@people_app.command("forget")
def forget_person(
    name: Name,
    alike: Annotated[
        bool | None,
        typer.Option(
            help="Also forget unnamed faces whose verdict is `same person` (else it asks).",
            show_default=False,
        ),
    ] = None,
    index: IndexOption = None,
    assignments: SetOption = None,
    yes: YesOption = False,
) -> None:
    """Delete a person's faces, embeddings, pictures and labels for good."""
    settings = load_settings(assignments, index=index)
    with open_existing(settings) as opened:
        others = _alike(opened, name)
        people = {person.name: person for person in opened.list_people()}
        if person := people.get(name):
            say(f"{shown(name)}: {person.faces} faces in {person.media} media.")
        confirm(f"Delete all that the index holds of {shown(name)} for good?", yes=yes)
        deleted = opened.forget_person(name)
        say(f"Deleted {deleted.faces} faces and {deleted.labels} labels.")
        if not others:
            return
        question = f"{len(others)} unnamed faces look like the same person."
        if alike is None and not yes:
            alike = typer.confirm(f"{question} Delete them too?", err=True)
        if alike:
            deleted = opened.delete_faces(others)
            say(f"Deleted {deleted.faces} unnamed faces that looked like the same person.")
        else:
            note(f"{question} They stay; `--alike` deletes them too.")


def _alike(index: Index, name: str) -> list[str]:
    """Return the ids of unnamed faces that look like a person, with their whole appearances."""
    from indexer.errors import NotFound
    from indexer.query import person_query
    from indexer.records import Filters
    from indexer.search import alike_unnamed

    try:
        hits = alike_unnamed(index, person_query(index, name))
    except NotFound:
        return []
    found = {hit.face.id for hit in hits}
    appearances = {hit.face.appearance_id for hit in hits if hit.face.appearance_id}
    media_ids = tuple({hit.face.media_id for hit in hits})
    faces = index.iter_faces(Filters(media_ids=media_ids, unnamed=True)) if hits else ()
    return sorted(found | {face.id for face in faces if face.appearance_id in appearances})
