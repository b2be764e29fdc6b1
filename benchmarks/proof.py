"""What the isolation proof alone costs, by the number of clients: `python -m benchmarks.proof 1000 10000`.

The fleets and what their trees declare are made in memory, ten clients an account, every tenth account with a way in
for Vault. Each size runs in a process of its own, so that its peak memory is its own. The peak holds the fleet and what
its tree declares too; `before` is what the process had when the proof began.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import sys
import time
from typing import TYPE_CHECKING

from generator.audit.declared import Declared
from generator.audit.expected import expected
from generator.audit.proof import prove
from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.document import Document
from generator.manifest.fleet import resolve
from generator.manifest.load import Manifests
from generator.manifest.settings import FleetSettings
from generator.manifest.validate import Sourced

if TYPE_CHECKING:
    from generator.manifest.fleet import Fleet

SIZES = (1_000, 10_000, 50_000, 100_000)
_AN_ACCOUNT = 10


def fleet(clients: int) -> Fleet:
    """Return a fleet of so many clients."""
    settings = FleetSettings.model_validate(
        {"vault": {"principals": ["arn:aws:iam::999999999999:role/hcp-vault"]}, "shared_paths": [_SHARED]}
    )
    accounts = {}
    for number in range(0, -(-clients // _AN_ACCOUNT), 10):
        sts = {"role": "hcp-vault-lookup", "external_id": f"account-{number}"}
        model = AccountManifest.model_validate({"name": f"account-{number}", "owner": "x@example.com", "sts": sts})
        accounts[_account(number)] = Sourced(model, _document(f"clients/accounts/{_account(number)}.yaml"))
    return resolve(Manifests(settings, None, accounts, tuple(_client(number) for number in range(clients))))


_SHARED = {"path": "shared/ca", "owner": "pki@example.com"}


def _client(number: int) -> Sourced[ClientManifest]:
    name = f"client-{number}"
    manifest = {
        "name": name,
        "account_id": _account(number // _AN_ACCOUNT),
        "role_name": f"{name}-app",
        "owner": "team@example.com",
        "grants": [{"path": "shared/ca"}] if number % 4 == 0 else [],
    }
    return Sourced(ClientManifest.model_validate(manifest), _document(f"clients/{name}.yaml"))


def _account(number: int) -> str:
    return f"{100_000_000_000 + number}"


def _document(path: str) -> Document:
    return Document(path, "", None)


def declared(of: Fleet) -> Declared:
    """Return what the tree of a fleet declares."""
    return Declared({(item.root, item.address): item for _, items in expected(of) for item in items})


def measure(clients: int) -> None:
    """Print the seconds and the memory of one proof."""
    gc.set_threshold(100_000, 20, 100)  # as the command line does
    made = fleet(clients)
    tree = declared(made)
    gc.collect()
    before = _peak()
    begin, begin_processor = time.perf_counter(), time.process_time()
    proof = prove(tree, made)
    seconds, processor = time.perf_counter() - begin, time.process_time() - begin_processor
    if not proof.isolated:
        raise SystemExit(f"{proof.findings[0]}")
    sys.stdout.write(
        f"{clients:>8} clients  {seconds:6.2f} s, of the processor {processor:6.2f} s  "
        f"{processor / clients * 1e6:5.1f} us each  "
        f"peak {_peak():6.0f} MB, before {before:6.0f} MB\n"
    )
    sys.stdout.flush()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(sizes: tuple[int, ...]) -> None:
    """Measure each size in a process of its own."""
    spawning = multiprocessing.get_context("spawn")
    for size in sizes:
        process = spawning.Process(target=measure, args=(size,))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main(tuple(int(argument) for argument in sys.argv[1:]) or SIZES)
