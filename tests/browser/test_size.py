"""A review of ten thousand clients opens and answers at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.reviews import review

if TYPE_CHECKING:
    from generator.report.review import Review
    from tests.browser.conftest import Opener

# What other processes of a busy machine take is not the page's: the quickest of some tries counts.
_TRIES = 5
# Milliseconds from a key to a table that is laid out, for each key of what is typed.
_KEYSTROKES = """([typed, tries]) => {
  const search = document.getElementById('search');
  const press = (so_far) => {
    const begin = performance.now();
    search.value = so_far;
    search.dispatchEvent(new Event('input'));
    document.body.getBoundingClientRect();
    return performance.now() - begin;
  };
  const quickest = (so_far) => {
    let best = Infinity;
    for (let tried = 0; tried < tries && best >= 200; tried++) best = Math.min(best, press(so_far));
    return best;
  };
  return [...typed].map((_, at) => quickest(typed.slice(0, at + 1)));
}"""


@pytest.fixture(scope="module")
def many() -> Review:
    return review(10_000, clients_an_account=25)


def test_ten_thousand_clients_open_in_two_seconds_and_answer_each_key_in_a_fifth(show: Opener, many: Review) -> None:
    assert len(many.rows) >= 20_000
    opened = show(many)
    assert opened.file.stat().st_size < 5_000_000
    taken: list[float] = []
    while len(taken) < _TRIES and min(taken, default=2) >= 2:
        began = time.perf_counter()
        opened.go()
        opened.page.wait_for_selector("#rows tr")
        taken.append(time.perf_counter() - began)
    assert min(taken) < 2
    assert opened.count == "28,429 of 28,429 grants, 10,000 clients in 400 accounts"
    keys = opened.page.evaluate(_KEYSTROKES, ["reports-us-91 metadata", _TRIES])
    assert max(keys) < 200, keys
    assert opened.clients == [
        row.client for row in many.rows if "reports-us-91" in row.client and "metadata" in row.path
    ]
    opened.page.fill("#search", "")
    opened.page.locator("#headings button", has_text="Owner").click()
    opened.page.get_by_role("button", name="Last", exact=True).click()
    assert opened.rows == 29
    assert opened.page.locator("#rows td.owner").last.inner_text() == max(row.owner for row in many.rows)
    keys = opened.page.evaluate(_KEYSTROKES, ["security", _TRIES])
    assert max(keys) < 200, keys


def test_pictures_of_ten_thousand_clients_sum_up_what_they_cannot_show(show: Opener, many: Review) -> None:
    opened = show(many)
    picture = opened.page.locator("#account-picture svg")
    assert picture.locator(".box").count() < 60
    expect(picture).to_contain_text("10 more clients")
    expect(picture).to_contain_text("their own directories")
    expect(opened.page.locator("#account-summary")).to_contain_text("25 clients in")
    bars = opened.page.locator("#shared-picture li").all_inner_texts()
    assert len(bars) == 3
    assert "5,000 clients in 400 accounts, owned by pki@example.com" in bars[0]
    opened.page.locator("#shared-picture a").first.click()
    assert opened.count == "5,000 of 28,429 grants, 5,000 clients in 400 accounts"
