"""Policies that `crosskeys capabilities` is given: what is no policy, and what cannot be decided by it."""

from __future__ import annotations

from generator.rules.examples import PAYMENTS, client
from generator.rules.registry import Example, Rule

_POLICY = "policies/operators.hcl"
_GOOD = 'path "secret/data/certs/*" {\n  capabilities = ["read"]\n}\n'
_SOURCE = "https://github.com/hashicorp/vault/blob/v1.21.2/vault/policy.go"


def _example(policy: str) -> Example:
    return Example({PAYMENTS: client(), _POLICY: policy})


RULES = (
    Rule(
        id="CK820",
        name="policy-that-vault-refuses",
        title="Vault would refuse this policy",
        why="A capability that does not exist, an unknown argument or `+*` makes Vault refuse the whole policy when it "
        "is written: the tokens that name it are left with what the policy said before, or with nothing.",
        source=_SOURCE,
        fix="Write what the finding names as Vault takes it.",
        bad=_example(_GOOD.replace("read", "raed")),
        good=_example(_GOOD),
    ),
    Rule(
        id="CK821",
        name="undecided-policy",
        title="What this policy allows cannot be decided by reading it",
        why="Control groups and MFA depend on people, `{{time.now}}` on the hour, Sentinel on everything, and some "
        "texts are read differently by the two versions of HCL. An answer that leaves them out would be a guess.",
        source=_SOURCE,
        fix="Leave it out or write it plainly; or ask a Vault that holds the policy, by `vault token capabilities`.",
        bad=_example(_GOOD.replace("}\n", '  mfa_methods = ["duo"]\n}\n')),
        good=_example(_GOOD),
    ),
)
