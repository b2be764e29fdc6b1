"""A Chromium without a window, pages opened in it from files, and a watch on all that they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from generator.report.html import page as render
from tests.browser.screenshots import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

    from generator.report.review import Review


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; a machine without one fails these tests, since a skipped proof is none."""
    path = program()
    if path is None:
        pytest.fail("there is no Chromium on PATH: run `make browser`")
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, which continuous integration is.
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Opened:
    """A review that is open in a browser, and what it asked for and complained of."""

    page: Page
    file: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def go(self, fragment: str = "") -> None:
        """Open the file anew, with a state in its address."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.file.as_uri()}{fragment}")

    @property
    def fragment(self) -> str:
        return str(self.page.evaluate("location.hash"))

    @property
    def rows(self) -> int:
        return self.page.locator("#rows tr").count()

    @property
    def clients(self) -> list[str]:
        return self.page.locator("#rows th").all_inner_texts()

    @property
    def count(self) -> str:
        return self.page.locator("#count").inner_text()


@dataclass
class Opener:
    """Opens reviews, each in a browser context of its own."""

    browser: Browser
    folder: Path
    opened: list[tuple[BrowserContext, Opened]] = field(default_factory=list)

    def __call__(self, review: Review, *, injected: str = "", **options: object) -> Opened:
        file = self.folder / f"review-{len(self.opened)}.html"
        # What somebody with access to the file would add, at its end.
        file.write_text(render(review).replace("</body>", f"{injected}</body>"), encoding="utf-8")
        context = self.browser.new_context(viewport={"width": 1400, "height": 1000}, **options)  # type: ignore[arg-type] # passed on
        page = context.new_page()
        shown = Opened(page, file)
        self.opened.append((context, shown))

        def complain(message: ConsoleMessage) -> None:
            shown.complaints.append(f"{message.type}: {message.text}")

        def forget(request: Request) -> None:
            if request.failure == "csp":  # the page's policy stopped it before it left
                shown.requests.remove(request.url)

        def dismiss(dialog: Dialog) -> None:
            shown.complaints.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("request", lambda request: shown.requests.append(request.url))
        page.on("requestfailed", forget)
        page.on("console", complain)
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.on("dialog", dismiss)
        shown.go()
        return shown


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Open reviews; at the end none may have asked for anything but its file, nor complained."""
    opener = Opener(browser, tmp_path)
    yield opener
    for context, opened in opener.opened:
        context.close()
        assert {url.partition("#")[0] for url in opened.requests} <= {opened.file.as_uri(), "about:blank"}
        assert opened.complaints == []
