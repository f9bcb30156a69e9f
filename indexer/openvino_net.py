"""Networks in OpenVINO, on the processor, in float32."""

from __future__ import annotations

import hashlib
import io
import logging
import sys
import threading
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.network_cache import CachedNetwork

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.inference import Array, Net, Network

LOG = logging.getLogger(__name__)
_MAKING = threading.Lock()
_CORES: list[Any] = []
PREPARED_STEPS = 128  # about ten for each size; a 1080p video needs ten sizes


def load_openvino_net(network: Network, threads: int) -> Net:
    """Load a network into OpenVINO; see `indexer.inference.load_net`.

    The first time torch builds it and it is converted, which takes seconds; then it comes from
    the cache, without torch.
    """
    from indexer.weights import sha256_of

    options = _options(threads, any_size=network.side_px is None)
    sha256 = sha256_of(network.weights)
    return _Compiled(_kept(network.name, sha256, lambda: converted(network), options))


def load_onnx_net(path: Path, threads: int) -> tuple[Net, bool]:
    """Load an ONNX network of one input (n, 3, h, w), and tell whether n must be 1.

    Raises RuntimeError, OpenVINO's only error, if the file holds none.
    """
    from indexer.weights import sha256_of

    sha256 = sha256_of(path)
    return _loaded(_kept("onnx", sha256, lambda: read_onnx(path), _options(threads)))


def load_ir_net(xml: bytes, weights: bytes, threads: int) -> tuple[Net, bool]:
    """Load a network of one input (n, h, w, 3) that OpenVINO has written; see `load_onnx_net`.

    Raises RuntimeError, OpenVINO's only error, if it cannot read it.
    """
    sha256 = hashlib.sha256(xml + weights).hexdigest()
    return _loaded(_kept("ir", sha256, lambda: core().read_model(xml, weights), _options(threads)))


def _kept(name: str, sha256: str, read: Callable[[], Any], options: dict[str, Any]) -> Any:
    """Return a network compiled: from the cache, or as `read` gives it, which is then kept.

    sha256: of its weights. Raises RuntimeError if what `read` gives cannot be compiled.
    """
    shared = core()
    made_by = f"{openvino().get_version()} {_processor(shared)}"
    cached = CachedNetwork(name, sha256, made_by)
    content = cached.read()
    if content is not None:
        try:
            return shared.import_model(io.BytesIO(content), "CPU", options)
        except RuntimeError as error:
            LOG.warning("%s cannot be used and is made anew: %s", cached.path, error)
    model = read()
    LOG.info("Converting %s for OpenVINO; it is kept in %s.", name, cached.path)
    compiled = shared.compile_model(model, "CPU", options)
    stream = io.BytesIO()
    compiled.export_model(stream)
    cached.write(stream.getvalue())
    return compiled


def read_onnx(path: Path) -> Any:
    """Return an ONNX network as an OpenVINO model on (n, h, w, 3). Raises RuntimeError."""
    return _channels_last(core().read_model(path))


def _loaded(compiled: Any) -> tuple[Net, bool]:
    batch = compiled.inputs[0].partial_shape[0]
    return _Compiled(compiled), batch.is_static and batch.get_length() == 1


def openvino() -> Any:
    """Return the package, imported without its converter.

    The converter tells its maker of every import over the network, unless people object, and
    takes half of the time.
    """
    converter = "openvino.tools.ovc"
    if "openvino" not in sys.modules:
        sys.modules[converter] = None  # type: ignore[assignment]
        try:
            import openvino  # noqa: F401
        finally:
            del sys.modules[converter]
    return sys.modules["openvino"]


def core() -> Any:
    """Return the one core of this process, which is never let go.

    Each core gives its thread another stack for signals, and puts back the one before when it and
    what it compiled are gone. Of several cores the stack put back may be gone as well: the next
    Ctrl-C ends the process with a segmentation fault (SigAltStackSetup in its processor plugin).
    """
    with _MAKING:
        if not _CORES:
            _CORES.append(openvino().Core())
    return _CORES[0]


def _options(threads: int, *, any_size: bool = False) -> dict[str, Any]:
    options = {
        # Otherwise it computes in 16 bits where the processor can.
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        # One thread for each batch, several batches at once: a face takes so little that threads
        # which share it mostly wait for each other.
        "NUM_STREAMS": threads,
        # Several processes would pin their threads to the same processors.
        "ENABLE_CPU_PINNING": False,
    }
    if any_size:
        # It keeps what it prepared for thousands of sizes otherwise: 4 MB for each new photo's.
        options["CPU_RUNTIME_CACHE_CAPACITY"] = PREPARED_STEPS
    return options


def _processor(core: Any) -> str:
    name = core.get_property("CPU", "FULL_DEVICE_NAME")
    return f"{name} {core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')}"


def converted(network: Network) -> Any:
    """Return a network as an OpenVINO model on (n, h, w, 3); n, and h and w of a P-Net, vary."""
    import torch

    openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    side = network.side_px
    example = torch.zeros(2, 3, side or 64, side or 64)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces another tracer
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            network.build(network.weights), example, check_trace=False
        )
        decoder = TorchScriptPythonDecoder(traced, skip_freeze=True)
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape([-1, 3, side or -1, side or -1])
    return _channels_last(model)


def _channels_last(model: Any) -> Any:
    """Let a model on (n, 3, h, w) take (n, h, w, 3), in which pictures lie in memory."""
    from openvino import Layout
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input().tensor().set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    return steps.build()


class _Compiled:
    """A compiled network as a function for several threads.

    Each call has a request to itself. One that has ended is used again by whatever thread: each
    holds the memory of the largest picture that it has met.
    """

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._count = len(compiled.outputs)
        self._free: deque[Any] = deque()

    def __call__(self, pixels: Array) -> tuple[Array, ...]:
        try:
            request = self._free.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        tensor = openvino().Tensor(np.ascontiguousarray(pixels), shared_memory=True)
        request.set_input_tensor(tensor)
        request.infer()
        found = tuple(request.get_output_tensor(i).data.copy() for i in range(self._count))
        self._free.append(request)
        return found
