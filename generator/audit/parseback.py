"""Parse-back: rendered texts are read as Terraform would read them and compared with what they must declare.

Templates are text, and a fleet may have its own; what they say is not believed until it was read back.
"""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from generator.audit import verdicts
from generator.audit.differences import differences
from generator.audit.expected import expected
from generator.audit.faults import Unreadable
from generator.audit.read import read_file
from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.audit.declared import Declaration
    from generator.manifest.fleet import Fleet

_ALONE = 200
"""Up to this many files are read in this process: starting others costs as much."""
_SHOWN = 10

_HELP = (
    "if templates/ holds a template of your own, make it say what the manifests say; "
    "if not, this is a fault of crosskeys; nothing was written"
)


def verify(fleet: Fleet, texts: Mapping[str, str], cache: Path | None) -> None:
    """Compare what the rendered texts declare with what the fleet's manifests say.

    Args:
        fleet: The resolved fleet.
        texts: Every file that was rendered of it, by its path.
        cache: A folder that remembers which texts were found right; None for none. The outcome is the same.

    Raises:
        InternalError: With every difference, up to a few: file, object, field, what was expected and what was found.
    """
    wanted = expected(fleet)
    problems = [f"{path}: the file should not be there" for path in sorted(texts.keys() - wanted.keys())]
    problems += [f"{path}: the file is missing" for path in sorted(wanted.keys() - texts.keys())]
    problems += _declared_twice(wanted)
    pending = {path: (text, wanted[path]) for path, text in texts.items() if path in wanted}
    if cache is None:
        problems += _problems(pending)
    else:
        problems += _cached_problems(pending, cache)
    if problems:
        shown = "\n  ".join(islice(problems, _SHOWN))
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise InternalError(f"what was rendered does not say what the manifests say:\n  {shown}{more}", help=_HELP)


Pending = dict[str, tuple[str, tuple["Declaration", ...]]]


def _declared_twice(wanted: Mapping[str, tuple[Declaration, ...]]) -> list[str]:
    seen: dict[tuple[str, str], str] = {}
    problems = []
    for path, declarations in wanted.items():
        for item in declarations:
            first = seen.setdefault((item.root, item.address), path)
            if first != path:
                problems.append(f"{path}: {item.address} is declared in {first} too")
    return problems


def _cached_problems(pending: Pending, cache: Path) -> list[str]:
    reader = _reader()
    keys = {path: _key(reader, path, text, wanted) for path, (text, wanted) in pending.items()}
    known = verdicts.load(cache)
    fresh = {path: pending[path] for path, key in keys.items() if key not in known}
    if not fresh:
        return []
    problems = _problems(fresh)
    if not problems:
        verdicts.save(cache, keys.values(), known)
    return problems


def _problems(pending: Pending) -> list[str]:
    items = [(path, text, wanted) for path, (text, wanted) in pending.items()]
    count = min(len(os.sched_getaffinity(0)), len(items) // _ALONE)
    if count < 2:  # noqa: PLR2004 - one more process than this one would gain nothing
        return [problem for item in items for problem in check(*item)]
    from generator.audit import workers  # noqa: PLC0415 - for the rare run that reads many files

    return [problem for problems in workers.each(check, items, count) for problem in problems]


def check(path: str, text: str, wanted: tuple[Declaration, ...]) -> list[str]:
    """Return a line for each way in which one file's text differs from what it must declare."""
    try:
        return list(differences(path, wanted, read_file(path, text)))
    except Unreadable as fault:
        return [f"{fault.finding.span}: {fault.finding.message} ({fault.finding.rule})"]


def _key(reader: bytes, path: str, text: str, wanted: Iterable[Declaration]) -> bytes:
    # Strings are written with their quotes by repr, so no two sets of values have the same text.
    return hashlib.sha256(repr((reader, path, text, wanted)).encode("utf-8", "surrogatepass")).digest()


def _reader() -> bytes:
    """Return a digest of all that reads and compares: a verdict holds for the code that gave it alone."""
    whole = hashlib.sha256(f"{version('python-hcl2')}\0{version('lark')}\0".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        whole.update(source.read_bytes())
    return whole.digest()
