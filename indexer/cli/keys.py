"""`sightings keys`: who may use the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import JsonOption, SetOption, load_settings
from indexer.cli.output import note, say, table
from indexer.text import shown

if TYPE_CHECKING:
    from api.security.keys import KeyStore

keys_app = typer.Typer(help="API keys of the service: add, list, remove.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(keys_app, name="keys")


@keys_app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who uses it, for you to know.")],
    scope: Annotated[
        list[str],
        typer.Option(metavar="SCOPE", help="search, ingest or admin (repeatable)."),
    ] = ["search"],  # noqa: B006, Typer's way
    assignments: SetOption = None,
) -> None:
    """Make a key and print it; it is shown this once, and only its hash is kept."""
    key, text = _store(assignments).add(name, scope)
    say(text)
    note(f"Key {key.id} of {shown(key.name)} may: {', '.join(key.scopes)}. It is not shown again.")


@keys_app.command("list")
def list_keys(assignments: SetOption = None, as_json: JsonOption = False) -> None:
    """List the keys: ids, names and scopes."""
    from indexer.cli.document import print_json

    keys = _store(assignments).all()
    if as_json:
        names = ("id", "name", "scopes", "created_at")
        print_json([{name: getattr(key, name) for name in names} for key in keys])
    elif keys:
        rows = [(key.id, key.name, ", ".join(key.scopes), key.created_at) for key in keys]
        table(("id", "name", "scopes", "made"), rows)
    if not keys:
        note("Nobody has a key: sightings keys add NAME --scope search")
        raise typer.Exit(1)


@keys_app.command("remove")
def remove_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="From `sightings keys list`.")],
    assignments: SetOption = None,
) -> None:
    """Remove a key; who has it is locked out at once."""
    key = _store(assignments).remove(key_id)
    say(f"Removed the key {key.id} of {shown(key.name)}.")


def _store(assignments: list[str] | None) -> KeyStore:
    from api.security.keys import KeyStore, keys_path

    return KeyStore(keys_path(load_settings(assignments).api))
