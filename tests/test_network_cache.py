"""Networks as they were converted are kept, found again, and never trusted when damaged."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.mtcnn import mtcnn_networks
from indexer.network_cache import CachedNetwork
from indexer.openvino_net import load_onnx_net, load_openvino_net
from tests.new_process import ROOT, in_new_process

if TYPE_CHECKING:
    from pathlib import Path


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


def test_an_onnx_network_is_compiled_once_and_then_gives_the_same(cache, shared_data, caplog):
    path = shared_data / "models/mobilefacenet.onnx"
    pixels = np.random.default_rng(0).standard_normal((2, 112, 112, 3), np.float32)
    compiled, takes_one = load_onnx_net(path, threads=1)
    (outputs,) = compiled(pixels)
    [file] = (cache / "networks").iterdir()
    inode = file.stat().st_ino
    kept, still_takes_one = load_onnx_net(path, threads=1)
    np.testing.assert_array_equal(kept(pixels)[0], outputs)
    assert (file.stat().st_ino, takes_one, still_takes_one) == (inode, False, False)
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
