from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import EnvironmentFailure, UsageError
from indexer.inference import Threads, in_parts
from indexer.mtcnn import mtcnn_networks
from indexer.network_cache import CachedNetwork
from indexer.openvino_net import load_openvino_net
from indexer.runtime import choose_runtime, processors, runtime_of
from indexer.settings import load
from indexer.torch_net import load_torch_net

ROOT = Path(__file__).parents[1]


def in_new_process(code: str, cache: Path) -> list[str]:
    """Run Python code with a cache folder of its own, as outside of CI; return its lines."""
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment |= {"SIGHTINGS_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.splitlines()


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


# --- converted networks -----------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SIGHTINGS_CACHE", str(tmp_path))
    return tmp_path


def r_net_outputs() -> np.ndarray:
    """Load R-Net and run it."""
    pixels = np.random.default_rng(0).standard_normal((4, 24, 24, 3), np.float32)
    return np.hstack(load_openvino_net(mtcnn_networks()[1], threads=1)(pixels))


def test_a_network_is_converted_once(cache, caplog):
    outputs = r_net_outputs()
    [file] = (cache / "networks").iterdir()
    written = file.stat().st_ctime_ns, file.stat().st_ino
    content = file.read_bytes()
    np.testing.assert_array_equal(r_net_outputs(), outputs)
    assert file.stat().st_ino == written[1]
    assert file.read_bytes() == content
    assert not caplog.records


def test_a_converted_network_needs_no_torch(cache):
    r_net_outputs()
    code = (
        "import sys; from indexer.openvino_net import load_openvino_net;"
        "from indexer.mtcnn import mtcnn_networks; load_openvino_net(mtcnn_networks()[1], 1);"
        "print({'torch', 'torchvision', 'facenet_pytorch', 'scipy'} & set(sys.modules))"
    )
    assert in_new_process(code, cache) == ["set()"]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "another's"])
def test_a_damaged_network_is_made_anew_and_that_is_said(cache, caplog, damage):
    outputs = r_net_outputs()
    [file] = (cache / "networks").iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    file.write_bytes(
        {
            "cut": whole[:middle],
            "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "empty": b"",
            "another's": whole.replace(b"mtcnn-r", b"mtcnn-x", 1),
        }[damage]
    )
    np.testing.assert_array_equal(r_net_outputs(), outputs)
    assert [record.getMessage() for record in caplog.records] == [
        f"{file} is damaged and is made anew."
    ]
    assert file.read_bytes()[:40] == whole[:40]


def test_bytes_that_openvino_does_not_take_are_made_anew(cache, caplog):
    outputs = r_net_outputs()
    [file] = (cache / "networks").iterdir()
    header = file.read_bytes().split(b"\n", 4)[:4]
    name, weights_sha256, made_by = (field.decode() for field in header[1:])
    CachedNetwork(name, weights_sha256, made_by).write(b"no network")
    np.testing.assert_array_equal(r_net_outputs(), outputs)
    assert "cannot be used and is made anew" in caplog.text


def test_a_cache_folder_that_cannot_be_written_is_no_failure_but_is_said(
    without_root, monkeypatch, caplog
):
    monkeypatch.setenv("SIGHTINGS_CACHE", str(without_root / "cache"))
    without_root.chmod(0o500)
    try:
        assert r_net_outputs().shape == (4, 6)
    finally:
        without_root.chmod(0o700)
    assert "not kept" in caplog.text
    assert list(without_root.iterdir()) == []


def test_a_full_disk_is_no_failure_but_is_said(cache, caplog):
    """The largest file that a process may write is a disk that is full for it."""
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        outputs = r_net_outputs()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert outputs.shape == (4, 6)
    assert "not kept" in caplog.text
    assert list((cache / "networks").iterdir()) == []


@pytest.mark.slow
def test_several_processes_fill_the_cache_at_once(cache):
    code = (
        "from indexer.openvino_net import load_openvino_net;"
        "from indexer.mtcnn import mtcnn_networks; load_openvino_net(mtcnn_networks()[1], 1)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    [file] = (cache / "networks").iterdir()
    assert CachedNetwork(*file.read_bytes().decode("latin1").split("\n", 4)[1:4]).read()


def test_a_signal_after_networks_were_let_go_is_handled(cache):
    """Each core of OpenVINO would leave a stack for signals behind that another one frees."""
    code = (
        "import signal; from indexer.openvino_net import load_openvino_net;"
        "from indexer.mtcnn import mtcnn_networks;"
        "signal.signal(signal.SIGTERM, lambda *_: print('handled'));"
        "nets = [load_openvino_net(network, 1) for network in mtcnn_networks()];"
        "nets.pop(0); nets.pop(0); nets.pop(0); signal.raise_signal(signal.SIGTERM)"
    )
    assert in_new_process(code, cache) == ["handled"]


def test_what_no_run_reads_any_more_is_removed(cache):
    old = cache / "networks" / "mtcnn-r-0123456789ab-other"
    CachedNetwork("mtcnn-r", "0123456789ab" * 5, "an older version").write(b"old")
    CachedNetwork("mtcnn-r", "0123456789ab" * 5, "a version in use").write(b"used")
    old, used = sorted(
        (cache / "networks").iterdir(), key=lambda file: file.read_bytes().endswith(b"used")
    )
    os.utime(old, (0, 0))
    CachedNetwork("mtcnn-r", "0123456789ab" * 5, "a new version").write(b"new")
    remaining = set((cache / "networks").iterdir())
    assert old not in remaining
    assert used in remaining
    assert len(remaining) == 2


# --- the start of a search --------------------------------------------------------------------


@pytest.mark.slow
def test_a_search_for_a_photo_imports_no_torch(shared_data, cache):
    photo = shared_data / "data/stills/obama.jpg"
    index = ["--index", str(cache / "faces.sightings")]
    model = f"facenet:{shared_data}/models/facenet-vggface2.pt"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SIGHTINGS_FACES_DEVICE": "cpu"}

    def sightings(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-X", "importtime", "-m", "indexer", *arguments, *index]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env=environment, cwd=cache
        )

    sightings("index", str(photo), "--model", model)
    found = sightings("search", str(photo))
    assert "same person" in found.stdout
    loaded = {line.rsplit("|")[-1].strip() for line in found.stderr.splitlines() if "|" in line}
    assert "openvino" in loaded
    assert not {"torch", "torchvision", "facenet_pytorch", "scipy", "skimage"} & loaded
