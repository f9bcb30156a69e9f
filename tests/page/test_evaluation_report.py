"""The report of an evaluation in a browser: no complaints, nothing wider than the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.evaluation.report import write_report
from tests.evaluation.outcomes import BAD_NAME, make_photos, matrix, photo_outcome
from tests.page.test_accessibility import _CONTRASTS

if TYPE_CHECKING:
    from pathlib import Path

WIDER = """(width) => [document.documentElement, document.body, ...document.querySelectorAll('*')]
  .filter((each) => each.checkVisibility())
  .filter((each) => !each.closest('.table, .drawing, .unseen') || each.matches('.table, .drawing'))
  .filter((each) => each.getBoundingClientRect().right > width + 0.5
    || (each === document.documentElement && each.scrollWidth > width))
  .map((each) => `${each.tagName} ${each.className} ${each.getBoundingClientRect().right}`)"""
OPENED = "() => document.querySelectorAll('details').forEach((each) => { each.open = true })"
PICTURES = """() => [...document.images].filter((each) => !each.complete || !each.naturalWidth)
  .length"""


@pytest.mark.slow
def test_the_report_fits_phones_and_desks_in_both_schemes(chromium, tmp_path: Path) -> None:
    outcomes = [*matrix(), photo_outcome(f"{BAD_NAME}{'long' * 30}", spread=1.2, seed=9)]
    make_photos(tmp_path / "photos", outcomes[0])
    page_file = write_report(outcomes, tmp_path, photos=tmp_path / "photos", title="t" * 90)
    for width, scheme in ((390, "light"), (1280, "dark")):
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True
        )
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said, to=complaints: to.append(said.text))
        page.on("pageerror", lambda error, to=complaints: to.append(str(error)))
        requests: list[str] = []
        page.on("request", lambda asked, to=requests: to.append(asked.url[:40]))
        page.goto(page_file.as_uri())
        page.evaluate(
            "() => document.querySelectorAll('details').forEach((d) => { d.open = true })"
        )
        assert page.evaluate(WIDER, width) == []
        assert page.evaluate(PICTURES) == 0
        assert page.evaluate(_CONTRASTS) == []
        assert complaints == []
        assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
        context.close()
