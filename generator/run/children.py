"""The Terraform processes of one run: started, waited for, and asked to stop, but never killed.

A Terraform that dies in the middle of an apply forgets what it made. So each runs in a session of its own, where the
terminal's Ctrl-C does not reach it, and gets one SIGINT from here; a second one would make it exit at once.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_MILLISECONDS = 100
_CHUNK = 1 << 16


class Children:
    """Starts the processes of one run and can stop them all."""

    def __init__(self) -> None:
        # Re-entrant: the signal handler runs in the main thread, whatever that is doing.
        self._lock = threading.RLock()
        self._running: set[int] = set()  # pidfds
        self._stopping = False
        self._woken = threading.Event()

    def stopping(self) -> bool:
        """Tell whether the run was asked to stop."""
        return self._stopping

    def pause(self, seconds: float) -> bool:
        """Wait, unless the run is asked to stop meanwhile; return whether it goes on."""
        return not self._woken.wait(seconds)

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        output: int,
        on_line: Callable[[str], None],
        on_start: Callable[[int], None] = lambda _pid: None,
        *,
        errors: int = subprocess.STDOUT,
    ) -> int | None:
        """Run a command to its end, handing over each line it writes; private files only (umask 077).

        Args:
            command: The program and its arguments.
            environment: Its whole environment.
            output: An empty file, open for reading and writing, that takes stdout and stderr. A file, not a pipe:
                were this process killed, a pipe would break and take Terraform down in the middle of its work.
            on_line: Called with each line.
            on_start: Called with the process's number as soon as it is started.
            errors: Another such file for stderr alone, where stdout is to be taken as it is.

        Returns:
            The exit status, negative for a signal; ``None`` if it was not started because the run is stopping.

        Raises:
            OSError: If the command cannot be started.
        """
        with self._lock:
            if self._stopping:
                return None
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
                umask=0o077,
            )
            # A pidfd stays this very process, where a pid can become another's.
            pidfd = os.pidfd_open(process.pid)
            self._running.add(pidfd)
        try:
            on_start(process.pid)
            for line in _follow(pidfd, output):
                on_line(line)
        finally:
            code = process.wait()
            with self._lock:
                self._running.discard(pidfd)
                os.close(pidfd)
        return code

    def stop(self) -> int:
        """Start nothing more, send SIGINT to what runs, once, and return how many processes that is."""
        with self._lock:
            if not self._stopping:
                self._stopping = (
                    True  # first: were a second signal to come while the event is set, it would wait for ever
                )
                self._woken.set()
                for pidfd in self._running:
                    with suppress(ProcessLookupError):
                        signal.pidfd_send_signal(pidfd, signal.SIGINT)
            return len(self._running)

    @contextmanager
    def stopped_by_signals(self, on_stop: Callable[[int], None]) -> Iterator[None]:
        """While inside, SIGINT, SIGTERM and SIGHUP stop the run instead of ending this process.

        Signals that this process ignores, as under nohup, stay ignored. Outside the main thread nothing is done, as
        Python allows handlers only there.

        Args:
            on_stop: Called with the number of running processes at the first such signal.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handle(_number: int, _frame: object) -> None:
            first = not self._stopping
            running = self.stop()
            if first:
                on_stop(running)

        heeded = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, handle) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _follow(pidfd: int, output: int) -> Iterator[str]:
    """Yield the lines that a running process appends to a file, until it has ended and all is read."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    position, rest, running = 0, b"", True
    while running:
        running = not poll.poll(_POLL_MILLISECONDS)
        # pread, because the process writes at the offset that it shares with this descriptor.
        while chunk := os.pread(output, _CHUNK, position):
            position += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")
