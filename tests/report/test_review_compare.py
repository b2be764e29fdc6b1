"""What differs between two reviews: by client, principal, role and path, and by what bears on access."""

from __future__ import annotations

import pytest

from generator.report.compare import compare
from tests.report.reviews import ROW, row


def test_the_same_rows_have_no_changes_wherever_they_stand_and_whoever_touched_them() -> None:
    moved = row(line=99, file="terraform/x.tf", since="unknown", changed="c" * 12, changed_by="B <b@example.com>")
    found = compare([ROW], [moved], since="v1", revision="c" * 40)
    assert (found.added, found.removed, found.changed) == ((), (), ())
    assert (found.since, found.revision) == ("v1", "c" * 40)


@pytest.mark.parametrize("key", ["client", "principal_arn", "vault_role", "path"])
def test_another_key_is_another_grant(key: str) -> None:
    other = row(**{key: "another"})
    found = compare([ROW], [other], since="v1", revision="c" * 40)
    assert (found.added, found.removed, found.changed) == ((other,), (ROW,), ())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("capabilities", ("read",)),
        ("policy", "other"),
        ("auth_mount", "aws-2"),
        ("owner", "new@example.com"),
        ("sharing", "other"),
        ("token_ttl", None),
        ("token_bound_cidrs", ()),
        ("status", "suspended"),
        ("change_ref", ""),
    ],
)
def test_a_changed_field_is_named(field: str, value: object) -> None:
    (changed,) = compare([ROW], [row(**{field: value})], since="v1", revision="c" * 40).changed
    assert changed.fields == (field,)
    assert (changed.before, getattr(changed.after, field)) == (ROW, value)


def test_a_path_that_two_policies_of_a_role_grant_is_two_grants() -> None:
    second = row(policy="second")
    found = compare([ROW], [ROW, second], since="v1", revision="c" * 40)
    assert (found.added, found.changed) == ((second,), ())
    found = compare([ROW, second], [ROW], since="v1", revision="c" * 40)
    assert (found.removed, found.changed) == ((second,), ())
