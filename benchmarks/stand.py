"""A fleet of one size on disk, in every form that is measured: for crosskeys, Terramate, plain Terraform, the floor."""

from __future__ import annotations

import json
import shutil
import subprocess
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from benchmarks import terramate
from benchmarks.fleets import Manifest, SyntheticFleet, write_client, write_fleet
from benchmarks.programs import CROSSKEYS, isolated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.programs import Programs

_PLAIN = Path(__file__).with_name("peers") / "plain.tf"


@dataclass(frozen=True, slots=True)
class Volume:
    """How much a generator writes."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Stand:
    """The folders of one size, and bringing about what a case shall find in them.

    Args:
        folder: Holds them all; nothing else.
        clients: How many clients.
        fleet: What their manifests say.
        active: The manifests of those that are neither suspended nor retired.
    """

    folder: Path
    clients: int
    fleet: SyntheticFleet
    active: tuple[Manifest, ...]
    programs: Programs
    _changed: Iterator[tuple[int, str]] = field(compare=False)

    @property
    def ours(self) -> Path:
        """The fleet's folder: a git repository in which manifests and rendered tree are committed."""
        return self.folder / "fleet"

    @property
    def cache(self) -> Path:
        """The cache of crosskeys."""
        return self.folder / "cache"

    @property
    def terramate(self) -> Path:
        """Terramate's project: a git repository."""
        return self.folder / "terramate"

    @property
    def plain(self) -> Path:
        """The one root of plain Terraform."""
        return self.folder / "plain"

    @property
    def sizes(self) -> Path:
        """A file with the path and size of each rendered file, for the floor."""
        return self.folder / "sizes.json"

    @property
    def floor(self) -> Path:
        """Where the floor writes."""
        return self.folder / "floor"

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of crosskeys."""
        return isolated({"CROSSKEYS_CACHE_DIR": str(self.cache)})

    def forget(self) -> None:
        """Empty the cache."""
        _remove(self.cache)

    def unrender(self) -> None:
        """Take away all that was ever rendered, and the cache."""
        self.forget()
        self._put_aside(self.ours / "terraform", self.ours / ".crosskeys")

    def ungenerate(self) -> None:
        """Take away all that Terramate generated."""
        for name in terramate.GENERATED:
            self._put_aside(*self.terramate.rglob(name))

    def empty_floor(self) -> None:
        """Take away all that the floor wrote."""
        self._put_aside(self.floor)

    def change_one(self) -> str:
        """Give one client's tokens another lifetime, both not chosen before, and return the client's name."""
        path, client = self._next_change()
        write_client(self.ours, path, client)
        return str(client["name"])

    def change_one_stack(self) -> None:
        """Do the same in Terramate's project."""
        _, client = self._next_change()
        terramate.write_client(self.terramate, client)

    def remove(self) -> None:
        """Remove everything."""
        _remove(self.folder)

    def _put_aside(self, *paths: Path) -> None:
        # Removed, they would make the files slower that are made next: ext4 looks for inodes past those just freed.
        aside = self.folder / "aside"
        aside.mkdir(exist_ok=True)
        for path in paths:
            if path.exists():
                path.rename(Path(mkdtemp(dir=aside)) / path.name)

    def _next_change(self) -> tuple[str, dict[str, object]]:
        number, path = next(self._changed)
        client = deepcopy(self.fleet.clients[path])
        client.setdefault("vault", {})["token_ttl"] = f"{901 + number % 2000}s"
        return path, client


def build(folder: Path, clients: int, seed: int, programs: Programs) -> Stand:
    """Write a fleet of one size in every form, render it once, and commit it."""
    folder.mkdir()
    fleet = write_fleet(folder / "fleet", clients, seed)
    active = {path: client for path, client in fleet.clients.items() if not client.keys() & {"suspend", "retire"}}
    stand = Stand(folder, clients, fleet, tuple(active.values()), programs, enumerate(cycle(active)))
    _run([CROSSKEYS, "-C", str(stand.ours), "render"], stand.ours, stand.environment)
    _commit(stand.ours, programs)
    paths = [path for path in sorted((stand.ours / "terraform").rglob("*")) if path.is_file()]
    stand.sizes.write_text(json.dumps({str(path): path.stat().st_size for path in paths}), "utf-8")
    if programs.terramate:
        terramate.write_project(stand.terramate, fleet)
        _commit(stand.terramate, programs)
        argv = [programs.terramate, "-C", str(stand.terramate), "generate"]
        _run(argv, stand.terramate, programs.terramate_environment)
    if programs.terraform:
        stand.plain.mkdir()
        shutil.copy(_PLAIN, stand.plain / "main.tf")
        shutil.copytree(stand.ours / "clients", stand.plain / "clients")
        argv = [programs.terraform, "init", "-input=false", "-no-color"]
        _run(argv, stand.plain, programs.terraform_environment)
    return stand


def volume(folder: Path) -> Volume:
    """Return how many .tf files lie below a folder, and their bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*.tf")]
    return Volume(len(sizes), sum(sizes))


def _commit(folder: Path, programs: Programs) -> None:
    # Repacking in the background would go on beside what is measured.
    identity = ("-c", "user.name=benchmarks", "-c", "user.email=benchmarks@example.com", "-c", "maintenance.auto=false")
    for arguments in (("init", "--quiet"), ("add", "."), (*identity, "commit", "--quiet", "--message=Begin")):
        _run([programs.git, *arguments], folder, isolated({}))


def _run(argv: list[str], folder: Path, environment: Mapping[str, str]) -> None:
    subprocess.run(argv, cwd=folder, env=dict(environment), stdout=subprocess.DEVNULL, check=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
