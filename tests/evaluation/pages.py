"""A report's page, taken apart: its elements, and its tables by row and column."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "link", "img", "br"}


@dataclass
class Element:
    """An element of a page; `text` is all the text in it."""

    tag: str
    attributes: dict[str, str | None]
    content: list[Element | str] = field(default_factory=list)

    @property
    def children(self) -> list[Element]:
        """Return the elements right below."""
        return [each for each in self.content if isinstance(each, Element)]

    @property
    def own_text(self) -> str:
        """Return the text before the first element in it."""
        return next((each.strip() for each in self.content if isinstance(each, str)), "")

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return all elements below of a tag and with attributes; `class_` has one of the words."""
        word = attributes.pop("class_", None)
        return [
            each
            for each in self.walk()
            if each.tag == tag
            and all(each.attributes.get(k.replace("_", "-")) == v for k, v in attributes.items())
            and (word is None or word in (each.attributes.get("class") or "").split())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """Return the only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def walk(self) -> list[Element]:
        """Return all elements below, in the order of the page."""
        return [e for child in self.children for e in (child, *child.walk())]

    @property
    def text(self) -> str:
        """Return all text in it, each run of white space as one space."""
        inner = [each if isinstance(each, str) else f" {each.text} " for each in self.content]
        return " ".join("".join(inner).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)


def read_page(path: Path) -> Element:
    """Return the page as a tree; each element must be closed where it should be."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == [reader.root]
    return reader.root


def row_of(page: Element, table: str, run: str) -> dict[str, Element]:
    """Return the cells of a run's row, by the titles of their columns."""
    found = page.one("table", id=f"table-{table}")
    titles = [each.own_text for each in found.all("th", scope="col")][1:]
    row = found.one("tr", data_run=run)
    return dict(zip(titles, row.all("td"), strict=True))
