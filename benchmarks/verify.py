"""What looking at a whole live Vault takes, by the requests a second that it may be asked.

``python -m benchmarks.verify --clients 10000`` fills a real Vault, through its API, with all that a made-up fleet
declares, and then looks at Vault's side of it with `crosskeys verify`. Nothing may be found. Vault's own audit log says
what it was asked, and in which second.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import measure
from benchmarks.fleets import write_client, write_fleet
from benchmarks.programs import CROSSKEYS, PYTHON, isolated
from generator import cache, pipeline
from generator.audit.declared import Declaration, StsRole, VaultPolicy, VaultRole
from generator.errors import CrosskeysError, ExitCode
from generator.live.advisories import FLAWED
from generator.live.pace import each
from generator.live.vault_roles import policy_path, role_path, sts_path
from generator.sandbox import services, vault_contents
from generator.sandbox.toolchain import ensure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.audit.declared import Declared
    from generator.pipeline import Rendered
    from generator.sandbox.services import Services

_WRITERS = 16
# The gate keeps live runs away from this machine's own Vault.
_OPEN_GATE = (
    "from generator import cli; from generator.live import gate; gate.require_systems = lambda *_: None; cli.main()"
)
# What the API calls otherwise than the Terraform provider: its lists in the singular, its names of the token's fields.
_SINGULAR = ("bound_", "s")


@dataclass(frozen=True, slots=True)
class Looked:
    """One look that was measured.

    Args:
        rate: Requests a second at most; 0 for no bound.
        requests: How many Vault was asked, by its own log.
        busiest: Most of them in one second.
        seconds: From start to end.
        processor: Seconds of processor time.
        megabytes: Peak memory, ``VmHWM``.
    """

    rate: int
    requests: int
    busiest: int
    seconds: float
    processor: float
    megabytes: int


class Bench:
    """A fleet, and a Vault that has what it declares.

    Args:
        work: An empty folder.
        clients: How many clients.
        seed: Of the made-up fleet.
    """

    def __init__(self, work: Path, clients: int, seed: int) -> None:
        self._work = work
        self._fleet = work / "fleet"
        self._environment = isolated({"HOME": str(work), "CROSSKEYS_CACHE_DIR": str(cache.folder().absolute())})
        made = write_fleet(self._fleet, clients, seed)
        for path, client in made.clients.items():
            # Vault would look the ids up in an AWS that this benchmark has not.
            if client.get("vault", {}).pop("resolve_unique_ids", None):
                write_client(self._fleet, path, client)

    def filled(self) -> Services:
        """Bring up a Vault and write what the fleet declares into it.

        Raises:
            RemoteError: When it does not come up.
        """
        measure.run(measure.Case("render", "render", (CROSSKEYS, "render"), self._fleet, self._environment), self._work)
        rendered = pipeline.render(self._fleet, pipeline.validate(self._fleet).fleet, None)
        running = services.up(self._work / "servers", ensure(cache.folder(), _say), _say)
        begin = time.monotonic()
        written = fill(running, rendered)
        _say(f"wrote {written} objects into Vault in {time.monotonic() - begin:.0f} s")
        return running

    def look(self, running: Services, rate: int) -> Looked:
        """Look at Vault's side once.

        Raises:
            FailedError: When anything is found.
        """
        vault, log = vault_contents.connect(running), self._work / f"audit-{rate}.log"
        vault.sys.enable_audit_device("file", path="bench", options={"file_path": str(log)})
        report = self._work / "report.json"
        options = ("--target", "live", "--side", "vault", "--rate", str(rate), "--report", str(report))
        argv = (PYTHON, "-c", _OPEN_GATE, "verify", *options)
        live = {"VAULT_ADDR": running.vault_address, "VAULT_TOKEN": running.vault_token}
        try:
            case = measure.Case("verify", f"verify at {rate}", argv, self._fleet, {**self._environment, **live})
            run = measure.run(case, self._work)
        finally:
            vault.sys.disable_audit_device("bench")
        if found := json.loads(report.read_text("utf-8"))["rules"].keys() - {FLAWED}:
            raise measure.FailedError(f"live is what was rendered, and {', '.join(sorted(found))} was found")
        asked = by_second(log)
        looked = Looked(
            rate,
            requests=sum(asked.values()),
            busiest=max(asked.values()),
            seconds=round(run.seconds, 1),
            processor=round(run.processor, 1),
            megabytes=round(run.memory / 1e6),
        )
        log.unlink()
        _say(f"at {rate or 'any rate'}: {looked.requests} requests in {looked.seconds} s")
        return looked

    def end(self) -> None:
        """End the servers."""
        services.down(self._work / "servers")


def fill(running: Services, rendered: Rendered) -> int:
    """Write by API what a tree declares on Vault's side; return how many objects."""
    vault, settings = vault_contents.connect(running), rendered.fleet.settings.vault
    vault.sys.enable_auth_method("aws", path=settings.auth_mount)
    vault.sys.enable_secrets_engine("kv", path=settings.kv_mount, options={"version": "2"})
    header = {"iam_server_id_header_value": settings.server_id_header}
    vault.write_data(
        f"auth/{settings.auth_mount}/config/client",
        data={**header, "use_sts_region_from_client": settings.sts_region_from_client},
    )
    identity = {"iam_alias": settings.iam_alias, "iam_metadata": list(settings.iam_metadata)}
    vault.write_data(f"auth/{settings.auth_mount}/config/identity", data=identity)
    own = threading.local()

    def write(request: tuple[str, Mapping[str, Any]]) -> None:
        if not hasattr(own, "vault"):
            own.vault = vault_contents.connect(running)
        own.vault.write_data(request[0], data=request[1])

    return sum(1 for _ in each(write, _requests(rendered.declared), _WRITERS))


