"""The documents name what there is, all of it, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from generator import cli
from generator.errors import ExitCode
from tests.docs import reference
from tests.docs.blocks import CHECKOUT, DOCUMENTS, blocks, headings, steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = (CHECKOUT / "README.md").read_text("utf-8")
EVERYTHING = "\n".join(document.read_text("utf-8") for document in DOCUMENTS)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every verb of the command line with its words."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


VERBS = {" ".join(words): command for words, command in commands(typer.main.get_command(cli.app))}


def test_the_tables_of_manifests_are_those_of_the_models() -> None:
    text = reference.PAGE.read_text("utf-8")
    assert text == reference.page(text), f"stale: run {reference.COMMAND}"


@pytest.mark.parametrize("verb", sorted(verb for verb in VERBS if verb))
def test_every_verb_is_in_the_readme(verb: str) -> None:
    assert re.search(rf"`{verb}\b", README)


@pytest.mark.parametrize(
    "option",
    sorted(
        {option for command in VERBS.values() for param in command.params for option in param.opts if "-" in option}
    ),
)
def test_every_option_is_in_the_documents(option: str) -> None:
    assert re.search(rf"`[^`\n]*(?<![\w-]){re.escape(option)}(?![\w-])", EVERYTHING)


@pytest.mark.parametrize(
    "variable", sorted({param.envvar for command in VERBS.values() for param in command.params if param.envvar})
)
def test_every_variable_is_in_the_readme(variable: str) -> None:
    assert f"`{variable}`" in README


def test_every_crosskeys_command_that_is_shown_exists() -> None:
    typed = [step.command for block in blocks("console") for step in steps(block)]
    typed += [line for block in blocks("sh") for line in block.text.splitlines()]
    shown = [line.partition("crosskeys ")[2] for line in typed if re.search(r"\bcrosskeys ", line)]
    assert len(shown) > 10
    for line in shown:
        words = [word for word in line.split() if not word.startswith("-")]
        assert " ".join(words[:2]) in VERBS or words[0] in VERBS, line


def test_the_exit_codes_are_those_of_the_program() -> None:
    table = dict(re.findall(r"^\| (\d+) \| `([A-Z]+)` \|", README, re.MULTILINE))
    assert table == {str(code.value): code.name for code in ExitCode}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in headings(file), target


def test_every_decision_is_listed_under_its_title() -> None:
    index = (CHECKOUT / "docs/architecture.md").read_text("utf-8")
    pages = sorted((CHECKOUT / "docs/adr").glob("*.md"))
    listed = re.findall(r"^\| \[(\d{4})\]\(adr/([^)]+)\) \| (.+) \|$", index, re.MULTILINE)
    assert [name for _, name, _ in listed] == [page.name for page in pages]
    for (number, name, title), page in zip(listed, pages, strict=True):
        text = page.read_text("utf-8")
        assert name.startswith(number)
        assert text.startswith(f"# {number}. {title}\n\n2026-")
        for section in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"\n## {section}\n" in text


def test_every_part_of_the_package_is_in_the_module_map() -> None:
    index = (CHECKOUT / "docs/architecture.md").read_text("utf-8")
    parts = [path for path in (CHECKOUT / "generator").iterdir() if path.is_dir() or path.suffix == ".py"]
    for path in parts:
        if path.name.startswith("_"):
            continue
        assert f"`generator/{path.name}{'/' if path.is_dir() else ''}`" in index


def test_files_that_the_documents_name_exist() -> None:
    named = re.findall(r"`((?:generator|templates|toolchain|tests|clients|schemas)/[\w./-]+)`", EVERYTHING)
    assert len(named) > 20
    made_up = {"templates/vault/client.tf.j2", "generator/_data/"}
    for path in named:
        assert (CHECKOUT / path).exists() or path in made_up, path


def test_there_are_traps_and_each_has_all_its_cells() -> None:
    text = (CHECKOUT / "docs/traps.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Trap")]
    assert len(rows) >= 25
    for row in rows:
        assert len(re.split(r"(?<!\\)\|", row)) == 6, row


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_document_knows_a_machine(document: Path) -> None:
    text = document.read_text("utf-8")
    assert not re.search(r"(?<![\w.])/(?:root|home|work|opt|tmp|Users)/", text)
    assert not re.search(r"pypi\.org|pythonhosted|proxy\.golang|registry\.terraform", text)
