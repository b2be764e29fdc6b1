"""Every verb with the line that help shows, and where it is: what makes it up is imported when it is called."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb, or a family of verbs.

    Args:
        line: The first paragraph of its help.
        module: The module below ``generator.cli`` that has it.
        attribute: The function, or the ``typer.Typer`` of a family; None for the function of the verb's name.
    """

    line: str
    module: str
    attribute: str | None = None


VERBS = {
    "init": Verb("Begin a fleet: settings, folders, hooks, CI; what exists is never overwritten.", "init"),
    "new": Verb("Write a new client's manifest; what is not given is asked for on a terminal.", "new"),
    "validate": Verb("Read every manifest and apply every rule; nothing is written.", "manifests"),
    "render": Verb("Render the fleet into terraform/, after reading every changed file back.", "manifests"),
    "check": Verb(
        "Do all that a pull request needs, without credentials: validate, prove isolation, and render --check.",
        "manifests",
    ),
    "audit": Verb(
        "Prove from terraform/ as it stands that no client reaches what is another's; report who reaches what.", "audit"
    ),
    "access": Verb("Say who reaches what, and by which rule, from what stands in terraform/.", "access"),
    "diff": Verb("Say what a change means: who gains or loses access to what, and who has to approve it.", "diff"),
    "capabilities": Verb(
        "Say what a token with these policies could do on each path, as Vault's sys/capabilities does.", "capabilities"
    ),
    "roots": Verb("List the Terraform roots, and with --since those that differ, the removed ones included.", "roots"),
    "plan": Verb("Show what Terraform would change.", "runs"),
    "apply": Verb("Plan, ask, and apply the saved plans.", "runs"),
    "verify": Verb("Compare what is live in Vault and AWS with what was reviewed; nothing is changed.", "verify"),
    "kit": Verb(
        "Write what the owner of a client's account needs: its AWS side, Vault Agent, a smoke test, and a page on "
        "them.",
        "kit",
    ),
    "import": Verb(
        "Write manifests and import blocks for what Vault and AWS have already; nothing there is changed.",
        "import_",
        "import_",
    ),
    "matrix": Verb("Split the roots that are meant into shards that end at about the same time.", "matrix"),
    "prune": Verb(
        "Remove leftover roots of whose objects nothing is left, and import files whose objects are in the state.",
        "prune",
    ),
    "state": Verb("Show where each root's state is kept; move it to another backend.", "state"),
    "doctor": Verb(
        "Look at all that a run needs, change nothing, and say what to do about what is not well.", "doctor"
    ),
    "schema": Verb(
        "Print the JSON Schema of a kind of manifest or of a report, or write those of all manifests.", "manifests"
    ),
    "rules": Verb("List the rules by family, or write their pages.", "rules"),
    "explain": Verb("Print the page of a rule: why it is there, what to do, and an example.", "rules"),
    "export": Verb("Write the fleet's roots for another tool that runs Terraform.", "export", "app"),
    "sandbox": Verb("A real Vault and an AWS stand-in on loopback, in .crosskeys/sandbox/.", "sandbox", "app"),
}
"""In the order in which help shows them."""


class Verbs(TyperGroup):
    """A command line whose verbs are imported one by one, as they are asked for."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Loaded()

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - what the library calls
        """Return the names of all verbs; none is imported."""
        return list(VERBS)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write a line for each verb; none is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.line) for name, verb in VERBS.items()])


class _Loaded(MutableMapping[str, "Command"]):
    """The commands by name, each made when it is first looked up."""

    def __init__(self) -> None:
        self._made: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._made:
            self._made[name] = _command(name, VERBS[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Command) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


def _command(name: str, verb: Verb) -> Command:
    found = getattr(import_module(f"generator.cli.{verb.module}"), verb.attribute or name)
    around = typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]
