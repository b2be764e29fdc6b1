"""A hostile file costs a second and 200 MB at most, measured on the program itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.crafted import CRAFTED
from tests.hostile.promise import ACCOUNT, CLIENT, SECONDS, SETTINGS, broken, run

PATHS = {"client": CLIENT, "account": ACCOUNT, "settings": SETTINGS}
MEGABYTES = 200
# Reads the good fleet first, so that what is measured of the hostile one is not the start of the program.
_MEASURED = """
import contextlib, io, json, resource, sys, time
from pathlib import Path
from generator.cli import app
from generator.cli.context import ending_well

def check(fmt):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        code = ending_well(lambda: app(["-C", sys.argv[1], "check", "--format", fmt]))
    return int(code), len(out.getvalue())

check("full")
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
hostile = Path(sys.argv[1], sys.argv[2])
hostile.write_bytes(sys.stdin.buffer.read())
worst = 0.0
for fmt in ("full", "json"):
    begin = time.process_time()
    code, said = check(fmt)
    worst = max(worst, time.process_time() - begin)
# Not ru_maxrss: that begins with what the process that started this one had, which is all of pytest.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(json.dumps([code, said, worst, int(peak.split()[1]) // 1024]))
"""
# Those that once cost more than they may, and one of each kind besides: a process each.
MEASURED = sorted(
    {
        *("client long path of a grant", "client list of '!a,'", "client grants that are numbers", "client addresses"),
        *("client accents in disorder", "client list of 'y,'", "client empty keys", "settings words"),
        *("client '[' nested", "settings long key of the backend", "account long path of an ARN"),
    }
)


@pytest.mark.parametrize("name", CRAFTED)
def test_the_worst_that_fits_into_a_file_is_read_within_a_second(name: str, fleet: Path) -> None:
    kind, text = CRAFTED[name]
    assert len(text.encode()) <= 64 * 1024
    (fleet / PATHS[kind]).write_text(text, newline="")
    for fmt in ("full", "json"):
        outcome = run(fleet, "check", "--format", fmt)
        assert not list(broken(outcome)), (outcome.code, outcome.err, outcome.seconds, outcome.out[:500])
        assert len(outcome.out) < 300_000


@pytest.mark.parametrize("name", MEASURED)
def test_the_program_keeps_to_its_memory(name: str, fleet: Path) -> None:
    kind, text = CRAFTED[name]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, fleet, PATHS[kind]], input=text.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    code, said, seconds, megabytes = json.loads(done.stdout)
    assert code in {1, 2}
    assert said > 0
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


def test_the_program_that_is_installed_ends_well_where_memory_is_short(fleet: Path) -> None:
    program = Path(sys.executable).with_name("crosskeys")
    for name in ("client long path of a grant", "client list of 'y,'", "client '[' nested"):
        (fleet / CLIENT).write_text(CRAFTED[name][1], newline="")
        # Addresses, not what is used of them: the libraries that are loaded take a good part.
        done = subprocess.run(
            ["bash", "-c", f"ulimit -v {400 * 1024} && exec '{program}' -C '{fleet}' check"],
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert re.search(r"^error\[CK1\d\d\]: ", done.stdout, re.MULTILINE)
        assert done.stderr == ""