def by_second(log: Path) -> Counter[str]:
    """Return how many requests an audit log of Vault's has, by the second in which each came."""
    with log.open(encoding="utf-8") as lines:
        entries = (json.loads(line) for line in lines)
        return Counter(entry["time"][:19] for entry in entries if entry["type"] == "request")


def table(looks: Sequence[Looked]) -> str:
    """Return the looks as a Markdown table."""
    lines = [
        "| Bound, requests a second | Requests | Busiest second | Seconds | Processor, s | Peak MB |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for one in looks:
        counts = f"{one.rate or 'none'} | {one.requests} | {one.busiest}"
        lines.append(f"| {counts} | {one.seconds:.1f} | {one.processor:.1f} | {one.megabytes} |")
    return "\n".join(lines) + "\n"


def _requests(declared: Declared) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in declared.objects.values():
        match item:
            case VaultPolicy():
                yield policy_path(item.name), {"policy": item.text}
            case VaultRole():
                yield role_path(declared.text(item.root, item.backend), item.role), _role(declared, item)
            case StsRole():
                path = sts_path(declared.text(item.root, item.backend), item.account_id)
                yield path, {"sts_role": item.sts_role, "external_id": item.external_id}
            case _:
                pass


def _role(declared: Declared, role: VaultRole) -> dict[str, Any]:
    prefix, plural = _SINGULAR
    found: dict[str, Any] = {}
    for name in (
        type(role).__dataclass_fields__.keys() - Declaration.__dataclass_fields__.keys() - {"label", "backend", "role"}
    ):
        value = getattr(role, name)
        if value not in {None, ()}:
            key = name.removesuffix(plural) if name.startswith(prefix) else name
            found[key] = [declared.text(role.root, each) for each in value] if isinstance(value, tuple) else value
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, write the JSON file if one is named, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000, metavar="N", help="how many clients")
    parser.add_argument("--rates", default="0,400,60", metavar="N,N,…", help="requests a second; 0 for no bound")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another one makes up another fleet")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="crosskeys-verify-") as work:
        bench = Bench(Path(work), options.clients, options.seed)
        try:
            running = bench.filled()
            looks = [bench.look(running, int(rate)) for rate in options.rates.split(",")]
        except CrosskeysError as error:
            _say(f"error: {error.message}")
            return error.exit_code
        finally:
            bench.end()
    sys.stdout.write(table(looks))
    if options.json:
        found = {"clients": options.clients, "looks": [asdict(one) for one in looks]}
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return ExitCode.CLEAN


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
