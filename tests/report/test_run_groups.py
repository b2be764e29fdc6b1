"""What is the same in many roots is one group, nothing is lost or counted twice, and what differs stays apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from generator.diagnostics import Severity
from generator.report import groups
from generator.report.runs import ResourceChange, Row, TerraformDiagnostic
from tests.report.runs import CLEAN, PLANNED, many

_NAMES = ("payments", "pay", "ledger", "a")
_CHANGES = st.builds(
    ResourceChange,
    st.builds(
        "{}.{}".format,
        st.sampled_from(("vault_policy", "aws_iam_role")),
        st.sampled_from((*_NAMES, "vault_sts", "account-111111111111")),
    ),
    st.sampled_from(("create", "update", "delete", "replace", "move")),
)
_COMPLAINTS = st.builds(
    TerraformDiagnostic,
    st.sampled_from(Severity),
    st.sampled_from(("refused", "payments is wrong", "Error")),
    st.text(alphabet="ab 1:/.-", max_size=20),
)


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    numbers = draw(st.lists(st.integers(0, 10**12 - 1), unique=True, max_size=8))
    return [
        replace(
            PLANNED,
            root=f"accounts/{number:012}/{draw(st.sampled_from(('aws', 'vault')))}",
            changes=tuple(draw(st.lists(_CHANGES, max_size=5))),
            diagnostics=tuple(draw(st.lists(_COMPLAINTS, max_size=3))),
            reason=draw(st.sampled_from((None, "platform failed", "accounts/111111111111/aws failed"))),
            clients=tuple(draw(st.sets(st.sampled_from(_NAMES)))),
        )
        for number in numbers
    ]


@given(_rows())
def test_each_change_is_in_exactly_one_group_and_the_counts_add_up(rows: list[Row]) -> None:
    found = groups.changes(rows)
    assert Counter(member for group in found for member in group.members) == Counter(
        (row.root, change) for row in rows for change in row.changes
    )
    assert len({(group.action, group.pattern) for group in found}) == len(found)
    for group in found:
        assert {change.action for _, change in group.members} == {group.action}
        assert len({change.address.partition(".")[0] for _, change in group.members}) == 1
    assert [group.destroys for group in found] == sorted((group.destroys for group in found), reverse=True)


@given(_rows())
def test_each_complaint_and_reason_is_in_exactly_one_group(rows: list[Row]) -> None:
    assert Counter(member for group in groups.complaints(rows) for member in group.members) == Counter(
        (row.root, diagnostic) for row in rows for diagnostic in row.diagnostics
    )
    assert Counter(root for group in groups.reasons(rows) for root in group.roots) == Counter(
        row.root for row in rows if row.reason
    )
    for group in groups.complaints(rows):
        assert len({diagnostic.severity for _, diagnostic in group.members}) == 1


def test_a_label_is_left_open_only_where_it_is_the_clients_own() -> None:
    assert groups.general("vault_policy.payments", ["payments"]) == "vault_policy.<client>"
    assert groups.general("vault_policy.payments", ["ledger"]) == "vault_policy.payments"
    assert groups.general("aws_iam_role.vault_sts", ["payments"]) == "aws_iam_role.vault_sts"
    label = "vault_aws_auth_backend_sts_role.account-111111111111"
    assert groups.general(label, ["payments"]) == "vault_aws_auth_backend_sts_role.account-<account>"


def test_one_vault_that_is_down_is_one_complaint() -> None:
    rows = [
        replace(
            row,
            diagnostics=(
                TerraformDiagnostic(
                    Severity.ERROR,
                    f"error writing to Vault: Put http://127.0.0.1:8200/v1/sys/policies/acl/client-{index}-policy",
                    f'Put "http://127.0.0.1:8200/v1/sys/policies/acl/client-{index}-policy": '
                    f"read tcp 127.0.0.1:{40000 + index}->127.0.0.1:8200: connection reset",
                ),
            ),
        )
        for index, row in enumerate(many(400))
    ]
    (group,) = groups.complaints(rows)
    assert len(group.roots) == 400


def test_one_throttled_aws_is_one_complaint() -> None:
    texts = [
        f"creating IAM Role ({role}): operation error IAM: CreateRole, https response error StatusCode: 400, "
        f"RequestID: {request}, api error Throttling: Rate exceeded after {seconds}s"
        for role, request, seconds in (
            ("PaymentsApi.7", "01234567-89ab-cdef-0123-456789abcdef", "1.5"),
            ("ledger-app", "fedcba98-89ab-cdef-0123-456789abcdef", "30"),
        )
    ]
    rows = [replace(CLEAN, diagnostics=(TerraformDiagnostic(Severity.ERROR, text),)) for text in texts]
    assert len(groups.complaints(rows)) == 1


def test_two_servers_and_two_codes_are_two_complaints() -> None:
    for one, other in (
        ("Put http://127.0.0.1:8200/v1/x", "Put http://127.0.0.2:8200/v1/x"),
        ("StatusCode: 403", "StatusCode: 500"),
        ("permission denied", "connection refused"),
    ):
        rows = [replace(CLEAN, diagnostics=(TerraformDiagnostic(Severity.ERROR, text),)) for text in (one, other)]
        assert len(groups.complaints(rows)) == 2


def test_a_name_within_another_word_is_no_name() -> None:
    assert groups.skeleton("a payments-policy is repayments", ["payments", "pay"]) == "a <client> is repayments"
