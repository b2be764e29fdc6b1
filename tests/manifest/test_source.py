"""Strict YAML: what is read, what is refused, and where each of it stands."""

from __future__ import annotations

import json
import os
import socket
import time
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.diagnostics import Diagnostic, Span
from generator.manifest import faults
from generator.manifest.characters import hidden_in_value
from generator.manifest.composer import MAX_DEPTH
from generator.manifest.document import Document
from generator.manifest.nodes import Mapping, Node, Scalar, Sequence
from generator.manifest.source import MAX_BYTES, parse, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOWN = "clients/payments.yaml"


def document(text: str) -> Document:
    result = parse(text.encode(), SHOWN)
    assert isinstance(result, Document), result
    return result


def findings(text: str | bytes) -> tuple[Diagnostic, ...]:
    result = parse(text.encode() if isinstance(text, str) else text, SHOWN)
    assert not isinstance(result, Document), result.content
    return result


def only(text: str | bytes, rule: str) -> Diagnostic:
    (finding,) = findings(text)
    assert finding.rule == rule
    assert finding.help
    return finding


def cut(text: str, span: Span) -> str:
    """The piece of the text that a span covers."""
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


class TestValues:
    @pytest.mark.parametrize(
        ("source", "value"),
        [
            ("true", True),
            ("false", False),
            ("null", None),
            ("~", None),
            ("", None),
            ("0", 0),
            ("3600", 3600),
            ("-5", -5),
            ("999999999999999999", 999999999999999999),
            ('"true"', "true"),
            ("'no'", "no"),
            ('"012345670123"', "012345670123"),
            ('""', ""),
            ("yEs", "yEs"),
            ("yes please", "yes please"),
            ("1h", "1h"),
            ("1h30m", "1h30m"),
            ("1.2.3", "1.2.3"),
            ("10.20.0.1", "10.20.0.1"),
            ("10.20.0.0/16", "10.20.0.0/16"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/a"),
            ("payments-team@example.com", "payments-team@example.com"),
            ("/apps/", "/apps/"),
            ("https://example.com:8200", "https://example.com:8200"),
            ("8080:80", "8080:80"),
            ("2027-01-31 or later", "2027-01-31 or later"),
            ('"a\\tb\\nc"', "a\tb\nc"),
            ("|\n  one\n  two\n", "one\ntwo\n"),
            (">-\n  one\n  two\n", "one two"),
        ],
    )
    def test_reads_what_every_reader_of_yaml_reads_alike(self, source: str, value: object) -> None:
        got = document(f"key: {source}").content
        assert got == {"key": value}
        assert isinstance(got, dict)
        assert type(got["key"]) is type(value)

    @pytest.mark.parametrize(
        ("word", "instead"),
        [
            *(("yes", "true"), ("no", "false"), ("on", "true"), ("off", "false"), ("y", "true"), ("n", "false")),
            *(("true", "true"), ("false", "false"), ("null", "null")),
        ],
    )
    def test_refuses_words_that_yaml_1_1_reads_as_something_else(self, word: str, instead: str) -> None:
        for source in {word, word.capitalize(), word.upper()} - {"true", "false", "null"}:
            finding = only(f"key: {source}", faults.AMBIGUOUS_SCALAR)
            assert f"`{source}`" in finding.message
            assert finding.help == f'write {instead}, or quote it: "{source}"'

    @pytest.mark.parametrize(
        "source",
        [
            *("1.5", "1.", ".5", "-1.5", "+1.5", "1e3", "1E-3", "6.8523015e+5", "1_0.5", ".inf", "-.INF", ".NaN"),
            *("0x1f", "0X1F", "0o17", "0b11", "017", "00", "-0", "+5", "1_000", "0_1", "1000000000000000000"),
            *("12:34", "12:34:56", "190:20:30.15", "00:11:22:33:44:55"),
            *(
                "2027-01-31",
                "2001-1-2",
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14 21:59:43.10 -5",
                "2001-12-15T02:59:43Z",
            ),
            *("=", "<<"),
        ],
    )
    def test_refuses_unquoted_scalars_on_which_readers_differ(self, source: str) -> None:
        text = f"key: {source}"
        finding = only(text, faults.AMBIGUOUS_SCALAR)
        assert f"`{source}`" in finding.message
        assert finding.help == f'quote it: "{source}"'
        assert cut(text, finding.span) == source
        assert document(f'key: "{source}"').content == {"key": source}

    def test_shows_an_unquoted_account_id_as_written(self) -> None:
        finding = only("account_id: 012345670123", faults.AMBIGUOUS_SCALAR)
        assert finding.help == 'account ids are quoted: "012345670123"'

    def test_normalises_strings_and_keys_to_nfc(self) -> None:
        assert document("cafe\u0301: 'cafe\u0301'\nb: e\u0301").content == {"caf\u00e9": "caf\u00e9", "b": "\u00e9"}
        only("cafe\u0301: 1\ncaf\u00e9: 2", faults.DUPLICATE_KEY)

    def test_long_digits_are_refused_at_once(self) -> None:
        started = time.perf_counter()
        for tail in ("", "x", ":", "-"):
            source = "0" * 60_000 + tail
            parse(f"key: {source}".encode(), SHOWN)
            parse(f"key: 1{source}".encode(), SHOWN)
        assert time.perf_counter() - started < 2


class TestRefusals:
    def test_all_duplicate_keys_are_reported_with_the_first_place(self) -> None:
        found = findings("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n")
        assert [(f.rule, str(f.span), str(f.notes[0].span)) for f in found] == [
            (faults.DUPLICATE_KEY, f"{SHOWN}:2:11", f"{SHOWN}:2:5"),
            (faults.DUPLICATE_KEY, f"{SHOWN}:3:1", f"{SHOWN}:1:1"),
            (faults.DUPLICATE_KEY, f"{SHOWN}:4:1", f"{SHOWN}:1:1"),
        ]

    def test_anchors_aliases_tags_and_merges_are_reported_together(self) -> None:
        text = "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\ne: !!str 1\nf: !mine {}\n? &k g\n: 1\n"
        assert [(f.rule, cut(text, f.span)) for f in findings(text)] == [
            (faults.ANCHOR_OR_ALIAS, "&x"),
            (faults.ANCHOR_OR_ALIAS, "*x"),
            (faults.MERGE_KEY, "<<"),
            (faults.ANCHOR_OR_ALIAS, "*x"),
            (faults.TAG, "!!str"),
            (faults.TAG, "!mine"),
            (faults.ANCHOR_OR_ALIAS, "&k"),
        ]

    @pytest.mark.parametrize(
        ("key", "advice"),
        [
            ("1", 'quote it: "1"'),
            ("true", 'quote it: "true"'),
            ("null", "name the key"),
            ("[a]", "write a string"),
            ("{a: b}", "write a string"),
        ],
    )
    def test_keys_are_strings(self, key: str, advice: str) -> None:
        finding = only(f"{key}: x", faults.KEY_NOT_A_STRING)
        assert finding.help == advice

    def test_a_boolean_of_yaml_1_1_as_a_key_is_to_be_quoted(self) -> None:
        finding = only("on: push", faults.AMBIGUOUS_SCALAR)
        assert finding.help == 'quote it: "on"'
        assert document('"on": push').content == {"on": "push"}

    @pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n", "---\n...\n", "--- # nothing\n"])
    def test_an_empty_file_is_refused(self, text: str) -> None:
        assert only(text, faults.EMPTY_DOCUMENT).span == Span(SHOWN)

    @pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a: 1\n...\n---\n", "---\n---\n"])
    def test_one_file_is_one_document(self, text: str) -> None:
        only(text, faults.SEVERAL_DOCUMENTS)

    @pytest.mark.parametrize(
        "line", ["%YAML 1.1", "%YAML 1.2", "%YAML 9.9", "%TAG ! tag:example.com,2000:", "%FOO bar"]
    )
    def test_directives_are_refused(self, line: str) -> None:
        assert only(f"{line}\n---\na: 1\n", faults.DIRECTIVE).span.line == 1

    def test_a_document_marker_alone_is_fine(self) -> None:
        assert document("---\na: 1\n...\n").content == {"a": 1}

    def test_depth_is_limited(self) -> None:
        deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
        document(deepest)
        assert only(f"[{deepest}]", faults.TOO_DEEP).span == Span(SHOWN, 1, MAX_DEPTH + 1, 1, MAX_DEPTH + 2)

    @pytest.mark.parametrize(
        "text", ["[" * 30_000, "- " * 30_000, "{a: " * 15_000, "? " * 30_000, "[" * 30_000 + "]" * 30_000]
    )
    def test_thousands_of_levels_are_refused_at_once(self, text: str) -> None:
        started = time.perf_counter()
        only(text, faults.TOO_DEEP)
        assert time.perf_counter() - started < 1

    def test_size_is_limited_before_anything_is_looked_at(self) -> None:
        document("a: 1\n" + "#" * (MAX_BYTES - 5))
        assert only(b"\xff" * (MAX_BYTES + 1), faults.TOO_LARGE).span == Span(SHOWN)

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("a: b: c", (1, 5)),
            ("a: @x", (1, 4)),
            ("a: [b\nc: d\n", (2, 2)),
            ("\ta: b", (1, 1)),
            ('é: "x\n\n', (1, 6)),
            ("a: {b: c", (1, 9)),
            ('a: "\\ud83d\\ude00"', (1, 7)),
        ],
    )
    def test_bad_syntax_has_a_place_within_the_text(self, text: str, place: tuple[int, int]) -> None:
        finding = only(text, faults.SYNTAX)
        assert (finding.span.line, finding.span.column) == place
        assert "<unicode string>" not in finding.message

    def test_what_was_found_before_bad_syntax_is_reported_too(self) -> None:
        found = findings("a: yes\na: no\nb: [1, 2\n")
        assert [f.rule for f in found] == [
            faults.AMBIGUOUS_SCALAR,
            faults.DUPLICATE_KEY,
            faults.AMBIGUOUS_SCALAR,
            faults.SYNTAX,
        ]


