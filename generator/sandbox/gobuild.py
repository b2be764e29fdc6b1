"""Programs built from the pinned Go modules below toolchain/, once for each pin."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.errors import RemoteError
from generator.resources import data
from generator.run.environment import allowed
from generator.sandbox import steps
from generator.sandbox.locking import locked

if TYPE_CHECKING:
    from collections.abc import Callable

_PASSED_ON = (
    "GOAUTH",
    "GOCACHE",
    "GOENV",
    "GOINSECURE",
    "GOMAXPROCS",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOPATH",
    "GOPRIVATE",
    "GOPROXY",
    "GOSUMDB",
    "GOTMPDIR",
    "GOTOOLCHAIN",
)


@dataclass(frozen=True, slots=True)
class GoModule:
    """A pinned Go module and the programs to build from it.

    Args:
        folder: Its folder below toolchain/, with go.mod and go.sum.
        title: What progress lines call it.
        programs: Pairs of the built file's path and the Go package.
        instead: What the user may do in place of having it built, for messages.
        flags: Build flags beyond those that every build gets.
    """

    folder: str
    title: str
    programs: tuple[tuple[str, str], ...]
    instead: str
    flags: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The folder that holds go.mod and go.sum."""
        return data("toolchain") / self.folder

    @property
    def key(self) -> str:
        """What the built programs depend on, hashed: pins, flags and processor; 12 hex digits."""
        digest = hashlib.sha256()
        for name in ("go.mod", "go.sum"):
            digest.update((self.source / name).read_bytes())
        digest.update(repr((self.programs, self.flags, architecture())).encode())
        return digest.hexdigest()[:12]

    @property
    def go_version(self) -> str:
        """The Go version that go.mod asks for."""
        match = re.search(r"^go (\S+)$", (self.source / "go.mod").read_text("utf-8"), re.MULTILINE)
        return match[1] if match else "1.26"


def architecture() -> str:
    """Return Go's and Terraform's word for this machine's processor.

    Raises:
        RemoteError: HashiCorp's programs are not to be had for it.
    """
    machine = platform.machine()
    known = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    if machine not in known:
        raise RemoteError(
            f"the sandbox does not run on a {machine} processor", help="use a Linux machine with amd64 or arm64"
        )
    return known[machine]


def built(module: GoModule, cache: Path, progress: Callable[[str], None]) -> Path:
    """Return the folder of a module's programs, building them where the cache has none for this pin.

    A build happens in a folder of its own that is renamed when complete: a killed one leaves nothing that passes for
    built. Two runs do not build the same thing twice.

    Raises:
        RemoteError: Go is missing or failed.
    """
    target = cache / "builds" / f"{module.folder}-{module.key}"
    if target.is_dir():
        return target
    lock = cache / "builds" / f"{module.folder}.lock"
    with locked(lock, lambda: progress(f"waiting for another run that builds {module.title}")):
        if not target.is_dir():
            _build(module, target, progress)
    return target


def _build(module: GoModule, target: Path, progress: Callable[[str], None]) -> None:
    go = shutil.which("go")
    if go is None:
        raise RemoteError(
            f"{module.title} must be built from its Go module, but there is no go on PATH",
            help=f"install Go {module.go_version} or newer (https://go.dev/doc/install) or {module.instead}",
        )
    prefix = f".{module.folder}-"
    for abandoned in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    log = target.parent / f"{module.folder}.log"
    log.unlink(missing_ok=True)
    progress(f"building {module.title} from its Go module; the first time takes minutes")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent, ignore_cleanup_errors=True) as aside:
        source, output = Path(aside, "source"), Path(aside, "output")
        source.mkdir()
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(module.source / name, source / name)
        for path, package in module.programs:
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            argv = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", *module.flags]
            argv += ["-o", str(output / path), package]
            status = steps.run(
                argv, cwd=source, env=_environment(), log=log, doing=f"building {module.title}", progress=progress
            )
            if status != 0:
                raise RemoteError(
                    f"go could not build {module.title} (exit {status}):\n{steps.tail(log)}",
                    help=f"the whole output is in {log}; a first build needs the Go module proxy (or {module.instead})",
                )
        output.rename(target)
    progress(f"built {module.title} in {time.monotonic() - started:.0f} s")


def _environment() -> dict[str, str]:
    fixed = {"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": architecture(), "GOWORK": "off"}
    return allowed({name: os.environ[name] for name in _PASSED_ON if name in os.environ} | fixed)
