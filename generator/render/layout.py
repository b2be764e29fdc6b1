"""Which files a fleet is rendered to, from which template and with what in it. Pure: nothing is read or written."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.manifest.fleet import Account, Fleet
    from generator.manifest.settings import FleetSettings, Setting, Simple

TREE = "terraform"


class RootKind(StrEnum):
    """What a root declares, and with it whose credentials it needs; in the order in which roots are applied."""

    PLATFORM = "platform"
    AWS = "aws"
    VAULT = "vault"


@dataclass(frozen=True, slots=True)
class Page:
    """One file to be rendered.

    Args:
        path: Relative to the fleet's folder, with forward slashes.
        template: The template's name, such as ``vault/client.tf.j2``.
        origin: The file that says what is in it; named in the head of the rendered file.
        values: What the template sees.
    """

    path: str
    template: str
    origin: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Root:
    """One Terraform root.

    Args:
        name: Its path below ``terraform/``: ``platform``, ``accounts/123456789012/aws``.
        account_id: The account; None for the platform.
        clients: Names of the clients whose objects it has or, of the retired ones, had.
        handover: The account's owner applies it, not this fleet's runs.
        pages: Its files.
        leftover: No manifest says it any more; what it made may live on, so its ``root.tf`` is kept.
        imports: Paths of its import files, which no manifest says.
    """

    name: str
    kind: RootKind
    account_id: str | None
    clients: tuple[str, ...]
    handover: bool
    pages: tuple[Page, ...] = ()
    leftover: bool = False
    imports: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of its files, relative to the fleet's folder."""
        if self.leftover:
            return (f"{TREE}/{self.name}/root.tf",)
        return (*(page.path for page in self.pages), *self.imports)


@dataclass(frozen=True, slots=True)
class BackendBlock:
    """A root's backend with its own settings, a local path taken from the root's folder.

    Args:
        type: The backend's type.
        settings: Its arguments.
        blocks: Its nested blocks: what Terraform does not take as an argument.
    """

    type: str
    settings: Mapping[str, Setting]
    blocks: Mapping[str, Mapping[str, Setting]]

    @property
    def lines(self) -> Mapping[str, Setting]:
        """The arguments that take a line each."""
        return {key: value for key, value in self.settings.items() if not isinstance(value, Mapping)}

    @property
    def maps(self) -> Mapping[str, Setting]:
        """The arguments that take several lines."""
        return {key: value for key, value in self.settings.items() if isinstance(value, Mapping)}


BACKEND_BLOCKS = frozenset({("cos", "assume_role"), ("kubernetes", "exec"), ("remote", "workspaces")})
"""The settings of backends that are nested blocks and no arguments, by type; from Terraform's sources."""


def layout(fleet: Fleet) -> tuple[Root, ...]:
    """Return every root of the fleet: platform first, then each account's AWS and Vault side."""
    return tuple(_roots(fleet))


def _roots(fleet: Fleet) -> Iterator[Root]:
    settings = fleet.settings
    platform = settings.platform
    if platform.auth_mount or platform.client_config or platform.kv_mount:
        yield Root(
            RootKind.PLATFORM.value,
            RootKind.PLATFORM,
            None,
            (),
            handover=False,
            pages=(
                _root_page(settings, "platform", "vault", "vault/root.tf.j2", "crosskeys.yaml"),
                _page("platform/platform.tf", "platform/platform.tf.j2", "crosskeys.yaml", settings=settings),
            ),
        )
    for account in fleet.accounts:
        names = tuple(client.name for client in account.clients)
        aws, vault = f"accounts/{account.id}/aws", f"accounts/{account.id}/vault"
        yield Root(aws, RootKind.AWS, account.id, names, not account.managed, tuple(_aws_pages(settings, account, aws)))
        yield Root(
            vault,
            RootKind.VAULT,
            account.id,
            names,
            handover=False,
            pages=tuple(_vault_pages(settings, account, vault)),
        )


def _aws_pages(settings: FleetSettings, account: Account, root: str) -> Iterator[Page]:
    yield _root_page(settings, root, "aws", "aws/root.tf.j2", account.path, account=account)
    if account.sts:
        yield _page(f"{root}/sts.tf", "aws/sts.tf.j2", account.path, settings=settings, account=account)
    for client in account.declared:
        if client.workload:
            yield _page(f"{root}/client-{client.name}.tf", "aws/client.tf.j2", client.path, client=client)


def _vault_pages(settings: FleetSettings, account: Account, root: str) -> Iterator[Page]:
    yield _root_page(settings, root, "vault", "vault/root.tf.j2", account.path)
    if account.sts:
        yield _page(f"{root}/sts.tf", "vault/sts.tf.j2", account.path, settings=settings, account=account)
    for client in account.declared:
        yield _page(
            f"{root}/client-{client.name}.tf",
            "vault/suspended.tf.j2" if client.suspend else "vault/client.tf.j2",
            client.path,
            settings=settings,
            client=client,
            kv=settings.vault.kv_mount,
        )


def _root_page(
    settings: FleetSettings, root: str, provider: str, template: str, origin: str, *, account: Account | None = None
) -> Page:
    # Who is handed a root keeps its state too, and so chooses where.
    backend = None if account and not account.managed else backend_of(settings, root)
    return _page(
        f"{root}/root.tf", template, origin, settings=settings, provider=provider, backend=backend, account=account
    )


def _page(path: str, template: str, origin: str, **values: object) -> Page:
    return Page(f"{TREE}/{path}", template, origin, values)


def backend_of(settings: FleetSettings, root: str) -> BackendBlock:
    """Return the backend of one root, with the root's name in its settings."""
    backend = settings.terraform.backend
    values = {key: _of_root(value, root) for key, value in backend.settings.items()}
    if backend.type == "local" and isinstance(path := values.get("path"), str) and not posixpath.isabs(path):
        values["path"] = posixpath.relpath(path, f"{TREE}/{root}")
    blocks: dict[str, Mapping[str, Setting]] = {
        key: value
        for key, value in values.items()
        if isinstance(value, Mapping) and (backend.type, key) in BACKEND_BLOCKS
    }
    return BackendBlock(backend.type, {key: values[key] for key in values if key not in blocks}, blocks)


def _of_root(value: Setting, root: str) -> Setting:
    return (
        {key: _named(item, root) for key, item in value.items()} if isinstance(value, Mapping) else _named(value, root)
    )


def _named(value: Simple, root: str) -> Simple:
    if isinstance(value, str):
        return value.replace("{root}", root).replace("{root_label}", root.replace("/", "-"))
    return value
