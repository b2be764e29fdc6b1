"""Fenced blocks of the documents, and running those that are a console."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).parents[2]
# The order counts: blocks that share a sandbox are run in it.
DOCUMENTS = (
    CHECKOUT / "README.md",
    CHECKOUT / "CONTRIBUTING.md",
    CHECKOUT / "CHANGELOG.md",
    *sorted((CHECKOUT / "docs").rglob("*.md")),
)
_FENCED = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "--- end of a command ---"


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Args:
        language: The first word after the fence.
        words: The other words: what the block claims to be.
        line: The line of its text's beginning, from 1.
    """

    document: Path
    language: str
    words: tuple[str, ...]
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.document.relative_to(CHECKOUT)}:{self.line}"


def blocks(language: str) -> list[Block]:
    """Return every block of a language, document by document."""
    return [block for document in DOCUMENTS for block in _blocks(document) if block.language == language]


def _blocks(document: Path) -> list[Block]:
    text = document.read_text("utf-8")
    found = []
    for match in _FENCED.finditer(text):
        language, *words = match["info"].split() or [""]
        line = text.count("\n", 0, match.start("text")) + 1
        found.append(Block(document, language, tuple(words), match["text"], line))
    return found


@dataclass(frozen=True)
class Step:
    """A command and the lines that it is said to print."""

    command: str
    expected: tuple[str, ...]


def steps(block: Block) -> list[Step]:
    """Return a console's commands with what follows each."""
    found: list[Step] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], ()))
        else:
            last = found.pop()
            found.append(Step(last.command, (*last.expected, line)))
    return found


def run(block: Block, folder: Path, environment: Mapping[str, str]) -> None:
    """Run a console's commands in one shell and compare what each prints, stdout and stderr together.

    Raises:
        AssertionError: When something else is printed.
    """
    commands = steps(block)
    # The status is put back, so that a document can show `echo $?`.
    between = f"\n_status=$?; echo; echo '{_END}'; (exit $_status)\n"
    script = between.join(["", *(step.command for step in commands), ""])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = done.stdout.split(f"{_END}\n")[1:-1]
    for step, output in zip(commands, said, strict=True):
        assert _matches(step.expected, output), f"{block}: `{step.command}` printed\n{output}\nand not\n" + "\n".join(
            step.expected
        )


def _matches(expected: tuple[str, ...], output: str) -> bool:
    pattern = ""
    for line in expected:
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n"
    return re.fullmatch(rf"{pattern}\n*", output) is not None


def headings(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    titles = re.findall(r"^#+ (.+)$", _FENCED.sub("", document.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
