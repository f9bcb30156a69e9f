"""Every store finds the neighbours that the exact one finds, by either metric."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from indexer.errors import EnvironmentFailure, MissingExtra, UsageError
from indexer.evaluation.stores import open_store
from indexer.settings import Settings
from tests.evaluation.neighbours import DIMENSIONS, K, check, expected, recall
from tests.ingest_process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.evaluation.records import Metric
    from indexer.evaluation.stores.base import Store

    Open = Callable[..., Store]

LOCAL = ["exact", "scikit-learn", "embedded", "milvus", "milvus:IVF_FLAT", "milvus:HNSW"]
LEAST_RECALL = {"milvus:IVF_FLAT": 0.8, "milvus:HNSW": 0.95}
ANY_LENGTH = [name for name in LOCAL if name != "embedded"]

metrics = pytest.mark.parametrize("metric", ["cosine", "euclidean"])


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def open_one(name: str, metric: Metric = "cosine", dimensions: int = DIMENSIONS) -> Store:
        return open_store(name, dimensions, metric=metric, folder=tmp_path, settings=Settings())

    return open_one


@metrics
@pytest.mark.parametrize("name", LOCAL)
def test_a_store_finds_the_nearest(
    opened: Open, vectors: np.ndarray, queries: np.ndarray, name: str, metric: Metric
) -> None:
    with opened(name, metric) as store:
        assert store.name == name
        check(store, vectors, queries, least_recall=LEAST_RECALL.get(name, 1.0))


@metrics
@pytest.mark.parametrize("name", ANY_LENGTH)
def test_vectors_may_have_any_length(
    opened: Open, vectors: np.ndarray, queries: np.ndarray, name: str, metric: Metric
) -> None:
    lengths = np.random.default_rng(2).uniform(0.5, 30, (len(vectors), 1)).astype(np.float32)
    with opened(name, metric) as store:
        check(store, vectors * lengths, queries * 7, least_recall=LEAST_RECALL.get(name, 1.0))


def test_an_engine_of_unit_vectors_normalises_for_the_cosine_and_else_refuses(
    opened: Open, vectors: np.ndarray, queries: np.ndarray
) -> None:
    with opened("embedded") as store:
        check(store, vectors * 3, queries * 7)
    with opened("embedded", "euclidean") as store:
        with pytest.raises(UsageError, match="of length 1 alone"):
            store.insert(vectors * 3)
        store.insert(vectors)
        with pytest.raises(UsageError, match="of length 1 alone"):
            store.nearest(queries * 7, K)


@pytest.mark.parametrize("name", LOCAL)
def test_more_can_be_inserted_after_a_search(
    opened: Open, vectors: np.ndarray, queries: np.ndarray, name: str
) -> None:
    with opened(name) as store:
        store.insert(vectors[:300])
        store.nearest(queries, K)
        store.insert(vectors[300:])
        rows, _ = store.nearest(queries, K)
        assert recall(rows, expected(vectors, queries, "cosine")[0]) >= 0.95


@pytest.mark.parametrize("name", LOCAL)
def test_what_cannot_be_compared_is_refused(
    opened: Open, vectors: np.ndarray, queries: np.ndarray, name: str
) -> None:
    with opened(name) as store:
        with pytest.raises(UsageError, match="0 vectors are there"):
            store.nearest(queries, 1)
        store.insert(vectors[:5])
        for wrong in (vectors[:, :5], vectors[0], vectors * np.nan, vectors * 0):
            with pytest.raises(UsageError, match=r"shape|finite|no length"):
                store.insert(wrong)
            with pytest.raises(UsageError, match=r"shape|finite|no length"):
                store.nearest(wrong, 1)
        with pytest.raises(UsageError, match="6 neighbours were asked for, and 5"):
            store.nearest(queries, 6)
        rows, scores = store.nearest(queries[:0], 3)
        assert rows.shape == scores.shape == (0, 3)
        assert sorted(store.nearest(queries, 5)[0][0].tolist()) == list(range(5))


@pytest.mark.parametrize("name", LOCAL)
def test_a_closed_store_leaves_nothing_behind(
    opened: Open, vectors: np.ndarray, tmp_path: Path, name: str
) -> None:
    before = set(threading.enumerate())
    with opened(name) as store:
        store.insert(vectors)
        store.nearest(vectors[:1], 1)
    store.close()
    assert not list(tmp_path.iterdir())
    # The last threads of a server that was told to end take a moment.
    wait_until(lambda: {each for each in threading.enumerate() if not each.daemon} <= before)


def test_equal_vectors_come_in_order_of_row(opened: Open, vectors: np.ndarray) -> None:
    with opened("exact") as store:
        store.insert(np.repeat(vectors[:3], 4, axis=0))
        rows, _ = store.nearest(vectors[1:2], 6)
    assert rows[0, :4].tolist() == [4, 5, 6, 7]


WRONG = {
    "faiss": "no store 'faiss'",
    "exact:fast": "no store",
    "elasticsearch:pq@http://localhost:9": "vector types are int8_hnsw",
    "elasticsearch@ftp://localhost": "no address of a cluster",
    "elasticsearch@http://me:secret@localhost": "names no user",
    "milvus@http://me:secret@localhost": "names no user",
    "milvus@localhost": "no address of Milvus",
    "milvus:PQ": "PQ",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_store_that_there_is_none_of_is_refused(opened: Open, name: str) -> None:
    with pytest.raises(UsageError, match=WRONG[name]) as refused:
        opened(name)
    assert "secret" not in str(refused.value)


def test_there_are_two_metrics(opened: Open) -> None:
    with pytest.raises(UsageError, match="cosine or euclidean"):
        opened("exact", "manhattan")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["elasticsearch@http://127.0.0.1:9", "milvus@http://127.0.0.1:9"])
def test_a_server_that_is_not_there_is_told(opened: Open, name: str) -> None:
    with pytest.raises(EnvironmentFailure, match=r"127\.0\.0\.1:9"):
        opened(name)


def test_without_a_cluster_in_the_settings_one_must_be_named(opened: Open) -> None:
    with pytest.raises(EnvironmentFailure, match="needs a cluster"):
        opened("elasticsearch")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("scikit-learn", "sklearn.neighbors"),
        ("milvus", "pymilvus"),
        ("milvus:HNSW", "milvus_lite.server_manager"),
    ],
)
def test_a_store_without_its_package_says_what_to_install(
    opened: Open, tmp_path: Path, name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"sightings\[evaluate\]"):
        opened(name)
    assert not list(tmp_path.iterdir())


def test_milvus_reads_no_settings_of_others_into_the_environment(tmp_path: Path) -> None:
    """pymilvus would take a file `.env` above its folder, such as that of a Docker Compose."""
    code = (
        "import os, sys, dotenv\n"
        "from indexer.evaluation.stores.milvus_client import pymilvus\n"
        "dotenv.main.find_dotenv = lambda *_, **__: sys.argv[1]\n"
        "pymilvus()\n"
        "print({name for name in os.environ if name.startswith(('FROM_', 'PYTHON_DOTENV'))})"
    )
    (tmp_path / ".env").write_text("FROM_DOTENV=1\n")
    command = [sys.executable, "-c", code, str(tmp_path / ".env")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("set()\n", "")
