"""The page docs/worst-inputs.md, made by running the tool; `python -m tests.hostile.worst` writes it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hostile.promise import CHECKOUT, Outcome, run

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = CHECKOUT / "docs/worst-inputs.md"
COMMAND = "python -m tests.hostile.worst"

PAYMENTS, LEDGER, SETTINGS = "clients/payments.yaml", "clients/ledger.yaml", "crosskeys.yaml"
_MOST = 600  # characters of an input that are shown


def client(*more: str, name: str = "payments", **instead: str) -> str:
    """Return a client's manifest, with other values and further lines."""
    values = {
        "name": name,
        "account_id": '"111111111111"',
        "role_name": f"{name}-app",
        "owner": f"{name}-team@example.com",
        **instead,
    }
    return "".join(f"{line}\n" for line in (*(f"{key}: {value}" for key, value in values.items()), *more))


@dataclass(frozen=True)
class Input:
    """What somebody wrote.

    Args:
        title: What it is, as a heading.
        files: Text or bytes of each file that stands in the fleet beside or instead of its one good client.
        links: Targets of symbolic links.
    """

    title: str
    files: Mapping[str, str | bytes]
    links: Mapping[str, str] = field(default_factory=dict)

    def outcome(self, folder: Path) -> Outcome:
        """Validate a fleet in which it stands."""
        for path, content in {PAYMENTS: client(), **self.files}.items():
            if path in self.links:
                continue
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        for path, target in self.links.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(target)
        return run(folder, "validate")


def _one(title: str, text: str | bytes) -> Input:
    return Input(title, {PAYMENTS: text})


_BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
INPUTS = (
    # slips
    _one("An account id that YAML reads as a number in base eight", client(account_id="012345670123")),
    _one("An account id without quotes", client(account_id="111111111111")),
    _one("An account id that has lost a digit", client(account_id='"11111111111"')),
    _one("A role that is called no", client(role_name="no")),
    _one("A misspelt key", client().replace("role_name", "rolename")),
    _one("A key given twice, far apart", client("role_name: admin")),
    _one("A colon in a description", client("description: Card payments: settles nightly")),
    _one("A quote that is never closed", client('description: "Card payments')),
    _one("A tab for an indent", client("vault:", "\ttoken_ttl: 1h")),
    _one("A number where a duration belongs", client("vault: {token_ttl: 3600}")),
    _one("An ARN where a name belongs", client(role_name="arn:aws:iam::111111111111:role/payments-app")),
    _one("A day without quotes", client("retire: {approved_until: 2027-01-31, reason: moved}")),
    _one("An empty file", ""),
    _one("A file saved as Latin-1", client("description: Zahlungen f\u00fcr Kunden").encode("latin-1")),
    _one("A file saved with a byte order mark", b"\xef\xbb\xbf" + client().encode()),
    Input("A file that is not called as its client", {PAYMENTS: client(name="ledger")}),
    Input("A file that ends in .yml", {"clients/ledger.yml": client(name="ledger")}),
    # two that collide
    Input(
        "One role name in two accounts: one Vault role",
        {LEDGER: client(name="ledger", account_id='"222222222222"', role_name="payments-app")},
    ),
    Input("Two IAM roles that differ by case alone", {LEDGER: client(name="ledger", role_name="Payments-App")}),
    _one(
        "The boundary of another account",
        client("aws: {permissions_boundary: arn:aws:iam::222222222222:policy/boundary}"),
    ),
    _one("EC2 inference where Vault has no way in", client("vault: {ec2: {region: us-east-1}}")),
    # what YAML can do
    _one("Aliases of aliases, twice as many on each line", client() + _BOMB),
    _one("A tag that runs a program in careless readers", client("description: !!python/object/apply:os.system [id]")),
    _one("A merge of another map", client("aws: {<<: {role: existing}}")),
    _one("A second document behind the first", client() + "---\n" + client(name="ledger")),
    _one("Sixty thousand brackets", "[" * 60_000),
    _one("A hundred thousand spaces", " " * 100_000),
    # what is not seen
    _one("Text that is shown from right to left", client("description: paid \u202e yltcerroc")),
    _one("A space of no width in a name", client().replace("payments", "pay\u200bments", 1)),
    _one("A letter of another alphabet in a name", client(role_name="p\u0430yments-app")),
    _one("A terminal's escape sequence, itself escaped", client('description: "\\e[31mred"')),
    Input("A file whose name paints the terminal", {"clients/\x1b[31mred.yaml": client()}),
    Input("A link to a file of the machine", {}, {PAYMENTS: "/etc/passwd"}),
    # what reaches further than it may
    _one("A role called +, which Vault reads as any role", client(role_name="+")),
    _one("A role called *", client(role_name='"*"')),
    _one("Vault's own policy", client("vault: {policy: root}")),
    _one(
        "A policy's name that would end the policy", client('vault: {policy: "x\\" { capabilities = [\\"sudo\\"] } #"}')
    ),
    _one("A grant on Vault's own paths", client('grants: [{path: "../sys/policies/acl"}]')),
    Input(
        "A grant on another client's directory",
        {
            LEDGER: client(name="ledger"),
            PAYMENTS: client("grants: [{path: certs/111111111111/ledger-app}]"),
            SETTINGS: "shared_paths: [{path: shared/ca, owner: pki@example.com}]\n",
        },
    ),
    Input(
        "Anybody as the principal that assumes Vault's role",
        {SETTINGS: 'vault: {principals: ["arn:aws:iam::*:root"]}\n'},
    ),
)


def page() -> str:
    """Return the page."""
    parts = [
        "# The forty worst inputs\n",
        f"<!-- made by {COMMAND} -->\n",
        (
            "What people mistype and strangers try, and what `crosskeys validate` prints of it, to the letter.\n"
            "Each stands in a fleet of one client that is in order otherwise. Nothing is ever written.\n"
        ),
        "| | Input | Rules | Exit |\n|---|---|---|---|",
    ]
    sections = []
    for number, each in enumerate(INPUTS, 1):
        with tempfile.TemporaryDirectory() as folder:
            outcome = each.outcome(Path(folder))
        title = f"{number}. {each.title}"
        anchor = "".join(c for c in title.lower() if c.isalnum() or c in "- _").replace(" ", "-")
        rules = dict.fromkeys(line[6:11] for line in outcome.out.splitlines() if line.startswith("error[CK"))
        parts.append(f"| {number} | [{each.title}](#{anchor}) | {', '.join(rules)} | {outcome.code} |")
        shown = "".join(_fenced(path, content) for path, content in each.files.items())
        shown += "".join(f"**{path}** is a symbolic link to {target}.\n\n" for path, target in each.links.items())
        sections.append(f"## {title}\n\n{shown}It prints:\n\n```text\n{outcome.out}{outcome.err}```")
    return "\n".join(parts) + "\n\n" + "\n\n".join(sections) + "\n"


def _fenced(path: str, content: str | bytes) -> str:
    if isinstance(content, bytes):
        content = content.decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() or c == "\n" else f"<U+{ord(c):04X}>" for c in content)
    if len(text) > _MOST:
        text = f"{text[:60]}\n… and so on: {len(content)} characters\n"
    name = path.encode("unicode_escape").decode()
    return f"**{name}**:\n\n```text\n{text}```\n\n" if text else f"**{name}** holds nothing.\n\n"


if __name__ == "__main__":
    for _name in [name for name in os.environ if name.startswith("CROSSKEYS_")]:
        del os.environ[_name]
    PAGE.write_text(page(), "utf-8")
