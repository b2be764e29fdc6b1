"""A fuzzer over manifests and settings: `make fuzz`, or `python -m tests.hostile.fuzz [COUNT]`.

Every case follows from a seed and its number alone, so that a failure can be had again. A case takes a file of the
example or golden fleets, changes it a few times, puts it into a small fleet and does what `check` does: read, judge,
show the findings, and, where there are none, render and read back.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING

from generator import pipeline
from generator.audit import parseback
from generator.audit.expected import expected
from generator.manifest import source
from generator.render.layout import layout
from generator.render.render import Renderer
from generator.report import findings as report
from generator.resources import data
from tests.hostile import mutations
from tests.hostile.promise import ACCOUNT, CHECKOUT, CLIENT, SECONDS, SETTINGS, TARGETS, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.diagnostics import Diagnostic

FAILURES = CHECKOUT / ".crosskeys/fuzz"
_CHUNK = 500
_FORMATS = tuple(report.Format)
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
_MEMORY = Path("/dev/shm")  # a case costs little beside opening its files on a disk
_REMEMBERED = 100_000  # texts that were read back: most changes do not reach the rendered files


@dataclass(slots=True)
class Tally:
    """What came of some cases.

    Args:
        accepted: How many had no error.
        read_back: How many of the rendered texts were new, and so were read back.
        rules: How often each rule was broken.
        failures: The case's number and what was wrong, with its file and bytes.
    """

    count: int = 0
    accepted: int = 0
    read_back: int = 0
    slowest: float = 0.0
    rules: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str, str, bytes]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.count += other.count
        self.accepted += other.accepted
        self.read_back += other.read_back
        self.slowest = max(self.slowest, other.slowest)
        self.rules += other.rules
        self.failures += other.failures


class Fuzzer:
    """Judges one file after another in a small fleet of its own.

    Args:
        folder: Where the fleet is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts: dict[str, str] = {}
        self._renderer = Renderer([data("templates")])
        self._seen: set[bytes] = set()
        self._hostile = CLIENT
        self._good = {path: (CHECKOUT / path).read_bytes() for path in TARGETS}
        for path, content in self._good.items():
            self._write(path, content)

    def run(self, seed: int, numbers: Iterable[int]) -> Tally:
        """Judge the cases of these numbers."""
        tally = Tally()
        for number in numbers:
            path, content = case(seed, number)
            try:
                for problem in self.judge(path, content, tally):
                    tally.failures.append((number, problem, path, content))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the fuzzer looks for
                tally.failures.append((number, f"{type(error).__name__}: {error}", path, content))
        return tally

    def judge(self, path: str, content: bytes, tally: Tally) -> Iterator[str]:
        """Yield what is wrong with how one file is taken."""
        if path != self._hostile:
            self._write(self._hostile, self._good[self._hostile])
            self._hostile = path
        self._write(path, content)
        begin = time.process_time()
        validated = pipeline.validate(self.folder)
        formats = (report.Format.FULL, _FORMATS[tally.count % len(_FORMATS)])
        shown = [report.render(validated.findings, fmt, self._text) for fmt in formats]
        if not validated.has_errors:
            tally.accepted += 1
            yield from self._rendered(validated, tally)
        seconds = time.process_time() - begin
        tally.count += 1
        tally.slowest = max(tally.slowest, seconds)
        tally.rules.update({finding.rule for finding in validated.findings})
        if seconds > SECONDS:
            yield f"took {seconds:.2f} s"
        if int(pipeline.code_of(validated.findings)) not in {0, 1, 2}:
            yield f"exit code {pipeline.code_of(validated.findings)}"
        if not all(map(is_plain, shown)):
            yield "the output has characters that a terminal acts on"
        yield from _misplaced(validated.findings, self._text_of(path, content))

    def _rendered(self, validated: pipeline.Validated, tally: Tally) -> Iterator[str]:
        wanted = dict(expected(validated.fleet))
        texts = self._renderer.render(page for root in layout(validated.fleet) for page in root.pages)
        if texts.keys() != wanted.keys():
            yield f"rendered {sorted(texts.keys() ^ wanted.keys())} for nothing, or not"
        for path, text in texts.items():
            key = hashlib.sha256(repr((path, text, wanted.get(path))).encode()).digest()
            if key in self._seen or len(self._seen) >= _REMEMBERED:
                continue
            self._seen.add(key)
            tally.read_back += 1
            self.texts[f"{len(self.texts):06}.tf"] = text
            yield from parseback.check(path, text, wanted.get(path, ()))
            if not _is_tidy(text):
                yield f"{path} is not as `terraform fmt` writes it"

    def _write(self, path: str, content: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def _text(self, path: str) -> str | None:
        return source.excerpt_source(self.folder / path)

    @staticmethod
    def _text_of(path: str, content: bytes) -> tuple[str, list[str]]:
        return path, content.decode("utf-8", "replace").split("\n")


def case(seed: int, number: int) -> tuple[str, bytes]:
    """Return the file and the bytes of one case."""
    rng = random.Random(f"{seed}:{number}")  # noqa: S311 - chance that can be had again, no secret
    path = rng.choices(TARGETS, (6, 2, 3))[0]
    return path, mutations.mutated(rng, rng.choice(_SEEDS[path]), _SEEDS[path])


def _misplaced(findings: Iterable[Diagnostic], text: tuple[str, list[str]]) -> Iterator[str]:
    """Yield the findings whose place the file does not have."""
    path, lines = text
    for finding in findings:
        for span in (finding.span, *(note.span for note in finding.notes)):
            if span.path == path and span.line and not 1 <= span.column <= len(lines[span.line - 1]) + 1:
                yield f"{finding.rule} stands at {span}, where there is nothing"


def _is_tidy(text: str) -> bool:
    lines = text.split("\n")
    # What a comment says is left alone, spaces at its end too.
    return lines.pop() == "" and all(
        (line == line.rstrip() or line.lstrip().startswith("#")) and not _CONTROL.search(line) for line in lines
    )


def _seeds() -> dict[str, list[bytes]]:
    folders = [CHECKOUT, *sorted((CHECKOUT / "tests/golden").glob("*/"))]
    named = {
        CLIENT: [file for folder in folders for file in sorted(folder.glob("clients/*.yaml"))],
        ACCOUNT: [file for folder in folders for file in sorted(folder.glob("clients/accounts/*.yaml"))],
        SETTINGS: [file for folder in folders for file in sorted(folder.glob("crosskeys.yaml"))],
    }
    return {path: [_at_home(path, file.read_bytes()) for file in files] for path, files in named.items()}


def _at_home(path: str, content: bytes) -> bytes:
    """Return a manifest under the name and account that it has in the small fleet."""
    if path == SETTINGS:
        return content
    content = re.sub(rb"\b(\d{12})\b", b"222222222222", content)
    return re.sub(rb"^name: .*$", b"name: scanner", content, flags=re.MULTILINE) if path == CLIENT else content


_SEEDS = _seeds()
_fuzzer: list[Fuzzer] = []


def _work(job: tuple[int, range]) -> Tally:
    if not _fuzzer:
        _fuzzer.append(Fuzzer(Path(tempfile.mkdtemp(prefix="fuzz-", dir=os.environ["FUZZ_FOLDER"]))))
    return _fuzzer[0].run(*job)


def _save(seed: int, failures: Iterable[tuple[int, str, str, bytes]]) -> None:
    FAILURES.mkdir(parents=True, exist_ok=True)
    for number, problem, path, content in failures:
        kept = FAILURES / f"{seed}-{number}-{Path(path).name}"
        kept.write_bytes(content)
        sys.stdout.write(
            f"FAILED {path}: {problem[:300]}\n"
            f"  again: python -m tests.hostile.fuzz --replay {kept.relative_to(CHECKOUT)}\n"
        )


def _replay(kept: Path, folder: Path) -> list[str]:
    path = next(path for path in TARGETS if kept.name.endswith(Path(path).name))
    fuzzer = Fuzzer(folder)
    problems = list(fuzzer.judge(path, kept.read_bytes(), Tally()))
    sys.stdout.write("\n".join(problems or ["nothing is wrong with it"]) + "\n")
    return problems


def main() -> int:
    """Run the fuzzer; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("count", nargs="?", type=int, default=200_000, help="how many cases")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="how many processes")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="judge one kept file again")
    options = parser.parse_args()
    begin, total = time.monotonic(), Tally()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        if options.replay:
            return 1 if _replay(options.replay, Path(folder)) else 0
        os.environ["FUZZ_FOLDER"] = folder
        jobs = [
            (options.seed, range(start, min(start + _CHUNK, options.count)))
            for start in range(0, options.count, _CHUNK)
        ]
        with Pool(options.workers) as pool:
            for tally in pool.imap_unordered(_work, jobs):
                _save(options.seed, tally.failures)
                total.add(tally)
                if total.count % (_CHUNK * 40) == 0:
                    sys.stderr.write(f"{total.count} cases, {len(total.failures)} failures\n")
    rate = total.count / (time.monotonic() - begin)
    sys.stdout.write(
        f"{total.count} cases of seed {options.seed}, {rate:.0f} a second; {total.accepted} accepted "
        f"({total.accepted / max(1, total.count):.0%}), {total.read_back} files read back; the slowest took "
        f"{total.slowest:.2f} s\n{len(total.rules)} rules broken: "
        f"{', '.join(f'{rule} {hits}' for rule, hits in sorted(total.rules.items()))}\n"
        f"{len(total.failures)} failures\n"
    )
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
