"""Why a value is refused, in words: what somebody meant who wrote an ARN, a path or an account id like this."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.manifest.scalars import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NON_ASCII_IDENTIFIER: Final = "CK207"
MALFORMED_ACCOUNT_ID: Final = "CK410"
PATH_NOT_PLAIN: Final = "CK507"
NOT_ONE_PRINCIPAL: Final = "CK605"

_ACCOUNT_DIGITS = 12


class Reason(NamedTuple):
    """A rule that a value breaks, what is wrong with it, and what to write instead."""

    rule: str
    message: str
    help: str


def explain(field: str, value: str) -> Reason | None:
    """Return why a value that does not have its field's form is refused, None where the form itself says all.

    Args:
        field: The key that the value stands at.
        value: The value.
    """
    if odd := next((character for character in value if not character.isascii()), None):
        name = unicodedata.name(odd, "a character without a name")
        return Reason(
            NON_ASCII_IDENTIFIER,
            f"character {value.index(odd) + 1} of `{brief(value)}` is U+{ord(odd):04X} ({name}), and this takes ASCII "
            "alone",
            "type it anew: letters of other alphabets look the same and are not",
        )
    reason = _REASONS.get(field)
    return reason(value) if reason else None


def _account_id(value: str) -> Reason:
    digits = re.sub(r"[\s.-]", "", value)
    if not digits.isdecimal():
        return Reason(
            MALFORMED_ACCOUNT_ID, f"`{brief(value)}` is no account id", "an account id is twelve digits, in quotes"
        )
    if digits != value and len(digits) == _ACCOUNT_DIGITS:
        return Reason(MALFORMED_ACCOUNT_ID, f"`{value}` is not the account id alone", f'write "{digits}"')
    return Reason(
        MALFORMED_ACCOUNT_ID,
        f"`{brief(value)}` has {len(digits)} digits, and an account id is twelve digits",
        lost_zero(digits),
    )


def lost_zero(digits: str) -> str:
    """Return the advice for digits that should be an account id."""
    if len(digits) == _ACCOUNT_DIGITS:
        return f'quote it: "{digits}"'
    if len(digits) == _ACCOUNT_DIGITS - 1:
        return f'did a leading zero get lost? Then it is "0{digits}"'
    return "copy it from the account itself, and quote it"


# What an ARN names, by what follows the account: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
_NAMED = {
    "assumed-role": "a session of a role",
    "user": "an IAM user",
    "group": "an IAM group",
    "federated-user": "a federated user",
    "role": "an IAM role",
    "policy": "an IAM policy",
    "instance-profile": "an instance profile",
    "oidc-provider": "an identity provider",
    "saml-provider": "an identity provider",
}
_ARN = re.compile(r"arn:(?P<partition>[^:]*):(?:iam|sts):[^:]*:(?P<account>[^:]*):(?P<kind>[^/]*)(?:/(?P<name>.*))?")


def _arn_of(kind: str, *others: str) -> Callable[[str], Reason | None]:
    """Return the explanation of values where the ARN of one object of a kind is meant, or of one of other kinds."""
    example = f"arn:aws:iam::123456789012:{kind}/name"

    def explain_arn(value: str) -> Reason | None:
        found = _ARN.fullmatch(value)
        if re.search(r"[*?]", value):
            return _not_one(f"`{brief(value)}` has a wildcard: it names whatever matches", f"write {example}")
        if re.fullmatch("[0-9]{12}", value) or (found and found["kind"] == "root"):
            return _not_one(f"`{value}` is the account as a whole: everybody in it", f"name the one {kind}: {example}")
        named = _NAMED.get(found["kind"]) if found else None
        if found is None or named is None or found["kind"] in {kind, *others}:
            return None
        if found["kind"] == "assumed-role" and kind == "role":
            role = (found["name"] or "name").split("/")[0]
            return _not_one(
                f"`{brief(value)}` is {named}, and ends with it",
                f"write the role's own ARN: arn:{found['partition']}:iam::{found['account']}:role/{brief(role)}",
            )
        return _not_one(f"`{brief(value)}` is {named}, and not one {kind}", f"write the {kind}'s own ARN, as {example}")

    return explain_arn


def _not_one(message: str, advice: str) -> Reason:
    return Reason(NOT_ONE_PRINCIPAL, message, advice)


def _role_name(value: str) -> Reason | None:
    if not value.startswith("arn:"):
        return None
    *path, name = value.rpartition(":")[2].split("/")[1:] or [""]
    where = f", and role_path: /{'/'.join(path)}/ below `aws:`" if path else ""
    advice = f"write {brief(name)}{brief(where)}" if name else "write the role's name"
    return _not_one(f"`{brief(value)}` is an ARN, and this is the name of an IAM role alone", advice)


_PATH_FAULTS = (
    (r"[\x00-\x20\x7f]", "white space", "write it without"),
    (r"[{}]", "braces, which Vault takes for the beginning of a template", "write the path itself"),
    (r"[\"'`\\]", "quotes or backslashes, which would end the string in a policy", "write it without"),
    (r"\*", "`*`, which Vault reads as a wildcard", "leave it out: what lies below the path is included"),
    (r"(?:^|/)\+(?:/|$)", "`+`, which Vault reads as any one segment", "write the segment itself"),
    (r"(?:^|/)\.{1,2}(?:/|$)", "a segment of dots, which is no step to Vault", "write where it leads to"),
    (r"//", "an empty segment", "write one slash"),
    (r"^/|/$", "a slash at its beginning or end", "write it without"),
)


def _path(value: str) -> Reason | None:
    for pattern, fault, advice in _PATH_FAULTS:
        if re.search(pattern, value):
            return Reason(PATH_NOT_PLAIN, f"the path `{brief(value)}` has {fault}", advice)
    return None


def _directory(value: str) -> Reason | None:
    return _path(re.sub(r"[{}]", "", value))  # placeholders; a wrong one is said where they are known


_REASONS: Mapping[str, Callable[[str], Reason | None]] = {
    "account_id": _account_id,
    "role_name": _role_name,
    "provisioner_role": _arn_of("role"),
    "principals": _arn_of("role", "user"),
    "permissions_boundary": _arn_of("policy"),
    "path": _path,
    "directory": _directory,
}
