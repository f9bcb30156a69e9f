"""Networks in torch, on CUDA or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from indexer.inference import Array, Net, Network
    from indexer.runtime import Runtime


def load_torch_net(network: Network, runtime: Runtime) -> Net:
    """Load a network into torch; see `indexer.inference.load_net`.

    It computes in float32 throughout: in half precision, and in CUDA's own TF32, boxes move and
    vectors change by a thousandth.
    """
    import torch

    if runtime.device == "cpu":
        torch.set_num_threads(runtime.threads)
    module = network.build(network.weights).to(
        device=runtime.device, memory_format=torch.channels_last
    )

    def run(pixels: Array) -> tuple[Array, ...]:
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with exact, torch.inference_mode():
            # Pixels that lie as (n, h, w, 3) are what torch calls channels_last.
            batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(runtime.device)
            outputs = module(batch.permute(0, 3, 1, 2))
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        return tuple(each.cpu().numpy() for each in listed)

    return run
