"""The rendered tree on disk, against what the manifests say."""

from __future__ import annotations

from generator.rules.examples import PAYMENTS, client
from generator.rules.registry import Edit, Example, Rule

_VAULT_ROOT = "terraform/accounts/111111111111/vault"
_RENDERED = Example({PAYMENTS: client()})

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
)
