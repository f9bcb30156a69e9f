"""Keyboards, screen readers, narrow windows, and both colour schemes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.clips import photo, still

VIEWS = ["#/", "SEARCH", "VIEWER", "#/people", "#/library", "MEDIA", "#/add"]

# Elements that can be used, with what screen readers would call them.
_UNNAMED = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, video, progress, dialog, img')]
  .filter((each) => each.checkVisibility() && !each.closest('[aria-hidden=true]'))
  .filter((each) => each.tagName !== 'IMG' || !each.hasAttribute('alt'))
  .filter((each) => {
    const labels = [...(each.labels ?? [])].map((label) => label.innerText).join('');
    const by = (each.getAttribute('aria-labelledby') ?? '').split(' ')
      .map((id) => document.getElementById(id)?.innerText ?? '').join('');
    return !(each.getAttribute('aria-label') || by || labels || each.innerText?.trim());
  })
  .map((each) => each.outerHTML.slice(0, 200))"""

# One that is cut short, as the colours change again, is followed by another.
_SETTLED = """async () => {
  do {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.allSettled(document.getAnimations().map((each) => each.finished));
  } while (document.getAnimations().some((each) => each.playState === 'running'));
}"""

_CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parsed = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = ([r, g, b]) => [r, g, b].map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parsed(getComputedStyle(each).backgroundColor);
      if (colour[3] > 0.85) return colour;
    }
    return [255, 255, 255, 1];
  };
  const bad = [];
  for (const element of document.querySelectorAll('main *, header *')) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3)
      .map((node) => node.data.trim()).join('');
    if (!text || !element.checkVisibility() || element.closest('.unseen, :disabled, svg')) continue;
    const [one, other] = [parsed(getComputedStyle(element).color), ground(element)].map(light);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) bad.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return bad;
}"""


def show(visit, view: str, archive) -> None:
    """Open a view and wait until it is filled."""
    search = f"#/search?face_id={archive.faces['eileen.png'].id}"
    media = archive.media["pioneers.webm"].id
    addresses = {
        "SEARCH": search,
        "VIEWER": f"{search}&open={media}&at=2.000",
        "MEDIA": f"#/media/{media}",
    }
    visit.open(addresses.get(view, view))
    ready = {
        "SEARCH": ".result",
        "VIEWER": "dialog video",
        "MEDIA": ".face-picture",
        "#/": ".face-link",
        "#/people": ".person-card",
        "#/library": ".media-row",
    }
    expect(visit.page.locator(ready.get(view, ".drop")).first).to_be_visible()


def weak_contrasts(page) -> list[str]:
    """Return texts that can hardly be read, once what is still on its way has come."""
    for _ in range(20):
        if not (weak := page.evaluate(_CONTRASTS)):
            break
        page.wait_for_timeout(250)
    return weak


@pytest.mark.parametrize("view", VIEWS)
def test_every_control_has_a_name_and_the_page_its_landmarks(page, made_archive, view) -> None:
    show(page, view, made_archive)
    assert page.page.evaluate(_UNNAMED) == []
    for landmark in ("main", "body > header", "nav[aria-label]"):
        assert page.page.locator(landmark).count() == 1
    assert page.page.locator("main h1").count() == 1
    assert page.page.title().endswith("Sightings")
    ids = page.page.evaluate("() => [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("view", VIEWS)
def test_a_narrow_window_in_both_schemes(page, made_archive, view) -> None:
    page.page.set_viewport_size({"width": 360, "height": 740})
    show(page, view, made_archive)
    width = "() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    assert page.page.evaluate(width) <= 360
    sideways = """() => [...document.querySelectorAll('main *, dialog *')].filter((each) =>
      each.checkVisibility() && !each.closest('.unseen, .timeline-bar')
      && each.getBoundingClientRect().right > 361).map((each) => each.className)"""
    assert page.page.evaluate(sideways) == []
    for scheme in ("light", "dark"):  # colours change at once for those who want less motion
        page.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.page.evaluate(_SETTLED)
        assert weak_contrasts(page.page) == []


def test_a_search_with_the_keyboard_alone(page) -> None:
    keyboard = page.page.keyboard
    keyboard.press("Tab")
    expect(page.by_role("link", "Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    expect(page.page.locator("main")).to_be_focused()
    keyboard.press("Tab")
    expect(page.page.get_by_label("Choose photos")).to_be_focused()
    keyboard.press("Tab")
    expect(page.by_role("link", "Grace Hopper")).to_be_focused()
    keyboard.press("Enter")
    assert "grace.png" in page.found()

    play = page.result("grace.png").get_by_role("button", name="Open grace.png")
    for _ in range(60):
        keyboard.press("Tab")
        if play.evaluate("each => each === document.activeElement"):
            break
    expect(play).to_be_focused()
    outline = play.evaluate("each => getComputedStyle(each).outlineStyle")
    assert outline == "solid"
    keyboard.press("Enter")
    dialog = page.by_role("dialog", "grace.png")
    expect(dialog).to_be_visible()
    for _ in range(6):  # the focus stays inside
        keyboard.press("Tab")
        # Between its last control and its first the browser's own come, as nowhere in the page.
        inside = """each => each.contains(document.activeElement)
          || document.activeElement === document.body"""
        assert dialog.evaluate(inside)
    keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(play).to_be_focused()


def test_faces_are_chosen_with_the_keyboard(page, tmp_path, portraits) -> None:
    page.drop(photo(tmp_path / "both.png", still(portraits, "eileen", "grace")))
    page.found()
    other = page.page.locator(".face-box[aria-pressed=false]")
    name = other.get_attribute("aria-label")
    other.focus()
    page.page.keyboard.press("Enter")
    expect(page.by_role("button", name)).to_have_attribute("aria-pressed", "true")
    expect(page.by_role("button", name)).to_be_focused()


def test_a_new_view_gets_the_focus_and_a_title(page) -> None:
    page.by_role("link", "People").focus()
    page.page.keyboard.press("Enter")
    expect(page.by_role("heading", "People")).to_be_focused()
    assert page.page.title() == "People · Sightings"


def test_results_are_announced(page, made_archive) -> None:
    show(page, "SEARCH", made_archive)
    status = page.by_role("region", "Results").get_by_role("status")
    expect(status).to_have_text("Found in 2 videos and 1 photo, best first.")
