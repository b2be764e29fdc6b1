"""What the rendered tree declares: everything in it must be readable without running Terraform."""

from __future__ import annotations

from generator.rules.examples import LEDGER, PAYMENTS, client
from generator.rules.registry import Edit, Example, Rule

_CLIENT = "terraform/accounts/111111111111/vault/client-payments.tf"
_RENDERED = Example({PAYMENTS: client()})
_TWO = {PAYMENTS: client(), LEDGER: client(name="ledger", account_id="222222222222")}
_LEDGERS = "terraform/accounts/222222222222"
_HCL = "https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md"
_VAULT = "https://github.com/hashicorp/vault/blob/v1.21.2"
_RENDER = "Run `crosskeys render`; if a template of the fleet's own made it, change the template."


def _edited(old: str, new: str) -> Example:
    """Return a fleet whose rendered client is edited by hand, which is a finding of its own."""
    return Example({PAYMENTS: client()}, edits={_CLIENT: Edit(old, new)}, also=("CK703",))


RULES = (
    Rule(
        id="CK801",
        name="not-hcl",
        title="A rendered file is not HCL that Terraform would read",
        why="A file that cannot be read cannot be audited, and the reader here takes no more than Terraform does.",
        source=_HCL,
        fix=_RENDER,
        bad=_edited("", "}\n"),
        good=_RENDERED,
    ),
    Rule(
        id="CK802",
        name="not-literal",
        title="A value is computed instead of written out",
        why="What a variable, a function or a template makes is known only by running Terraform: an auditor reads "
        "literal values, and references to objects of the same root.",
        source=f"{_HCL}#expressions",
        fix="Write the value itself.",
        bad=_edited('= "iam"', "= var.auth_type"),
        good=_RENDERED,
    ),
    Rule(
        id="CK803",
        name="declared-twice",
        title="An argument, a block or an address is given twice",
        why="A reader that takes the last one, or the first, shows something else than what is applied.",
        source=f"{_HCL}#bodies",
        fix="Leave one of the two.",
        bad=_edited("  auth_type ", '  auth_type = "ec2"\n  auth_type '),
        good=_RENDERED,
    ),
    Rule(
        id="CK804",
        name="unknown-block-or-argument",
        title="A rendered root holds what no manifest can say",
        why="A provisioner runs commands, a `count` of 0 removes a role, another provider's resource may do anything: "
        "what is not known cannot be judged, so it is refused.",
        source="a rule of this tool's own",
        fix="Remove it.",
        bad=_edited("  auth_type ", "  count = 0\n  auth_type "),
        good=_RENDERED,
    ),
    Rule(
        id="CK805",
        name="wrong-value",
        title="An argument has a value of another kind, or is missing",
        why='Terraform converts `"false"` to false and fills what is missing with the provider\'s default, such as '
        "`resolve_aws_unique_ids = true`, which here would be wrong.",
        source="https://developer.hashicorp.com/terraform/language/expressions/types#type-conversion",
        fix=_RENDER,
        bad=_edited("= false", '= "false"'),
        good=_RENDERED,
    ),
    Rule(
        id="CK806",
        name="dangling-reference",
        title="A reference leads to nothing of the same root",
        why="A role whose policy is declared elsewhere, or nowhere, cannot be judged by its own root; Vault ignores a "
        "policy that does not exist at login.",
        source=f"{_VAULT}/vault/policy_store.go",
        fix="Name an object of the same root.",
        bad=_edited("vault_policy.payments.name", "vault_policy.ledger.name"),
        good=_RENDERED,
    ),
    Rule(
        id="CK807",
        name="not-a-plain-policy",
        title="A policy holds more than plain rules",
        why="Templating, parameter constraints and unknown capabilities change what a rule allows in ways that reading "
        "its path and its capabilities does not show.",
        source=f"{_VAULT}/vault/policy.go",
        fix='Write each rule as `path "<path>" { capabilities = [...] }`.',
        bad=_edited('["read", "list"]', '["read", "everything"]'),
        good=_RENDERED,
    ),
    Rule(
        id="CK808",
        name="rendered-file-too-large",
        title="A rendered file is larger than a million characters, or a value in it nests too deeply",
        why="No client comes near it. Reading what is larger would cost every check its time, so the reader is "
        "bounded.",
        source="a bound of this tool's own",
        fix="Remove what was added by hand, then run `crosskeys render`.",
        bad=_edited("", "#" * (1 << 20) + "\n"),
        good=_RENDERED,
    ),
    Rule(
        id="CK809",
        name="declared-by-two-blocks",
        title="Two blocks of the tree make the same object of Vault's or of AWS's",
        why="Vault keeps a role under its name in lower case, whatever its account, and a policy's name trimmed and in "
        "lower case: of two roots that differ in case alone, the one that is applied last silently wins.",
        source=f"{_VAULT}/builtin/credential/aws/path_role.go",
        fix="Give one of the two another name.",
        bad=Example(
            _TWO,
            edits={f"{_LEDGERS}/vault/client-ledger.tf": Edit('"ledger-policy"', '"Payments-policy"')},
            also=("CK703",),
        ),
        good=Example(_TWO),
    ),
    Rule(
        id="CK810",
        name="provider-of-another-account",
        title="The AWS provider of a root is not held to the account of its folder",
        why="What is declared below `accounts/ID/aws` is read as account ID's. A provider that allows or assumes "
        "another makes these roles there.",
        source="https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/index.html.markdown",
        fix="Let the provider allow the account of its folder alone, and assume a role of that account.",
        bad=Example(
            _TWO, edits={f"{_LEDGERS}/aws/root.tf": Edit('["222222222222"]', '["111111111111"]')}, also=("CK703",)
        ),
        good=Example(_TWO),
    ),
    Rule(
        id="CK811",
        name="several-namespaces",
        title="Two roots are for different namespaces of Vault",
        why="Names and mounts are a namespace's own. A tree is read as that of one Vault: a role here and a policy "
        "of the same name there would be taken for a pair.",
        source="https://developer.hashicorp.com/vault/docs/enterprise/namespaces",
        fix="Name one namespace in the provider blocks of all roots.",
        bad=Example(_TWO, edits={f"{_LEDGERS}/vault/root.tf": Edit('"admin"', '"other"')}, also=("CK703",)),
        good=Example(_TWO),
    ),
)
