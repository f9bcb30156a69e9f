"""Which frames both sides keep: thresholds of the benchmark's own, so that its figures compare.

They were the project's defaults when the first figures were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.settings import KeyframeSettings

MIN_DELTA_E, MIN_CELL_DELTA_E, MAX_GAP_S = 8.0, 30.0, 1.0


def key_frame_settings() -> KeyframeSettings:
    """Return the rule as the project's settings."""
    from indexer.settings import KeyframeSettings

    return KeyframeSettings(
        min_delta_e=MIN_DELTA_E, min_cell_delta_e=MIN_CELL_DELTA_E, max_gap_s=MAX_GAP_S
    )
