from __future__ import annotations

import json
import subprocess
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generator.audit.faults import NOT_LITERAL, REPEATED, SYNTAX, TOO_LARGE, Unreadable
from generator.audit.hcl import LONGEST, Traversal, parse
from generator.diagnostics import Span
from generator.render.hcl import literal

if TYPE_CHECKING:
    from pathlib import Path

    from generator.audit.hcl import Value
    from generator.sandbox.toolchain import Toolchain

START = Span("x.tf", 1, 1, 1, 1)
HOSTILE = (
    "",
    "${",
    "%{",
    "$${",
    "$$${",
    "%%%{x}",
    "${x}",
    "%{ if true }",
    '"',
    '\\"',
    '\\"x\\"',
    "\\",
    "\\u0041",
    "\\n",
    "a\nb\r\tc",
    "\x01\x7f\x85\u2028\ufeff",
    "EOT\n",
    "<<-EOT\nx\nEOT\n",
    "# no comment",
    "/* no comment */",
    "//",
    " blank ends ",
    "\U0001f511 Schlüssel",
    "e\u0301",
    "\ue000\ue001",
    '$${" } "',
    "}",
    "$",
    "%",
    "$%{",
    "}${\\",
)
# What makes a text look another way than it reads is refused.
BIDIRECTIONAL = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
STRINGS = st.one_of(
    st.text(st.characters(exclude_characters=f"\0{BIDIRECTIONAL}", exclude_categories=["Cs"])),
    st.text('${}%"\\\n~ abu0041#/*<-EOT\ue000', max_size=30),
)


def value(expression: str) -> Value:
    return parse(f"x = {expression}\n", START).attributes["x"].value


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@given(STRINGS)
@settings(deadline=None)
def test_a_string_reads_back_as_the_string_it_was_written_for(text: str) -> None:
    # A byte order mark is refused as Terraform has it nowhere but at a file's beginning.
    if "\ufeff" not in text:
        assert value(literal(text)) == nfc(text)


@given(st.lists(STRINGS.filter(lambda text: "\ufeff" not in text)))
@example(["$${", "}", "%{", "}"])
@settings(deadline=None)
def test_strings_side_by_side_do_not_run_into_each_other(texts: list[str]) -> None:
    assert value(literal(texts)) == tuple(map(nfc, texts))
    pairs = {f"k{index}": text for index, text in enumerate(texts)}
    assert value(literal(pairs)) == {key: nfc(text) for key, text in pairs.items()}


