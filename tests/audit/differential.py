"""Holds reading by shape against parsing in full: `make fuzz`, or `python -m tests.audit.differential [COUNT]`.

Every case follows from a seed and its number alone. A case takes a file of the example or golden fleets, changes it,
reads it both ways and compares all that comes out, places and refusals too.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING

from generator.audit.faults import Unreadable
from generator.audit.moulds import Mould, Pattern
from generator.audit.reading import every_field, parsed
from generator.audit.shapes import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.audit.shapes import Shape

CHECKOUT = Path(__file__).parents[2]
_FLEETS = (CHECKOUT, *sorted((CHECKOUT / "tests/golden").glob("*/")))
FILES = [
    (file.relative_to(fleet).as_posix(), file.read_text("utf-8"))
    for fleet in _FLEETS
    for file in sorted(fleet.glob("terraform/**/*.tf"))
]
_STRING = re.compile('"([^"\n]*)"')
_WORDS = (
    *("for", "in", "if", "true", "null", "deny", "read", "EOT", "a", "A", "-", "_", ".", "..", "*", "+", "a/*", "/*"),
    *(
        "//",
        "#",
        "a b",
        "a,b",
        "a=b",
        "${a}",
        "$${a}",
        "%{if}",
        "{{a}}",
        '\\"',
        "\\u0041",
        "\n",
        "\t",
        "\u00e9",
        "e\u0301",
    ),
    *(
        "",
        "aws",
        "vault",
        "default",
        "root",
        "iam",
        "Allow",
        "sts:AssumeRole",
        "111111111111",
        "stand000in",
        "\0",
        "\1",
    ),
)
_SIGNS = "\"'\\{}[]()=.,:;/*+-#$%~<>!?&|_ \n\t\r\0aZ0\u00e9\u0301\ue000"


class Differential:
    """Reads texts both ways, with each shape parsed once."""

    def __init__(self) -> None:
        self.cast = 0
        self._moulds: dict[Shape, Mould | None] = {}

    def problem(self, path: str, text: str) -> str | None:
        """Return how the two ways differ, None when they do not."""
        try:
            piece = cut(path, text)
        except Unreadable:
            return None
        if piece is None:
            return None
        if piece.shape not in self._moulds:
            pattern = Pattern(piece.shape)
            declarations = parsed(pattern.path, pattern.text)
            made = None if isinstance(declarations, Unreadable) else Mould(pattern, declarations)
            self._moulds[piece.shape] = made
        mould = self._moulds[piece.shape]
        if mould is None:
            return None
        self.cast += 1
        by_shape, in_full = mould.cast(path, piece), parsed(path, text)
        if isinstance(in_full, Unreadable):
            return f"{path}: cast, and refused in full: {in_full}"
        return None if every_field(by_shape) == every_field(in_full) else f"{path}: {by_shape} is not {in_full}"


def case(seed: int, number: int) -> tuple[str, str]:
    """Return the path and text of one case."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311 - chance that can be had again, no secret
    path, text = rng.choice(FILES)
    for _ in range(rng.choice((1, 1, 1, 2))):
        text = rng.choice((_with_a_sign, _with_a_sign, _with_a_word, _with_a_word, _with_another_string))(rng, text)
    return path, text


def _with_a_sign(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    sign = rng.choice(_SIGNS)
    return rng.choice((text[:at] + text[at + 1 :], text[:at] + sign + text[at + 1 :], text[:at] + sign + text[at:]))


def _with_a_word(rng: random.Random, text: str) -> str:
    strings = list(_STRING.finditer(text))
    if not strings:
        return text
    found, word = rng.choice(strings), rng.choice(_WORDS)
    # Everywhere the same, or once: a name stands in several places.
    return text.replace(found[1], word) if found[1] and rng.random() < 0.5 else _put(text, found, word)


def _with_another_string(rng: random.Random, text: str) -> str:
    strings = list(_STRING.finditer(text))
    return _put(text, rng.choice(strings), rng.choice(strings)[1]) if strings else text


def _put(text: str, found: re.Match[str], word: str) -> str:
    return text[: found.start(1)] + word + text[found.end(1) :]


def run(seed: int, numbers: Iterable[int]) -> tuple[int, list[str]]:
    """Return how many of the cases were cast, and what was wrong."""
    both = Differential()
    problems = [f"case {number}: {found}" for number in numbers if (found := both.problem(*case(seed, number)))]
    return both.cast, problems


def _work(job: tuple[int, range]) -> tuple[int, list[str]]:
    return run(*job)


def main() -> int:
    """Run the comparison; 1 when a difference was found."""
    parser = argparse.ArgumentParser(prog="differential", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("count", nargs="?", type=int, default=100_000, help="how many cases")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases")
    options = parser.parse_args()
    jobs = [(options.seed, range(start, min(start + 500, options.count))) for start in range(0, options.count, 500)]
    cast, wrong = 0, 0
    with Pool(len(os.sched_getaffinity(0))) as pool:
        for count, problems in pool.imap_unordered(_work, jobs):
            cast, wrong = cast + count, wrong + len(problems)
            sys.stdout.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.write(f"{options.count} changed files, {cast} of them cast and parsed in full; {wrong} differ\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
