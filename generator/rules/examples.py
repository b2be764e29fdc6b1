"""The manifests that the catalogue's examples are made of."""

from __future__ import annotations

SETTINGS = "crosskeys.yaml"
PAYMENTS = "clients/payments.yaml"
LEDGER = "clients/ledger.yaml"
ACCOUNT = "clients/accounts/111111111111.yaml"
OTHER_ACCOUNT = "clients/accounts/222222222222.yaml"

PRINCIPALS = "vault: {principals: ['arn:aws:iam::999999999999:role/hcp-vault']}\n"
"""Settings that name Vault's own principal, as an account's `sts` needs it."""


def client(more: str = "", *, name: str = "payments", account_id: str = "111111111111", role: str | None = None) -> str:
    """Return a client manifest.

    Args:
        more: Further lines.
        name: The client's name.
        account_id: Its account.
        role: Its IAM role; the name and ``-app`` unless given.
    """
    lines = (f"name: {name}", f'account_id: "{account_id}"', f"role_name: {role or f'{name}-app'}")
    return "\n".join((*lines, f"owner: {name}-team@example.com", more))


def account(more: str = "", *, name: str = "retail") -> str:
    """Return an account manifest with further lines."""
    return f"name: {name}\nowner: {name}@example.com\n{more}"


def sts(external_id: str = "7d1c9d0e-3f0b-4a52", role: str = "hcp-vault-lookup") -> str:
    """Return the line that lets Vault look into an account."""
    return f"sts: {{role: {role}, external_id: {external_id}}}\n"
