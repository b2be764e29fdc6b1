"""What can be asked of a token's policies; apart from the answers, so that the command line can name it at no cost."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """What a request does. Writing creates where nothing is, and updates what is there."""

    READ = "read"
    LIST = "list"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"


class Semantics(StrEnum):
    """By which version of Vault it is decided what a list request with a slash at its end matches.

    ``1.21`` looks it up without the slash, and with it only when nothing matched: where ``a/*`` lists, a deny of
    ``a/b/*`` does not keep ``a/b/`` from being listed. ``2.0.3`` weighs what matches either way: the best deny wins
    over the best rule that lists when it is more specific; else that rule wins, even over a more specific one that does
    not list, so this version also allows what the older denied. Sources: the release notes of v2.0.3, and
    resolveACLPermsForListOp in vault/acl.go since. From 2.2.2 a deny also matches paths in another case (release
    notes), which only denies more.
    """

    V1_21 = "1.21"
    V2_0_3 = "2.0.3"
