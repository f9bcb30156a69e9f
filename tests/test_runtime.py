from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from indexer.errors import EnvironmentFailure, UsageError
from indexer.inference import Threads, in_parts
from indexer.mtcnn import mtcnn_networks
from indexer.openvino_net import load_openvino_net
from indexer.runtime import choose_runtime, processors, runtime_of
from indexer.settings import load
from indexer.torch_net import load_torch_net
from tests.new_process import in_new_process

# --- the choice -------------------------------------------------------------------------------


def test_a_processor_runs_openvino_and_that_is_said():
    runtime = choose_runtime("cpu", threads=3)
    assert (runtime.name, runtime.device, runtime.threads) == ("openvino", "cpu", 3)
    assert str(runtime) == "OpenVINO on the processor, 3 threads, fp32 (set by faces.device)"


def test_a_runtime_can_be_forced():
    settings = load({"compute.runtime": "torch", "faces.device": "cpu", "compute.threads": 1})
    runtime = runtime_of(settings)
    assert str(runtime) == "torch on the processor, 1 thread, fp32 (set by compute.runtime)"
    assert choose_runtime("auto", "openvino").name == "openvino"


def test_all_processors_are_used_unless_told_otherwise():
    assert choose_runtime("cpu").threads == processors() == len(os.sched_getaffinity(0))


def test_a_container_uses_the_share_of_processors_that_it_has(tmp_path):
    """`docker run --cpus=1.5` limits time, not which processors there are."""
    there = len(os.sched_getaffinity(0))
    assert processors(tmp_path) == there
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert processors(tmp_path) == there
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert processors(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("9900000 100000\n")
    assert processors(tmp_path) == there
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    for quota, count in (("100000", 1), ("-1", there)):
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        assert processors(tmp_path) == count


def test_half_precision_is_torchs_alone_and_is_said():
    halved = {"compute.half_precision": True, "faces.device": "cpu"}
    runtime = runtime_of(load(halved | {"compute.runtime": "torch", "compute.threads": 2}))
    assert "2 threads, fp32, embeddings in fp16" in str(runtime)
    assert not runtime.in_full().half
    with pytest.raises(UsageError, match=r"half_precision is for torch.*OpenVINO"):
        runtime_of(load(halved))


@pytest.mark.parametrize("half", [False, True])
def test_half_precision_moves_a_networks_outputs_by_a_thousandth(half):
    network = mtcnn_networks()[1]
    pixels = np.random.default_rng(0).standard_normal((4, 24, 24, 3), np.float32)
    runtime = replace(choose_runtime("cpu", "torch", threads=1), half=half)
    found = np.hstack(load_torch_net(network, runtime)(pixels))
    moved = np.abs(found - np.hstack(load_openvino_net(network, threads=1)(pixels))).max()
    assert found.dtype == np.float32
    assert (1e-5 < moved < 5e-3) if half else (moved < 1e-5)


def test_torch_computes_in_float32_and_not_in_tf32(tmp_path):
    code = (
        "import torch; torch.backends.cudnn.allow_tf32 = True;"
        "from indexer.mtcnn import mtcnn_networks; from indexer.torch_net import load_torch_net;"
        "from indexer.runtime import choose_runtime;"
        "load_torch_net(mtcnn_networks()[1], choose_runtime('cpu', 'torch'));"
        "print(torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)"
    )
    assert in_new_process(code, tmp_path) == ["False False"]


def test_torch_on_the_processor_is_called_by_one_thread_at_a_time():
    """It shares each call among as many threads of its own."""
    assert choose_runtime("cpu", "torch", threads=4).calls_at_once == 1
    assert choose_runtime("cpu", "openvino", threads=4).calls_at_once == 4


def test_contradictions_are_refused():
    with pytest.raises(UsageError, match="auto, cpu or cuda"):
        choose_runtime("gpu")
    with pytest.raises(UsageError, match="auto, openvino or torch"):
        choose_runtime("cpu", "onnx")
    with pytest.raises(UsageError, match="does not run on CUDA"):
        choose_runtime("cuda", "openvino")


def test_cuda_is_used_where_it_is_and_never_replaced():
    import torch

    if torch.cuda.is_available():
        assert choose_runtime("auto").device == choose_runtime("cuda").device == "cuda"
    else:
        assert choose_runtime("auto").name == "openvino"
        with pytest.raises(EnvironmentFailure, match="no CUDA"):
            choose_runtime("cuda")


def test_the_choice_needs_neither_torch_nor_openvino(tmp_path):
    code = (
        "import sys; from indexer.runtime import choose_runtime; choose_runtime('cpu');"
        "print({'torch', 'openvino', 'numpy'} & set(sys.modules))"
    )
    assert in_new_process(code, tmp_path) == ["set()"]


def test_openvino_tells_nobody_that_it_is_used(tmp_path):
    """Its converter reports each import to its maker, unless it runs in CI or was told not to."""
    code = (
        "import sys; from indexer.openvino_net import openvino; openvino().Core();"
        "print([name for name in sys.modules if 'telemetry' in name or 'ovc' in name])"
    )
    assert in_new_process(code, tmp_path) == ["[]"]


# --- batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 31])
def test_batches_have_few_sizes_and_keep_their_order(count):
    sizes = []

    def net(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        sizes.append(len(pixels))
        return pixels[:, 0, 0], pixels.sum(axis=(1, 2, 3))

    pixels = np.random.default_rng(0).random((count, 2, 2, 3), np.float32)
    first, sums = in_parts(net, 8)(pixels)
    np.testing.assert_array_equal(first, pixels[:, 0, 0])
    np.testing.assert_array_equal(sums, pixels.sum(axis=(1, 2, 3)))
    assert set(sizes) <= {1, 2, 4, 8}


def test_without_inputs_a_network_is_asked_for_its_shapes_once():
    asked = []

    def net(pixels: np.ndarray) -> tuple[np.ndarray, ...]:
        asked.append(len(pixels))
        return pixels[:, 0, 0], pixels.sum(axis=(1, 2, 3))

    run = in_parts(net, 8)
    for _ in range(3):
        first, sums = run(np.zeros((0, 2, 2, 3), np.float32))
        assert (first.shape, sums.shape) == ((0, 3), (0,))
    assert asked == [1]


def test_calls_have_all_threads_until_as_many_calls_have_one_each():
    threads = Threads(2)
    with threads.mapping() as alone, threads.mapping() as beside:
        assert alone is not map
        assert beside is map
        assert list(alone(abs, [-1, 2, -3])) == [1, 2, 3]
    with threads.mapping(worthwhile=False) as small:
        assert small is map
    with threads.mapping() as again:
        assert again is not map
    of_four = Threads(4)
    with ExitStack() as calls:
        lent = [calls.enter_context(of_four.mapping()) for _ in range(5)]
    assert [each is map for each in lent] == [False, False, False, True, True]
    with Threads(1).mapping() as single:
        assert single is map
