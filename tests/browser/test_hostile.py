"""What manifests and HCL say stays text, and nothing that gets into the page runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from generator.diagnostics import Diagnostic, Note, Severity, Span
from generator.report import html
from tests.browser.reviews import review, row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.report.review import Review
    from tests.browser.conftest import Opener

HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "</script><script>alert(2)</script>",
    "</noscript></title></style><svg onload=alert(3)>",
    "<!--<script>",
    "javascript:alert(4)",
    "{{ 7*7 }}${7*7}<%= 7*7 %>",
    "' onmouseover='alert(5)",
    '"><a href="https://example.com">x</a>',
    "https://example.com/`code`/&amp;&lt;",
    "__proto__",
    "constructor",
    '=HYPERLINK("x")',
    "a\nb\tc\\u003cd",
)
INVISIBLE = {
    "pay\u202egnp.\u202c": "pay\\u202egnp.\\u202c",
    "a\u2028b\u2029c": "a\\u2028b\\u2029c",
    "\ud800x": "\\ud800x",
}


def hostile(texts: Iterable[str]) -> Review:
    """A review in which every text that comes from outside is one of these: a row, a finding, a sentence of each."""
    rows = [
        replace(
            row(at),
            client=text,
            owner=text,
            account_id=text,
            account_name=text,
            principal_arn=text,
            vault_role=text,
            policy=text,
            path=text,
            capabilities=(text,),
            sharing="shared",
            shared_owner=text,
            changed_by=text,
            change_ref=text,
            file=text,
        )
        for at, text in enumerate(texts)
    ]
    findings = [
        Diagnostic("CK901", Severity.ERROR, Span(text, 1, 1, 1, 2), text, text, (Note(Span(text), text),))
        for text in texts
    ]
    whole = "".join(texts)
    return replace(
        review(2),
        verdict=whole,
        revision=whole,
        digest=whole,
        rows=tuple(rows),
        findings=tuple(findings),
        unseen=tuple(texts),
    )


def seen(text: str) -> str:
    """How the page writes a text that has characters which cannot be seen."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


def test_text_stays_text_wherever_it_stands(show: Opener) -> None:
    opened = show(hostile(HOSTILE))
    page = opened.page
    assert opened.clients == [seen(text) for text in HOSTILE]
    assert page.locator("#rows td.path").all_inner_texts() == [seen(text) for text in HOSTILE]
    assert page.locator("#unseen li").count() == page.locator("#findings li").count() == len(HOSTILE)
    for text in HOSTILE:
        opened.go()
        page.locator("#owner").select_option(label=seen(text).strip())
        assert opened.clients == [seen(text)]
        opened.go(opened.fragment + "&" + urlencode({"client": seen(text)}))
        assert opened.clients == [seen(text)]
        assert page.locator("dialog h2").text_content() == seen(text)
        assert page.locator("dialog .reached code").first.text_content() == seen(text)
    opened.go()
    assert page.locator("img, iframe, object, [onerror], [onload], [onmouseover]").count() == 0
    assert page.locator("script").count() == 2
    links = "[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))"
    assert {link[:1] for link in page.evaluate(links)} == {"#"}


def test_what_cannot_be_seen_or_turns_the_writing_is_spelled_out(show: Opener) -> None:
    opened = show(hostile(INVISIBLE))
    assert opened.clients == list(INVISIBLE.values())
    made = html.page(hostile(INVISIBLE))
    assert not [c for c in made if not c.isprintable() and c != "\n"]


INJECTED = {
    "script-src-elem": "<script>document.body.dataset.ran = 1</script>",
    "script-src-attr": "<img src='x:' onerror='document.body.dataset.ran = 1'>"
    "<b onclick='document.body.dataset.ran = 1' id=bait>x</b>",
    "script-src": "<a href='javascript:void(document.body.dataset.ran = 1)' id=lure>x</a>",
    "style-src-elem": "<style>body { color: rgb(1, 2, 3) }</style><link rel=stylesheet href='https://example.com/x.css'>",
    "style-src-attr": "<b style='color: red'>x</b>",
    "base-uri": "<base href='https://example.com/'>",
    "img-src": "<img src='https://example.com/x.png'>",
    "form-action": "<form action='https://example.com/' id=form></form>",
}


def test_what_is_put_into_the_file_later_is_blocked(show: Opener) -> None:
    opened = show(review(2), injected="".join(INJECTED.values()))
    page = opened.page
    page.click("#bait")
    page.click("#lure")
    page.evaluate("document.getElementById('form').submit()")
    page.wait_for_timeout(100)
    assert page.evaluate("document.body.dataset.ran") is None
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(1, 2, 3)"
    assert page.evaluate("document.baseURI").startswith("file:")
    assert len(opened.complaints) >= len(INJECTED)
    assert not [line for line in opened.complaints if "Content Security Policy" not in line]
    opened.complaints.clear()


def test_no_string_becomes_code_or_markup(show: Opener) -> None:
    opened = show(review(2))
    refused = opened.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } }"
    )
    assert refused
    opened.complaints.clear()


def test_the_policy_allows_nothing_but_this_script_and_this_style() -> None:
    made = html.page(review(2))
    policy = made.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert policy.startswith("default-src &#39;none&#39;; script-src &#39;sha256-")
    assert not [word for word in ("unsafe", "http:", "https:", "data:", "*", "blob:") if word in policy]
    assert made.count("<script>") == 1
    assert made.count("<style>") == 1
    assert " style=" not in made
