"""Life cycle: what `suspend`, `retire` and `previously` can and cannot say."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import LEDGER, PAYMENTS, SETTINGS, client
from generator.rules.registry import Example, Rule

_OWN = "a rule of this tool's own"
_MOVED = "https://developer.hashicorp.com/terraform/language/block/moved"
_TOKENS = "https://developer.hashicorp.com/vault/docs/concepts/policies#associating-policies"

_RETIRED = 'retire: {approved_until: "2999-12-31", reason: moved to another platform}\n'
_BY_ROLE = "vault: {policy: '{role_name}-policy'}\n"
_RENAMED = client("previously: pay\nvault: {policy: pay-policy}\n")

RULES = (
    Rule(
        id="CK901",
        name="lapsed-retirement",
        title="The permission to destroy what a retired client had is over",
        severity=Severity.WARNING,
        why="Somebody approved that this client's objects go, until a day. What is still there after it stays, and "
        "with it perhaps the client's access; nobody can tell from the manifest alone.",
        source=_OWN,
        fix="Where something is left, have a later day approved and apply. Where all is gone, the manifest goes on "
        "reserving its names, and nothing needs to be done.",
        bad=Example({PAYMENTS: client('retire: {approved_until: "2020-01-31", reason: moved to another platform}\n')}),
        good=Example({PAYMENTS: client(_RETIRED)}),
    ),
    Rule(
        id="CK902",
        name="suspended-and-retired",
        title="A client is both suspended and retired",
        why="Suspending keeps the policy and denies with it; retiring takes the policy away. A client that is retired "
        "has no access in any case.",
        source=_OWN,
        fix="Keep `retire` alone when the client is not to come back, `suspend` alone when it is.",
        bad=Example({PAYMENTS: client(f"suspend: {{reason: key leaked}}\n{_RETIRED}")}),
        good=Example({PAYMENTS: client(_RETIRED)}),
    ),
    Rule(
        id="CK903",
        name="renamed-and-retired",
        title="A client is both renamed and retired",
        why="What has no objects has nothing that could move. What stood under the former name would be destroyed, and "
        "the tombstone would reserve another name than the one that was known.",
        source=_OWN,
        fix="Retire the client under the name that its last apply knew.",
        bad=Example({PAYMENTS: client(f"previously: pay\n{_RETIRED}")}),
        good=Example({PAYMENTS: client(_RETIRED)}),
    ),
    Rule(
        id="CK904",
        name="former-name-in-use",
        title="A client is renamed from one that still has a manifest",
        why="Its objects would move away from under the other manifest, and Terraform refuses to move what is still "
        "declared. The manifest of a retired client stands for objects that are to be destroyed.",
        source=_MOVED,
        fix="Rename the manifest instead of copying it: `git mv`, the new `name`, and `previously`. For a client that "
        "is new, leave `previously` out.",
        bad=Example(
            {SETTINGS: _BY_ROLE, PAYMENTS: client("previously: pay\n"), "clients/pay.yaml": client(name="pay")}
        ),
        good=Example({SETTINGS: _BY_ROLE, PAYMENTS: client("previously: pay\n")}),
    ),
    Rule(
        id="CK905",
        name="renamed-in-a-circle",
        title="Renames lead from a client back to itself",
        why="Terraform refuses moves in a circle, for it makes no order among them.",
        source=_MOVED,
        fix="Take `previously` out where nothing was renamed. To swap two names, give one client a third name, apply, "
        "give the other its new name, apply, and rename the first again.",
        bad=Example(
            {
                PAYMENTS: client("previously: ledger\nvault: {policy: one}\n"),
                LEDGER: client("previously: payments\nvault: {policy: two}\n", name="ledger"),
            }
        ),
        good=Example({PAYMENTS: client(), LEDGER: client(name="ledger")}),
    ),
    Rule(
        id="CK906",
        name="shared-former-name",
        title="Two clients are renamed from one",
        why="An object can move to one address. Terraform refuses two, and whichever client went without would be made "
        "anew.",
        source=_MOVED,
        fix="Keep `previously` in the manifest of the client that is the same workload as before.",
        bad=Example(
            {
                SETTINGS: _BY_ROLE,
                PAYMENTS: client("previously: pay\n"),
                LEDGER: client("previously: pay\n", name="ledger"),
            }
        ),
        good=Example({SETTINGS: _BY_ROLE, PAYMENTS: client("previously: pay\n"), LEDGER: client(name="ledger")}),
    ),
    Rule(
        id="CK907",
        name="vault-name-follows-rename",
        title="A renamed client's Vault policy or role would be renamed with it",
        why="Neither can be renamed in Vault: Terraform destroys the one and makes another, `moved` or not. Tokens "
        "carry the names of their policies, so every token of the client would lose its access until the next login; "
        "and a client that names its Vault role could not log in any more.",
        source="https://github.com/hashicorp/terraform-provider-vault, vault/resource_policy.go and "
        "vault/resource_aws_auth_backend_role.go: `ForceNew`",
        fix="Write the former names into the manifest, to stay there. The finding has the line that the fleet's naming "
        "gives; where the former manifest set `vault.policy` or `vault.role` itself, write what it said.",
        bad=Example({PAYMENTS: client("previously: pay\n")}),
        good=Example({PAYMENTS: _RENAMED}),
    ),
    Rule(
        id="CK908",
        name="directory-follows-rename",
        title="A renamed client's directory changes with it",
        severity=Severity.WARNING,
        why="The fleet makes directories of client names. Under its new name the client may read the new directory "
        "alone, and its certificates lie in the old one.",
        source=_OWN,
        fix="Copy the certificates before the rename is applied, and delete the old ones after it. A fleet whose "
        "clients are renamed is better off with the default, `vault.directory: certs/{account_id}/{role_name}`.",
        bad=Example({SETTINGS: "vault: {directory: 'certs/{name}'}\n", PAYMENTS: _RENAMED}),
        good=Example({PAYMENTS: _RENAMED}),
    ),
    Rule(
        id="CK909",
        name="reused-policy-name",
        title="A policy has a name that another client's may have had",
        severity=Severity.WARNING,
        why="A token carries the names of its policies, and gets what a policy of that name allows at the time of the "
        "request. A token that lost its access when its policy went gets the next one of that name. Without a limit of "
        "its own a token lives for 32 days.",
        source=_TOKENS,
        fix="Choose a name that no policy had. Where the name has to be this one, wait until the longest token of the "
        "other client has ended.",
        bad=Example(
            {
                PAYMENTS: client("vault: {policy: ledger-policy}\n"),
                LEDGER: client("vault: {policy: books}\n", name="ledger"),
            }
        ),
        good=Example({PAYMENTS: client(), LEDGER: client("vault: {policy: books}\n", name="ledger")}),
    ),
)
