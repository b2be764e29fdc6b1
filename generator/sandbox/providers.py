"""Terraform's providers: found on this machine, asked of Terraform, or built; in a filesystem mirror of our own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from generator.errors import RemoteError
from generator.run.environment import allowed
from generator.sandbox import steps
from generator.sandbox.gobuild import GoModule, architecture, built
from generator.sandbox.locking import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HOST = "registry.terraform.io"
_NAMESPACE = "hashicorp"
# The tag of the commit that toolchain/provider-vault/go.mod pins; that module's own tags stop at v1.
_VAULT_VERSION = "5.9.0"
_ADVICE = (
    "give this machine access to Terraform's provider registry, or run `terraform providers mirror DIR` where there is "
    "access and copy DIR to ~/.terraform.d/plugins here"
)
_LOOKED_THROUGH = ("/opt", "/usr/local", "/usr/share", "/var/lib")
_LOOK_DEPTH = 4
_LOOK_FOLDERS = 20_000


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that the rendered roots need.

    Args:
        name: Its type, such as ``aws``; the address is registry.terraform.io/hashicorp/<name>.
        constraint: The versions that do.
        module: The Go module that builds it and the version it builds, where there is one.
    """

    name: str
    constraint: SpecifierSet
    module: GoModule | None = None
    module_version: str = ""


PROVIDERS = (
    Provider(
        name="vault",
        constraint=SpecifierSet(">=5.9,<6"),
        module=GoModule(
            folder="provider-vault",
            title=f"the Terraform Vault provider {_VAULT_VERSION}",
            programs=(
                (f"terraform-provider-vault_v{_VAULT_VERSION}_x5", "github.com/hashicorp/terraform-provider-vault"),
            ),
            instead=_ADVICE,
        ),
        module_version=_VAULT_VERSION,
    ),
    Provider(name="aws", constraint=SpecifierSet(">=5.100,<7")),
)


def mirrored(cache: Path, terraform: Path, progress: Callable[[str], None]) -> Path:
    """Return a filesystem mirror that holds every provider, completing it where it does not.

    A provider that is missing is taken from the first of: a mirror or plugin cache on this machine; wherever the user's
    own Terraform settings lead, the registry among them; its Go module.

    Raises:
        RemoteError: A provider is to be had from none of them.
    """
    pins = "-".join(provider.module.key for provider in PROVIDERS if provider.module)
    mirror = cache / f"mirror-{pins}"
    if not _missing(mirror):
        return mirror
    with locked(cache / "mirror.lock", lambda: progress("waiting for another run that collects Terraform's providers")):
        for provider in _missing(mirror):
            found = _on_this_machine(provider, cache)
            if found:
                progress(f"using the Terraform {provider.name} provider {found.parent.name} in {found}")
                _link(mirror, provider, found.parent.name, found.resolve())
                continue
            refusal = _from_terraform(provider, mirror, cache, terraform, progress)
            if refusal is None:
                continue
            if provider.module is None:
                raise _unobtainable(provider, refusal)
            _link(mirror, provider, provider.module_version, built(provider.module, cache, progress))
    return mirror


def configuration(mirror: Path) -> str:
    """Return a Terraform CLI configuration that takes HashiCorp's providers from the mirror and calls nobody.

    The format is Terraform's, https://developer.hashicorp.com/terraform/cli/config/config-file.
    """
    return (
        "disable_checkpoint = true\n"
        "\n"
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f"    path    = {json.dumps(str(mirror), ensure_ascii=False)}\n"
        f'    include = ["{_HOST}/{_NAMESPACE}/*"]\n'
        "  }\n"
        "}\n"
    )


def _platform() -> str:
    return f"linux_{architecture()}"


def _missing(mirror: Path) -> list[Provider]:
    return [provider for provider in PROVIDERS if _best(mirror / _HOST, provider) is None]


def _best(host: Path, provider: Provider) -> Path | None:
    """Return the folder of the newest fitting version below a folder named after the registry's host."""
    fitting: list[tuple[Version, Path]] = []
    for folder in (host / _NAMESPACE / provider.name).glob(f"*/{_platform()}"):
        try:
            version = Version(folder.parent.name)
        except InvalidVersion:
            continue
        programs = folder.glob(f"terraform-provider-{provider.name}_v{version}*")
        if version in provider.constraint and any(os.access(program, os.X_OK) for program in programs):
            fitting.append((version, folder))
    return max(fitting)[1] if fitting else None


