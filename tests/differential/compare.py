"""Vault's answers against this tool's, counted by corner: `make fuzz`, or `python -m tests.differential.compare`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from generator import cache
from generator.audit.acl import ACL
from generator.audit.acl_identity import Entity, Group, Identity
from generator.audit.acl_policy import parse
from generator.audit.acl_terms import Operation
from generator.diagnostics import Span
from generator.sandbox.toolchain import ensure
from tests.differential import corners, corpus
from tests.differential.server import Vault, serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.audit.acl_policy import Policy

WORKERS = 4
_SECOND = 1_000_000_000
IDENTITY = Identity(
    Entity(name=corpus.ENTITY_NAME, metadata={"team": corpus.ENTITY_TEAM}),
    (Group(id="unknown", name=corpus.GROUP_NAME, metadata={"tier": corpus.GROUP_TIER}),),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A trial with what Vault said.

    Args:
        capabilities: In the order of the trial's paths.
        allowed: In the order of its requests.
    """

    trial: corpus.Trial
    capabilities: tuple[tuple[str, ...], ...]
    allowed: tuple[bool, ...]


@dataclass(slots=True)
class Tally:
    """What came of some trials."""

    cases: int = 0
    granted: int = 0
    corners: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def add(self, answered: Answered) -> None:
        """Compare a trial's answers, and count the corners that they lie in."""
        acl = compiled(answered.trial)
        for path, said in zip(answered.trial.paths, answered.capabilities, strict=True):
            self.cases += 1
            self.granted += said != ("deny",)
            self.corners.update(corners.of_path(acl, path))
        for request, allowed in zip(answered.trial.requests, answered.allowed, strict=True):
            self.cases += 1
            self.granted += allowed
            self.corners.update(corners.of_request(acl, request))
        self.corners.update(corners.of_texts(answered.trial.texts))
        self.disagreements += disagreements(answered, acl)


def policies(trial: corpus.Trial) -> list[Policy]:
    """Return a trial's policies, read from their texts."""
    return [_parsed(text, number) for number, text in enumerate(trial.texts)]


@lru_cache(maxsize=4096)
def _parsed(text: str, number: int) -> Policy:
    return parse(text, Span(f"{number}.hcl", 1, 1), str(number))


def compiled(trial: corpus.Trial) -> ACL:
    """Return what a trial's token carries."""
    return ACL.of(policies(trial), IDENTITY if is_templated(trial) else Identity())


def is_templated(trial: corpus.Trial) -> bool:
    """Tell whether a trial's token needs an entity."""
    return any("{{" in text for text in trial.texts)


def decides(acl: ACL, request: corpus.Request) -> bool:
    """Return what this tool says of a request."""
    wrapping = request.wrap * _SECOND if request.wrap else None
    return acl.allows(Operation(request.operation), request.path, request.parameters, wrapping).allowed


def disagreements(answered: Answered, acl: ACL) -> Iterator[str]:
    """Yield every case in which this tool says something else than Vault said."""
    trial = answered.trial
    for path, theirs in zip(trial.paths, answered.capabilities, strict=True):
        ours = acl.capabilities(path)
        if ours != theirs:
            yield f"trial {trial.number}: capabilities of {path!r}: Vault {theirs}, here {ours}"
    for request, allowed in zip(trial.requests, answered.allowed, strict=True):
        if decides(acl, request) != allowed:
            yield f"trial {trial.number}: {request}: Vault {'allows' if allowed else 'denies'}"


def answers(vault: Vault, trials: Iterable[corpus.Trial]) -> Iterator[Answered]:
    """Yield what Vault says to each trial, in their order."""

    def answer(trial: corpus.Trial) -> Answered:
        token = vault.token(trial.texts, threading.current_thread().name.lower(), entity=is_templated(trial))
        said = vault.capabilities(token, trial.paths)
        allowed = tuple(vault.allows(token, request) for request in trial.requests)
        return Answered(trial, tuple(said[path] for path in trial.paths), allowed)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="worker") as pool:
        yield from pool.map(answer, trials)


def say(line: str) -> None:
    """Print a line of progress."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Compare; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="differential", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=1_000_000, help="how many cases, at least")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases")
    parser.add_argument("--paths", type=int, default=150, help="how many paths are asked about for each token")
    options = parser.parse_args()
    begin, total, number = time.monotonic(), Tally(), 0
    with tempfile.TemporaryDirectory(prefix="differential-") as folder:
        toolchain = ensure(cache.folder(), say)
        with serving(Path(folder), toolchain) as vault:
            while total.cases < options.count:
                chunk = [corpus.trial(options.seed, index, paths=options.paths) for index in range(number, number + 40)]
                number += len(chunk)
                for answered in answers(vault, chunk):
                    total.add(answered)
                if number % 2000 == 0:
                    say(f"{total.cases} cases, {len(total.disagreements)} disagreements")
    seconds = time.monotonic() - begin
    sys.stdout.write(
        f"{total.cases} cases of seed {options.seed} in {seconds:.0f} s; {total.granted / total.cases:.0%} not denied\n"
        + "".join(f"{name:<44}{count:>9}\n" for name, count in sorted(total.corners.items()))
        + "".join(f"{line}\n" for line in total.disagreements[:40])
        + f"{len(total.disagreements)} disagreements\n"
    )
    return 1 if total.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
