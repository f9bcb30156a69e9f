"""What answers over HTTP are known by."""

from __future__ import annotations


def code(answer) -> tuple[int, str]:
    """Return the status and the stable code of a refusal."""
    return answer.status_code, answer.json["code"]
