"""What is measured, in the order in which it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Case, nothing
from benchmarks.programs import CROSSKEYS, PYTHON, isolated, verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.stand import Stand

_HERE = Path(__file__).parent
HUGE = 100_000
"""Clients from which only rendering is measured, for its growth, and no peer: each verb more would take minutes."""
_MINUTES = 10_000
"""Clients from which Terramate takes so long that what no goal is about is measured once."""
_PLAIN_AT_MOST = 1_000
"""Clients up to which plain Terraform is measured: its time grows with their square."""


def starting(folder: Path) -> tuple[Case, ...]:
    """Return the cases of starting a program, for which there need be no fleet."""
    commands = {
        "python": ("python -c pass", (PYTHON, "-c", "pass")),
        "typer": ("a typer program of two commands, --help", (PYTHON, str(_HERE / "bare.py"), "--help")),
        "version": ("crosskeys --version", (CROSSKEYS, "--version")),
        "help": ("crosskeys --help", (CROSSKEYS, "--help")),
    }
    environment = isolated({})
    return tuple(Case(key, title, argv, folder, environment, warm=True) for key, (title, argv) in commands.items())


def of_size(stand: Stand) -> tuple[Case, ...]:
    """Return the cases of one size. Later ones build on the tree and the cache that earlier ones leave."""
    reading = _reading(stand) if stand.clients < HUGE else ()
    return (*reading, *_floor(stand), *_rendering(stand), *_changing(stand), *_peers(stand))


def absent_verbs() -> tuple[str, ...]:
    """Return the verbs that would be measured and that this crosskeys does not have."""
    return tuple(sorted({"access", "audit", "roots"} - verbs()))


def _ours(
    stand: Stand,
    key: str,
    title: str,
    *arguments: str,
    prepare: Callable[[], object] = nothing,
    warm: bool = False,
    code: int = 0,
) -> Case:
    argv = (CROSSKEYS, "-C", str(stand.ours), *arguments)
    return Case(key, f"crosskeys {title}", argv, stand.ours, stand.environment, prepare, warm=warm, code=code)


def _reading(stand: Stand) -> Iterator[Case]:
    client = stand.active[0]["name"]
    there = verbs()
    for words in (("validate",), ("audit",), ("access", "--client", client), ("roots",), ("check",)):
        verb = words[0]
        if verb in there:
            yield _ours(stand, f"{verb} cold", f"{verb}, empty cache", *words, prepare=stand.forget)
            yield _ours(stand, f"{verb} warm", f"{verb}, warm cache", *words)


def _rendering(stand: Stand) -> Iterator[Case]:
    yield _ours(stand, "render cold", "render, no tree, empty cache", "render", prepare=stand.unrender)
    yield _ours(stand, "render warm", "render, nothing to do", "render", warm=True)
    yield _ours(stand, "render check", "render --check, nothing to do", "render", "--check", warm=True)


def _changing(stand: Stand) -> Iterator[Case]:
    changed = stand.change_one
    yield _ours(stand, "changed check", "check, one manifest changed", "check", prepare=changed, code=1)
    yield _ours(stand, "changed render", "render, one manifest changed", "render")


def _floor(stand: Stand) -> Iterator[Case]:
    argv = (PYTHON, "-I", "-S", str(_HERE / "floor.py"), str(stand.ours / "clients"), str(stand.sizes))
    writing, environment = (*argv, str(stand.floor)), isolated({})
    yield Case("floor", "read manifests, write files", writing, stand.folder, environment, prepare=stand.empty_floor)
    yield Case("floor read", "read manifests, read files", argv, stand.folder, environment)
    status = (stand.programs.git, "status", "--porcelain")
    yield Case("git status", "git status", status, stand.ours, environment, warm=True)


def _peers(stand: Stand) -> Iterator[Case]:
    programs = stand.programs
    if programs.terramate:
        argv = (programs.terramate, "-C", str(stand.terramate), "generate")
        where = (argv, stand.terramate, programs.terramate_environment)
        twice = 2 if stand.clients >= _MINUTES else 1000
        yield Case("terramate cold", "terramate generate, no files", *where, prepare=stand.ungenerate, most=twice)
        yield Case("terramate warm", "terramate generate, nothing to do", *where, most=twice)
        title, change = "terramate generate, one stack changed", stand.change_one_stack
        yield Case("terramate changed", title, *where, prepare=change, most=1 if stand.clients >= _MINUTES else 3)
    if programs.terraform and stand.clients <= _PLAIN_AT_MOST:
        planning = (programs.terraform, "plan", "-refresh=false", "-input=false", "-no-color", "-lock=false")
        # Two runs at a thousand clients would take as long as everything else together.
        most = 1 if stand.clients == _PLAIN_AT_MOST else 3
        title = "terraform plan, one root with for_each"
        yield Case("terraform plan", title, planning, stand.plain, programs.terraform_environment, most=most)
