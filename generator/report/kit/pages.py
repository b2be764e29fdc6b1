"""The texts of a kit that people and programs read, from the templates in ``templates/kit/``.

A value stands in shell scripts, HCL, unit files and Markdown. So a template can print nothing but what one of two
filters lets through: ``plain`` refuses every character that means something in any of them, and ``code`` makes free
text a code span of Markdown. What manifests allow of names, paths, ARNs and addresses is plain throughout.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from generator.errors import UsageError
from generator.render.render import environment, filled
from generator.report.markdown import code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from generator.manifest.fleet import Client
    from generator.report.kit.scope import Scope

_PLAIN = re.compile(r"[A-Za-z0-9 _+=,.@:/-]*", re.ASCII)
_DEFAULT_REGION = "us-east-1"


class _Shown(str):
    """A piece of text that is safe to stand where a template prints it."""

    __slots__ = ()


class Pages:
    """Writes the texts of kits.

    Args:
        folders: Template folders; a fleet's own come before the package's.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._environment = environment(folders, _only_shown, {"plain": _plain, "code": _code})
        # Whom to ask: a fleet's own words. A line break would end the line in which a script or a page says them.
        self._contact = _Shown(" ".join(self._filled("kit/contact.j2", {}, "a kit").split()))

    def client(self, scope: Scope, client: Client, applied: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        """Yield path and text of each file for one client, relative to that client's folder.

        Args:
            scope: What the kit is about.
            client: One of its clients.
            applied: What the kit has of the account's AWS side, as ``account`` takes it.

        Raises:
            UsageError: When a template is wrong.
        """
        values = {**_account(scope), **_client(scope, client), **applied, "contact": self._contact}

        def text(template: str) -> str:
            return self._filled(template, values, client.path)

        yield "README.md", text("kit/README.md.j2")
        if values["on_ec2"]:
            yield "launch.md", text("kit/launch.md.j2")
            yield f"workload/vault-agent-{client.name}.service", text("kit/vault-agent.service.j2")
        yield "workload/agent/certificates.hcl", text("kit/certificates.hcl.j2")
        yield "workload/agent/login.hcl", text("kit/login.hcl.j2")
        yield "workload/smoke-test.sh", text("kit/smoke-test.sh.j2")

    def account(self, scope: Scope, applied: Mapping[str, object]) -> str:
        """Return the first page of a kit for all clients of an account.

        Args:
            scope: What the kit is about.
            applied: ``terraform``, ``cloudformation``: whether the kit has them; ``imports``: whether Terraform takes
                over what is there; ``large``: whether the CloudFormation template must lie in S3.

        Raises:
            UsageError: When a template is wrong.
        """
        values = {**_account(scope), **applied, "contact": self._contact}
        return self._filled("kit/account.md.j2", values, scope.account.path)

    def backend(self) -> str:
        """Return the file that says how state is kept elsewhere than beside the kit."""
        return self._filled("kit/backend.tf.j2", {}, "a kit")

    def _filled(self, template: str, values: Mapping[str, object], about: str) -> str:
        text = filled(self._environment, template, values, about)
        return re.sub(r"\n{3,}", "\n\n", text.strip("\n")) + "\n"


def _account(scope: Scope) -> dict[str, object]:
    account, settings = scope.account, scope.fleet.settings
    if settings.live.vault_address is None:
        raise UsageError(
            "a kit says where Vault is, and this fleet does not",
            help="set live.vault_address in crosskeys.yaml",
        )
    sts = account.sts if scope.whole or any(client.needs_sts for client in scope.clients) else None
    return {
        "account": account,
        "clients": [_of_client(client) for client in scope.clients],
        "whole": scope.whole,
        "address": settings.live.vault_address,
        "namespace": settings.vault.namespace,
        "sts": sts,
        "boundaries": sorted(_boundaries(scope, with_sts=sts is not None)),
    }


def _boundaries(scope: Scope, *, with_sts: bool) -> set[str]:
    """Return the policies that must be there before the AWS side can be made: IAM refuses a boundary that is not."""
    made = scope.account.declared if scope.whole else scope.clients
    found = {client.workload.permissions_boundary for client in made if client.workload}
    if with_sts:
        found.add(scope.account.sts_boundary)
    return {arn for arn in found if arn is not None}


def _client(scope: Scope, client: Client) -> dict[str, object]:
    account, settings = scope.account, scope.fleet.settings
    return {
        **_of_client(client),
        "client": client,
        "auth_mount": settings.vault.auth_mount,
        "kv": settings.vault.kv_mount,
        "header": settings.vault.server_id_header,
        "region": signing_region(scope),
        "home_region": client.ec2.region if client.ec2 else account.region,
        "above": posixpath.join(settings.vault.kv_mount, "metadata", posixpath.dirname(client.directory), ""),
        "ttl": _time(client.token_ttl),
        "max_ttl": _time(client.token_max_ttl),
    }


def _of_client(client: Client) -> dict[str, object]:
    services = client.trusted_services
    return {
        "name": client.name,
        "role_name": client.role_name,
        "existing": client.workload is None,
        "profile": client.workload and client.workload.instance_profile,
        "on_ec2": any(service.startswith("ec2.") for service in services),
        "elsewhere": [service for service in services if not service.startswith("ec2.")],
    }


def signing_region(scope: Scope) -> str:
    """Return the region whose STS endpoint a login is signed for.

    Vault checks it at the global endpoint, which takes signatures for us-east-1 alone, unless it is told to go to the
    client's (https://developer.hashicorp.com/vault/api-docs/auth/aws#use_sts_region_from_client). In other partitions
    than ``aws`` there is no global endpoint, and whoever runs Vault has set one of the fleet's region.
    """
    settings = scope.fleet.settings
    if settings.vault.sts_region_from_client:
        return scope.account.region
    return _DEFAULT_REGION if settings.aws.partition == "aws" else settings.aws.region


def _time(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}{'s' * (seconds != size)}"
    return f"{seconds} seconds"


def _plain(value: object) -> _Shown:
    text = str(value)
    if _PLAIN.fullmatch(text) is None:
        raise ValueError(f"not plain text: {text!r}")
    return _Shown(text)


def _code(value: object) -> _Shown:
    return _Shown(code(str(value)))


def _only_shown(value: object) -> _Shown:
    if isinstance(value, _Shown):
        return value
    raise TypeError(f"a template printed {value!r}, which no filter has passed")
