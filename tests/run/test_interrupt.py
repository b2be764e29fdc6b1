from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from generator.run.children import Children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.run.conftest import World

pytestmark = pytest.mark.toolchain

DRIVER = Path(__file__).with_name("driver.py")
FIRST, SECOND = "accounts/111111111111/vault", "accounts/222222222222/vault"


class Start(Protocol):
    def __call__(self, jobs: int, *names: str, wrapper: tuple[str, ...] = ()) -> subprocess.Popen[str]: ...


def body(marker: Path, command: str) -> str:
    return f"""
resource "terraform_data" "before" {{}}
resource "terraform_data" "slow" {{
  depends_on = [terraform_data.before]
  provisioner "local-exec" {{ command = "touch {marker}; {command}" }}
}}
resource "terraform_data" "after" {{ depends_on = [terraform_data.slow] }}
"""


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """Start the driver at the head of a process group, as a shell does, and see that it is gone afterwards."""
    started: list[subprocess.Popen[str]] = []

    def run(jobs: int, *names: str, wrapper: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        command = [*wrapper, sys.executable, str(DRIVER), str(world.folder), str(jobs), *names]
        process = subprocess.Popen(command, start_new_session=True, text=True, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_apply_ends_in_good_order(world: World, start: Start, number: signal.Signals) -> None:
    marker = world.folder / "marker"
    world.root(FIRST, body(marker, "exec sleep 60"))
    world.root(SECOND, body(marker, "exec sleep 60"))
    process = start(1, FIRST, SECOND)
    wait_for(marker.exists)

    # To the whole group and twice, as an impatient user's Ctrl-C: Terraform must get one, or it drops its state.
    os.killpg(process.pid, number)
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=30)

    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert stderr.count("waiting for Terraform to stop in 1 root;") == 1
    assert world.resources(FIRST) == {"before": "ok", "slow": "tainted"}
    assert world.resources(SECOND) == {}
    assert not list((world.folder / "state").rglob("*.lock.info"))
    stopped = "stopped by Terraform in good order; plan again to see what is left"
    assert json.loads((world.folder / "result.json").read_text()) == [
        ["apply", FIRST, "interrupted", stopped],
        ["apply", SECOND, "interrupted", "not started"],
    ]


def test_an_interrupted_plan_never_goes_on_to_apply(
    world: World, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, calls = world.count_calls(world.root(FIRST, ""))
    world.root(SECOND, "")
    monkeypatch.setenv("PATH", counted.environment["PATH"])
    state = world.state_file(FIRST)
    state.parent.mkdir(parents=True)
    with state.open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)  # Terraform's own lock on a local state: the plan waits for it
        process = start(1, FIRST, SECOND)
        wait_for(lambda: calls.exists() and " plan " in calls.read_text())
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130
    rows = json.loads((world.folder / "result.json").read_text())
    assert rows == [["plan", FIRST, "interrupted", None], ["plan", SECOND, "interrupted", "not started"]]


def test_terraform_finishes_even_when_the_tool_is_killed(world: World, start: Start) -> None:
    marker = world.folder / "marker"
    world.root(FIRST, body(marker, "sleep 1; echo out loud"))
    process = start(1, FIRST)
    wait_for(marker.exists)
    process.kill()
    process.wait()
    wait_for(lambda: "after" in world.resources(FIRST))
    assert world.resources(FIRST) == {"before": "ok", "slow": "ok", "after": "ok"}


def test_a_hang_up_that_is_ignored_stays_ignored(world: World, start: Start) -> None:
    marker = world.folder / "marker"
    world.root(FIRST, body(marker, "sleep 1"))
    process = start(1, FIRST, wrapper=("nohup",))
    wait_for(marker.exists)
    os.killpg(process.pid, signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert world.resources(FIRST) == {"before": "ok", "slow": "ok", "after": "ok"}


def test_handlers_are_put_back() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    children = Children()
    with children.stopped_by_signals(lambda _: None):
        assert signal.getsignal(signal.SIGINT) is not before[signal.SIGINT]
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_run_outside_the_main_thread_leaves_signals_alone() -> None:
    seen: list[object] = []

    def inside() -> None:
        with Children().stopped_by_signals(lambda _: None):
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]


def test_nothing_is_started_after_a_stop(tmp_path: Path) -> None:
    children = Children()
    assert children.stop() == 0
    with (tmp_path / "output").open("w+b") as output:
        assert children.run(["/bin/touch", str(tmp_path / "x")], {}, output.fileno(), lambda _: None) is None
    assert not (tmp_path / "x").exists()


def test_a_process_is_asked_to_stop_once_however_often_the_user_insists(tmp_path: Path) -> None:
    lines: list[str] = []
    children = Children()

    def insist(line: str) -> None:
        lines.append(line)
        if line == "ready":
            for _ in range(3):
                assert children.stop() == 1
                time.sleep(0.15)

    script = """trap 'echo asked' INT; echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done"""
    with (tmp_path / "output").open("w+b") as output:
        code = children.run(["/bin/sh", "-c", script], {"PATH": "/usr/bin:/bin"}, output.fileno(), insist)
    assert (code, lines) == (0, ["ready", "asked"])


def test_every_line_is_handed_over_whole(tmp_path: Path) -> None:
    lines: list[str] = []
    script = "printf 'one\\ntw'; sleep 0.3; printf 'o\\n'; printf 'th\\377ree' >&2"
    with (tmp_path / "output").open("w+b") as output:
        code = Children().run(["/bin/sh", "-c", script], {"PATH": "/usr/bin:/bin"}, output.fileno(), lines.append)
    assert code == 0
    assert lines == ["one", "two", "th�ree"]


def test_a_failing_reader_still_waits_for_the_process(tmp_path: Path) -> None:
    def fail(_line: str) -> None:
        raise ZeroDivisionError

    script = f"echo; sleep 0.5; touch {tmp_path}/done"
    with (tmp_path / "output").open("w+b") as output, pytest.raises(ZeroDivisionError):
        Children().run(["/bin/sh", "-c", script], {"PATH": "/usr/bin:/bin"}, output.fileno(), fail)
    assert (tmp_path / "done").exists()
