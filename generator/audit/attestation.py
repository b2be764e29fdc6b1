"""What an audit can be held to: digests of all that went in and came out, and the verdict, as an in-toto Statement.

The form is that of https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, so that whatever signs such
statements can sign this one; the result has the words of https://slsa.dev/spec/v1.0/verification_summary. Nothing in it
depends on when, where or by whom it was made. Pure but for reading this package's own code.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator import __version__
from generator.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:x-crosskeys:audit:v1"

Statement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a filed attestation and one made now do not say alike.

    Args:
        part: ``input``, ``output``, ``predicate``, or ``attestation`` for the filed one itself.
        name: The file, or what the predicate says there.
        filed: What the filed one says; None for nothing.
        now: What the one made now says; None for nothing.
    """

    part: str
    name: str
    filed: str | None
    now: str | None


def statement(
    *,
    inputs: Mapping[str, bytes],
    outputs: Mapping[str, bytes],
    passed: bool,
    verdict: str,
    counts: Mapping[str, int],
    unseen: Sequence[str],
) -> Statement:
    """Return the attestation of one audit.

    Args:
        inputs: Content of the manifests, the settings and the fleet's own templates, by path in the fleet's folder.
        outputs: Content of the rendered files, by path in the fleet's folder.
        passed: Whether the audit found nothing wrong.
        verdict: Its verdict.
        counts: Numbers that belong to it.
        unseen: What it could not know.
    """
    predicate: dict[str, Any] = {
        "verificationResult": "PASSED" if passed else "FAILED",
        "verdict": verdict,
        "unseen": list(unseen),
        "counts": dict(counts),
        "inputs": _described(inputs),
        "verifier": {"version": _versions()},
    }
    whole = {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": _described(outputs),
        "predicate": predicate,
    }
    predicate["digest"] = {"sha256": _digest(whole)}
    return whole


def text(made: Statement) -> str:
    """Return an attestation as JSON in plain ASCII: the same bytes for the same audit."""
    return json.dumps(made, indent=2, sort_keys=True) + "\n"


def differences(filed: bytes, made: Statement) -> tuple[Difference, ...]:
    """Return in what a filed attestation differs from one made now; nothing when they are the same bytes.

    Raises:
        UsageError: When what was filed is no attestation of this form.
    """
    if filed == text(made).encode():
        return ()
    before = _read(filed)
    found = [
        *_altered(before),
        *_files("input", before["predicate"].get("inputs"), made["predicate"]["inputs"]),
        *_files("output", before.get("subject"), made["subject"]),
        *_predicate(before["predicate"], made["predicate"]),
    ]
    # The same content in other bytes: a reformatted file, or a key that stands in it twice.
    return tuple(found) or (Difference("attestation", "form", "written in another form", "as it is written here"),)


def _described(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"name": path, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
        for path, content in sorted(files.items())
    ]


def _versions() -> dict[str, str]:
    code = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        code.update(f"{source.name}\0".encode() + source.read_bytes())
    return {
        "crosskeys": __version__,
        "python-hcl2": version("python-hcl2"),
        "lark": version("lark"),
        # A verdict holds for the code that gave it, and a version's number need not change with that.
        "reader-and-proof": f"sha256:{code.hexdigest()}",
    }


def _digest(whole: Statement) -> str:
    """Return the SHA-256 of a statement without its own digest, as compact JSON with sorted keys."""
    predicate = {name: value for name, value in whole["predicate"].items() if name != "digest"}
    compact = json.dumps({**whole, "predicate": predicate}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(compact.encode()).hexdigest()


def _read(filed: bytes) -> Statement:
    try:
        found = json.loads(filed)
    except (ValueError, RecursionError):
        found = None
    is_statement = isinstance(found, dict) and found.get("_type") == STATEMENT_TYPE
    if not is_statement or found.get("predicateType") != PREDICATE_TYPE or not isinstance(found.get("predicate"), dict):
        raise UsageError(
            "this is no attestation of an audit",
            help="name the file that `crosskeys audit --attest` wrote; out of a signed envelope take its payload",
        )
    whole: Statement = found
    return whole


def _altered(before: Statement) -> Iterator[Difference]:
    said, true = _shown(before["predicate"].get("digest")), _shown({"sha256": _digest(before)})
    if said != true:
        yield Difference("attestation", "digest", said, true)


def _files(part: str, before: object, now: list[dict[str, Any]]) -> Iterator[Difference]:
    filed, made = _by_name(before), _by_name(now)
    for name in sorted(filed.keys() | made.keys()):
        if filed.get(name) != made.get(name):
            yield Difference(part, name, filed.get(name), made.get(name))


def _by_name(described: object) -> dict[str, str]:
    entries = described if isinstance(described, list) else []
    return {str(entry.get("name")): _shown(entry.get("digest")) for entry in entries if isinstance(entry, dict)}


def _predicate(before: dict[str, Any], now: dict[str, Any]) -> Iterator[Difference]:
    apart = {"digest", "inputs"}
    filed, made = (dict(_leaves("", each)) for each in (before, now))
    for name in sorted(filed.keys() | made.keys()):
        if name.partition(".")[0] not in apart and filed.get(name) != made.get(name):
            yield Difference("predicate", name, filed.get(name), made.get(name))


def _leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}" if name else key, inner)
    else:
        yield name, _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, dict) and isinstance(digest := value.get("sha256"), str):
        return f"sha256:{digest}"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
