"""Where a finding about something live stands: the argument that was applied, and the manifest's line behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.diagnostics import Note, Span
from generator.manifest.load import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.audit.declared import Resource
    from generator.manifest.fleet import Client, Fleet

_IN_MANIFEST: Mapping[str, tuple[str, ...]] = {
    "bound_iam_principal_arns": ("role_name",),
    "token_policies": ("vault", "policy"),
    "token_ttl": ("vault", "token_ttl"),
    "token_max_ttl": ("vault", "token_max_ttl"),
    "token_bound_cidrs": ("vault", "token_bound_cidrs"),
    "resolve_aws_unique_ids": ("vault", "resolve_unique_ids"),
    "inferred_entity_type": ("vault", "ec2"),
    "inferred_aws_region": ("vault", "ec2", "region"),
    "bound_ec2_instance_ids": ("vault", "ec2", "instance_ids"),
    "bound_ami_ids": ("vault", "ec2", "ami_ids"),
    "bound_vpc_ids": ("vault", "ec2", "vpc_ids"),
    "bound_subnet_ids": ("vault", "ec2", "subnet_ids"),
    "policy": ("grants",),
}


class Places:
    """The lines of a rendered tree and of its manifests.

    Args:
        fleet: The fleet.
        texts: Text of every rendered file, by path.
    """

    def __init__(self, fleet: Fleet, texts: Mapping[str, str]) -> None:
        self._fleet = fleet
        self._texts = texts

    def argument(self, item: Resource, name: str) -> Span:
        """Return where an argument of a block stands; the block itself where it is not given."""
        span = item.span
        lines = self._texts.get(span.path, "").split("\n")
        begins = re.compile(rf"\s*({re.escape(name)})\s*=")
        for number in range(span.line, len(lines) + 1):
            line = lines[number - 1]
            if match := begins.match(line):
                return Span(span.path, number, match.start(1) + 1, number, len(line.rstrip()) + 1)
            if line.startswith("}"):
                break
        return span.start

    def manifest(self, client: Client | None, argument: str = "") -> tuple[Note, ...]:
        """Return a note for the manifest's line that makes an argument what it is; none without a client."""
        if client is None:
            return ()
        where = _IN_MANIFEST.get(argument, ("name",))
        return (Note(client.source.span(*where).start, f"from the manifest of `{client.name}`"),)

    def setting(self, *location: str) -> Span:
        """Return where a setting of the fleet stands, the file as a whole where it is not written."""
        return self._fleet.source.span(*location).start if self._fleet.source else Span(SETTINGS)
