"""The README says what the program does: settings, commands, options, targets, and JSON."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from indexer.cli import app
from indexer.documents import search_document
from indexer.query import Query
from indexer.results import Hit, Result, Sighting
from indexer.settings import describe
from tests.engines.builders import axis, make_face, video

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *ROOT.glob("benchmarks/*.md")]
COMMANDS = get_command(app)


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def console(text: str) -> list[str]:
    lines = [line for block in blocks("console", text) for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def inline(text: str) -> list[str]:
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose)]


CONSOLE, INLINE = console(README), inline(README)
WRITTEN = [
    line
    for page in PAGES
    for text in [page.read_text(encoding="utf-8")]
    for line in (*console(text), *inline(text))
    if line.startswith("sightings ")
]


def every_command(command: Any = COMMANDS, name: str = "sightings") -> Iterator[tuple[str, Any]]:
    """Yield each command's full name with the command; groups too."""
    yield name, command
    for word, below in getattr(command, "commands", {}).items():
        yield from every_command(below, f"{name} {word}")


def test_the_settings_table_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| `(SIGHTINGS_\w+)` \| `([^`]*)` \|", README, re.MULTILINE)
    settings = [(s.name, s.variable, str(s.default) or "(empty)") for s in describe()]
    assert rows == settings


def test_the_readme_shows_commands() -> None:
    assert {"make demo", "make test"} <= set(CONSOLE)
    assert len([line for line in CONSOLE if line.startswith("sightings ")]) >= 3


@pytest.mark.parametrize("line", WRITTEN)
def test_a_command_line_of_the_pages_can_be_typed(line: str) -> None:
    command, (_, *words) = COMMANDS, shlex.split(line)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    is_whole = not hasattr(command, "commands") or command.invoke_without_command
    assert is_whole, f"{line} is only a part of a command"
    command.make_context(line, words)  # an error here ends in an exception of Typer's


def test_every_command_is_in_the_readme() -> None:
    for name, command in every_command():
        if not hasattr(command, "commands"):
            first, *rest = name.split()[1:]
            words = {word for text in INLINE for word in text.split()}
            assert {first, *rest} <= words, name


def test_every_option_of_the_readme_exists() -> None:
    known = {
        option for _, command in every_command() for p in command.params for option in p.opts
    } | {"--help"}
    written = {word for text in INLINE for word in re.findall(r"--[a-z][a-z-]+", text)}
    assert written <= known


def test_every_filter_of_a_search_is_in_the_readme() -> None:
    written = {word for text in INLINE for word in re.findall(r"--[a-z][a-z-]+", text)}
    (search,) = (command for name, command in every_command() if name == "sightings search")
    untold = {"--index", "--face", "--stored-face", "--person", "--top", "--min-score", "--all",
              "--model", "--set"}  # fmt: skip
    assert {option for p in search.params for option in p.opts if option[0] == "-"} <= (
        written | untold
    )


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    written = {
        line.split()[1] for line in (*CONSOLE, *INLINE) if re.fullmatch(r"make [a-z-]+", line)
    }
    assert {"demo", "test"} <= written <= targets


def keys(document: Any) -> Any:
    """Return the keys of a document, and of what is in it."""
    if isinstance(document, dict):
        return {name: keys(value) for name, value in document.items()}
    if isinstance(document, list) and document and isinstance(document[0], dict):
        return [keys(document[0])]
    return None


def test_the_json_of_the_readme_has_the_keys_of_a_real_one() -> None:
    (shown,) = (json.loads(block) for block in blocks("json") if '"results"' in block)
    media = video("clip")
    hit = Hit(make_face(media, axis(0)), 0.9)
    result = Result(
        media, 0.9, "same person", hit, (Sighting(1.0, 2.0, 0.9, "same person", 1.5, "face"),)
    )
    query = Query(axis(0)[None], "face 1 of 1 in a.jpg", 1, (1.0, 2.0, 3.0, 4.0))
    assert keys(shown) == keys(search_document(query, [result]))


@pytest.mark.parametrize("block", blocks("python"))
def test_python_of_the_readme_uses_what_there_is(block: str) -> None:
    import indexer

    imported = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in imported if node.module == "indexer" for alias in node.names}
    assert names
    assert names <= set(indexer.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
