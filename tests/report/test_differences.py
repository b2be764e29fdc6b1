"""Changes as a comment, whatever is in them."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from generator.audit.change import Change, Effect, Topic, quote
from generator.manifest.fleet import Fleet
from generator.manifest.settings import FleetSettings
from generator.report.differences import Differences, markdown, summary

NOBODY = Fleet(FleetSettings(), ())


def differences(*changes: Change) -> Differences:
    return Differences("main", "0" * 40, changes, (), (NOBODY, NOBODY))


def change(topic: Topic, message: str) -> Change:
    return Change(topic=topic, subject="x", effect=Effect.WIDENS, message=message, approvals=("@owner",))


@pytest.mark.parametrize(
    "message", ["<b>x</b>", "`a` <img src=x> `b`", "@everyone", "`open", "see https://x.example", "</details>", "#1"]
)
def test_a_message_is_nothing_but_text_whoever_wrote_it(message: str) -> None:
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown(differences(change(Topic.BEYOND, message)))):
        assert token.type != "html_block"
        for child in token.children or ():
            assert child.type in {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
            assert child.type == "code_inline" or not {"@", "<", "#"} & set(child.content)


def test_a_quotation_ends_where_it_ends() -> None:
    assert quote("a `b` c") == "`a 'b' c`"
    assert quote(" ") == "(blank)"


def test_what_is_cut_off_is_counted_over_all_topics_and_folds_are_closed() -> None:
    changes = tuple(change(topic, f"{number:04} {'x' * 80}") for topic in list(Topic)[:4] for number in range(150))
    out = markdown(differences(*changes))
    assert len(out.encode()) <= 60_000
    shown = sum(line.startswith("- ") for line in out.splitlines())
    assert 400 < shown < len(changes)
    assert f"And {len(changes) - shown} more changes" in out
    assert out.count("<details>") == out.count("</details>") == 3
    assert summary(differences(*changes)) == "600 changes, 600 widen"
