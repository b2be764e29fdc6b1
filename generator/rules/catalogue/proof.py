"""The isolation proof: what a tree that can be read must not let anyone do."""

from __future__ import annotations

from generator.rules.examples import ACCOUNT, LEDGER, PAYMENTS, PRINCIPALS, SETTINGS, account, client, sts
from generator.rules.registry import Edit, Example, Rule

_VAULT_SIDE = "terraform/accounts/111111111111/vault/client-payments.tf"
_AWS_SIDE = "terraform/accounts/111111111111/aws/client-payments.tf"
_RENDERED = Example({PAYMENTS: client()})
_SOURCE = "https://github.com/hashicorp/vault/blob/v1.21.2"
_RENDER = "Run `crosskeys render`; if a template of the fleet's own made it, change the template."
_LOOKED_UP = {
    SETTINGS: PRINCIPALS,
    PAYMENTS: client("vault: {resolve_unique_ids: true}\n"),
    ACCOUNT: account(sts()),
}


def _edited(old: str, new: str, *also: str, path: str = _VAULT_SIDE, files: Example = _RENDERED) -> Example:
    """Return a fleet with a rendered file edited by hand, which is a finding of its own."""
    return Example(files.files, edits={path: Edit(old, new)}, also=("CK703", *also))


def _with_rule(path: str, capabilities: str, files: Example = _RENDERED) -> Example:
    old = "    # list metadata"
    return _edited(old, f'    path "{path}" {{ capabilities = [{capabilities}] }}\n{old}', files=files)


_TWO = Example({PAYMENTS: client(), LEDGER: client(name="ledger")})

