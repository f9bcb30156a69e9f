"""Networks in torch, on CUDA or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.library_threads import limit_torch

if TYPE_CHECKING:
    from indexer.inference import Array, Net, Network
    from indexer.runtime import Runtime


def load_torch_net(network: Network, runtime: Runtime) -> Net:
    """Load a network into torch; see `indexer.inference.load_net`.

    It computes in float32 throughout unless the runtime says half: never in CUDA's own TF32.
    """
    import torch

    limit_torch(runtime)
    # For the whole process: what is set around single calls, other threads' calls set back.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    kind = torch.float16 if runtime.half else torch.float32
    module = network.build(network.weights).to(
        device=runtime.device, dtype=kind, memory_format=torch.channels_last
    )

    def run(pixels: Array) -> tuple[Array, ...]:
        with torch.inference_mode():
            # Pixels that lie as (n, h, w, 3) are what torch calls channels_last.
            batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(runtime.device, kind)
            outputs = module(batch.permute(0, 3, 1, 2))
        listed = outputs if isinstance(outputs, tuple) else (outputs,)
        return tuple(each.float().cpu().numpy() for each in listed)

    return run
