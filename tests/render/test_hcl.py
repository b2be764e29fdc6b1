"""Literals: real Terraform evaluates them to exactly what went in, and formats them as they are."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.render.hcl import Hcl, comment, identifier, label, literal, policy_path

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    *("", " ", '"', "\\", '\\"', "\\\\", "\\n", "\\u0041", "'", "`"),
    *("$", "$$", "${", "$${", "$$${", "${x}", "$${x}", "$$$${x}", '${"', "\\${x}", "$\n{"),
    *("%", "%%", "%{", "%%{", "%%%{", "%{ if true }", "%{~ endif ~}", "$%{", "%${", "{{x}}", "}"),
    *("\n", "\r", "\r\n", "\t", "\v", "\f", "\x01", "\x1b[31m", "\x7f", "\x85", "\xa0", "\u2028", "\u2029"),
    *("#", "//", "/*", "*/", "EOT", "\nEOT\n", "<<-EOT", "null", "true", "for", "1", "a-b", "0x1f"),
    *("é", "日本語", "😀", "👩‍👩‍👧", "🇩🇪", "q̣̇", "คำ", "ᄀ가", "\u200b", "\u202e", "\ufeff", "\ufffd", "\U0010ffff"),
]
FRAGMENTS = st.one_of(
    st.sampled_from(HOSTILE),
    # Without what is not assigned: Python and Terraform may know different versions of Unicode.
    st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\0"),
)
# Manifests are in NFC when they are loaded, as Terraform makes all strings.
TEXTS = st.lists(FRAGMENTS, max_size=6).map(lambda parts: unicodedata.normalize("NFC", "".join(parts)))


@dataclass(frozen=True)
class Terraform:
    """Real Terraform on one folder; nothing here needs a provider."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        rc = self.folder / "terraform.rc"
        rc.write_text("disable_checkpoint = true\n")
        run = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "TF_CLI_CONFIG_FILE": str(rc)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def outputs(self, text: str) -> dict[str, Any]:
        """Return what each output of a root of these contents evaluates to."""
        (self.folder / "main.tf").write_text(text, encoding="utf-8", newline="\n")
        self("apply", "-auto-approve", "-input=false", "-no-color")
        return {name: output["value"] for name, output in json.loads(self("output", "-json")).items()}


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    tool = Terraform(tmp_path_factory.mktemp("hcl"))
    tool("init", "-no-color")
    return tool


def output(name: str, value: object) -> str:
    return f'output "{name}" {{\n  value = {literal(value, 2)}\n}}\n'


few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.toolchain
class TestWithTerraform:
    def test_every_hostile_string_comes_back_as_it_went_in(self, terraform: Terraform) -> None:
        pairs = [unicodedata.normalize("NFC", one + other) for one in HOSTILE for other in HOSTILE]
        assert terraform.outputs(output("pairs", pairs)) == {"pairs": pairs}

    @few
    @given(texts=st.lists(TEXTS, min_size=150, max_size=300))
    def test_any_string_comes_back_as_it_went_in(self, terraform: Terraform, texts: list[str]) -> None:
        assert terraform.outputs(output("texts", texts)) == {"texts": texts}

    @few
    @given(
        maps=st.lists(
            st.dictionaries(
                TEXTS.filter(bool), st.one_of(TEXTS, st.integers(0, 10**9), st.booleans(), st.lists(TEXTS, max_size=2))
            ),
            min_size=10,
            max_size=30,
        )
    )
    def test_maps_come_back_and_are_as_terraform_formats_them(
        self, terraform: Terraform, maps: list[dict[str, Any]]
    ) -> None:
        wanted = {f"m{index}": value for index, value in enumerate(maps)}
        found = terraform.outputs("\n".join(output(name, value) for name, value in wanted.items()))
        assert found == wanted
        assert terraform("fmt", "-check", "-diff") == ""

    def test_a_map_of_every_hostile_key_is_as_terraform_formats_it(self, terraform: Terraform) -> None:
        keys = [unicodedata.normalize("NFC", key) for key in HOSTILE if key]
        wanted = {f"one{index}": {key: key, "longer-than-most": "x"} for index, key in enumerate(keys)}
        wanted["all"] = {key: key for key in keys}
        found = terraform.outputs("\n".join(output(name, value) for name, value in wanted.items()))
        assert found == wanted
        assert terraform("fmt", "-check", "-diff") == ""

    @few
    @given(texts=st.lists(TEXTS, min_size=100, max_size=200))
    def test_no_comment_breaks_out_of_its_line(self, terraform: Terraform, texts: list[str]) -> None:
        shown = [comment(text) for text in [*HOSTILE, *texts]]
        lines = "".join(f"# {text}\n" for text in shown)
        inside = "".join(f"    # {text}\n" for text in shown)
        found = terraform.outputs(f'{lines}output "o" {{\n  value = <<-EOT\n{inside}  EOT\n}}\n')
        assert list(found) == ["o"]
        said = [f"# {text.replace('$${', '${').replace('%%{', '%{')}" for text in shown]
        assert found["o"].rstrip("\n").split("\n") == [unicodedata.normalize("NFC", line) for line in said]
        assert terraform("fmt", "-check", "-diff") == ""


