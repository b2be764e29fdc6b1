"""Parse-back: rendered texts are read as Terraform would read them and compared with what they must declare.

Templates are text, and a fleet may have its own; what they say is not believed until it was read back.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from generator.audit.declared import Declared, Terraform
from generator.audit.differences import differences
from generator.audit.expected import expected
from generator.audit.faults import Unreadable
from generator.audit.reading import parsed, read_each
from generator.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generator.audit.declared import Declaration
    from generator.manifest.fleet import Fleet

_SHOWN = 10

_HELP = (
    "if templates/ holds a template of your own, make it say what the manifests say; "
    "if not, this is a fault of crosskeys; nothing was written"
)


def verify(fleet: Fleet, texts: Mapping[str, str], cache: Path | None) -> Declared:
    """Compare what the rendered texts declare with what the fleet's manifests say, and return it.

    Args:
        fleet: The resolved fleet.
        texts: Every file that was rendered of it, by its path.
        cache: A folder that remembers what was parsed; None for none. The outcome is the same.

    Raises:
        InternalError: With every difference, up to a few: file, object, field, what was expected and what was found.
    """
    outcomes = read_each(texts, cache)
    objects: dict[tuple[str, str], Declaration] = {}
    missing, twice, problems = [], [], []
    for path, wanted in expected(fleet):
        if path not in texts:
            missing.append(f"{path}: the file is missing")
            continue
        found = outcomes.pop(path)
        problems += _problems(path, wanted, found)
        for item in () if isinstance(found, Unreadable) else found:
            first = objects.setdefault((item.root, item.address), item)
            if first is not item:
                twice.append(f"{path}: {item.address} is declared in {first.span.path} too")
    problems = [*(f"{path}: the file should not be there" for path in sorted(outcomes)), *missing, *twice, *problems]
    if problems:
        shown = "\n  ".join(islice(problems, _SHOWN))
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise InternalError(f"what was rendered does not say what the manifests say:\n  {shown}{more}", help=_HELP)
    return Declared(objects)


def check(path: str, text: str, wanted: tuple[Declaration, ...]) -> list[str]:
    """Return a line for each way in which one file's text differs from what it must declare."""
    return _problems(path, wanted, parsed(path, text))


def _problems(path: str, wanted: tuple[Declaration, ...], found: tuple[Declaration, ...] | Unreadable) -> list[str]:
    if isinstance(found, Unreadable):
        return [f"{found.finding.span}: {found.finding.message} ({found.finding.rule})"]
    # Python takes True for 1, and a backend's settings can be either.
    if wanted == found and not any(isinstance(item, Terraform) for item in wanted):
        return []
    return list(differences(path, wanted, found))
