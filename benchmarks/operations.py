"""What running a fleet takes: apply it, plan it, change, retire, rename and delete one client, in the sandbox.

``python -m benchmarks.operations --accounts 200`` is what a company of 200 accounts with three clients each would see;
with real servers the time is theirs, so what counts is how it is spread, and what memory a runner needs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks import measure
from benchmarks.programs import CROSSKEYS, isolated
from generator import cache
from generator.errors import CrosskeysError, ExitCode, RemoteError

if TYPE_CHECKING:
    from collections.abc import Sequence

Manifest = dict[str, Any]
_CLIENTS = 3
_SETTINGS: Manifest = {
    "version": 1,
    "vault": {"server_id_header": "vault.example.com"},
    "platform": {"auth_mount": True, "client_config": True, "kv_mount": True},
    "defaults": {"token_ttl": "1h", "token_max_ttl": "4h"},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One run that was measured.

    Args:
        title: What it was.
        roots: How many roots took part.
        add: Objects added, or to be added where nothing was applied.
        change: Objects changed.
        destroy: Objects destroyed.
        exit_code: How it ended.
        seconds: From start to end.
        processor: Seconds of processor time, Terraform included and the servers not.
        megabytes: Peak memory of all processes together, the servers not.
    """

    title: str
    roots: int
    add: int
    change: int
    destroy: int
    exit_code: int
    seconds: float
    processor: float
    megabytes: int


class Operations:
    """A fleet in a folder of its own, and what is done with it.

    Args:
        work: An empty folder.
        accounts: How many accounts.
        jobs: Roots at a time.
    """

    def __init__(self, work: Path, accounts: int, jobs: int) -> None:
        self._work = work
        self._fleet = work / "fleet"
        self._jobs = jobs
        self._environment = isolated({"HOME": str(work), "CROSSKEYS_CACHE_DIR": str(cache.folder().absolute())})
        self.done: list[Operation] = []
        self._write("crosskeys.yaml", _SETTINGS)
        (self._fleet / ".gitignore").write_text("/.crosskeys/\n", "utf-8")
        for number in range(accounts):
            account_id = f"{100_000_000_000 + number}"
            managed = {"provisioning": "managed", "provisioner_role": f"arn:aws:iam::{account_id}:role/provisioner"}
            self._write(
                f"clients/accounts/{account_id}.yaml", {"name": f"account-{number}", "owner": "a@example.com"} | managed
            )
            for letter in "abc"[:_CLIENTS]:
                self._client(f"{letter}-{number}", account_id)

    def all(self) -> None:
        """Do everything in turn.

        Raises:
            FailedError: When something ends otherwise than it must.
        """
        self._git("init", "--quiet")
        self._crosskeys("sandbox", "up")
        self._rendered()
        self._measured("apply all", "apply", "--yes")
        self._commit()
        self._measured("plan, nothing to do", "plan", "--check")
        self._client("a-0", "100000000000", {"vault": {"token_ttl": "30m"}})
        self._rendered()
        self._measured("apply one changed client", "apply", "--yes", "--since", "HEAD")
        self._commit()
        self._client("a-0", "100000000000", {"retire": {"approved_until": "2099-12-31", "reason": "moved"}})
        self._rendered()
        self._measured("apply one retired client", "apply", "--yes", "--since", "HEAD")
        self._commit()
        (self._fleet / "clients/b-0.yaml").unlink()
        # What was named after the client keeps its name: Vault can rename no policy.
        kept = {"vault": {"policy": "b-0-policy"}}
        self._client("renamed-0", "100000000000", {"role_name": "b-0-app", "previously": "b-0", **kept})
        self._rendered()
        self._measured("apply one renamed client", "apply", "--yes", "--since", "HEAD")
        self._commit()
        (self._fleet / "clients/c-0.yaml").unlink()
        self._rendered()
        self._measured("refuse one deleted client", "apply", "--yes", "--since", "HEAD", code=ExitCode.REFUSED)

    def end(self) -> None:
        """End the sandbox's servers."""
        self._crosskeys("sandbox", "down")

    def _measured(self, title: str, *arguments: str, code: int = 0) -> None:
        report = self._work / "run.json"
        argv = (CROSSKEYS, *arguments, "--jobs", str(self._jobs), "--report", str(report))
        case = measure.Case(title, title, argv, self._fleet, self._environment, code=code)
        run = measure.run(case, self._work)
        total = json.loads(report.read_text("utf-8"))["total"]
        last = total.get("apply") or total["plan"]
        counts = {key: last[key] for key in ("roots", "add", "change", "destroy")}
        operation = Operation(
            title,
            **counts,
            exit_code=code,
            seconds=round(run.seconds, 1),
            processor=round(run.processor, 1),
            megabytes=round(run.memory / 1e6),
        )
        self.done.append(operation)
        sys.stderr.write(f"{title}: {operation.seconds} s\n")

    def _client(self, name: str, account_id: str, more: Manifest | None = None) -> None:
        client = {"name": name, "account_id": account_id, "role_name": f"{name}-app", "owner": "team@example.com"}
        self._write(f"clients/{name}.yaml", client | (more or {}))

    def _write(self, path: str, manifest: Manifest) -> None:
        (self._fleet / path).parent.mkdir(parents=True, exist_ok=True)
        (self._fleet / path).write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")

    def _rendered(self) -> None:
        self._crosskeys("render")

    def _commit(self) -> None:
        self._git("add", "--all")
        who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com")
        self._git(*who, "commit", "--quiet", "--message", "Apply")

    def _crosskeys(self, *arguments: str) -> None:
        self._run(CROSSKEYS, *arguments)

    def _git(self, *arguments: str) -> None:
        git = shutil.which("git")
        if git is None:
            raise RemoteError("there is no git on PATH", help="install git")
        self._run(git, *arguments)

    def _run(self, *argv: str) -> None:
        done = subprocess.run(argv, cwd=self._fleet, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise measure.FailedError(f"`{' '.join(argv)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def table(operations: Sequence[Operation]) -> str:
    """Return the operations as a Markdown table."""
    lines = [
        "| Operation | Roots | + | ~ | - | Seconds | Processor, s | Peak MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in operations:
        counts = f"{each.roots} | {each.add} | {each.change} | {each.destroy}"
        lines.append(f"| {each.title} | {counts} | {each.seconds:.1f} | {each.processor:.1f} | {each.megabytes} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, write the JSON file if one is named, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("--accounts", type=int, default=200, metavar="N", help="accounts, with three clients each")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="roots at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="crosskeys-operations-") as work:
        operations = Operations(Path(work), options.accounts, options.jobs)
        try:
            operations.all()
        except CrosskeysError as error:
            sys.stderr.write(f"error: {error.message}\n")
            return error.exit_code
        finally:
            operations.end()
    sys.stdout.write(table(operations.done))
    if options.json:
        found = {
            "accounts": options.accounts,
            "clients": options.accounts * _CLIENTS,
            "jobs": options.jobs,
            "operations": [asdict(each) for each in operations.done],
        }
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return ExitCode.CLEAN


if __name__ == "__main__":
    sys.exit(main())
