"""How the page is sent: quickly, kept by browsers, and unable to run anything of others'."""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from api.routes.page import page as read_page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "api" / "page"
SOURCES = sorted(path for path in FOLDER.rglob("*") if path.is_file())


@pytest.fixture
def client(site):
    client = site.app.test_client()
    client.environ_base["HTTP_HOST"] = "localhost"
    return client


def addresses(client) -> list[str]:
    """Return what the page loads: all that its markup names."""
    return re.findall(r'(?:src|href)="(/page/[^"]+)"', client.get("/").text)


def test_the_page_needs_no_key_and_is_asked_for_anew_each_time(client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    again = client.get("/", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_its_files_are_kept_by_browsers_for_good(client) -> None:
    found = addresses(client)
    assert len(found) > 10
    for address in set(found):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_module_is_named_in_the_page_so_that_all_load_at_once(client) -> None:
    named = {address.split("/", 3)[3] for address in addresses(client)}
    assert named >= {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.js")}


def test_files_of_another_version_and_outside_of_the_page_are_not_there(client) -> None:
    assert client.get("/page/0000000000000000/js/main.js").status_code == 404
    version = read_page().version
    for name in ("../routes/page.py", "%2e%2e/routes/page.py", "index.html", "js", ""):
        assert client.get(f"/page/{version}/{name}").status_code == 404, name


def test_text_is_compressed_for_those_who_take_it(client) -> None:
    address = next(each for each in addresses(client) if each.endswith("search.js"))
    plain = client.get(address)
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2


def test_all_of_it_is_small() -> None:
    sizes = [len(file.packed) for file in read_page().files.values()]
    assert sum(sizes) < 100_000


def test_its_policy_lets_nothing_run_but_its_own_files(client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_sources_hold_no_markup_from_data_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in text
    text = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn", text)
    if path.suffix == ".html":
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text)
    if path.suffix == ".js":
        assert 'setAttribute("style"' not in text
        assert len(text.splitlines()) < 300


def test_an_installed_package_has_the_page() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["api"]
    packed = {path for each in patterns for path in (ROOT / "api").glob(each) if path.is_file()}
    assert packed == set(SOURCES)


def test_what_is_loaded_at_first_does_not_grow_with_the_index(page) -> None:
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url.split("/api/v1/")[-1]))
    page.page.goto("about:blank")
    page.page.goto("/")
    page.page.wait_for_load_state("networkidle")
    data = [
        each for each in asked if not each.startswith(("http", "faces/")) and "/page/" not in each
    ]
    assert sorted(data) == ["media?limit=1", "people?limit=12", "session"]