class TestCharacters:
    def test_bytes_that_are_not_utf_8_are_named_by_offset(self) -> None:
        finding = only(b"a: b\nc: \xc3\xa9\xff", faults.ENCODING)
        assert "0xff at offset 10" in finding.message
        assert (finding.span.line, finding.span.column) == (2, 5)

    def test_utf_16_is_refused(self) -> None:
        only("a: 1".encode("utf-16"), faults.ENCODING)

    def test_a_byte_order_mark_is_refused(self) -> None:
        only(b"\xef\xbb\xbfa: 1", faults.ENCODING)

    @pytest.mark.parametrize(
        "character",
        [
            *"\x00\x07\x0b\x0c\x1b\x7f\x85\x9b\xad\u061c\u200b\u200d\u200e\u2028\u2029\u202e\u2066\u2069\u2060\ufeff\ufffe\uffff",
            "\U000e0041",
        ],
    )
    @pytest.mark.parametrize("text", ["é: {}\n", "é: '{}'\n", "é: # {}\n"])
    def test_invisible_characters_are_refused_wherever_they_stand(self, text: str, character: str) -> None:
        text = text.replace("{}", character)
        finding = only(text, faults.CONTROL_CHARACTER)
        assert f"U+{ord(character):04X}" in finding.message
        assert cut(text, finding.span) == character

    def test_a_carriage_return_ends_a_line_only_with_a_line_feed(self) -> None:
        assert document("a: 1\r\nb: x\r\n").content == {"a": 1, "b": "x"}
        only("a: 1\rb: 2", faults.CONTROL_CHARACTER)

    @pytest.mark.parametrize(
        "escape", ["\\0", "\\e", "\\r", "\\N", "\\L", "\\x7f", "\\u202E", "\\u200b", "\\U000E0041"]
    )
    def test_escapes_do_not_smuggle_invisible_characters_in(self, escape: str) -> None:
        text = f'a: "x{escape}"'
        finding = only(text, faults.CONTROL_CHARACTER)
        assert cut(text, finding.span) == f'"x{escape}"'

    def test_a_binary_file_gives_few_findings(self) -> None:
        assert len(findings(b"\0" * 1000)) == 20


