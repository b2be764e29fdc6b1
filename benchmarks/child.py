"""Runs one command and measures it; a script for a bare interpreter, which is kept small for a reason.

The kernel's peak memory of a process begins with what the process that started it had, so this one must have little.
"""

import json
import os
import sys
import threading
import time

_EVERY = 0.02
"""Seconds between two looks at the memory of the command and all its descendants."""


def main() -> None:
    """Run ``argv[2:]`` and write to the file ``argv[1]``: exit code, seconds of wall and processor, peak bytes."""
    result, *argv = sys.argv[1:]
    begin = time.perf_counter()
    child = os.posix_spawn(argv[0], argv, os.environ)
    ended = threading.Event()
    seen = [0, 0]
    watcher = threading.Thread(target=_watch, args=(child, ended, seen))
    watcher.start()
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - begin
    ended.set()
    watcher.join()
    measured = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        "processor": usage.ru_utime + usage.ru_stime,
        # A process that ends between two looks is seen by the kernel alone; several at a time only by looking.
        "memory": max(usage.ru_maxrss * 1024, seen[0]),
        "processes": seen[1],
    }
    with open(result, "w", encoding="utf-8") as file:
        json.dump(measured, file)


def _watch(child: int, ended: threading.Event, seen: list[int]) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    while not ended.wait(_EVERY):
        resident = [_resident(process) * page for process in _family(child)]
        seen[0] = max(seen[0], sum(resident))
        seen[1] = max(seen[1], len(resident))


def _family(process: int) -> list[int]:
    found = [process]
    for parent in found:
        try:
            for task in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                    found += map(int, file.read().split())
        except OSError:  # it has ended meanwhile
            continue
    return found


def _resident(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError):
        return 0


if __name__ == "__main__":
    main()
