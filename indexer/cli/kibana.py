"""`sightings kibana`: what Kibana shows of an index on a cluster, to be imported there."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.cli.options import IndexOption, SetOption, index_path, load_settings


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("kibana")(kibana_command)


def kibana_command(
    url: Annotated[
        str,
        typer.Option(
            "--url",
            metavar="URL",
            help="Where browsers find the service, for pictures: https://faces.example.org",
        ),
    ],
    index: IndexOption = None,
    assignments: SetOption = None,
) -> None:
    """Print data views, charts and a dashboard for Kibana, as one file to import (NDJSON)."""
    from es_mappings.kibana import to_ndjson
    from indexer.engines.elastic.location import is_on_cluster, parse_location
    from indexer.errors import UsageError

    location = index_path(load_settings(assignments, index=index))
    if not is_on_cluster(location):
        raise UsageError(
            "Kibana shows indices of a cluster alone: give --index elasticsearch://HOST:9200/NAME."
        )
    typer.echo(to_ndjson(parse_location(location).name, _base(url)), nl=False)


def _base(url: str) -> str:
    """Return an address without a slash at its end. Raises UsageError if it can have no paths."""
    import re

    from indexer.errors import UsageError

    if not re.fullmatch(r"https?://[A-Za-z0-9._~:\[\]-]+(/[A-Za-z0-9._~/-]*)?", url):
        raise UsageError(
            "--url is the address of the service, as https://faces.example.org, without user, "
            "query and fragment."
        )
    return url.rstrip("/")
