"""The command line, and somebody who makes an IAM role just after it was looked up: racing.py ENDPOINT ACCOUNT ROLE."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from generator import cli
from generator.cli import takeover
from generator.sandbox.aws_accounts import AwsAccounts

if TYPE_CHECKING:
    from collections.abc import Callable


def racing(look_up: Callable[..., None], endpoint: str, account_id: str, role: str) -> Callable[..., None]:
    """Return a look-up after which the role is there."""

    def look_up_first(*arguments: Any, **options: Any) -> None:
        look_up(*arguments, **options)
        accounts = AwsAccounts(endpoint, "aws", "us-east-1")
        iam = accounts.client("iam", accounts.owner_of(account_id))
        iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")

    return look_up_first


if __name__ == "__main__":
    takeover.require_none = racing(takeover.require_none, *sys.argv[1:4])
    sys.argv[1:4] = []
    cli.main()
