"""The settings of what the networks run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from indexer.settings_fields import setting


@dataclass(frozen=True)
class ComputeSettings:
    """What the networks run on; none but `half_precision` changes what is found."""

    runtime: Literal["auto", "openvino", "torch"] = setting(
        "auto",
        "`auto`: torch where there is CUDA, else OpenVINO, twice torch's speed on processors and "
        "more; the other two force one",
    )
    threads: Annotated[int, Ge(0)] = setting(
        0, "processors that the networks use; 0: all that this process may use"
    )
    half_precision: bool = setting(
        False,
        "embed in float16, for torch on CUDA; vectors' cosines with those in float32 are 0.9999 "
        "and more, so both may lie in one index; faces are always looked for in float32",
    )
    at_once: Annotated[int, Ge(0)] = setting(
        0,
        "photos, and minutes of videos, that `index` works on side by side; 0: one for each of the "
        "threads, 4 at most",
    )
