"""A page in a browser, with what the browser complained of."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, Locator, Page

_DROP = """([files]) => {
  const data = new DataTransfer();
  for (const { name, type, base64 } of files) {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  const options = { bubbles: true, cancelable: true, dataTransfer: data };
  document.body.dispatchEvent(new DragEvent('dragover', options));
  document.body.dispatchEvent(new DragEvent('drop', options));
}"""
_PASTE = """([files]) => {
  const data = new DataTransfer();
  for (const { name, type, base64 } of files) {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  document.body.dispatchEvent(
    new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: data }));
}"""
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webm": "video/webm", ".mp4": "video/mp4"}


@dataclass
class Visit:
    """A page; errors and violations of its policy collect in `complaints`."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    may_fail: bool = False
    """Whether requests of this test are meant to fail, which Chromium puts on the console."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"pageerror: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        # Violations of the content security policy come this way, too.
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def require_no_complaints(self) -> None:
        bad = [
            each
            for each in self.complaints
            if not (self.may_fail and "Failed to load resource" in each)
        ]
        assert not bad, bad

    def open(self, path: str) -> None:
        self.page.goto("/" + path)
        expect(self.page.locator("main h1")).to_be_attached()

    def drop(self, *paths: Path) -> None:
        """Drop files on the page, as from a file manager."""
        self.page.evaluate(_DROP, [[_file(path) for path in paths]])

    def paste(self, *paths: Path) -> None:
        self.page.evaluate(_PASTE, [[_file(path) for path in paths]])

    def choose(self, field_name: str, *paths: Path) -> None:
        """Choose files in the file field of this name."""
        self.page.get_by_label(field_name).set_input_files([str(path) for path in paths])

    def by_role(self, role: Any, name: str | None = None, **options: Any) -> Locator:
        return self.page.get_by_role(role, name=name, **options)

    @property
    def results(self) -> Locator:
        return self.page.locator(".result")

    def result(self, file_name: str) -> Locator:
        return self.results.filter(has=self.page.get_by_role("heading", name=file_name, exact=True))

    def found(self) -> list[str]:
        """Return the file names of the results once they are there, in order."""
        expect(self.page.locator(".results")).to_have_attribute("aria-busy", "false")
        return self.results.locator("h3").all_inner_texts()


def _file(path: Path) -> dict[str, str]:
    return {
        "name": path.name,
        "type": _TYPES[path.suffix],
        "base64": base64.b64encode(path.read_bytes()).decode(),
    }
