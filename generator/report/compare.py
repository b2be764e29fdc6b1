"""How the rows of one review differ from those of an earlier one. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from itertools import zip_longest
from typing import TYPE_CHECKING

from generator.report.review import ChangedRow, ReviewRow, RowChanges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Key = tuple[str, str, str, str]

# Where a rule stands and who touched its file changes without any access changing.
_NO_ACCESS = frozenset({"since", "since_date", "changed", "changed_date", "changed_by", "file", "line"})
_COMPARED = tuple(field.name for field in fields(ReviewRow) if field.name not in _NO_ACCESS)


def compare(before: Iterable[ReviewRow], after: Iterable[ReviewRow], *, since: str, revision: str) -> RowChanges:
    """Return what a review has that an earlier one had not, had, or had otherwise.

    A row is the same grant when its client, principal, Vault role and path are the same.

    Args:
        before: The earlier rows.
        after: The rows now.
        since: What the earlier review was asked for by.
        revision: The commit that it is of.
    """
    earlier, later = _by_key(before), _by_key(after)
    pairs = [
        pair
        for key in dict.fromkeys((*later, *earlier))
        for pair in zip_longest(earlier.get(key, ()), later.get(key, ()))
    ]
    return RowChanges(
        since=since,
        revision=revision,
        added=tuple(new for old, new in pairs if old is None and new is not None),
        removed=tuple(old for old, new in pairs if new is None and old is not None),
        changed=tuple(
            ChangedRow(old, new, differing) for old, new in pairs if old and new and (differing := _differing(old, new))
        ),
    )


def _by_key(rows: Iterable[ReviewRow]) -> Mapping[Key, list[ReviewRow]]:
    found: dict[Key, list[ReviewRow]] = defaultdict(list)
    for row in rows:
        found[row.client, row.principal_arn, row.vault_role, row.path].append(row)
    return found


def _differing(before: ReviewRow, after: ReviewRow) -> tuple[str, ...]:
    return tuple(name for name in _COMPARED if getattr(before, name) != getattr(after, name))
