"""Which Terraform roots there are, where each is run, and which of them a command line means."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from generator.render.layout import Root


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where and how a root is run.

    Args:
        root: The root.
        directory: The folder Terraform is run in (``-chdir``).
        data_dir: Terraform's working data (``TF_DATA_DIR``), kept between runs.
        environment: The whole process environment: allow-listed, with the credentials of this root alone.
        checks_providers: Whether every command compares the providers' files with the hashes in the lock file. The
            AWS provider's 700 MB take it 0.5 s of a processor.
    """

    root: Root
    directory: Path
    data_dir: Path
    environment: Mapping[str, str]
    checks_providers: bool = True


def select(roots: Sequence[Root], accounts: AbstractSet[str], clients: AbstractSet[str]) -> tuple[Root, ...]:
    """Return the roots that a command line means, in the order given.

    Nothing named means all. A client means both roots of its account; accounts and clients add up. The platform is
    shared by everyone, so it takes part only when nothing narrows the run down.

    Args:
        roots: All roots of the tree.
        accounts: Account ids asked for.
        clients: Client names asked for.

    Raises:
        UsageError: If a name is in no root; similar names are suggested.
    """
    if not accounts and not clients:
        return tuple(roots)
    _require_known("account", accounts, {root.account_id for root in roots if root.account_id is not None})
    _require_known("client", clients, {client for root in roots for client in root.clients})
    chosen = accounts | {root.account_id for root in roots if not clients.isdisjoint(root.clients)}
    return tuple(root for root in roots if root.account_id is not None and root.account_id in chosen)


def _require_known(what: str, asked: Iterable[str], known: AbstractSet[str]) -> None:
    unknown = sorted(set(asked) - known)
    if not unknown:
        return
    similar = sorted({match for name in unknown for match in get_close_matches(name, sorted(known), n=1)})
    raise UsageError(
        f"no {what} {', '.join(unknown)} in the rendered roots",
        help=f"did you mean {' or '.join(similar)}?" if similar else "list what there is with: crosskeys roots",
    )
