"""The rendered tree on disk, against what the manifests say."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import ACCOUNT, PAYMENTS, PRINCIPALS, SETTINGS, account, client, sts
from generator.rules.registry import Edit, Example, Rule

_VAULT_ROOT = "terraform/accounts/111111111111/vault"
_RENDERED = Example({PAYMENTS: client()})
_LOOKED_UP = Example(
    {SETTINGS: PRINCIPALS, ACCOUNT: account(sts()), PAYMENTS: client("vault: {resolve_unique_ids: true}\n")}
)

RULES = (
    Rule(
        id="CK701",
        name="stale-file",
        title="A rendered file is not what the manifests say",
        why="Terraform applies what stands in `terraform/`, and a reviewer reads it: a change of a manifest, of "
        "crosskeys.yaml or of a template is not there until it is rendered. It holds for provider and version blocks "
        "as for everything else.",
        source="a rule of this tool's own",
        fix="Run `crosskeys render` and commit what it writes.",
        bad=Example({PAYMENTS: client()}, edits={PAYMENTS: Edit("role_name: payments-app", "role_name: payments")}),
        good=Example({PAYMENTS: client(role="payments")}),
    ),
    Rule(
        id="CK702",
        name="foreign-file",
        title="A rendered root has a file that rendering did not make",
        why="Terraform takes every `*.tf` and `*.tf.json` of a folder, and merges `*_override.tf` over the others: one "
        "file that nobody reviewed can change all that the rendered ones say.",
        source="https://developer.hashicorp.com/terraform/language/files/override",
        fix="Move it out of the rendered roots, or express what it does in a manifest.",
        bad=Example(
            {PAYMENTS: client()},
            edits={
                f"{_VAULT_ROOT}/extra_override.tf": Edit(
                    "", 'resource "vault_policy" "payments" {\n  policy = "path \\"*\\" {}"\n}\n'
                )
            },
            also=("CK804",),
        ),
        good=_RENDERED,
    ),
    Rule(
        id="CK703",
        name="hand-edited-file",
        title="A rendered file was edited by hand",
        why="The next render would undo the edit, and until then the manifests would not say what is applied. The "
        "digest in the file's head tells an edit from a file that is merely out of date.",
        source="a rule of this tool's own",
        fix="Change the manifest that the head names, or crosskeys.yaml for versions and providers, then run "
        "`crosskeys render`.",
        bad=Example({PAYMENTS: client()}, edits={f"{_VAULT_ROOT}/root.tf": Edit('">= 5.9, < 6"', '">= 4"')}),
        good=_RENDERED,
    ),
    Rule(
        id="CK704",
        name="unique-ids-turned-off",
        title="A change from unique ids to none replaces the Vault role",
        severity=Severity.WARNING,
        why="Vault refuses to turn `resolve_aws_unique_ids` off in place, so Terraform destroys the role and makes it "
        "anew; in between the client cannot log in. It is said while the render is pending, when both are known.",
        source="https://github.com/hashicorp/terraform-provider-vault/blob/v5.9.0/vault/resource_aws_auth_backend_role.go",
        fix="See that the plan replaces this one role, and apply when the client can spare its logins for a moment.",
        bad=Example(
            _LOOKED_UP.files,
            edits={PAYMENTS: Edit("resolve_unique_ids: true", "resolve_unique_ids: false")},
            also=("CK409", "CK701"),
        ),
        good=_LOOKED_UP,
    ),
)
