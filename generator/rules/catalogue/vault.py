"""Vault: names, limits and paths that it would refuse, or take for something else than was meant."""

from __future__ import annotations

from generator.rules.examples import LEDGER, PAYMENTS, SETTINGS, client
from generator.rules.registry import Example, Rule

_VAULT = "https://github.com/hashicorp/vault/blob/v1.21.2"
_KV = "https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2#acl-rules"
_SHARED = "shared_paths: [{path: shared/ca, owner: pki@example.com}]\n"
_GRANTED = Example({SETTINGS: _SHARED, PAYMENTS: client("grants: [{path: shared/ca}]\n")})

RULES = (
    Rule(
        id="CK501",
        name="unusable-vault-name",
        title="A name that IAM takes cannot be the name of a Vault role or policy",
        why="IAM role names may hold `+ = , @` and begin with a hyphen; Vault's may not. Terraform would try to write "
        "such a role for 30 seconds before it fails.",
        source=f"{_VAULT}/sdk/framework/path.go",
        fix="Set `vault.role` or `vault.policy` to a name of letters, digits, `_` and, neither first nor last, `.` or "
        "`-`.",
        bad=Example({PAYMENTS: client(role="payments@app")}),
        good=Example({PAYMENTS: client("vault: {role: payments-app}\n", role="payments@app")}),
    ),
    Rule(
        id="CK502",
        name="reserved-policy-name",
        title="A policy has a name that Vault keeps for itself",
        why="`default` is attached to nearly every token: writing it would give every client this client's access. "
        "`root`, `response-wrapping` and `control-group` cannot be assigned, and `hcp-root` is HCP's.",
        source=f"{_VAULT}/vault/policy_store.go",
        fix="Set `vault.policy` to another name.",
        bad=Example({PAYMENTS: client("vault: {policy: default}\n")}),
        good=Example({PAYMENTS: client("vault: {policy: payments-default}\n")}),
    ),
    Rule(
        id="CK503",
        name="ttl-above-maximum",
        title="A token's first term is longer than its longest one",
        why="Vault refuses a role whose `token_ttl` is longer than its `token_max_ttl`. What a client leaves out is "
        "the fleet's default, so either key alone can break this.",
        source=f"{_VAULT}/sdk/helper/tokenutil/tokenutil.go",
        fix="Shorten `token_ttl` or raise `token_max_ttl`.",
        bad=Example({PAYMENTS: client("vault: {token_ttl: 2h, token_max_ttl: 1h}\n")}),
        good=Example({PAYMENTS: client("vault: {token_ttl: 1h, token_max_ttl: 2h}\n")}),
    ),
    Rule(
        id="CK504",
        name="wildcard-directory",
        title="A client's directory has a segment that Vault reads as a wildcard, or a step up",
        why="In a policy `+` stands for any one segment: the directory of an IAM role named `+` would be every role's.",
        source=f"{_VAULT}/vault/policy.go",
        fix="Rename the IAM role, or put something beside the placeholder in `vault.directory`.",
        bad=Example({PAYMENTS: client("vault: {role: payments-app}\n", role="+")}),
        good=Example({PAYMENTS: client()}),
    ),
    Rule(
        id="CK505",
        name="grant-outside-shared-paths",
        title="A grant is not at or below a shared path",
        why="What is shared, and who answers for it, is written in crosskeys.yaml by the platform's team. A grant "
        "elsewhere would hand out what nobody agreed to share.",
        source="a rule of this tool's own",
        fix="Grant a path at or below one of the fleet's `shared_paths`, or have one added.",
        bad=Example({SETTINGS: _SHARED, PAYMENTS: client("grants: [{path: shared/keys}]\n")}),
        good=_GRANTED,
    ),
    Rule(
        id="CK506",
        name="grant-into-a-directory",
        title="A grant reaches a client's own directory",
        why="A client's directory is its alone. A shared path that contains it, lies in it or equals it would open it "
        "to everybody who is granted that path.",
        source=f"{_VAULT}/vault/acl.go",
        fix="Share another path.",
        bad=Example(
            {
                SETTINGS: "shared_paths: [{path: certs, owner: pki@example.com}]\n",
                PAYMENTS: client("grants: [{path: certs/111111111111/ledger-app}]\n"),
                LEDGER: client(name="ledger"),
            }
        ),
        good=_GRANTED,
    ),
    Rule(
        id="CK507",
        name="path-not-plain",
        title="A path holds what Vault would not take literally",
        why="Vault takes a path as it is written: `..` is no step up, `//` is an empty segment, and both match nothing "
        "a client asks for. `*` and `+` are wildcards, `{{` begins a template, and quotes end the string in a policy.",
        source=f"{_VAULT}/vault/policy.go",
        fix="Write the plain path, with neither leading nor trailing slash; what lies below it is included.",
        bad=Example({SETTINGS: _SHARED, PAYMENTS: client('grants: [{path: "shared/ca/*"}]\n')}),
        good=_GRANTED,
    ),
    Rule(
        id="CK508",
        name="path-of-vault-itself",
        title="A path is one of Vault's own: sys/, auth/, identity/ or cubbyhole/",
        why="Paths here lie in the KV mount, and `sys/policies` would be a secret of that name. What was meant is "
        "power over Vault itself, which no manifest can give.",
        source="https://developer.hashicorp.com/vault/docs/concepts/policies",
        fix="Name a path in the KV mount.",
        bad=Example({SETTINGS: _SHARED, PAYMENTS: client("grants: [{path: sys/policies/acl}]\n")}),
        good=_GRANTED,
    ),
    Rule(
        id="CK509",
        name="path-with-mount",
        title="A path is written with the mount or with data/ or metadata/",
        why="KV version 2 keeps a secret's versions below `data/` and what it knows of them below `metadata/`. Both "
        "rules are rendered for every path, with the mount before them: written out again they would stand twice.",
        source=_KV,
        fix="Leave the mount and `data/` out: `shared/ca` instead of `secret/data/shared/ca`.",
        bad=Example({SETTINGS: _SHARED, PAYMENTS: client("grants: [{path: secret/data/shared/ca}]\n")}),
        good=_GRANTED,
    ),
)
