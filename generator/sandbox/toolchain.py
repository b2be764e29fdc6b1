"""The programs that the sandbox runs: Terraform, its providers and a Vault server with the AWS auth method.

Runnable as ``python -m generator.sandbox.toolchain``, which gets everything ready ahead of the first plan.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from generator import cache as user_cache
from generator.errors import CrosskeysError, ExitCode, RemoteError
from generator.run.environment import allowed
from generator.sandbox.gobuild import GoModule, built
from generator.sandbox.providers import configuration, mirrored

if TYPE_CHECKING:
    from collections.abc import Callable

_OLDEST_TERRAFORM = Version("1.11")
# CVE-2025-11621, an authentication bypass of the AWS auth method where a role name exists in several accounts, was
# fixed in this version.
_OLDEST_VAULT = Version("1.21.0")

VAULT = GoModule(
    folder="vault",
    title="Vault 1.21.2 with its AWS auth method",
    programs=(
        ("vault", "github.com/hashicorp/vault"),
        # The minimal build, the only one that its module allows, leaves the AWS auth method out.
        ("plugins/aws", "github.com/hashicorp/vault/builtin/credential/aws/cmd/aws"),
    ),
    instead=f"put a complete vault {_OLDEST_VAULT} or newer on PATH",
    flags=("-tags=minimal",),
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Programs that are there and fit each other.

    Args:
        terraform: The Terraform program.
        vault: The Vault program.
        vault_plugins: The folder with Vault's AWS auth plugin, `aws`; None when Vault has that method built in.
        mirror: A filesystem mirror with the providers of the rendered roots.
        terraform_config: Terraform CLI configuration that installs from that mirror; for TF_CLI_CONFIG_FILE.
    """

    terraform: Path
    vault: Path
    vault_plugins: Path | None
    mirror: Path
    terraform_config: Path


def ensure(cache: Path, progress: Callable[[str], None]) -> Toolchain:
    """Find the programs, building or fetching what this machine lacks into the cache.

    Args:
        cache: A folder outside any checkout, shared by all of this user's fleets.
        progress: Shows one line; called only where something takes long.

    Raises:
        RemoteError: Something is missing and not to be had, or a build failed.
    """
    cache = cache.absolute()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        terraform = _terraform(cache)
        vault, plugins = _vault(cache, progress)
        mirror = mirrored(cache, terraform, progress)
        config = mirror / "terraform.tfrc"
        _write_when_changed(config, configuration(mirror))
    except OSError as error:
        raise RemoteError(
            f"cannot prepare the toolchain in {cache}: {error}",
            help="make room and let that folder be written to, or name another with CROSSKEYS_CACHE_DIR",
        ) from error
    return Toolchain(terraform, vault, plugins, mirror, config)


def _terraform(cache: Path) -> Path:
    get = f"install Terraform {_OLDEST_TERRAFORM} or newer (https://developer.hashicorp.com/terraform/install)"
    found = shutil.which("terraform")
    if found is None:
        raise RemoteError("there is no terraform on PATH", help=get)
    answer = _remembered(cache, Path(found), "version", "-json")
    try:
        version = Version(json.loads(answer)["terraform_version"])
    except (ValueError, KeyError, TypeError) as error:
        raise RemoteError(f"{found} does not say which version it is: {answer[:200]!r}", help=get) from error
    if version < _OLDEST_TERRAFORM:
        raise RemoteError(f"{found} is Terraform {version}, older than {_OLDEST_TERRAFORM}", help=get)
    return Path(found)


def _vault(cache: Path, progress: Callable[[str], None]) -> tuple[Path, Path | None]:
    found = shutil.which("vault")
    if found and _fits(cache, Path(found)):
        return Path(found), None
    folder = built(VAULT, cache, progress)
    return folder / "vault", folder / "plugins"


def _fits(cache: Path, vault: Path) -> bool:
    """Tell whether a Vault program is new enough and a full build.

    Vault's builds that leave auth methods out leave their command-line handlers out by the same build tag; where the
    handler is there, `vault auth help aws` prints its help without talking to a server.
    """
    version = re.match(r"Vault v(\d+\.\d+\.\d+)", _remembered(cache, vault, "version"))
    if version is None or Version(version[1]) < _OLDEST_VAULT:
        return False
    return "-method=aws" in _remembered(cache, vault, "auth", "help", "aws")


def _remembered(cache: Path, program: Path, *arguments: str) -> str:
    """Return what a program prints, asking it again only when its file has changed; nothing when it fails."""
    facts = program.stat()
    stamp = [facts.st_mtime_ns, facts.st_size]
    memory = cache / "probes.json"
    question = " ".join((str(program), *arguments))
    try:
        known = json.loads(memory.read_text("utf-8"))
        if known[question][0] == stamp:
            return str(known[question][1])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        known = {}
    answer = _answer(program, arguments)
    # A version manager's shim is a script that answers differently in every folder.
    with program.open("rb") as file:
        is_binary = file.read(4) == b"\x7fELF"
    if is_binary and isinstance(known, dict):
        _write_when_changed(memory, json.dumps(known | {question: [stamp, answer]}, indent=1))
    return answer


def _answer(program: Path, arguments: tuple[str, ...]) -> str:
    nowhere = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull, "VAULT_ADDR": "http://127.0.0.1:1"}
    try:
        done = subprocess.run(
            [program, *arguments],
            env=allowed(nowhere | {"VAULT_MAX_RETRIES": "0"}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _write_when_changed(path: Path, text: str) -> None:
    if path.is_file() and path.read_text("utf-8", errors="replace") == text:
        return
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(aside).replace(path)


def main() -> int:
    """Get the toolchain ready, say where it is and return the exit status."""
    try:
        toolchain = ensure(user_cache.folder(), _say)
    except CrosskeysError as error:
        _say(f"error: {error.message}")
        if error.help:
            _say(f"help: {error.help}")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    sys.stdout.write(
        f"terraform        {toolchain.terraform}\n"
        f"providers        {toolchain.mirror}\n"
        f"vault            {toolchain.vault}\n"
        f"aws auth method  {toolchain.vault_plugins or 'built in'}\n"
    )
    return ExitCode.CLEAN


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
