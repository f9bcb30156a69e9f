"""REST calls as the documentation writes them, made as they stand."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen


def make_calls(url: str, text: str) -> list[Any]:
    """Make calls (`METHOD /path`, then maybe a body, blank lines between) and return the answers.

    Raises HTTPError for an answer that says no.
    """
    return [_make_call(url, call) for call in text.strip().split("\n\n")]


def _make_call(url: str, call: str) -> Any:
    line, _, body = call.partition("\n")
    method, _, path = line.partition(" ")
    headers = {"content-type": "application/json"}
    request = Request(f"{url}{path}", body.encode() or None, headers, method=method)
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())