@pytest.mark.toolchain
def test_strings_read_back_as_terraform_evaluates_them(tmp_path: Path, toolchain: Toolchain) -> None:
    texts = [text for text in HOSTILE if "\ufeff" not in text]
    heredoc = "<<-EOT\n      # $${a} $$${b} \\n\n    \t tab\n   \n    x %%{y}\n      EOT"
    source = f"x = {literal(texts)}\nh = {heredoc}\n"
    outputs = f'output "x" {{\n  value = {literal(texts)}\n}}\noutput "h" {{\n  value = {heredoc}\n}}\n'
    (tmp_path / "main.tf").write_text(outputs)
    terraform = [str(toolchain.terraform), f"-chdir={tmp_path}"]
    environment = {"TF_CLI_CONFIG_FILE": str(toolchain.terraform_config), "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str) -> str:
        command = [*terraform, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    run("init", "-input=false")
    run("apply", "-auto-approve", "-input=false")
    evaluated = json.loads(run("output", "-json"))
    read = parse(source, START).attributes
    assert read["x"].value == tuple(evaluated["x"]["value"])
    assert read["h"].value == evaluated["h"]["value"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", True),
        ("null", None),
        ("0", 0),
        ("43200", 43200),
        ("[]", ()),
        ("{}", {}),
        ("[\n  1,\n  [2],\n]", (1, (2,))),
        ('{ a = 1, "b" = { c = [] } }', {"a": 1, "b": {"c": ()}}),
        ("{\n  a = 1\n  b = 2\n}", {"a": 1, "b": 2}),
        ("{ if = 1, in = 2, for = 3, null = 4, true = 5 }", {"if": 1, "in": 2, "for": 3, "null": 4, "true": 5}),
        ("data.kind.my-label.json", Traversal(("data", "kind", "my-label", "json"))),
        ("string", Traversal(("string",))),
        ("<<EOT\n  kept\nEOT", "  kept\n"),
        ("<<-EOT\n    a\n      b\n\n  c\n  EOT", "  a\n    b\n\nc\n"),
        ("<<-EOT\nEOT", ""),
    ],
)
def test_literals_and_references_are_read(expression: str, expected: Value) -> None:
    assert value(expression) == expected
    assert type(value(expression)) is type(expected)


@pytest.mark.parametrize(
    "expression",
    [
        '"${x}"',
        '"%{ if true }a%{ endif }"',
        "1 + 1",
        "-1",
        "!true",
        "true ? 1 : 2",
        "(1)",
        "1.5",
        "012",
        "9" * 5000,
        'jsonencode("x")',
        "[for x in [1] : x]",
        "{for x in [1] : x => x}",
        "a[0]",
        "a[*].b",
        "a.*.b",
        "a.0",
        "f(1).b",
        '{ for = "x" }',
        '{ (a) = "x" }',
        "{ 1 = 2 }",
    ],
)
def test_anything_computed_is_refused(expression: str) -> None:
    with pytest.raises(Unreadable) as caught:
        value(expression)
    assert caught.value.finding.rule == NOT_LITERAL


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x = 1\nx = 1\n", REPEATED),
        ("x = { a = 1, a = 2 }\n", REPEATED),
        ('x = { a = 1, "a" = 2 }\n', REPEATED),
        ("a {}\na = 1\n", REPEATED),
        ("x = 1 y = 2\n", SYNTAX),
        ("x = 1 a {}\n", SYNTAX),
        ("a {} b {}\n", SYNTAX),
        ("a { x = 1\n}\n", SYNTAX),
        ("a {\n  x = 1 }\n", SYNTAX),
        ("a { b {} }\n", SYNTAX),
        ("a { x = 1 /* \n */ y = 2 }\n", SYNTAX),
        ("a\n{\n}\n", SYNTAX),
        ("x = { a = 1 b = 2 }\n", SYNTAX),
        ('x = "a\nb"\n', SYNTAX),
        (r'x = "\q"' + "\n", SYNTAX),
        (r'x = "\u00e"' + "\n", SYNTAX),
        (r'x = "\ud800"' + "\n", SYNTAX),
        (r'x = "\u0000"' + "\n", SYNTAX),
        (r'x = "\U00110000"' + "\n", SYNTAX),
        ("x = <<EOT\na\nEOT  \nb\nEOT\n", SYNTAX),
        ("x = <<EOT\na\n\u00a0EOT\nb\nEOT\n", SYNTAX),
        ("x = <<E.T\na\nE.T\n", SYNTAX),
        ("x = <<EOT\n${a}\nEOT\n", SYNTAX),
        ("x = <<EOT\n# %{ if a }\nEOT\n", SYNTAX),
        ("x = <<EOT\na\n", SYNTAX),
        ("x =\n", SYNTAX),
        ("x = 1\r\n", SYNTAX),
        ("x = 1 # \x00\n", SYNTAX),
        ("\ufeffx = 1\n", SYNTAX),
        *((f"x = 1 # {character}\n", SYNTAX) for character in BIDIRECTIONAL),
        ("x = { a = 1\n, b = 2 }\n", SYNTAX),
        ("x = <<EOT\na\nEOT", SYNTAX),
        ("".join(map(chr, range(0xE000, 0xF900))), SYNTAX),
        ("#" * (LONGEST + 1), TOO_LARGE),
        ("x = " + "[" * 2000 + "]" * 2000 + "\n", TOO_LARGE),
        ("x = " + "{a=" * 2000 + "1" + "}" * 2000 + "\n", TOO_LARGE),
        ("a {\n" * 2000 + "}\n" * 2000, TOO_LARGE),
        ("x = " + "(" * 2000 + "1" + ")" * 2000 + "\n", NOT_LITERAL),
        ("x = " + '"${' * 1000 + "x" + '}"' * 1000 + "\n", NOT_LITERAL),
    ],
)
def test_what_terraform_refuses_or_hides_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text, START)
    assert caught.value.finding.rule == rule


def test_comments_and_blank_lines_change_nothing() -> None:
    plain = 'a "b" {\n  x = "# no comment"\n}\n'
    commented = '# one\n\n// two\n/* three\n*/\na "b" { # four\n\n  x = "# no comment" // five\n  # six\n}\n\n'
    assert parse(commented, START).blocks[0].body.attributes["x"].value == "# no comment"
    assert parse(plain, START).blocks[0].labels == parse(commented, START).blocks[0].labels


def test_spans_point_at_the_line_and_column_in_the_file() -> None:
    body = parse("# head\n\na {\n  xyz = [\n    1,\n  ]\n}\n", START)
    assert body.blocks[0].span == Span("x.tf", 3, 1, 7, 2)
    assert body.blocks[0].body.attributes["xyz"].span == Span("x.tf", 4, 3, 6, 4)


def test_errors_name_the_place() -> None:
    with pytest.raises(Unreadable) as caught:
        parse('a {\n  x = 1\n  x = "two"\n}\n', START)
    assert str(caught.value.finding.span) == "x.tf:3:3"
