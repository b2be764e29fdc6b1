"""Reading what Terraform says with ``-json``.

The messages are Terraform's machine-readable UI, version 1:
https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from __future__ import annotations

import json
from collections import Counter, deque
from typing import Any

from generator.diagnostics import Severity
from generator.report.runs import ResourceChange, TerraformDiagnostic

_PROGRESS = frozenset({"apply_start", "apply_progress", "apply_complete", "apply_errored", "refresh_start"})
_COUNTED_AS = {
    "create": ("add",),
    "update": ("change",),
    "delete": ("destroy",),
    "replace": ("add", "destroy"),
}
_PLAIN_LINES_KEPT = 20


class Transcript:
    """What Terraform said in one root, gathered line by line; knows nothing of processes.

    Args:
        root_name: The root's name, put before the files that Terraform names.
    """

    def __init__(self, root_name: str) -> None:
        self._root_name = root_name
        self._diagnostics: list[TerraformDiagnostic] = []
        self._changes: list[ResourceChange] = []
        self._done: Counter[str] = Counter()
        self._begun: set[str] = set()
        self._ids: dict[str, str] = {}
        self._dumped_state: dict[str, Any] | None = None
        self._plain: deque[str] = deque(maxlen=_PLAIN_LINES_KEPT)

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """The planned changes by address, without those that change nothing; Terraform's own order is random."""
        return tuple(sorted(self._changes))

    @property
    def planned(self) -> Counter[str]:
        """How many objects the plan would add, change, destroy and import."""
        found = Counter(count for change in self._changes for count in _COUNTED_AS.get(change.action, ()))
        return found + Counter({"import": sum(change.imported for change in self._changes)})

    @property
    def done(self) -> Counter[str]:
        """How many objects were added, changed and destroyed, also when the run failed later on.

        Of imports Terraform says nothing before all is done; of a run that failed it is not known how many there were.
        """
        return self._done

    @property
    def begun(self) -> tuple[str, ...]:
        """The objects, by address, that it began to create and has not complained about: they may be there."""
        return tuple(sorted(self._begun))

    @property
    def dumped_state(self) -> dict[str, Any] | None:
        """The whole state, which Terraform says when it can write it nowhere; it may hold secrets."""
        return self._dumped_state

    @property
    def diagnostics(self) -> tuple[TerraformDiagnostic, ...]:
        """All complaints in order, each once."""
        return tuple(dict.fromkeys(self._diagnostics))

    def failure(self, command: str, code: int) -> tuple[TerraformDiagnostic, ...]:
        """Return the diagnostics of a failed run, made up from its last plain lines when it gave no error itself."""
        if any(diagnostic.severity is Severity.ERROR for diagnostic in self._diagnostics):
            return self.diagnostics
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit status {code}"
        unexplained = TerraformDiagnostic(
            Severity.ERROR, f"terraform {command} {how} without saying why", "\n".join(self._plain)
        )
        return (*self.diagnostics, unexplained)

    def read(self, line: str) -> str | None:
        """Take in one line and return it in words when it is about progress."""
        message = _message(line)
        if message is None:
            if line.strip():
                self._plain.append(line)
            return None
        self._take_in(message)
        text = message.get("@message")
        return text if message.get("type") in _PROGRESS and isinstance(text, str) else None

    def _take_in(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "diagnostic", "diagnostic": {"summary": str()} as diagnostic}:
                self._diagnostics.append(self._diagnostic(diagnostic))
            case {
                "type": "planned_change",
                "change": {"action": str(action), "resource": {"addr": str(address)}} as change,
            }:
                if action not in {"noop", "read"}:
                    was = self._ids.get(address, "") if action == "replace" else ""
                    self._changes.append(ResourceChange(address, action, imported="importing" in change, was=was))
            case {"type": "refresh_start", "hook": {"resource": {"addr": str(address)}, "id_value": str(id_)}}:
                self._ids[address] = id_
            case {"type": "apply_start", "hook": {"action": "create", "resource": {"addr": str(address)}}}:
                self._begun.add(address)
            case {"type": "apply_errored", "hook": {"action": "create", "resource": {"addr": str(address)}}}:
                self._begun.discard(address)
            case {"@message": "Emergency state dump", "state": dict(state)}:
                self._dumped_state = state
            case {"type": "change_summary", "changes": {"operation": "apply", "import": int(imported)}}:
                self._done["import"] = imported
            case {"type": "apply_complete", "hook": {"action": str(action)}}:
                self._done.update(_COUNTED_AS.get(action, ()))

    def _diagnostic(self, raw: dict[str, Any]) -> TerraformDiagnostic:
        position = raw.get("range") or {}
        filename = position.get("filename")
        return TerraformDiagnostic(
            severity=Severity.WARNING if raw.get("severity") == "warning" else Severity.ERROR,
            summary=raw["summary"],
            detail=raw.get("detail", ""),
            address=raw.get("address"),
            path=f"{self._root_name}/{filename}" if filename else None,
            line=position.get("start", {}).get("line", 0),
        )


def _message(line: str) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "@message" in message else None
