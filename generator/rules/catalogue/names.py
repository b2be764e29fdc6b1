"""Files and names: which manifests there are, and what is one client's alone."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import LEDGER, OTHER_ACCOUNT, PAYMENTS, PRINCIPALS, SETTINGS, account, client, sts
from generator.rules.registry import Example, Rule

_OWN = "a rule of this tool's own"
_VAULT = "https://github.com/hashicorp/vault/blob/v1.21.2"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_TWO = Example({PAYMENTS: client(), LEDGER: client(name="ledger")})

RULES = (
    Rule(
        id="CK301",
        name="no-clients",
        title="There is no client manifest",
        why="An empty or missing `clients/` is a wrong folder or a failed checkout far more often than a wish to "
        "delete every client, so it is never read as one.",
        source=_OWN,
        fix="Name the fleet's folder with `-C`; write the first manifest with `crosskeys new`, or those of what is "
        "registered by hand with `crosskeys import`.",
        bad=Example({"clients/.gitkeep": ""}),
        good=Example({PAYMENTS: client()}),
    ),
    Rule(
        id="CK302",
        name="stray-file",
        title="A file below clients/ is no manifest",
        why="A manifest that ends in `.yml` or `.yaml.orig` looks like a client and would be none.",
        source=_OWN,
        fix="Rename it to end in `.yaml`, or move it elsewhere.",
        bad=Example({PAYMENTS: client(), "clients/ledger.yml": client(name="ledger")}),
        good=_TWO,
    ),
    Rule(
        id="CK303",
        name="name-is-not-the-files",
        title="A manifest's name is not that of its file",
        why="The file's name is what a reviewer sees in a list of changes, and what CODEOWNERS goes by.",
        source=_OWN,
        fix="Name the file `<name>.yaml`; an account's manifest is named after the account's twelve digits.",
        bad=Example({"clients/payment.yaml": client()}),
        good=Example({PAYMENTS: client()}),
    ),
    Rule(
        id="CK310",
        name="two-manifests-for-one-name",
        title="Two manifests, in two folders, have one name",
        why="A client's name is the name of its rendered files and of its addresses in Terraform's state: the second "
        "would replace the first.",
        source=_OWN,
        fix="Give one of them another name; the finding shows both.",
        bad=Example(
            {
                "clients/eu/payments.yaml": client("vault: {policy: payments-eu}\n", role="payments-eu"),
                "clients/us/payments.yaml": client("vault: {policy: payments-us}\n", role="payments-us"),
            }
        ),
        good=Example(
            {
                "clients/eu/payments-eu.yaml": client(name="payments-eu"),
                "clients/us/payments-us.yaml": client(name="payments-us"),
            }
        ),
    ),
    Rule(
        id="CK311",
        name="shared-vault-role",
        title="Two clients have one Vault role",
        why="Vault stores a role under its lower-cased name, and the name carries no account: of two clients with one "
        "role name, even in two accounts, the second write silently wins, and the first can no longer log in.",
        source=f"{_VAULT}/builtin/credential/aws/path_role.go",
        fix="Set `vault.role` to a name of its own in one of them.",
        bad=Example(
            {PAYMENTS: client(role="app"), LEDGER: client(name="ledger", account_id="222222222222", role="App")}
        ),
        good=Example(
            {
                PAYMENTS: client(role="app"),
                LEDGER: client("vault: {role: ledger-app}\n", name="ledger", account_id="222222222222", role="App"),
            }
        ),
    ),
    Rule(
        id="CK312",
        name="shared-policy",
        title="Two clients have one Vault policy",
        why="Vault lower-cases policy names, and the second write replaces the first: one client would read the "
        "other's certificates and not its own.",
        source=f"{_VAULT}/vault/policy_store.go",
        fix="Set `vault.policy` to a name of its own.",
        bad=Example({PAYMENTS: client(), LEDGER: client("vault: {policy: Payments-Policy}\n", name="ledger")}),
        good=_TWO,
    ),
    Rule(
        id="CK313",
        name="shared-principal",
        title="Two clients are one IAM role",
        why="Whoever can assume the role is both clients at once, and two files of a root would make the same role.",
        source="https://developer.hashicorp.com/vault/docs/auth/aws#iam-auth-method",
        fix="Give this workload an IAM role of its own.",
        bad=Example(
            {
                PAYMENTS: client("aws: {instance_profile: none}\n"),
                LEDGER: client(
                    "vault: {role: ledger}\naws: {instance_profile: none}\n", name="ledger", role="payments-app"
                ),
            }
        ),
        good=_TWO,
    ),
    Rule(
        id="CK314",
        name="shared-iam-role-name",
        title="Two IAM roles of an account differ in upper and lower case only",
        why="IAM tells the names of an account's roles apart without regard to case: the second cannot be made. Roles "
        "that exist already count too, as far as a manifest names them.",
        source=_IAM,
        fix="Choose another name.",
        bad=Example(
            {
                PAYMENTS: client("aws: {role: existing}\n", role="App"),
                LEDGER: client("vault: {role: ledger}\naws: {instance_profile: ledger}\n", name="ledger", role="app"),
            }
        ),
        good=_TWO,
    ),
    Rule(
        id="CK315",
        name="shared-instance-profile",
        title="Two clients of an account have one instance profile",
        why="An instance profile holds one role. Their names, too, differ without regard to case.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
        fix="Set `aws.instance_profile` to a name of its own, or to `none`.",
        bad=Example({PAYMENTS: client(), LEDGER: client("aws: {instance_profile: payments-app}\n", name="ledger")}),
        good=_TWO,
    ),
    Rule(
        id="CK316",
        name="shared-directory",
        title="Two clients have one directory",
        why="Each would read the other's certificates. It happens when the fleet's `vault.directory` leaves out what "
        "tells its clients apart.",
        source=_OWN,
        fix="Name the client, or its account and role, in `vault.directory` of crosskeys.yaml.",
        bad=Example(
            {
                SETTINGS: 'vault: {directory: "certs/{account_id}"}\n',
                PAYMENTS: client(),
                LEDGER: client(name="ledger"),
            }
        ),
        good=Example(
            {
                SETTINGS: 'vault: {directory: "certs/{account_id}/{name}"}\n',
                PAYMENTS: client(),
                LEDGER: client(name="ledger"),
            }
        ),
    ),
    Rule(
        id="CK317",
        name="role-name-in-several-accounts",
        title="Clients that Vault looks up have one IAM role name in several accounts",
        severity=Severity.WARNING,
        why="Vault before 1.21.0 could let one account's role in as the role of the same name in another "
        "(CVE-2025-11621): what it had looked up for one account was taken from its cache for the other. A login that "
        "is compared with an exact ARN looks nothing up and is not affected, so the plain registration has no finding; "
        "EC2 inference and unique ids do look up. `vault.role` makes no difference: it names Vault's role, not AWS's.",
        source="https://nvd.nist.gov/vuln/detail/CVE-2025-11621",
        fix="Give the IAM roles different names, or make sure that Vault is 1.21.0 or newer; HashiCorp's advisory "
        "names the Enterprise releases that have the fix too. A warning gates nothing.",
        bad=Example(
            {
                SETTINGS: PRINCIPALS,
                OTHER_ACCOUNT: account(sts()),
                PAYMENTS: client(role="app"),
                LEDGER: client(
                    "vault: {role: ledger, resolve_unique_ids: true}\n",
                    name="ledger",
                    account_id="222222222222",
                    role="app",
                ),
            }
        ),
        good=Example(
            {
                PAYMENTS: client(role="app"),
                LEDGER: client("vault: {role: ledger}\n", name="ledger", account_id="222222222222", role="app"),
            }
        ),
    ),
)
