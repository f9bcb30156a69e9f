"""Networks in 8 bits: quantised after training with faces at hand, and run by OpenVINO.

Weights and the values between layers become 8-bit integers (Jacob et al., Quantization and Training
of Neural Networks for Efficient Integer-Arithmetic-Only Inference, CVPR 2018); the ranges of the
values are those that the faces give. NNCF does it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.inference import Array


def quantised(
    read: Callable[[], Any], pixels: Array, *, below_zero: bool = False
) -> tuple[bytes, bytes]:
    """Return a network in 8 bits as OpenVINO's XML and weights.

    read: makes the network as an OpenVINO model. pixels: (n, side, side, 3) float32, the inputs by
    which values are ranged. below_zero: whether values between layers may be negative but not as
    far as they are positive, as after PReLU; their ranges then have a zero point of their own
    (NNCF's preset `MIXED`). Raises MissingExtra.
    """
    from indexer.openvino_net import openvino

    openvino()
    nncf = _nncf()
    inputs = nncf.Dataset([pixels[i : i + 1] for i in range(len(pixels))])
    presets = nncf.QuantizationPreset
    model = nncf.quantize(
        read(),
        inputs,
        preset=presets.MIXED if below_zero else presets.PERFORMANCE,
        subset_size=len(pixels),
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        openvino().save_model(model, path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


def _nncf() -> Any:
    """Return the package, imported without what tells its maker of every use over the network."""
    if sys.modules.get("nncf") is None:
        telemetry = "openvino_telemetry"
        before = sys.modules.get(telemetry)
        sys.modules[telemetry] = None  # type: ignore[assignment]
        try:
            import nncf

            nncf.set_log_level(40)  # errors
        except ImportError as error:
            raise MissingExtra("Quantising a network", "int8") from error
        finally:
            if before is None:
                del sys.modules[telemetry]
            else:
                sys.modules[telemetry] = before
    return sys.modules["nncf"]


def as_array(content: bytes) -> Array:
    """Return bytes as an array, as files of arrays hold them."""
    return np.frombuffer(content, np.uint8)
