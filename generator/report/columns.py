"""The columns of a review's table, and its rows packed for a page: what repeats is stored once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.report.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.report.review import ReviewRow


@dataclass(frozen=True, slots=True)
class Column:
    """One field of `ReviewRow` as a column.

    Args:
        name: The field.
        label: The heading.
        kind: How a cell is set: ``text``, ``code``, ``number``, ``duration`` of seconds, ``mark`` (a word with a sign).
        empty: What a cell without a value says.
        of_login: Whether the field is the same for all grants of one login by one policy.
        shown: Whether the column is there before anybody asks for it.
    """

    name: str
    label: str
    kind: str = "text"
    empty: str = ""
    of_login: bool = True
    shown: bool = False


COLUMNS = (
    Column("client", "Client", shown=True),
    Column("account_id", "Account", "code", empty="not an account", shown=True),
    Column("account_name", "Account name", empty="unnamed"),
    Column("path", "Path", "code", of_login=False, shown=True),
    Column("capabilities", "Capabilities", empty="none", of_login=False, shown=True),
    Column("sharing", "Sharing", "mark", of_login=False, shown=True),
    Column("shared_owner", "Owner of the shared path", empty="not shared", of_login=False),
    Column("owner", "Owner", empty="no manifest", shown=True),
    Column("status", "Status", "mark", shown=True),
    Column("change_ref", "Approved in", empty="not stated", shown=True),
    Column("changed_date", "Last changed", shown=True),
    Column("changed", "Changed by commit", "code"),
    Column("changed_by", "Author of the change"),
    Column("since_date", "Since"),
    Column("since", "Since commit", "code"),
    Column("principal_arn", "IAM principal", "code", empty="none"),
    Column("vault_role", "Vault role", "code", empty="none"),
    Column("auth_mount", "Auth mount", "code", empty="none"),
    Column("policy", "Vault policy", "code"),
    Column("token_ttl", "Token TTL", "duration", empty="left to Vault"),
    Column("token_max_ttl", "Token max TTL", "duration", empty="left to Vault"),
    Column("token_bound_cidrs", "Usable from", "code", empty="anywhere"),
    Column("file", "File", "code"),
    Column("line", "Line", "number", of_login=False),
)


def packed(rows: Sequence[ReviewRow]) -> dict[str, Any]:
    """Return the rows as JSON's types, in two tables of columns: the logins, and the grants with their login's number.

    No character of a text is left that a reader would not see, such as one that turns the direction of writing.

    Returns:
        ``columns`` as in `COLUMNS`; ``login``, the login's number for each grant; ``logins`` and ``grants``, a column
        by each field's name. A column is a list of values, or ``of``, its distinct values, and ``at``, the number of
        each row's value among them.
    """
    cells = [tuple(cell(getattr(row, column.name)) for column in COLUMNS) for row in rows]
    of_login = [index for index, column in enumerate(COLUMNS) if column.of_login]
    of_grant = [index for index, column in enumerate(COLUMNS) if not column.of_login]
    numbers: dict[tuple[str | int | None, ...], int] = {}
    login = [numbers.setdefault(tuple(row[index] for index in of_login), len(numbers)) for row in cells]
    return {
        "columns": [
            [column.name, column.label, column.kind, column.empty, column.of_login, column.shown] for column in COLUMNS
        ],
        "login": login,
        "logins": {COLUMNS[index].name: _column([key[at] for key in numbers]) for at, index in enumerate(of_login)},
        "grants": {COLUMNS[index].name: _column([row[index] for row in cells]) for index in of_grant},
    }


def cell(value: str | int | tuple[str, ...] | None) -> str | int | None:
    """Return a field's value as a cell has it: lists in a line, and nothing in a text that a reader would not see."""
    if isinstance(value, tuple):
        return visible(", ".join(value))
    return visible(value) if isinstance(value, str) else value


def _column(values: list[str | int | None]) -> Any:
    numbers: dict[str | int | None, int] = {}
    at = [numbers.setdefault(value, len(numbers)) for value in values]
    # Numbers beside the values are longer than the values alone where hardly any comes twice.
    return values if len(numbers) * 2 > len(values) else {"of": list(numbers), "at": at}