def _on_this_machine(provider: Provider, cache: Path) -> Path | None:
    for host in _hosts():
        found = _best(host, provider)
        # What lies in our own cache was built for some pin, perhaps an older one, and may go away with it.
        if found and not found.resolve().is_relative_to(cache.resolve()):
            return found
    return None


def _hosts() -> Iterator[Path]:
    """Yield folders that may be laid out as a mirror: the plugin cache, Terraform's implied ones, then a look around.

    The implied ones are those of https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories.
    The look around goes by breadth and is bounded in depth and number, since a home folder may be huge.
    """
    home = Path.home()
    known = [
        os.environ.get("TF_PLUGIN_CACHE_DIR", ""),
        f"{home}/.terraform.d/plugins",
        f"{os.environ.get('XDG_DATA_HOME', f'{home}/.local/share')}/terraform/plugins",
        *(f"{folder}/terraform/plugins" for folder in os.environ.get("XDG_DATA_DIRS", "").split(":") if folder),
        "/usr/local/share/terraform/plugins",
        "/usr/share/terraform/plugins",
    ]
    yield from (Path(folder, _HOST) for folder in known if folder)
    ahead = deque((Path(root), 1) for root in (*_LOOKED_THROUGH, home))
    for _ in range(_LOOK_FOLDERS):
        if not ahead:
            return
        folder, depth = ahead.popleft()
        for child in _folders(folder):
            if child.name == _HOST:
                yield child
            elif depth < _LOOK_DEPTH:
                ahead.append((child, depth + 1))


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:  # not there or not ours to read
        return []


def _place(mirror: Path, provider: Provider, version: str) -> Path:
    place = mirror / _HOST / _NAMESPACE / provider.name / version / _platform()
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _link(mirror: Path, provider: Provider, version: str, target: Path) -> None:
    place = _place(mirror, provider, version)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    aside = place.with_name(f".{place.name}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target, target_is_directory=True)
    aside.replace(place)


def _from_terraform(
    provider: Provider, mirror: Path, cache: Path, terraform: Path, progress: Callable[[str], None]
) -> str | None:
    """Let `terraform init` get a provider in whatever way the user has set up; return why it could not."""
    own_settings = {
        name: value
        for name, value in os.environ.items()
        if name in {"TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"} or name.startswith("TF_TOKEN_")
    }
    with tempfile.TemporaryDirectory(prefix=".init-", dir=cache, ignore_cleanup_errors=True) as aside:
        constraint = ", ".join(sorted(str(specifier) for specifier in provider.constraint))
        required = {provider.name: {"source": f"{_HOST}/{_NAMESPACE}/{provider.name}", "version": constraint}}
        Path(aside, "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": required}}), "utf-8")
        log = Path(aside, "log")
        doing = f"asking Terraform for its {provider.name} provider"
        progress(doing)
        status = steps.run(
            [str(terraform), "init", "-backend=false", "-input=false", "-no-color"],
            cwd=Path(aside),
            env=allowed(own_settings | {"CHECKPOINT_DISABLE": "1"}),
            log=log,
            doing=doing,
            progress=progress,
        )
        found = _best(Path(aside, ".terraform", "providers", _HOST), provider)
        if status != 0 or found is None:
            return steps.tail(log)
        if found.is_symlink():
            _link(mirror, provider, found.parent.name, found.resolve())
        else:
            place = _place(mirror, provider, found.parent.name)
            shutil.rmtree(place, ignore_errors=True)
            found.rename(place)
    return None


def _unobtainable(provider: Provider, refusal: str) -> RemoteError:
    constraint = ", ".join(sorted(str(specifier) for specifier in provider.constraint))
    return RemoteError(
        f"no Terraform {provider.name} provider ({constraint}, {_platform()}): none in a provider mirror on this "
        f"machine, and Terraform could not get it:\n{refusal}",
        help=_ADVICE,
    )