class TestSpans:
    def test_spans_cover_what_was_written(self) -> None:
        text = (
            "# é\n"
            "näme: pæyments   # x\n"
            '"日本 😀": "quo\\"ted"  \n'
            "empty:\n"
            "list: [a, 'b', {c: 1}]  # y\n"
            "block:\n  - x\n  - k: z\n    w: 2\n\n# tail\n"
            "text: |\n  one\n  two\n\n\n"
            "folded: plain\n  goes on\n"
        )
        doc = document(text)

        def keys(*loc: str | int) -> str:
            return cut(text, doc.key_span_of(loc))

        def values(*loc: str | int) -> str:
            return cut(text, doc.span_of(loc))

        assert keys("näme") == "näme"
        assert values("näme") == "pæyments"
        assert keys("日本 😀") == '"日本 😀"'
        assert values("日本 😀") == '"quo\\"ted"'
        assert values("empty") == ""
        assert values("list") == "[a, 'b', {c: 1}]"
        assert values("list", 1) == keys("list", 1) == "'b'"
        assert values("list", 2, "c") == "1"
        assert values("block") == "- x\n  - k: z\n    w: 2"
        assert values("block", 1) == "k: z\n    w: 2"
        assert keys("block", 1, "w") == "w"
        assert values("text") == "|\n  one\n  two"
        assert values("folded") == "plain\n  goes on"
        assert cut(text, doc.root.span) == text.split("\n", 1)[1].rstrip()
        assert doc.key_span_of(()) == doc.span_of(()) == doc.root.span

    def test_parts_of_a_location_that_the_text_does_not_have_are_skipped(self) -> None:
        doc = document("vault:\n  ec2: {region: x}\nlist: [a]\n")
        region = doc.span_of(("vault", "ec2", "region"))
        assert doc.span_of(("vault", "function-after[check()]", "ec2", "Ec2", "region")) == region
        assert doc.span_of(("vault", "ec2", "missing")) == doc.span_of(("vault", "ec2"))
        assert doc.span_of(("list", 7)) == doc.span_of(("list",))
        assert doc.span_of(("list", -1)) == doc.span_of(("list",))
        assert doc.key_span_of(("vault", "missing")) == doc.key_span_of(("vault",))


