"""A network's weights -> a function on arrays, whatever runtime it runs on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.runtime import Runtime

Array = np.ndarray[Any, Any]
Net = Callable[[Array], tuple[Array, ...]]
"""(n, h, w, 3) float32 with n >= 1 -> the network's outputs, each (n, ...) float32."""
Mapping = Callable[..., Iterator[Any]]
"""Calls a function on each element of iterables, as `map` does."""


@dataclass(frozen=True)
class Network:
    """A network that torch can build.

    name: part of a file name. weights: its file. build: makes the torch module from that file,
    in evaluation mode; raises WeightsUnavailable. side_px: of its square input; None: of any size.
    """

    name: str
    weights: Path
    build: Callable[[Path], Any]
    side_px: int | None


def load_net(network: Network, runtime: Runtime) -> Net:
    """Load a network. Several threads may call it at once. Raises what `network.build` raises."""
    from indexer.openvino_net import load_openvino_net
    from indexer.torch_net import load_torch_net

    if runtime.name == "openvino":
        return load_openvino_net(network, runtime.threads)
    return load_torch_net(network, runtime)


class Threads:
    """Threads that share the work of calls, until as many calls keep the processors busy.

    For networks of which each batch uses one thread.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="networks")
        self._count = count
        self._lock = threading.Lock()
        self._calls = 0

    @contextmanager
    def mapping(self, *, worthwhile: bool = True) -> Iterator[Mapping]:
        """Lend `map`, or the same in all threads where these are free and it is worthwhile.

        What is called must not ask for a mapping of the same threads.
        """
        with self._lock:
            self._calls += 1
            free = self._calls < self._count
        try:
            yield self._pool.map if free and worthwhile else map
        finally:
            with self._lock:
                self._calls -= 1


def threads_of(runtime: Runtime) -> Threads:
    """Return threads for OpenVINO; torch shares each batch among its own by itself."""
    return Threads(runtime.threads if runtime.name == "openvino" else 1)


def in_parts(net: Net, largest: int, threads: Threads | None = None) -> Net:
    """Let a network take any number of inputs, none too, in batches of few different sizes.

    A runtime prepares itself anew for each new size of a batch, which takes longer than to run a
    few small ones: the sizes are `largest`, a power of two, and the smaller powers of two.
    threads: that work on batches side by side.
    """
    of_none: dict[tuple[int, ...], tuple[Array, ...]] = {}

    def run(pixels: Array) -> tuple[Array, ...]:
        if not len(pixels):
            shape = pixels.shape[1:]
            if shape not in of_none:  # only the network knows the shapes of its outputs
                outputs = net(np.zeros((1, *shape), np.float32))
                of_none[shape] = tuple(each[:0] for each in outputs)
            return of_none[shape]
        parts, start = [], 0
        while start < len(pixels):
            size = min(largest, 1 << ((len(pixels) - start).bit_length() - 1))
            parts.append(pixels[start : start + size])
            start += size
        with threads.mapping() if threads else nullcontext(map) as mapped:
            return tuple(map(np.concatenate, zip(*mapped(net, parts), strict=True)))

    return run
