from __future__ import annotations

import hashlib
import multiprocessing
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from indexer.embeddings.facenet import VGGFACE2
from indexer.errors import WeightsUnavailable
from indexer.weights import WeightsSource, cache_dir, download, find_weights, reachable, sha256_of

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = bytes(range(256)) * 12_000


class FileServer(ThreadingHTTPServer):
    """Serves one file and remembers from which byte it was asked for."""

    daemon_threads = True

    def __init__(self, body: bytes, *, status: int, ranges: bool, cut_at: int | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.body, self.status, self.ranges, self.cut_at = body, status, ranges, cut_at
        self.starts: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/net.pt"

    def handle_error(self, *_: object) -> None:
        """Stay quiet: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and self.server.ranges else 0
        self.server.starts.append(start)
        body = self.server.body
        self.send_response(206 if start and self.server.status == 200 else self.server.status)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : self.server.cut_at])

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@contextmanager
def serving(body=WEIGHTS, *, status=200, ranges=True, cut_at=None):
    with FileServer(body, status=status, ranges=ranges, cut_at=cut_at) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SIGHTINGS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def source_at(url: str) -> WeightsSource:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    return WeightsSource("TestNet", "net.pt", url, len(WEIGHTS), digest, "CC0", VGGFACE2.instead)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_cache_lies_in_the_users_cache_folder_unless_told_otherwise(cache, monkeypatch):
    assert cache_dir() == cache
    monkeypatch.delenv("SIGHTINGS_CACHE")
    assert cache_dir().name == "sightings"


def test_a_download_is_found_in_the_cache_afterwards(cache):
    told = []
    with serving() as server:
        source = source_at(server.url)
        assert find_weights(source, None) is None
        path = download(source, progress=lambda done, total: told.append((done, total)))
    assert path == cache / "net.pt" == find_weights(source, None)
    assert path.read_bytes() == WEIGHTS
    assert told[-1] == (3_072_000, 3_072_000)
    assert told == sorted(told)


def test_a_finished_download_asks_the_server_no_more():
    with serving() as server:
        download(source_at(server.url))
        download(source_at(server.url))
        assert server.starts == [0]


def test_a_cut_download_goes_on_where_it_stopped():
    with serving(cut_at=1_500_000) as server:
        with pytest.raises(WeightsUnavailable, match="could not be fetched"):
            download(source_at(server.url))
        assert find_weights(source_at(server.url), None) is None
        server.cut_at = None
        assert download(source_at(server.url)).read_bytes() == WEIGHTS
        assert server.starts[0] == 0
        assert 0 < server.starts[1] <= 1_500_000


def test_a_server_that_cannot_resume_sends_the_file_from_its_start(cache):
    cache.mkdir()
    (cache / "net.pt.part").write_bytes(WEIGHTS[:1000])
    with serving(ranges=False) as server:
        assert download(source_at(server.url)).read_bytes() == WEIGHTS


def test_a_part_that_is_already_whole_is_taken_without_asking(cache):
    cache.mkdir()
    (cache / "net.pt.part").write_bytes(WEIGHTS)
    assert download(source_at("http://127.0.0.1:9/net.pt")).read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    "body",
    [WEIGHTS[::-1], WEIGHTS + b"more", b"<html>Please log in</html>"],
    ids=["other bytes", "too long", "too short"],
)
def test_what_is_not_the_published_file_is_not_kept(cache, body):
    with serving(body) as server:
        with pytest.raises(WeightsUnavailable, match="not the published file"):
            download(source_at(server.url))
        assert files_in(cache) == {"net.pt.lock"}
        server.body = WEIGHTS
        assert download(source_at(server.url)).read_bytes() == WEIGHTS


def test_a_damaged_part_is_noticed_and_the_next_run_starts_anew(cache):
    cache.mkdir()
    (cache / "net.pt.part").write_bytes(b"x" * 1000)
    with serving() as server:
        with pytest.raises(WeightsUnavailable, match="not the published file"):
            download(source_at(server.url))
        assert download(source_at(server.url)).read_bytes() == WEIGHTS


def test_a_damaged_file_in_the_cache_is_fetched_again(cache):
    cache.mkdir()
    (cache / "net.pt").write_bytes(WEIGHTS[:-1] + b"x")
    with serving() as server:
        assert find_weights(source_at(server.url), None) is None
        assert download(source_at(server.url)).read_bytes() == WEIGHTS


def test_the_error_says_what_happened_and_everything_that_can_be_done(cache):
    with serving(status=404) as server:
        source = source_at(server.url)
        with pytest.raises(WeightsUnavailable) as caught:
            download(source)
    message = str(caught.value)
    for part in (
        "TestNet",
        "404",
        source.url,
        "net.pt",
        "3,072,000 bytes",
        source.sha256,
        str(cache),
        "--model facenet:PATH",
        "--model dlib",
        "sightings[dlib]",
        "--model onnx:PATH",
    ):
        assert part in message
    assert caught.value.__cause__ is not None


def test_a_server_that_falls_silent_is_given_up():
    with silent_server() as url, pytest.raises(WeightsUnavailable, match="timed out"):
        download(source_at(url), timeout_s=0.2)


def test_a_cache_that_cannot_be_written_is_an_error_of_its_own_kind(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SIGHTINGS_CACHE", str(tmp_path / "file"))
    with pytest.raises(WeightsUnavailable, match=r"Not a directory|File exists"):
        download(source_at("http://127.0.0.1:9/net.pt"))


def test_two_processes_that_download_at_once_both_get_the_file(cache):
    with serving() as server:
        spawn = multiprocessing.get_context("spawn")
        processes = [spawn.Process(target=_download_or_fail, args=(server.url,)) for _ in "ab"]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        assert (cache / "net.pt").read_bytes() == WEIGHTS
        assert server.starts == [0]


def _download_or_fail(url: str) -> None:
    download(source_at(url))


def test_a_given_file_is_taken_as_it_is(tmp_path):
    own = tmp_path / "own.pt"
    own.write_bytes(b"other weights")
    source = source_at("http://127.0.0.1:9/net.pt")
    assert find_weights(source, str(own)) == own
    with pytest.raises(WeightsUnavailable, match=r"no file .*missing\.pt"):
        find_weights(source, str(tmp_path / "missing.pt"))


def test_a_source_is_reachable_when_it_answers_with_the_file():
    with serving() as server:
        assert reachable(source_at(server.url))
        server.status = 404
        assert not reachable(source_at(server.url))
    assert not reachable(source_at("http://127.0.0.1:9/net.pt"))
    with silent_server() as url:
        assert not reachable(source_at(url), timeout_s=0.2)


@contextmanager
def silent_server():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/net.pt"


def test_the_digest_follows_a_changed_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path.write_bytes(b"")
    assert sha256_of(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    path.unlink()
    with pytest.raises(WeightsUnavailable, match="cannot be read"):
        sha256_of(path)


# --- files of which only the first digits of their SHA-256 are published -----------------------


def torchvisions_at(url: str) -> WeightsSource:
    return WeightsSource(
        "TestNet", "net.pt", url, None, source_at(url).sha256[:8], "CC0", "Or not."
    )


def test_a_file_of_unknown_size_is_checked_by_the_digits_that_are_known():
    told = []
    with serving() as server:
        path = download(
            torchvisions_at(server.url), progress=lambda done, total: told.append((done, total))
        )
    assert path == find_weights(torchvisions_at(server.url), None)
    assert path.read_bytes() == WEIGHTS
    assert {total for _, total in told} == {3_072_000}
    path.write_bytes(WEIGHTS[::-1])
    assert find_weights(torchvisions_at(server.url), None) is None


def test_a_cut_file_of_unknown_size_goes_on_where_it_stopped():
    with serving(cut_at=1_500_000) as server:
        source = torchvisions_at(server.url)
        with pytest.raises(WeightsUnavailable, match=r"begins with \w{8}\).*\n.*Or not\."):
            download(source)
        server.cut_at = None
        assert download(source).read_bytes() == WEIGHTS
        assert 0 < server.starts[1] <= 1_500_000


def test_other_bytes_of_unknown_size_are_not_kept(cache):
    cache.mkdir()
    (cache / "net.pt.part").write_bytes(WEIGHTS[::-1])
    with serving() as server:
        with pytest.raises(WeightsUnavailable, match="not the published file"):
            download(torchvisions_at(server.url))
        assert files_in(cache) == {"net.pt.lock"}
        assert download(torchvisions_at(server.url)).read_bytes() == WEIGHTS


def test_a_whole_part_of_unknown_size_is_taken_without_asking(cache):
    cache.mkdir()
    (cache / "net.pt.part").write_bytes(WEIGHTS)
    assert download(torchvisions_at("http://127.0.0.1:9/net.pt")).read_bytes() == WEIGHTS
