"""The grants can be searched, filtered, sorted, linked to, printed, and reached without a mouse."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from generator.report.columns import COLUMNS
from generator.report.html import MOST_PRINTED
from generator.report.review import ChangedRow, ReviewRow, RowChanges
from tests.browser.reviews import UNSEEN, review, row

if TYPE_CHECKING:
    from tests.browser.conftest import Opened, Opener


@pytest.fixture
def few(show: Opener) -> Opened:
    return show(review(8))


def choose(opened: Opened, box: str, label: str) -> None:
    opened.page.locator(f"#{box}").select_option(label=label)


def test_every_field_of_a_row_is_a_column() -> None:
    assert {column.name for column in COLUMNS} == {field.name for field in dataclasses.fields(ReviewRow)}


def test_the_verdict_is_said_in_words_at_the_top_with_the_tree_it_is_about(few: Opened, show: Opener) -> None:
    expect(few.page.locator("h1")).to_have_text("Isolated")
    expect(few.page.locator("header")).to_contain_text(
        "df675b101fd92aac0f368d17c20b08106ff030942222022858e179ee55cc8314"
    )
    expect(few.page.locator("header")).to_contain_text("1787c54a90fb")
    for sentence in UNSEEN:
        expect(few.page.locator("#unseen")).to_contain_text(sentence)
    broken = show(review(8, broken=True))
    expect(broken.page.locator("h1")).to_have_text("Not isolated")
    expect(broken.page.locator(".findings .error")).to_contain_text("payments reads what is vault-backup's own")
    expect(broken.page.locator(".totals .look dd")).to_have_text("1")


def test_search_wants_every_word_in_any_column(few: Opened) -> None:
    assert (few.rows, few.count) == (23, "23 of 23 grants, 8 clients in 3 accounts")
    few.page.fill("#search", "REPORTING shared")
    assert (few.rows, few.count) == (0, "None of 23 grants has all that")
    few.page.fill("#search", "finance-platform /shared/")
    assert few.clients == ["ledger"] * 3
    few.page.fill("#search", "CHG-1005 metadata")
    assert few.clients == ["search"]
    few.page.fill("#search", "")
    assert few.rows == 23


def test_filters_narrow_together_and_are_cleared_together(few: Opened) -> None:
    choose(few, "account", "111111111112 finance-1")
    choose(few, "sharing", "shared")
    assert few.clients == ["reports-us", "search"]
    choose(few, "owner", "partners@example.com")
    assert few.clients == ["search"]
    few.page.click("#clear")
    assert few.rows == 23
    choose(few, "status", "suspended")
    assert set(few.clients) == {"partner-gateway"}


def test_a_heading_sorts_up_and_down_and_says_so(few: Opened) -> None:
    heading = few.page.locator("#headings th", has_text="Client")
    expect(heading).to_have_attribute("aria-sort", "none")
    heading.get_by_role("button").click()
    assert few.clients == sorted(few.clients)
    expect(few.page.locator("#headings th", has_text="Client")).to_have_attribute("aria-sort", "ascending")
    assert few.page.evaluate("document.activeElement.dataset.column") == "client"
    few.page.keyboard.press("Enter")
    assert few.clients == sorted(few.clients, reverse=True)
    expect(few.page.locator("#headings th", has_text="Client")).to_have_attribute("aria-sort", "descending")


def test_durations_are_sorted_as_numbers_with_those_left_to_vault_at_one_end(show: Opener) -> None:
    rows = tuple(dataclasses.replace(row(at), token_ttl=ttl) for at, ttl in enumerate((7200, None, 90, 36000)))
    opened = show(dataclasses.replace(review(8), rows=rows))
    opened.go("#columns=client,token_ttl&sort=token_ttl")
    assert opened.page.locator("#rows td.token_ttl").all_inner_texts() == ["left to Vault", "1 min 30 s", "2 h", "10 h"]


def test_the_address_holds_the_whole_state_and_brings_it_back(few: Opened) -> None:
    few.page.fill("#search", "certs & ü")
    few.page.fill("#search", "certs")
    choose(few, "account", "111111111111 retail-0")
    few.page.locator("#headings button", has_text="Path").click()
    few.page.locator("#headings button", has_text="Path").click()
    few.page.click("summary")
    few.page.get_by_label("IAM principal").check()
    few.page.locator("#rows th a").first.click()
    fragment, seen = few.fragment, few.page.locator("#rows").inner_text()
    assert "client=reports-eu" in fragment
    few.go(fragment)
    assert few.fragment == fragment
    assert few.page.locator("#rows").inner_text() == seen
    assert few.page.input_value("#search") == "certs"
    assert few.page.locator("#account option:checked").inner_text() == "111111111111 retail-0"
    expect(few.page.locator("#headings")).to_contain_text("IAM principal")
    expect(few.page.locator("dialog h2")).to_have_text("reports-eu")


def test_an_address_that_names_what_is_not_there_says_so_and_breaks_nothing(few: Opened) -> None:
    few.go("#account_id=999999999999&sort=nosuch&page=-7&client=nobody&columns=nosuch&drawn=999")
    assert few.count == "None of 23 grants has all that"
    assert few.page.locator("#account option:checked").inner_text() == "999999999999"
    expect(few.page.locator("dialog")).to_contain_text("No client of this name")


def test_a_client_is_shown_in_full_and_the_way_back_leads_to_the_table(few: Opened) -> None:
    few.page.locator("#rows th a", has_text="ledger").first.click()
    dialog = few.page.locator("dialog")
    for words in (
        "arn:aws:iam::111111111111:role/ledger-app",
        "CHG-1001",
        "10.20.0.0/16",
        "4 h",
        "Owned by pki@example.com",
    ):
        expect(dialog).to_contain_text(words)
    expect(dialog).to_contain_text("client-ledger.tf:14")
    few.page.go_back()
    expect(dialog).to_be_hidden()
    few.page.go_forward()
    expect(dialog.locator("h2")).to_have_text("ledger")
    dialog.get_by_text("other clients have the same path").first.click()
    expect(dialog).to_be_hidden()
    assert set(few.clients) == {"ledger", "reports-us", "search", "vault-backup"}


def test_all_columns_can_be_shown_and_each_but_the_client_hidden(few: Opened) -> None:
    few.page.click("summary")
    few.page.get_by_role("button", name="All").click()
    assert few.page.locator("#headings th").all_inner_texts() == [column.label for column in COLUMNS]
    few.page.get_by_label("Path", exact=True).uncheck()
    assert "Path" not in few.page.locator("#headings th").all_inner_texts()
    expect(few.page.get_by_label("Client", exact=True)).to_be_disabled()
    few.page.get_by_role("button", name="The usual").click()
    assert "columns" not in few.fragment


def test_the_keyboard_alone_gets_everywhere(few: Opened) -> None:
    press = few.page.keyboard.press
    press("Tab")
    assert few.page.evaluate("document.activeElement.textContent") == "Skip to the grants"
    press("Enter")
    assert few.page.evaluate("document.activeElement.id") == "grants"
    press("/")
    assert few.page.evaluate("document.activeElement.id") == "search"
    few.page.keyboard.type("ledger/")
    assert few.page.input_value("#search") == "ledger/"
    few.page.fill("#search", "ledger")
    few.page.locator("#rows th a").nth(1).focus()
    outline = few.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    press("Enter")
    expect(few.page.locator("dialog")).to_be_visible()
    press("Escape")
    expect(few.page.locator("dialog")).to_be_hidden()
    assert few.page.evaluate("document.activeElement.textContent") == "ledger"
    assert "client" not in few.fragment


def test_the_picture_tells_own_from_shared_from_other_without_colour(show: Opener) -> None:
    opened = show(review(8, broken=True))
    picture = opened.page.locator("#account-picture svg")
    assert set(picture.locator(".box.client text").all_text_contents()) == {"payments", "ledger", "reports-eu"}
    assert picture.locator(".box.other text").all_text_contents() == [
        "secret/data/certs/111111111113/vault-backup-app/*"
    ]
    assert (
        "secret/{data,metadata}/certs/111111111111/ledger-app/*" in picture.locator(".box.own text").all_text_contents()
    )
    dashes = picture.locator(".edge.other").evaluate("edge => getComputedStyle(edge).strokeDasharray")
    assert dashes != "none"
    opened.go("#account_id=111111111112")
    expect(picture.locator(".box.account text")).to_have_text("111111111112 finance-1")
    opened.page.locator("#drawn").select_option("111111111113")
    expect(picture.locator(".box.account text")).to_have_text("111111111113 platform-2")
    assert "drawn=111111111113" in opened.fragment
    picture.locator(".box.client", has_text="vault-backup").click()
    expect(opened.page.locator("dialog h2")).to_have_text("vault-backup")


def test_a_suspended_client_is_denied_and_reaches_nothing(show: Opener) -> None:
    fine = row(0)
    cut_off = dataclasses.replace(row(1), capabilities=("deny",), status="suspended", principal_arn="", vault_role="")
    opened = show(dataclasses.replace(review(2), rows=(fine, cut_off)))
    totals = dict(
        zip(*(opened.page.locator(f".totals {name}").all_inner_texts() for name in ("dt", "dd")), strict=True)
    )
    assert (totals["Grants"], totals["Grants of own directories"], totals["Denials"]) == ("1", "1", "1")
    picture = opened.page.locator("#account-picture svg")
    assert set(picture.locator(".box.client text").all_text_contents()) == {"payments", "ledger (denied)"}
    assert picture.locator(".box.own text").all_text_contents() == [fine.path]
    opened.go("#client=ledger")
    expect(opened.page.locator("dialog h3").first).to_have_text("Is denied")


def test_print_has_the_rows_that_the_filters_leave_under_a_heading(show: Opener) -> None:
    opened = show(review(240))
    opened.page.fill("#search", "metadata")
    assert opened.rows == 100
    opened.page.emulate_media(media="print")
    expect(opened.page.locator("#rows tr")).to_have_count(240)
    expect(opened.page.locator("#print-heading")).to_contain_text("240 grants; search “metadata”")
    expect(opened.page.locator("#print-heading")).to_be_visible()
    expect(opened.page.locator("#filters")).to_be_hidden()
    opened.page.emulate_media(media="screen")
    expect(opened.page.locator("#rows tr")).to_have_count(100)
    expect(opened.page.locator("#print-heading")).to_be_hidden()


def test_print_of_too_many_rows_says_how_many_there_are(show: Opener) -> None:
    opened = show(review(720))
    opened.page.emulate_media(media="print")
    expect(opened.page.locator("#rows tr")).to_have_count(MOST_PRINTED)
    expect(opened.page.locator("#print-heading")).to_contain_text("The first 2,000 of 2,0")


def test_changes_since_an_earlier_review_are_listed(show: Opener) -> None:
    new, old = row(1), row(2)
    moved = ChangedRow(before=row(3), after=dataclasses.replace(row(3), owner="new@example.com"), fields=("owner",))
    changes = RowChanges(since="2026-01-01", revision="0123456789ab", added=(new,), removed=(old,), changed=(moved,))
    opened = show(dataclasses.replace(review(8), changes=changes))
    lines = opened.page.locator("#changes tbody tr").all_inner_texts()
    assert [line.split("\t")[:2] for line in lines] == [
        ["added", "ledger"],
        ["removed", "reports-eu"],
        ["changed", "reports-us"],
    ]
    assert "owner was security-tooling@example.com" in lines[2]


def test_without_scripts_verdict_findings_and_rows_can_be_read(show: Opener) -> None:
    opened = show(review(300, broken=True), java_script_enabled=False)
    expect(opened.page.locator("h1")).to_be_visible()
    expect(opened.page.locator(".findings .error")).to_be_visible()
    expect(opened.page.locator("noscript .notice")).to_contain_text("The first 200 of")
    assert opened.page.locator("noscript tbody tr").count() == 200
    expect(opened.page.locator("#filters")).to_be_hidden()


def test_a_review_of_nothing_is_a_page(show: Opener) -> None:
    opened = show(dataclasses.replace(review(1), rows=(), clients=0, accounts=0, findings=(), unseen=()))
    assert opened.count == "None of 0 grants has all that"
    expect(opened.page.locator("#findings")).to_contain_text("nothing to complain about")


def test_axe_finds_no_fault(show: Opener) -> None:
    # axe itself makes markup of strings, which the page's policy forbids to everybody.
    opened = show(review(8, broken=True), bypass_csp=True)
    assert faults(opened) == ""
    opened.page.emulate_media(color_scheme="dark")
    assert faults(opened, runOnly=["color-contrast"]) == ""
    opened.page.click("summary")
    opened.page.locator("#rows th a").first.click()
    # Behind a dialog the first link that is left begins with `#`, and axe takes that for a skip link.
    assert faults(opened, rules={"skip-link": {"enabled": False}}) == ""


def faults(opened: Opened, **options: object) -> str:
    """What axe complains of on the page as it is."""
    results = Axe().run(opened.page, options={"resultTypes": ["violations"], **options})
    return str(results.generate_report()) if results.response["violations"] else ""


def test_nothing_moves_for_who_wants_no_motion(show: Opener) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert show(review(1)).page.evaluate(behaviour) == "smooth"
    assert show(review(1), reduced_motion="reduce").page.evaluate(behaviour) == "auto"
