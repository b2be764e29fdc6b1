"""A string in any field of any manifest is refused, or comes out of Terraform as it went in."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from generator import pipeline
from generator.audit import parseback
from generator.audit.expected import expected
from generator.manifest.source import parse
from generator.manifest.validate import Sourced, validate
from generator.render import hcl
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.resources import data
from tests.hostile.fields import MODELS, STAGES, WHOLE, Path, at, texts, whole, written
from tests.hostile.promise import ACCOUNT, CLIENT, SETTINGS, TARGETS
from tests.hostile.strings import INJECTIONS

if TYPE_CHECKING:
    import pathlib

FIELDS = [(kind, path) for kind in TARGETS for path in texts(MODELS[kind])]
AS_LITERALS = {
    CLIENT: {"role_path", "policy", "*", "**"},
    ACCOUNT: {"external_id", "*", "**"},
    SETTINGS: {"bucket", "namespace", "server_id_header", "*", "**"},
}
AS_COMMENTS = {("owner",), ("description",), ("change_ref",), ("suspend", "reason")}
RENDERER = Renderer([data("templates")])


def name_of(field: tuple[str, Path]) -> str:
    return f"{field[0].rpartition('/')[2]} {'.'.join(map(str, field[1]))}"


def as_yaml(manifest: dict[str, Any]) -> bytes:
    """Write a manifest so that every string in it is quoted: JSON is YAML."""
    return json.dumps(manifest, ensure_ascii=False).encode()


@functools.cache
def taken(kind: str, path: Path, text: str) -> str | None:
    """Return what a field holds when a text is written there; None when it is refused."""
    document = parse(as_yaml(written(whole(kind, path), path, text)), kind)
    result = document if isinstance(document, tuple) else validate(document, MODELS[kind])
    if isinstance(result, Sourced):
        return at(result.model.model_dump(mode="json"), path)
    assert result, (kind, path, text)
    assert all(finding.message and finding.span.path == kind for finding in result)
    return None


def free(field: tuple[str, Path]) -> bool:
    """Tell whether a field takes any text at all."""
    return taken(*field, "any text, e.g. <this>") is not None


def rendered(
    folder: pathlib.Path, manifests: dict[str, dict[str, Any]], read_back: set[str] | None = None
) -> dict[str, str] | None:
    """Return what a fleet is rendered to, after reading it back; None when its rules refuse it.

    Args:
        folder: Where its manifests are written.
        manifests: By their paths.
        read_back: What was read back before, and is added to: most texts change few of the files.
    """
    for kind, manifest in manifests.items():
        (folder / kind).parent.mkdir(parents=True, exist_ok=True)
        (folder / kind).write_bytes(as_yaml(manifest))
    validated = pipeline.validate(folder)
    if validated.has_errors:
        return None
    wanted = dict(expected(validated.fleet))
    made = RENDERER.render(page for root in layout(validated.fleet) for page in root.pages)
    assert made.keys() == wanted.keys()
    known = set() if read_back is None else read_back
    for path, text in made.items():
        if (claim := repr((path, text, wanted[path]))) not in known:
            assert parseback.check(path, text, wanted[path]) == []
            known.add(claim)
    return made


@dataclass(frozen=True)
class Case:
    """A text that every rule lets stand in some fields, and the files that come of it."""

    text: str
    fields: tuple[tuple[str, Path], ...]
    files: dict[str, str]


def groups() -> list[tuple[tuple[str, Path], ...]]:
    """Return the fields that are tried at once: those of free text that one manifest can hold, the others alone."""
    together: dict[str | int, list[tuple[str, Path]]] = {}
    alone = []
    for field in FIELDS:
        if free(field):
            together.setdefault(field[1][0] if field[1][0] in STAGES else "", []).append(field)
        else:
            alone.append((field,))
    return [*map(tuple, together.values()), *alone]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """Every text in every field that takes it, and whose fleet no rule refuses."""
    folder = tmp_path_factory.mktemp("injection")
    found, read_back = [], set[str]()
    for fields in groups():
        for text in INJECTIONS:
            right = tuple(field for field in fields if taken(*field, text) is not None)
            if not right:
                continue
            manifests = {kind: whole(kind, right[0][1]) for kind in TARGETS}
            for kind, path in right:
                manifests[kind] = written(manifests[kind], path, text)
            files = rendered(folder, manifests, read_back)
            if files is not None:
                found.append(Case(text, right, files))
    return found


def test_every_field_that_holds_text_is_written_in_the_manifests_of_these_tests() -> None:
    assert len(FIELDS) > 60
    for kind, path in FIELDS:
        written(WHOLE[kind], path, "x")


def test_the_manifests_of_these_tests_are_in_order(tmp_path: pathlib.Path) -> None:
    for stage in ("name", "previously", "suspend", "retire"):
        manifests = {kind: whole(kind, (stage,)) for kind in TARGETS}
        assert rendered(tmp_path, manifests) is not None, pipeline.validate(tmp_path).findings


@pytest.mark.parametrize("field", FIELDS, ids=name_of)
def test_a_text_is_refused_or_taken_as_it_is(field: tuple[str, Path]) -> None:
    for text in INJECTIONS:
        found = taken(*field, text)
        assert found in {None, unicodedata.normalize("NFC", text)}, (text, found)


def test_most_texts_are_refused_by_most_fields_and_taken_by_those_of_free_text(cases: list[Case]) -> None:
    together = {name_of(field) for field in FIELDS if free(field)}
    assert {"scanner.yaml description", "scanner.yaml owner", "222222222222.yaml name"} <= together
    assert len(together) < len(FIELDS) / 4
    assert len({case.text for case in cases}) > len(INJECTIONS) / 2


# A string in HCL, as it is written in a rendered file outside comments and heredocs.
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')


_BARE_KEY = re.compile(r"^ +([A-Za-z_][A-Za-z0-9_-]*) += ", re.MULTILINE)


def literals(text: str) -> list[str]:
    """Return every quoted string of a rendered file; in a heredoc there are policy paths alone, which are plain."""
    lines = [line for line in text.split("\n") if not line.lstrip().startswith("#")]
    return [found for line in lines for found in _LITERAL.findall(line)]


@pytest.mark.toolchain
def test_what_is_taken_comes_out_of_terraform_as_it_went_in(cases: list[Case], tmp_path: pathlib.Path) -> None:
    tokens = sorted({token for case in cases for text in case.files.values() for token in literals(text)})
    items = ",\n    ".join(tokens)
    main = f'output "all" {{\n  value = [\n    {items}\n  ]\n}}\n'
    (tmp_path / "main.tf").write_text(main, encoding="utf-8", newline="")
    terraform(tmp_path, "apply", "-auto-approve", "-input=false", "-no-color")
    values = json.loads(terraform(tmp_path, "output", "-json"))["all"]["value"]
    evaluated = dict(zip(tokens, values, strict=True))
    counted = {True: 0, False: 0}
    for case in cases:
        text = unicodedata.normalize("NFC", case.text)
        said = {evaluated[token] for file in case.files.values() for token in literals(file)}
        said |= {key for file in case.files.values() for key in _BARE_KEY.findall(file)}
        for kind, path in case.fields:
            # A client that is retired has no file, and says nothing of itself.
            if path[-1] in AS_LITERALS[kind]:
                assert any(text in value for value in said), (path, text)
            elif kind == CLIENT and path in AS_COMMENTS:
                assert any(f": {hcl.comment(text)}\n" in file for file in case.files.values()), (path, text)
            counted[path[-1] in AS_LITERALS[kind]] += 1
    assert min(counted.values()) > 100, counted


@pytest.mark.toolchain
def test_no_comment_and_no_string_breaks_out_of_its_place(cases: list[Case], tmp_path: pathlib.Path) -> None:
    files = sorted({text for case in cases for text in case.files.values()})
    for number, text in enumerate(files):
        (tmp_path / f"{number}.tf").write_text(text, encoding="utf-8", newline="")
    assert terraform(tmp_path, "fmt", "-check", "-list=true") == ""


def terraform(folder: pathlib.Path, *arguments: str) -> str:
    """Run real Terraform; nothing here needs a provider."""
    rc = folder / "terraform.rc"
    rc.write_text("disable_checkpoint = true\n")
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "TF_CLI_CONFIG_FILE": str(rc)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
