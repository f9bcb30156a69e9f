#!/usr/bin/env python3
"""Write `.env` beside docker-compose.yml: the secrets of its services, made up at random.

What the file says already stays; run again after an update, it adds what is new.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRETS = (
    "ELASTIC_PASSWORD",
    "KIBANA_PASSWORD",
    "KIBANA_SECURITY_KEY",
    "KIBANA_OBJECTS_KEY",
    "KIBANA_REPORTING_KEY",
    "REDIS_PASSWORD",
    "SIGHTINGS_PASSWORD",
    "SIGNING_KEYS",
)
"""Variables whose values nobody needs to know by heart; Kibana wants at least 32 characters."""

ENV = Path(__file__).resolve().parents[1] / ".env"


def main() -> None:
    """Add the secrets that are missing, and say so."""
    lines = ENV.read_text(encoding="utf-8").splitlines() if ENV.exists() else []
    known = {line.partition("=")[0].strip() for line in lines}
    missing = [name for name in SECRETS if name not in known]
    lines += [f"{name}={secrets.token_urlsafe(24)}" for name in missing]
    _write_private("".join(f"{line}\n" for line in lines))
    print(f"{ENV}: {', '.join(missing) or 'nothing'} added. Keep the file to yourself.")


def _write_private(text: str) -> None:
    """Replace the file as a whole, never readable by others."""
    beside = ENV.with_name(".env.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    beside.replace(ENV)


if __name__ == "__main__":
    main()
