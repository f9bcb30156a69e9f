"""What settings are made of: fields with a help text, secrets, and bounded numbers."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

from annotated_types import Ge, Gt

NonNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Count = Annotated[int, Ge(1)]


def setting(default: Any, help_text: str) -> Any:
    """Make a field with its default and the help text that users see."""
    return field(default=default, metadata={"help": help_text})


def secret(help_text: str) -> Any:
    """Make a text that is never shown: not by `describe`, nor in a repr or an error."""
    return field(default="", repr=False, metadata={"help": help_text, "secret": True})
