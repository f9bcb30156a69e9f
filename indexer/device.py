"""Where torch runs its networks."""

from __future__ import annotations

from indexer.errors import EnvironmentFailure, UsageError


def torch_device(device: str) -> str:
    """Return `cpu` or `cuda` for `auto` (CUDA where there is one), `cpu` or `cuda`.

    Raises UsageError for any other word, EnvironmentFailure for `cuda` where there is none.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"Unknown device {device!r}: give auto, cpu or cuda.")
    if device == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise EnvironmentFailure("torch finds no CUDA device here: use the device auto or cpu.")
    return "cpu"
