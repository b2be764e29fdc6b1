"""What a run over many Terraform roots came to: one row a root and step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.diagnostics import Severity


@dataclass(frozen=True, slots=True)
class TerraformDiagnostic:
    """Something Terraform complained about, whole.

    Args:
        severity: Error or warning.
        summary: Terraform's one line.
        detail: Terraform's explanation, possibly many lines.
        address: The resource it is about, when Terraform says so.
        path: The file, below the folder of rendered roots: ``accounts/123456789012/vault/client-payments.tf``.
        line: Its line, from 1; 0 without a file.
    """

    severity: Severity
    summary: str
    detail: str = ""
    address: str | None = None
    path: str | None = None
    line: int = 0

    @property
    def place(self) -> str:
        """``file:line, address``, as far as they are known."""
        where = f"{self.path}:{self.line}" if self.path else None
        return ", ".join(part for part in (where, self.address) if part)


@dataclass(frozen=True, slots=True, order=True)
class ResourceChange:
    """One change that a plan makes.

    Args:
        address: The resource's address in its root.
        action: Terraform's word: create, update, delete, replace, move, import, or remove (forgotten, not destroyed).
        imported: Whether what is there is imported first; with the action import nothing else happens to it.
        was: The id that the object has in the state, where it is replaced: the new one may have another.
    """

    address: str
    action: str
    imported: bool = False
    was: str = field(default="", compare=False)

    @property
    def what(self) -> str:
        """Its action; where what is there is imported first, that too: ``update, import``."""
        return f"{self.action}, import" if self.imported and self.action != "import" else self.action

    @property
    def makes(self) -> bool:
        """Whether an object is made that was not there, be it for another."""
        return self.action in {"create", "replace"}

    @property
    def destroys(self) -> bool:
        """Whether the object that exists goes away, be it for a new one."""
        return self.action in {"delete", "replace"}


@dataclass(frozen=True, slots=True)
class Row:
    """One root's line in the report of a run.

    Args:
        step: ``plan`` or ``apply``.
        root: The root's name.
        outcome: How it ended, one word.
        add: Objects created (to be created, in a plan); a replacement counts here and under destroy.
        change: Objects updated in place.
        destroy: Objects destroyed.
        seconds: Wall-clock time.
        reason: Why the outcome is not the wished-for one, when Terraform's own words do not say it.
        changes: The planned changes; empty for an apply.
        diagnostics: What Terraform complained about.
        clients: The clients whose objects the root has.
        imported: Objects that were there already and are imported; one that is updated too counts in both places.
    """

    step: str
    root: str
    outcome: str
    add: int
    change: int
    destroy: int
    seconds: float
    reason: str | None
    changes: tuple[ResourceChange, ...]
    diagnostics: tuple[TerraformDiagnostic, ...]
    clients: tuple[str, ...] = ()
    imported: int = 0

    @property
    def counts(self) -> str:
        """What was done, or is to be, to how many objects, in a few characters."""
        return counts(self.add, self.change, self.destroy, self.imported)


def counts(add: int, change: int, destroy: int, imported: int) -> str:
    """Return how many objects are added, changed, destroyed and imported, such as ``+0 ~1 -0, 2 imported``."""
    return f"+{add:,} ~{change:,} -{destroy:,}" + (f", {imported:,} imported" if imported else "")


def printable(text: str) -> str:
    """Return the text with control characters shown instead of obeyed; line breaks and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
