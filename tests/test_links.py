"""Signed paths of pictures: what opens them, and keys that change."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from indexer import open_index
from indexer.links import PictureLinks, face_path, given_keys, media_path, stored_links
from indexer.settings_api import ApiSettings

if TYPE_CHECKING:
    from pathlib import Path


def parts(link: str) -> tuple[str, str]:
    """Return the path of a link and its signature."""
    split = urlsplit(link)
    return split.path, parse_qs(split.query)["signature"][0]


@pytest.mark.parametrize("links", [PictureLinks(("k",)), PictureLinks(("new", "k"))])
def test_a_link_opens_its_own_path_alone(links: PictureLinks) -> None:
    shown = links.of_face("f-1") | {"media": links.of_media("m")["frame_url"]}
    for link in shown.values():
        path, signature = parts(link)
        assert links.is_signed(path, signature)
        assert not links.is_signed(f"{path}/", signature)
        assert not links.is_signed(path.upper(), signature)
        for wrong in ("", signature[:-1], f"{signature}=", "ü", "\udcff"):
            assert not links.is_signed(path, wrong)
    assert len({parts(link)[1] for link in shown.values()}) == 3


def test_links_of_a_face_are_its_picture_and_its_frame() -> None:
    links = PictureLinks(("k",)).of_face("a b/c")
    assert {name: parts(link)[0] for name, link in links.items()} == {
        "thumbnail_url": "/api/v1/faces/a%20b%2Fc/thumbnail",
        "frame_url": "/api/v1/faces/a%20b%2Fc/frame",
    }


def test_a_medias_small_picture_is_its_frame_reduced_and_opens_by_the_same_signature() -> None:
    links = PictureLinks(("k",)).of_media("m")
    assert links["thumbnail_url"] == f"{links['frame_url']}&max_side_px=320"
    assert parts(links["frame_url"])[0] == "/api/v1/media/m/frame"


def test_the_first_key_signs_and_all_of_them_open() -> None:
    path = f"{face_path('f')}/thumbnail"
    old, both, new = (PictureLinks(keys) for keys in (("old",), ("new", "old"), ("new",)))
    _, before = parts(old.signed(path))
    _, after = parts(both.signed(path))
    assert both.is_signed(path, before)
    assert both.is_signed(path, after)
    assert new.is_signed(path, after)
    assert not new.is_signed(path, before)


def test_a_signature_is_the_same_whenever_and_wherever_it_is_made() -> None:
    # Written down: a change of the algorithm would make all stored links worthless.
    signature = parts(PictureLinks(("key",)).signed(f"{media_path('m')}/frame"))[1]
    assert signature == "jrjKUISxvIXI8CYzSV81s1rPFS1HIztGPtmwooPZi1U"


def test_documents_carry_links_only_where_keys_are_set() -> None:
    assert stored_links(ApiSettings()) is None
    assert stored_links(ApiSettings(signing_keys=" , ")) is None
    assert stored_links(ApiSettings(signing_keys="new, old")) == PictureLinks(("new", "old"))
    assert given_keys(ApiSettings(signing_keys="new,old,")) == ("new", "old")


def test_an_index_in_a_file_keeps_no_links(tmp_path: Path) -> None:
    with open_index(tmp_path / "faces.sightings", create=True) as index:
        assert index.renew_links() == 0


def test_keys_are_not_shown() -> None:
    assert "hunter2" not in repr(PictureLinks(("hunter2",)))