RULES = (
    Rule(
        id="CK830",
        name="reach-into-another-clients-directory",
        title="A policy reaches the directory of another client",
        why="The path of the rule matches what is another client's: a trailing `*` is a prefix of characters, not of "
        "segments, and `+` is any one segment. The finding shows a path that both would read. Retired and suspended "
        "clients' directories count too, for their certificates may still be there.",
        source=f"{_SOURCE}/vault/acl.go",
        fix="Narrow the path to the client's own directory. What two clients both read belongs below one of the "
        "fleet's shared paths.",
        bad=_with_rule("secret/data/certs/111111111111/ledger-app/*", '"read"', _TWO),
        good=_TWO,
    ),
    Rule(
        id="CK831",
        name="reach-beyond-grants",
        title="A policy reaches what no manifest grants",
        why="A client has its own directory, and the shared paths that its manifest names; all else is somebody's, or "
        "will be.",
        source="a rule of this tool's own",
        fix="Remove the rule, or share the path in `crosskeys.yaml` and grant it in the client's manifest.",
        bad=_with_rule("secret/data/team/*", '"read"'),
        good=_RENDERED,
    ),
    Rule(
        id="CK832",
        name="power-over-vault",
        title="A policy gives power over Vault itself",
        why="Whoever writes policies, roles or entity aliases can give themselves every right, and `sudo` opens what "
        "is guarded. What a token needs for itself the policy `default` has.",
        source="https://developer.hashicorp.com/vault/docs/concepts/policies",
        fix="Remove the rule.",
        bad=_with_rule("sys/policies/acl/*", '"update"'),
        good=_RENDERED,
    ),
    Rule(
        id="CK833",
        name="capability-not-granted",
        title="A client may do more than read and list",
        why="A client that can write its certificates can have others trust what it likes, or destroy what it had.",
        source="a rule of this tool's own",
        fix='Leave `["read", "list"]`.',
        bad=_edited('["read", "list"]', '["read", "list", "update"]'),
        good=_RENDERED,
    ),
    Rule(
        id="CK834",
        name="undeclared-policy",
        title="A login brings a policy that the tree does not declare",
        why="Vault looks a policy up by its name at every request: one that the tree does not declare may allow "
        "anything, today or once somebody writes it.",
        source=f"{_SOURCE}/vault/policy_store.go",
        fix="Remove the policy from the role.",
        bad=_edited("[vault_policy.payments.name]", '[vault_policy.payments.name, "operators"]', "CK836"),
        good=_RENDERED,
    ),
    Rule(
        id="CK835",
        name="principal-is-not-one-role",
        title="A Vault role binds what is not one IAM role",
        why="Vault takes a trailing `*` for everybody who fits, and compares everything else with the ARN without IAM "
        "path and session: a path, an assumed role or `:root` never matches, and a user is no workload. A role of "
        "another account is not the client's.",
        source=f"{_SOURCE}/builtin/credential/aws/path_login.go",
        fix="Name the one IAM role that the client is, without wildcard and without its IAM path.",
        bad=_edited("role/payments-app", "role/*", "CK830", "CK836"),
        good=_RENDERED,
    ),
    Rule(
        id="CK836",
        name="login-is-not-the-manifests",
        title="A Vault role is not the one that the manifest says",
        why="Who logs in, from where, and with which policies is said by the role alone. Names are compared without "
        "regard to case, and of two roles of one name the one written last is there.",
        source=f"{_SOURCE}/builtin/credential/aws/path_role.go",
        fix=_RENDER,
        bad=_edited('= "payments-app"', '= "payments"'),
        good=_RENDERED,
    ),
    Rule(
        id="CK837",
        name="policy-is-not-the-manifests",
        title="A policy is not the one that the manifest says",
        why="A policy that is nobody's waits for a token that has its name; of two of one name the one written last is "
        "there. One that allows less than the manifest says cuts its client off.",
        source=f"{_SOURCE}/vault/policy_store.go",
        fix=_RENDER,
        bad=_edited('["read", "list"]', '["read"]'),
        good=_RENDERED,
    ),
    Rule(
        id="CK838",
        name="iam-role-is-not-the-manifests",
        title="An IAM role or instance profile is not the one that the manifest says",
        why="Whatever gets the role is the client to Vault: an instance profile with another client's role hands that "
        "client's certificates to whoever starts an instance with it.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
        fix=_RENDER,
        bad=_edited('= "payments-app"', '= "payments-web"', path=_AWS_SIDE),
        good=_RENDERED,
    ),
    Rule(
        id="CK839",
        name="client-role-trusts-others",
        title="A client's IAM role trusts others than the services of its manifest",
        why="Whoever can assume the role is the client to Vault.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html",
        fix=_RENDER,
        bad=_edited('"ec2.amazonaws.com"', '"lambda.amazonaws.com"', path=_AWS_SIDE),
        good=_RENDERED,
    ),
    Rule(
        id="CK840",
        name="way-in-is-not-the-manifests",
        title="Vault's way into an account is not the same on both sides, or is wider than it needs",
        why="Vault assumes a role in the account to look up instances and roles. Its trust policy must name Vault's "
        "own principals alone and ask for the external id, or anyone whom Vault serves can have it look elsewhere.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
        fix=_RENDER,
        bad=_edited(
            '"StringEquals"',
            '"StringLike"',
            path="terraform/accounts/111111111111/aws/sts.tf",
            files=Example(_LOOKED_UP),
        ),
        good=Example(_LOOKED_UP),
    ),
    Rule(
        id="CK841",
        name="root-acts-elsewhere",
        title="A root may act in another account or namespace, or through another provider",
        why="The same lines mean something else in another account or namespace; and a provider is a program that runs "
        "with the credentials of the run.",
        source="https://developer.hashicorp.com/terraform/language/providers/configuration",
        fix=_RENDER,
        bad=_edited('"admin"', '"other"', path="terraform/accounts/111111111111/vault/root.tf"),
        good=_RENDERED,
    ),
    Rule(
        id="CK842",
        name="platform-is-not-the-settings",
        title="A mount or the auth method's configuration is not what the settings say",
        why="In version 1 of the KV engine `data/` and `metadata/` are ordinary names, and whoever answers for STS "
        "says who everybody is.",
        source="https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2",
        fix=_RENDER,
        bad=_edited(
            'version = "2"',
            'version = "1"',
            path="terraform/platform/platform.tf",
            files=Example({SETTINGS: "platform: {kv_mount: true}\n", PAYMENTS: client()}),
        ),
        good=Example({SETTINGS: "platform: {kv_mount: true}\n", PAYMENTS: client()}),
    ),
)
