"""Reading manifests by shape says what reading each in full says, or nothing."""

from __future__ import annotations

import random

import pytest

from generator.manifest.composer import compose
from generator.manifest.nodes import plain
from generator.manifest.shapes import Shapes

_WORDS = (
    *("payments", "a b", "a  b", "a, b", "a,b", "a:b", "a: b", "a:", "a #b", "a#b", "x "),
    *("true", "True", "no", "null", "~", "", "0", "007", "1_000", "1:30", "2027-01-31", ".5", "1e3", "=", "<<", "1h"),
    *("'a'", '"a"', "'a", '"a', "it's", 'say "a"', "'it''s'", '"\\x41"', '"a\\"', '"a: b"', "'a # b'", '"007"', "'no'"),
    *("[a, b]", "[a", "{a: b}", "{a", "a]", "a}", "&a", "&a b", "*a", "!a", "!!str a", "| ", "|", ">", "? a", "- a"),
    *("-", "---", "a - b", "a ? b", "a ! b", "a & b", "a * b", "a % b", "%a", "@a", "a@b", "`a", "a\\b", "\u00e9"),
    *("a\tb", "a::b", "arn:aws:iam::1:role/x", "e\u0301", "\uff21", "\ufb01", "\u0663", "10.0.0.0/8"),
)  # fmt: skip
_LINES = (
    *("name: {}", "owner: {}", "vault:", "  role: {}", "  more:", "    deep: {}", "tags:", "  a-b: {}", "- {}"),
    *("  - {}", "  - path: {}", "    access: {}", "# name: {}", "text: |", "text: >", "text: {}", "  {}", "   "),
    *('text: "a', '  b"', "text: 'a", "  b'", "list: [a,", "  {},", "  k: {}", "  ]", "map: {{", "  }}", "? a", ": {}"),
)  # fmt: skip


def _text(chance: random.Random) -> str:
    lines = chance.choices(_LINES, k=chance.randint(1, 5))
    return "".join(f"{line.format(chance.choice(_WORDS))}\n" for line in lines)


def test_a_shape_says_of_each_manifest_what_reading_it_in_full_says() -> None:
    chance = random.Random(1)  # noqa: S311 - the same cases every time
    told = 0
    for _ in range(20_000):
        text, shapes = _text(chance), Shapes()
        cut = shapes.cut(text)
        if cut is None or not cut.words:
            continue
        first, *rest = cut.shape.split("\0")
        other = first + "".join(f"w{number}{part}" for number, part in enumerate(rest))
        root, findings = compose(other, "x.yaml")
        again = shapes.cut(other)
        if root is None or findings or again is None or again.shape != cut.shape:
            continue
        shapes.learn(again, plain(root))
        content = shapes.content(cut)
        if content is None:
            continue
        told += 1
        root, findings = compose(text, "x.yaml")
        assert root is not None, text
        assert (repr(content), findings) == (repr(plain(root)), ()), text
    assert told > 500


@pytest.mark.parametrize(
    "text",
    ["name: no\n", "name: 012345678901\n", "name: 2027-01-31\n", "name: a # b\n", "name: a: b\n", 'name: "\\u0041"\n'],
)
def test_what_is_no_plain_word_stays_in_the_shape(text: str) -> None:
    cut = Shapes().cut(text)
    assert cut is not None
    assert (cut.shape, cut.words) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        "text: |\n  name: a\n",
        "text: >\n  - a\n",
        'text: "\n  name: a\n  "\n',
        "name: a\n  b\n",
        "text: 'a\n  b: c\n  '\n",
    ],
)
def test_a_word_that_is_not_the_whole_of_a_value_makes_no_shape(text: str) -> None:
    shapes = Shapes()
    cut = shapes.cut(text)
    root, findings = compose(text, "x.yaml")
    assert cut is not None
    assert cut.words
    assert root is not None
    assert not findings
    shapes.learn(cut, plain(root))
    assert shapes.content(cut) is None


def test_text_that_normalising_would_change_is_read_in_full() -> None:
    assert Shapes().cut("name: e\u0301\n") is None


def test_text_in_which_a_value_could_be_too_long_is_read_in_full() -> None:
    assert Shapes().cut(f"name: {'a' * 5000}\n") is None


def test_the_first_manifest_of_a_shape_is_read_in_full() -> None:
    shapes = Shapes()
    cut = shapes.cut("name: a\nowner: b\n")
    assert cut is not None
    assert shapes.content(cut) is None
    shapes.learn(cut, {"name": "a", "owner": "b"})
    other = shapes.cut("name: c\nowner: d e\n")
    assert other is not None
    assert shapes.content(other) == {"name": "c", "owner": "d e"}


def test_a_shape_that_would_say_otherwise_than_its_first_manifest_is_not_used() -> None:
    shapes = Shapes()
    cut = shapes.cut("name: a\n")
    assert cut is not None
    shapes.learn(cut, {"name": "something else"})
    assert shapes.content(cut) is None
