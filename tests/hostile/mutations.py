"""Changes to a manifest: what slips, strangers and chance make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args, get_type_hints

from pydantic import BaseModel

from generator.manifest.account import AccountManifest
from generator.manifest.client import ClientManifest
from generator.manifest.settings import FleetSettings
from tests.hostile.strings import INJECTIONS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence


def _keys(annotation: object) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, hint in get_type_hints(annotation).items():
            if not name.startswith(("_", "model_")):
                yield name
                yield from _keys(hint)
    for inner in get_args(annotation):
        yield from _keys(inner)


_KEYS = tuple(dict.fromkeys(key for model in (ClientManifest, AccountManifest, FleetSettings) for key in _keys(model)))
_VALUES = (
    # right somewhere
    *("true", "false", "null", "0", "1", "3600", "43200", "none", "create", "existing", "any", "registered", "managed"),
    *("1h", "90m", "32d", "1h30m", "us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "/", "/apps/", "s3"),
    *("shared/ca", "{path: shared/ca}", "[{path: shared/ca, access: read}]", "[{path: shared/ca, owner: x}]", "admin"),
    *("'222222222222'", "'111111111111'", "scanner", "payments-app", "x@example.com", "'>=0.1'", "'>= 1.11'", "aws-cn"),
    *(
        "arn:aws:iam::222222222222:role/x",
        "arn:aws:iam::222222222222:policy/x/y",
        "'arn:aws:iam::{account_id}:policy/x'",
    ),
    *("ec2.amazonaws.com", "[ec2.amazonaws.com]", "['10.0.0.0/8', '2001:db8::/32', '10.1.2.3/32']", "https://x:8200"),
    *(
        "i-0123456789abcdef0",
        "[vpc-0123456789abcdef0]",
        "'{role_name}'",
        "'{name}-policy'",
        "certs/{account_id}/{name}",
    ),
    *(
        "{reason: x}",
        "{approved_until: '2027-01-31', reason: x}",
        "'{root}.tfstate'",
        "{type: s3, key: '{root}'}",
        "former",
    ),
    *("{region: us-east-1}", "{role: x, external_id: abc}", "{a: b, 'c d': 'e'}", "{}", "[]", "''", "'2027-01-31'"),
    # wrong everywhere, or nearly
    *(
        "yes",
        "NO",
        "~",
        "012345670123",
        "0x1f",
        "0o7",
        "1e3",
        ".inf",
        ".nan",
        "2027-01-31",
        "12:34:56",
        "1_000",
        "+1",
        "-0",
    ),
    *(
        "9" * 19,
        "[[[[]]]]",
        "{a: {b: {c: d}}}",
        "*a",
        "&a b",
        "!!str 1",
        "!x {}",
        "<<",
        "? x",
        "|",
        ">-",
        "'",
        '"',
        "@",
        "`",
    ),
)
_INSERTS = (
    *(
        b"\t",
        b" ",
        b"\n",
        b"\r\n",
        b"\r",
        b": ",
        b"- ",
        b"? ",
        b"#",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b"'",
        b'"',
        b"&",
        b"*",
    ),
    *(
        b"!",
        b"|",
        b">",
        b"%",
        b"---\n",
        b"...\n",
        b"\0",
        b"\x1b[31m",
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
    ),
    *(
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\xcc\x81",
        b"${x}",
        b"%{x}",
        b"{{x}}",
        b"<<: *a\n",
        b"%YAML 1.1\n---\n",
    ),
    *(b"e\xcc\x81", b"\\u202e", b"\\x00", b"\\ud800", b"\\", b"a" * 300, b"[" * 30, b"- " * 30, b"9" * 30),
)


def mutated(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Return a manifest changed once to four times.

    Args:
        rng: Where chance comes from.
        content: The manifest.
        others: Manifests of its kind to take pieces from.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        content = rng.choice(_CHANGES)(rng, content, others)
    return content


def _quoted(rng: random.Random, text: str) -> str:
    return rng.choice((text, "'" + text.replace("'", "''") + "'", json.dumps(text, ensure_ascii=rng.random() < 0.5)))


def _value(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    """Another value behind a key."""
    lines = content.split(b"\n")
    at = [index for index, line in enumerate(lines) if b": " in line]
    if not at:
        return content
    index = rng.choice(at)
    value = rng.choice(_VALUES) if rng.random() < 0.5 else _quoted(rng, rng.choice(INJECTIONS))
    lines[index] = lines[index].split(b": ")[0] + b": " + value.encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _key(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    """One more key, which the models know."""
    lines = content.split(b"\n")
    index = rng.randrange(len(lines) + 1)
    value = rng.choice(_VALUES) if rng.random() < 0.7 else _quoted(rng, rng.choice(INJECTIONS))
    line = f"{' ' * rng.choice((0, 0, 0, 2, 2, 4))}{rng.choice(_KEYS)}: {value}"
    return b"\n".join([*lines[:index], line.encode("utf-8", "surrogatepass"), *lines[index:]])


def _line(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """A line doubled, removed, moved, indented, or taken from another manifest."""
    lines = content.split(b"\n")
    index, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            lines.insert(other, lines[index])
        case 1:
            del lines[index]
        case 2:
            lines[index], lines[other] = lines[other], lines[index]
        case 3:
            lines[index] = b" " * rng.randrange(1, 5) + lines[index].lstrip(b" " * rng.randrange(2))
        case _:
            lines.insert(index, rng.choice(rng.choice(others).split(b"\n")))
    return b"\n".join(lines)


def _insert(rng: random.Random, content: bytes, _others: Sequence[bytes]) -> bytes:
    """Something that means something, anywhere."""
    index = rng.randrange(len(content) + 1)
    return content[:index] + rng.choice(_INSERTS) * rng.choice((1, 1, 1, 2, 40)) + content[index:]


def _bytes(rng: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Bytes flipped, cut out, cut off, or spliced."""
    index, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
    match rng.randrange(5):
        case 0 if content:
            index = min(index, len(content) - 1)
            return content[:index] + bytes([content[index] ^ 1 << rng.randrange(8)]) + content[index + 1 :]
        case 1:
            return content[:index] + content[min(end, index + 8) :]
        case 2:
            return content[:index]
        case 3:
            other = rng.choice(others)
            return content[:index] + other[rng.randrange(len(other)) :]
        case _:
            return content[:index] + rng.randbytes(rng.randrange(1, 5)) + content[index:]


_CHANGES: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_value, _value, _value, _value, _key, _key, _key, _line, _line, _insert, _insert, _bytes),
)