class TestRead:
    def test_reads_a_regular_file(self, tmp_path: Path) -> None:
        path = tmp_path / "payments.yaml"
        path.write_text("a: é\n", encoding="utf-8")
        result = read(path, SHOWN)
        assert isinstance(result, Document)
        assert (result.shown, result.content, result.text) == (SHOWN, {"a": "é"}, "a: é\n")

    @pytest.mark.parametrize("kind", ["link", "folder", "pipe", "socket", "missing"])
    def test_refuses_what_is_not_a_readable_regular_file(
        self, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "x"
        (tmp_path / "real").write_text("a: 1")
        with socket.socket(socket.AF_UNIX) as server:
            match kind:
                case "link":
                    path.symlink_to("real")
                case "folder":
                    path.mkdir()
                case "pipe":
                    os.mkfifo(path)
                case "socket":
                    server.bind("x")
            result = read(path, SHOWN)
        assert isinstance(result, tuple)
        assert [(f.rule, f.span) for f in result] == [(faults.NOT_A_REGULAR_FILE, Span(SHOWN))]

    def test_a_pipe_that_takes_a_files_place_does_not_block(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "real").write_text("a: 1")
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        regular = (tmp_path / "real").lstat()
        monkeypatch.setattr(type(pipe), "lstat", lambda _: regular)
        result = read(pipe, SHOWN)
        assert isinstance(result, tuple)
        assert result[0].rule == faults.NOT_A_REGULAR_FILE
        assert "pipe" in result[0].message

    def test_never_reads_more_than_the_limit(self, tmp_path: Path) -> None:
        path = tmp_path / "big.yaml"
        with path.open("wb") as file:
            file.truncate(1 << 40)
        result = read(path, SHOWN)
        assert isinstance(result, tuple)
        assert result[0].rule == faults.TOO_LARGE


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Mapping):
        for item in node.items.values():
            yield from nodes(item)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from nodes(item)


