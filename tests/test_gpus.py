"""Which GPU each process of a worker takes."""

from __future__ import annotations

import pytest
import torch

from indexer.gpus import gpu_of, visible_gpus


def test_each_process_has_a_gpu_of_its_own_while_there_are_enough() -> None:
    assert [gpu_of(process, ("0", "1", "2")) for process in range(3)] == ["0", "1", "2"]


def test_more_processes_than_gpus_share_them_evenly() -> None:
    assert [gpu_of(process, ("0", "1")) for process in range(5)] == ["0", "1", "0", "1", "0"]


@pytest.mark.parametrize(
    ("named", "gpus"),
    [
        ("0,1", ("0", "1")),
        ("3, 1", ("3", "1")),
        ("GPU-8932f937,MIG-0d1232f0", ("GPU-8932f937", "MIG-0d1232f0")),
        ("0,-1,2", ("0",)),
        ("-1", ()),
        ("", ()),
    ],
)
def test_the_gpus_are_those_that_cuda_is_told_of(
    named: str, gpus: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert visible_gpus() == gpus


def test_without_that_they_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == tuple(str(number) for number in range(torch.cuda.device_count()))
