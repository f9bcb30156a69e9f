"""Files of weights as torch saves them: state dicts, read without running any code in them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from indexer.errors import SightingsError, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def only_weights_of(path: Path, network: str, needed: str) -> Iterator[None]:
    """Turn what is raised for a file without a network's weights into WeightsUnavailable.

    network: whose weights. needed: what the file should hold.
    """
    try:
        yield
    except SightingsError:
        raise
    except Exception as error:  # what torch raises on files of other kinds has no common base
        raise WeightsUnavailable(
            f"{path} does not hold {network}'s weights: {needed} is needed."
        ) from error


def read_state_dict(path: Path) -> dict[str, Any]:
    """Return tensors by name. Raises errors of many kinds if the file holds something else."""
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise TypeError(f"{path} holds a {type(state).__name__}.")
    return state


def without(state: dict[str, Any], *prefixes: str) -> dict[str, Any]:
    """Return a state dict less what belongs to parts of the network."""
    return {key: value for key, value in state.items() if not str(key).startswith(prefixes)}