class TestLiterals:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("plain", '"plain"'),
            ('say "${x}"', r'"say \"$${x}\""'),
            ("%{ if }", '"%%{ if }"'),
            ("a\nb", r'"a\nb"'),
            ("\x1b", r'"\u001b"'),
            (True, "true"),
            (0, "0"),
            (-5, "-5"),
            (None, "null"),
            ([], "[]"),
            (("a", "b"), '["a", "b"]'),
            ({}, "{}"),
            ({"a": "x", "long": 1}, '{\n  a    = "x"\n  long = 1\n}'),
            ({"for": 1, "b c": 2}, '{\n  "for" = 1\n  "b c" = 2\n}'),
        ],
    )
    def test_are_written_as_people_write_them(self, value: object, text: str) -> None:
        assert literal(value) == text

    def test_a_map_is_indented_from_the_line_on_which_it_begins(self) -> None:
        assert literal({"a": 1}, 4) == "{\n      a = 1\n    }"

    @pytest.mark.parametrize("value", ["\0", "\ud800", "a\0b", ["\0"], {"\0": 1}])
    def test_what_hcl_cannot_hold_is_refused(self, value: object) -> None:
        with pytest.raises(ValueError, match=r"NUL|surrogates"):
            literal(value)

    @pytest.mark.parametrize("value", [1.5, b"x", object(), {"a": {}}, [["a"]], [{"a": 1}], {"a": [{}]}])
    def test_other_types_and_depths_are_refused(self, value: object) -> None:
        with pytest.raises(TypeError, match="no HCL literal"):
            literal(value)

    def test_what_is_hcl_already_is_not_escaped_again(self) -> None:
        assert literal(Hcl("var.x")) == "var.x"


class TestNames:
    @pytest.mark.parametrize("name", ["a", "pay-app", "account-123456789012", "_x", "A1"])
    def test_identifiers(self, name: str) -> None:
        assert identifier(name) == name
        assert label(name) == f'"{name}"'

    @pytest.mark.parametrize("name", ["", "1a", "a b", 'a"', "a.b", "a\n", "é", "-a", "${a}", "a/b"])
    def test_others_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="not an HCL identifier"):
            identifier(name)
        with pytest.raises(ValueError, match="not an HCL identifier"):
            label(name)


class TestPolicyPaths:
    def test_plain_ones_are_quoted(self) -> None:
        path = "secret/data/certs/123456789012/a+b=c,d.e@f-g_h/*"
        assert policy_path(path) == f'"{path}"'

    @given(
        st.one_of(TEXTS, st.sampled_from(["a\n", 'a"', "${a}", "%{a}", "{{a}}", "a b", "a\\b", "", "a'b", "#", "é"]))
    )
    def test_others_are_refused(self, path: str) -> None:
        if path and all(c.isascii() and (c.isalnum() or c in "_=,.@/*+-") for c in path):
            assert policy_path(path) == f'"{path}"'
        else:
            with pytest.raises(ValueError, match="not a plain policy path"):
                policy_path(path)


class TestComments:
    @pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\nb", "a\x00b", "a\x85b", "a\u2028b", "a\u2029b", "a\x0bb"])
    def test_line_breaks_and_control_characters_become_spaces(self, text: str) -> None:
        assert comment(text).replace("  ", " ") == "a b"

    @given(TEXTS)
    def test_are_one_line_to_everybody(self, text: str) -> None:
        assert len(f"# {comment(text)}".splitlines()) == 1

    def test_keep_every_language(self) -> None:
        assert comment("Пограничный шлюз, 日本語 */ \\") == "Пограничный шлюз, 日本語 */ \\"
