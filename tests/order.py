"""The order in which test files start, and which of them are one process's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

LONGEST = (
    (
        "tests/e2e/test_changes.py",
        "tests/e2e/test_logins.py",
        "tests/e2e/test_aws_side.py",
        "tests/e2e/test_lookups.py",
        "tests/e2e/test_refused_logins.py",
        "tests/e2e/test_equivalence.py",
        "tests/e2e/test_agent.py",
        "tests/e2e/test_isolation.py",
        "tests/e2e/test_verify_applied.py",
        "tests/e2e/test_verify_login.py",
        "tests/e2e/test_verify_aws.py",
    ),
    ("tests/e2e/test_import.py",),
    ("tests/bootstrap/test_applied.py",),
    ("tests/lifecycle/test_sandbox.py",),
    ("tests/run/test_faults_of_servers.py",),
    ("tests/e2e/test_faults.py",),
    ("tests/e2e/test_make.py",),
    ("tests/docs/test_blocks.py",),
    ("tests/e2e/test_import_blocks.py",),
    ("tests/e2e/test_takeover.py",),
    ("tests/e2e/test_kit.py",),
    ("tests/e2e/test_destroys.py",),
    ("tests/e2e/test_saved_plans.py",),
    ("tests/e2e/test_verify.py", "tests/e2e/test_verify_strays.py"),
    ("tests/run/test_faults.py",),
    ("tests/hostile/test_injection.py",),
    ("tests/e2e/test_state_in_s3.py",),
    ("tests/e2e/test_shards.py",),
    ("tests/hostile/test_yaml.py",),
    ("tests/speed/test_nearby.py",),
)
"""The files that take longest, in the order in which they start; those that share what they set up are in one row.

What starts last ends last, with the other processors idle. A row is one process's work, for each process sets up anew:
to apply the example fleet, which the first row shares, takes 45 s of a processor.
"""
_PLACES = {file: place for place, file in enumerate(file for row in LONGEST for file in row)}
_ROWS = {file: row[0] for row in LONGEST for file in row}


def file_of(nodeid: str) -> str:
    """Return the file of a test."""
    return nodeid.partition("::")[0]


def place(nodeid: str) -> int:
    """Return the place at which a test starts; one for all that are not long."""
    return _PLACES.get(file_of(nodeid), len(_PLACES))


class Rows(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Gives each file, and the files of a row, to one process, in the order of collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        # It would have the files with most tests start first, which are those of short ones.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = file_of(nodeid)
        return _ROWS.get(file, file)
