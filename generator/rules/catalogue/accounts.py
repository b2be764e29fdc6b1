"""Accounts: what clients need of them, and what they need themselves."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import (
    ACCOUNT,
    LEDGER,
    OTHER_ACCOUNT,
    PAYMENTS,
    PRINCIPALS,
    SETTINGS,
    account,
    client,
    sts,
)
from generator.rules.registry import Example, Rule

_VAULT = "https://github.com/hashicorp/vault/blob/v1.21.2"
_DEPUTY = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
_UNIQUE = "vault: {resolve_unique_ids: true}\n"
_MANAGED = "provisioning: managed\nprovisioner_role: arn:aws:iam::111111111111:role/provisioner\n"
_LOOKED_UP = Example({SETTINGS: PRINCIPALS, ACCOUNT: account(sts()), PAYMENTS: client(_UNIQUE)})


def _tags(count: int) -> str:
    return "aws: {tags: {" + ", ".join(f'k{number}: ""' for number in range(count)) + "}}\n"


RULES = (
    Rule(
        id="CK401",
        name="unregistered-account",
        title="A client's account has no manifest, and the fleet allows registered accounts only",
        why="A mistyped account id would let a stranger's account log in: an IAM role of the right name is quickly "
        "made there. With `accounts: registered` an account is written down, and reviewed, once.",
        source=_DEPUTY,
        fix="Check the account id; if it is right, add `clients/accounts/<account_id>.yaml`.",
        bad=Example(
            {SETTINGS: "accounts: registered\n", ACCOUNT: account(), PAYMENTS: client(account_id="111111111112")}
        ),
        good=Example({SETTINGS: "accounts: registered\n", ACCOUNT: account(), PAYMENTS: client()}),
    ),
    Rule(
        id="CK402",
        name="no-way-into-the-account",
        title="A client needs Vault to look into its account, and the account has not turned that on",
        why="EC2 inference asks AWS for the instance at each login, and unique ids for the role when it is written. "
        "Without a role to assume there Vault refuses the write, or every login.",
        source=f"{_VAULT}/builtin/credential/aws/client.go",
        fix="Add `sts` to the account's manifest, or leave `vault.ec2` and `vault.resolve_unique_ids` out.",
        bad=Example({ACCOUNT: account(), PAYMENTS: client(_UNIQUE)}),
        good=_LOOKED_UP,
    ),
    Rule(
        id="CK403",
        name="no-provisioner-role",
        title="A managed account names no role for runs to assume",
        why="Runs apply a managed account's AWS side. Without a role of the account they would act as whoever runs "
        "them, in whichever account that is.",
        source="https://github.com/hashicorp/terraform-provider-aws/blob/v6.0.0/website/docs/index.html.markdown",
        fix="Add `provisioner_role`, or leave `provisioning` at `handover`.",
        bad=Example({ACCOUNT: account("provisioning: managed\n"), PAYMENTS: client()}),
        good=Example({ACCOUNT: account(_MANAGED), PAYMENTS: client()}),
    ),
    Rule(
        id="CK404",
        name="no-vault-principal",
        title="An account lets Vault in, and the fleet does not say who Vault is",
        why="The trust policy of the role that Vault assumes names Vault's exact principal, and nobody else.",
        source=_DEPUTY,
        fix="Set `vault.principals` in crosskeys.yaml to the ARN of Vault's own IAM role or user.",
        bad=Example({ACCOUNT: account(sts()), PAYMENTS: client(_UNIQUE)}),
        good=_LOOKED_UP,
    ),
    Rule(
        id="CK405",
        name="sts-role-is-a-client",
        title="The role that Vault assumes is a client's too",
        why="Vault could log in to itself as that client, and the two would be one IAM role with two trust policies. "
        "Names are compared without regard to case, as IAM does.",
        source=f"{_VAULT}/builtin/credential/aws/path_config_sts.go",
        fix="Give the client a role of its own.",
        bad=Example(
            {SETTINGS: PRINCIPALS, ACCOUNT: account(sts(role="Payments-App")), PAYMENTS: client(_UNIQUE)},
        ),
        good=_LOOKED_UP,
    ),
    Rule(
        id="CK406",
        name="shared-external-id",
        title="Two accounts have one external id",
        why="The external id is what stops one account from having Vault act in another's name (the confused deputy). "
        "AWS asks for uniqueness and says that it is no secret, so its length is not judged here.",
        source=f"{_DEPUTY}#mitigate-confused-deputy",
        fix="Give each account one of its own, a random one such as a UUID for instance.",
        bad=Example(
            {
                SETTINGS: PRINCIPALS,
                ACCOUNT: account(sts()),
                OTHER_ACCOUNT: account(sts()),
                PAYMENTS: client(_UNIQUE),
                LEDGER: client(_UNIQUE, name="ledger", account_id="222222222222"),
            }
        ),
        good=Example(
            {
                SETTINGS: PRINCIPALS,
                ACCOUNT: account(sts()),
                OTHER_ACCOUNT: account(sts("c1b0a5f2-95d4-4c8e")),
                PAYMENTS: client(_UNIQUE),
                LEDGER: client(_UNIQUE, name="ledger", account_id="222222222222"),
            }
        ),
    ),
    Rule(
        id="CK407",
        name="too-many-tags",
        title="Fleet, account and client together set more than 50 tags",
        why="IAM takes 50 tags on a role or an instance profile, and those of the fleet and the account count.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
        fix="Leave some out.",
        bad=Example({PAYMENTS: client(_tags(50))}),
        good=Example({PAYMENTS: client(_tags(49))}),
    ),
    Rule(
        id="CK408",
        name="provisioner-role-is-taken",
        title="The role that runs assume is a client's, or Vault's",
        why="A workload with the provisioner's role could change every role of the account, and with them who every "
        "client is. IAM compares the names without regard to case.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
        fix="Give the client, or `sts`, a role of its own.",
        bad=Example({ACCOUNT: account(_MANAGED), PAYMENTS: client(role="Provisioner")}),
        good=Example({ACCOUNT: account(_MANAGED), PAYMENTS: client()}),
    ),
    Rule(
        id="CK409",
        name="idle-sts-role",
        title="An account lets Vault in, and no client of it needs that",
        severity=Severity.WARNING,
        why="With the plain registration Vault compares ARNs and looks nothing up, so a role for it to assume is a way "
        "in that serves nobody.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#remove-credentials",
        fix="Remove `sts` from the account's manifest; it is right to stay where a client that needs it is about to "
        "come.",
        bad=Example({SETTINGS: PRINCIPALS, ACCOUNT: account(sts()), PAYMENTS: client()}),
        good=_LOOKED_UP,
    ),
    Rule(
        id="CK410",
        name="malformed-account-id",
        title="An account id is not twelve digits",
        why="An account id is text of twelve digits. One with fewer has often lost its leading zero to a spreadsheet "
        "or to a reader that took it for a number.",
        source="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html",
        fix="Copy it from the account itself, without hyphens, and quote it.",
        bad=Example({PAYMENTS: client(account_id="12345678901")}),
        good=Example({PAYMENTS: client(account_id="012345678901")}),
    ),
)
