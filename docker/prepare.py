#!/usr/bin/env python3
"""What docker-compose.yml has done once before the rest starts; doing it again is harmless.

prepare.py users    gives Kibana's user its password, and makes one for Sightings
prepare.py index    makes the index: templates, empty indices and their aliases
prepare.py kibana   imports data views, charts and the dashboard into Kibana
"""

from __future__ import annotations

import os
import sys
from typing import Any

import requests

from es_mappings.kibana import to_ndjson
from indexer.engines.elastic.location import parse_location
from indexer.location import open_or_create
from indexer.settings import load

TIMEOUT_S = 120.0


def main(steps: list[str]) -> None:
    """Do the steps in their order, or end with what went wrong."""
    known = {"users": users, "index": index, "kibana": kibana}
    if not steps or not set(steps) <= known.keys():
        sys.exit(f"usage: prepare.py {'|'.join(known)} ...")
    try:
        for step in steps:
            known[step]()
            print(f"{step}: done")
    except requests.RequestException as error:
        sys.exit(f"{step}: {error.request.url if error.request else ''} cannot be asked: {error}")


def users() -> None:
    """Set the password of `kibana_system`; make a user who may do what Sightings does, no more."""
    url = f"{os.environ['ELASTICSEARCH_URL']}/_security"
    elastic = ("elastic", os.environ["ELASTIC_PASSWORD"])
    settings = load()
    _send(
        "POST",
        f"{url}/user/kibana_system/_password",
        elastic,
        json={"password": os.environ["KIBANA_PASSWORD"]},
    )
    role = {
        "cluster": ["monitor", "manage_index_templates", "monitor_snapshot"],
        "indices": [{"names": [f"{_collection()}-*"], "privileges": ["all"]}],
    }
    _send("PUT", f"{url}/role/sightings", elastic, json=role)
    _send(
        "PUT",
        f"{url}/user/{settings.elasticsearch.username}",
        elastic,
        json={"password": settings.elasticsearch.password, "roles": ["sightings"]},
    )


def index() -> None:
    """Make the index that the settings name, unless it is there."""
    open_or_create(load()).close()


def kibana() -> None:
    """Import the saved objects; those of before are replaced."""
    url = os.environ["PUBLIC_URL"].rstrip("/")
    answer = _send(
        "POST",
        f"{os.environ['KIBANA_URL']}/api/saved_objects/_import?overwrite=true",
        ("elastic", os.environ["ELASTIC_PASSWORD"]),
        headers={"kbn-xsrf": "true"},
        files={"file": ("sightings.ndjson", to_ndjson(_collection(), url))},
    )
    found = answer.json()
    if not found.get("success"):
        sys.exit(f"kibana: not all was imported: {found.get('errors')}")


def _collection() -> str:
    return parse_location(load().index).name


def _send(method: str, url: str, user: tuple[str, str], **content: Any) -> requests.Response:
    answer = requests.request(method, url, auth=user, timeout=TIMEOUT_S, **content)
    if not answer.ok:
        sys.exit(f"{method} {url} was answered with {answer.status_code}: {answer.text[:500]}")
    return answer


if __name__ == "__main__":
    main(sys.argv[1:])
