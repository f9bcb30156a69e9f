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
from indexer.cli.output import note, say, say_deleted, table
from indexer.known import alike_faces, is_known, require_known, require_name
from indexer.text import counted, shown

if TYPE_CHECKING:
    from indexer.engines.base import Index

people_app = typer.Typer(help="Names: list, give, take, merge, forget.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="A person's name.")]
Old = Annotated[str, typer.Argument(metavar="OLD", help="The name that is carried now.")]
New = Annotated[str, typer.Argument(metavar="NEW", help="The name that takes its place.")]
Faces = Annotated[
    list[str], typer.Argument(metavar="FACE", help="Ids from `sightings faces MEDIA`.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(people_app, name="people")


@people_app.command("list")
def list_people(
    index: IndexOption = None, assignments: SetOption = None, as_json: JsonOption = False
) -> None:
    """List names with how many faces and media carry them."""
    from indexer.cli.document import print_json

    with open_existing(load_settings(assignments, index=index)) as opened:
        people = opened.list_people()
    if as_json:
        print_json([vars(person) for person in people])
    elif people:
        table(
            ("person", "faces", "media"),
            [(person.name, str(person.faces), str(person.media)) for person in people],
        )
    if not people:
        note("Nobody is named yet: sightings people name NAME FACE...")
        raise typer.Exit(1)


@people_app.command("name")
def name_faces(
    name: Name, faces: Faces, index: IndexOption = None, assignments: SetOption = None
) -> None:
    """Name faces, and with them the appearances they stand for."""
    from indexer.naming import name_faces as give

    require_name(name)
    with open_existing(load_settings(assignments, index=index)) as opened:
        given = give(opened, name, faces)
    say(f"{counted(given, 'face')} newly named {shown(name)}.")
    if given < len(faces):
        note(f"{counted(len(faces) - given, 'face')} had that name before.")


@people_app.command("unname")
def unname_faces(faces: Faces, index: IndexOption = None, assignments: SetOption = None) -> None:
    """Take the names of faces, and of their appearances, back."""
    from indexer.naming import unname_face

    with open_existing(load_settings(assignments, index=index)) as opened:
        taken = sum(unname_face(opened, face) for face in faces)
    say(f"{counted(taken, 'label')} taken back.")


@people_app.command("rename")
def rename_person(
    old: Old,
    new: New,
    index: IndexOption = None,
    assignments: SetOption = None,
    yes: YesOption = False,
) -> None:
    """Rename a person; if the new name exists, the two become one."""
    require_name(new)
    with open_existing(load_settings(assignments, index=index)) as opened:
        require_known(opened, old)
        if old != new and is_known(opened, new):
            confirm(f"{shown(new)} exists: make {shown(old)} one with it for good?", yes=yes)
        renamed = opened.rename_person(old, new)
    say(f"{counted(renamed, 'face')} renamed from {shown(old)} to {shown(new)}.")


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
    with open_existing(load_settings(assignments, index=index)) as opened:
        require_known(opened, name)
        others = alike_faces(opened, name)
        for person in opened.list_people():
            if person.name == name:
                held = f"{counted(person.faces, 'face')} in {counted(person.media, 'media')}"
                say(f"{shown(name)}: {held}.")
        confirm(f"Delete all that the index holds of {shown(name)} for good?", yes=yes)
        if others:
            # Before the person, by whom they are found: whoever is stopped here can ask again.
            _forget_alike(opened, others, alike, yes=yes)
        say_deleted(lambda: opened.forget_person(name))


def _forget_alike(index: Index, others: list[str], alike: bool | None, *, yes: bool) -> None:
    found = f"{counted(len(others), 'unnamed face')} with the verdict `same person`"
    if alike is None and not yes:
        alike = typer.confirm(f"There are {found}. Delete them too?", err=True)
    if alike:
        say(f"There were {found}, too.")
        say_deleted(lambda: index.delete_faces(others))
    else:
        note(f"There are {found}, such as {others[0]}; they stay (`--alike` deletes them, too).")
