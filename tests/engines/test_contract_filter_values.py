"""Values of filters mean nothing but themselves, whatever they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.records import Filters
from tests.engines.asking import media_names, names_of
from tests.engines.builders import add_photo, axis, make_label, photo

if TYPE_CHECKING:
    from indexer.engines.base import Index

ODD = [
    "O'Brien",
    'say "hello"',
    "100%",
    "a_b",
    "*",
    "?",
    "a*",
    "\\*",
    "[a-z]",
    "' OR '1'='1",
    "'); DROP TABLE faces; --",
    "\\",
    "line\nbreak",
    "nul\0inside",
    "写真 Ünïcödé 🙂",
    "undecodable \udcff byte",
    "\ufffedcff",
    r"\udcff",
    "n" * 10_000,
    "🙂" * 10_000,
    # Elasticsearch's query and script languages, regular expressions, templates
    "Ann AND Bob",
    "NOT Ann",
    "person:Ann",
    "[a TO b]",
    "{a TO *}",
    ".*",
    "a|b",
    "~",
    "+a -b && !c^2~",
    '{"match_all":{}}',
    "${name} {{name}} <b>&amp;",
    "null",
    "0",
    # looks alike, or is drawn alike
    "e\u0301 decomposed",
    "\u00e9 decomposed",
    "שלום",
    "\u202eright to left",
    "zero\u200bwidth",
    "👩\u200d👩\u200d👧",
    " ",
    " blank before and after ",
    "\t",
]
"""Names that mean something to somebody; none has a slash, so each may be a file's, too."""

NEAR_MISSES = [
    *("OBrien", "100", "1000", "aXb", "a", "b", "anything", "nul", "写真", "Ann", "Bob", "name"),
    *("n" * 9_999, "🙂" * 9_999, " *", "undecodable byte", "e decomposed", "right to left"),
    *("zerowidth", "👩👩👧", "blank before and after", "  "),
]

ALL = (*ODD, *NEAR_MISSES)


def test_odd_values_find_exactly_what_they_say(index: Index) -> None:
    faces = [add_photo(index, v, axis(0), path=f"/p/{v}")[0] for v in ALL]
    index.label(map(make_label, faces, ALL))
    for value in ODD:
        for filters in (
            Filters(persons=(value,)),
            Filters(file_names=(value,)),
            Filters(path_prefix=f"/p/{value}"),
        ):
            found = names_of(index, filters, ALL)
            assert found == media_names(index, filters, ALL) == {value}, filters
        among = Filters(persons=(value, "/.*/", ""), file_names=(value, ""))
        assert media_names(index, among, ALL) == {value}
    listed = {label.person for label in index.list_labels(persons=tuple(ODD))}
    assert listed == {*ODD}
    assert {person.name for person in index.list_people()} == {*ALL}


def test_values_with_slashes_find_exactly_what_they_say(index: Index) -> None:
    names = ("/regex/", "/.*/", "a/b", "/", "//", "regex", "a")
    faces = add_photo(index, "a", *(axis(0) for _ in names), path="/p//.*/x.jpg")
    index.label(map(make_label, faces, names))
    for name in names:
        found = [face.person for face in index.iter_faces(Filters(persons=(name,)))]
        assert found == [name]
        assert index.count(Filters(persons=(name,))) == 1
        assert index.count(Filters(file_names=(name,))) == 0
    for prefix, found in (("/p//.*", {"a"}), ("/p/.*", set()), ("/p//.", set()), ("/.*/", set())):
        assert media_names(index, Filters(path_prefix=prefix)) == found, prefix


def test_an_empty_value_is_a_value(index: Index) -> None:
    add_photo(index, "a", axis(0), path="/p/a.jpg")
    index.label([make_label(add_photo(index, "b", axis(0))[0], "Ann")])
    for filters in (
        Filters(persons=("",)),
        Filters(file_names=("",)),
        Filters(media_ids=("",)),
        Filters(kind=""),  # type: ignore[arg-type]
    ):
        assert names_of(index, filters) == media_names(index, filters) == set(), filters
    assert names_of(index, Filters(exclude_media_ids=("",))) == {"a", "b"}


def test_ids_are_matched_literally(index: Index) -> None:
    add_photo(index, "a", axis(0))
    odd = (*ODD, photo("a").id.upper(), photo("a").id[:-1], photo("a").id + " ")
    for value in odd:
        assert media_names(index, Filters(media_ids=(value,))) == set()
    assert names_of(index, Filters(media_ids=odd)) == set()
    assert names_of(index, Filters(exclude_media_ids=odd)) == {"a"}
