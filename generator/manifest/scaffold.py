"""The files with which a fleet begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import InternalError
from generator.manifest.load import SETTINGS
from generator.manifest.proposal import scalar
from generator.manifest.schema import schemas
from generator.manifest.settings import FleetSettings
from generator.manifest.source import parse
from generator.manifest.validate import validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from generator.diagnostics import Diagnostic

SCHEMAS: Final = "schemas"
_MODELINE = f"# yaml-language-server: $schema={SCHEMAS}/fleet.schema.json\n"
_CIS = ("github", "gitlab")
_FOR_ANY_CI = ("ci", "CODEOWNERS")


def files(scaffold: Path, ci: str | None, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each file of a new fleet, by its path.

    Args:
        scaffold: The folder of templates; below ``github/`` and ``gitlab/`` is what that CI alone needs.
        ci: Which CI's files are wanted: ``github``, ``gitlab`` or None.
        answers: Settings of the fleet, as ``settings`` takes them.
    """
    texts = {}
    for path in sorted(path for path in scaffold.rglob("*") if path.is_file()):
        top, *below = path.relative_to(scaffold).parts
        if top in _CIS:
            if top == ci:
                texts["/".join(below)] = path.read_text("utf-8")
        elif ci or top not in _FOR_ANY_CI:
            texts["/".join((top, *below))] = path.read_text("utf-8")
    texts[SETTINGS] = settings(texts[SETTINGS], answers)
    return texts | {f"{SCHEMAS}/{name}": text for name, text in schemas().items()}


def settings(template: str, answers: Mapping[str, str]) -> str:
    """Return the fleet settings with answers written where the template has their section commented out.

    Args:
        template: ``crosskeys.yaml`` as it is scaffolded.
        answers: Values by dotted key of two parts, such as ``vault.namespace``; one that is the default is left out.

    Raises:
        InternalError: When the template lacks a section.
    """
    text = template
    defaults = FleetSettings().model_dump()
    for key, value in answers.items():
        section, name = key.split(".")
        if value == defaults[section][name]:
            continue
        opened, closed = f"\n{section}:\n", f"\n# {section}:\n"
        if closed not in text and opened not in text:
            raise InternalError(f"the scaffold's {SETTINGS} has no section {section}")
        lines = text.replace(closed, opened).split("\n")
        # An example of the key would be a second one, once it is no comment any more.
        lines = [line for line in lines if not line.startswith(f"#   {name}:")]
        lines.insert(lines.index(f"{section}:") + 1, f"  {name}: {scalar(value)}")
        text = "\n".join(lines)
    return _MODELINE + text


def faults(text: str) -> tuple[Diagnostic, ...]:
    """Return what is wrong with the text of fleet settings."""
    document = parse(text.encode(errors="surrogateescape"), SETTINGS)
    read = document if isinstance(document, tuple) else validate(document, FleetSettings)
    return read if isinstance(read, tuple) else ()
