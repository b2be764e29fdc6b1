"""The pictures of docs/report.md; `python -m tests.browser.screenshots` takes them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from generator.report.html import page
from tests.browser.reviews import review

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parents[2] / "docs/images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str | None:
    """The first Chromium on PATH, as `make browser` looks for it."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _take(tab: Page, name: str, part: str) -> None:
    tab.evaluate("(part) => document.getElementById(part).scrollIntoView({behavior: 'instant'})", part)
    tab.screenshot(path=IMAGES / f"{name}.png")


def _main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        running = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        tab = running.new_page(viewport={"width": 1400, "height": 900})
        file = Path(folder, "review.html")
        file.write_text(page(review(8)), encoding="utf-8")
        tab.goto(file.as_uri())
        tab.screenshot(path=IMAGES / "report-8-clients.png")
        tab.goto(f"{file.as_uri()}#client=ledger")
        tab.screenshot(path=IMAGES / "report-client.png")
        file.write_text(page(review(8, broken=True)), encoding="utf-8")
        tab.goto("about:blank")
        tab.goto(file.as_uri())
        _take(tab, "report-picture", "picture")
        file.write_text(page(review(10_000, clients_an_account=25)), encoding="utf-8")
        tab.goto("about:blank")
        tab.goto(f"{file.as_uri()}#q=reports-us&sharing=shared")
        _take(tab, "report-10000-clients", "grants")
        _take(tab, "report-10000-clients-picture", "picture")
        running.close()


if __name__ == "__main__":
    _main()
