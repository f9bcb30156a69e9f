"""How the command line prints JSON."""

from __future__ import annotations

import json
import sys
from typing import Any


def print_json(document: Any) -> None:
    """Print a document as JSON in ASCII, so that any name survives any pipe."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