def inside(text: str, span: Span) -> bool:
    lines = text.split("\n")
    return (
        1 <= span.line <= span.end_line <= len(lines)
        and 1 <= span.column <= len(lines[span.line - 1]) + 1
        and 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
        and (span.line, span.column) <= (span.end_line, span.end_column)
    )


yamlish = st.lists(
    st.sampled_from(
        [
            *"abé😀 \n:-#[]{},&*!|>'\"%@`?~<=01.+_\t\r\x00\u202e",
            "a: ",
            "\n  ",
            "- ",
            "? ",
            "---\n",
            "...\n",
            "<<: ",
            "yes",
            "on: ",
            "&a ",
            "*a",
            "!!str ",
            "\\u202e",
            "%YAML 1.1\n",
        ]
    ),
    max_size=60,
).map("".join)


@given(st.binary(max_size=200) | yamlish.map(str.encode))
@example(b"? ")
@example(b"\n\n'")
@example(b"a: |\n")
@example(b"[a: b")
def test_any_bytes_give_a_document_or_findings_within_the_text(data: bytes) -> None:
    result = parse(data, SHOWN)
    if isinstance(result, Document):
        assert all(inside(result.text, node.span) for node in nodes(result.root))
        assert result.content is None or isinstance(result.content, str | int | list | dict)
        return
    assert result
    assert list(result) == sorted(result, key=lambda f: f.sort_key)
    for finding in result:
        assert finding.span.path == SHOWN
        if finding.span.line and finding.rule != faults.ENCODING:
            text = data.decode()
            assert finding.span.line <= text.count("\n") + 1
            assert finding.span.column <= len(text.split("\n")[finding.span.line - 1]) + 1


visible = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).filter(
    lambda text: not hidden_in_value(text, Span(SHOWN))
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | visible
    | st.sampled_from(["yes", "1.5", "a\tb\nc"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(visible, inner, max_size=4),
    max_leaves=15,
)


def normalised(value: object) -> object:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case list():
            return [normalised(item) for item in value]
        case dict():
            return {normalised(key): normalised(item) for key, item in value.items()}
        case _:
            return value


@given(json_values, st.sampled_from([None, 2]), st.booleans())
def test_json_reads_back_as_it_was(value: object, indent: int | None, escaped: bool) -> None:
    # libyaml knows no surrogate pairs, which is how JSON escapes what lies beyond the first 65,536 code points
    beyond = any(ord(character) > 0xFFFF for character in json.dumps(value, ensure_ascii=False))
    text = json.dumps(value, indent=indent, ensure_ascii=escaped and not beyond)
    result = parse(text.encode(), SHOWN)
    if isinstance(result, tuple):
        assert {f.rule for f in result} == {faults.DUPLICATE_KEY}
        assert normalised(value) != value, "only NFC makes two keys one"
        return
    assert result.content == normalised(value)
    for node in nodes(result.root):
        if isinstance(node, Scalar):
            assert normalised(json.loads(cut(text, node.span))) == node.value
        else:
            assert cut(text, node.span)[0] + cut(text, node.span)[-1] in {"[]", "{}"}
