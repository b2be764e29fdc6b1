"""Fields: what a manifest's keys may be and hold."""

from __future__ import annotations

from generator.rules.examples import PAYMENTS, SETTINGS, client
from generator.rules.registry import Example, Rule

_OWN = "a rule of this tool's own"

RULES = (
    Rule(
        id="CK201",
        name="unknown-key",
        title="A key means nothing here",
        why="An ignored key promises what is not done: `token_max_tll: 1h` would leave tokens alive for as long as the "
        "fleet's default says.",
        source=_OWN,
        fix="The finding suggests the nearest key, or lists those that are known.",
        bad=Example({PAYMENTS: client("vault: {token_max_tll: 1h}\n")}),
        good=Example({PAYMENTS: client("vault: {token_max_ttl: 1h}\n")}),
    ),
    Rule(
        id="CK202",
        name="missing-key",
        title="A key that is needed is missing",
        why="What nobody wrote is not guessed: the account, the role and the owner of a client are decisions. EC2 "
        "inference needs its region, without which Vault looks for the instance nowhere.",
        source="https://developer.hashicorp.com/vault/api-docs/auth/aws#inferred_aws_region",
        fix="Add the key; the finding says what it means.",
        bad=Example({PAYMENTS: client().replace("owner: payments-team@example.com\n", "")}),
        good=Example({PAYMENTS: client()}),
    ),
    Rule(
        id="CK203",
        name="wrong-type",
        title="A value is of another kind than the key takes",
        why="A number where text belongs has lost something already: leading zeros, or the quotes that keep a reader "
        "from taking them off.",
        source=_OWN,
        fix="Quote text that looks like a number; write a list where the key takes a list.",
        bad=Example({PAYMENTS: client().replace('"111111111111"', "111111111111")}),
        good=Example({PAYMENTS: client()}),
    ),
    Rule(
        id="CK204",
        name="invalid-value",
        title="A value does not have the form that AWS, Vault or Terraform takes",
        why="What would be refused at apply, half-way through a run, is refused here, at its line: Terraform retries a "
        "role that Vault refuses for 30 seconds before it says so.",
        source="https://github.com/hashicorp/terraform-provider-vault/blob/v5.9.0/vault/"
        "resource_aws_auth_backend_role.go",
        fix="The finding says what is expected, and suggests the nearest choice where there are few. Durations are "
        "written `30m`, `1h` or `1h30m`; a session lasts 3600 to 43200 seconds.",
        bad=Example({PAYMENTS: client("aws: {role: exsiting}\n")}),
        good=Example({PAYMENTS: client("aws: {role: existing}\n")}),
    ),
    Rule(
        id="CK206",
        name="another-version",
        title="The fleet requires another version of crosskeys",
        why="Another version might render other files: the next run would show every file of the fleet as changed, or "
        "undo what the newer version does.",
        source=_OWN,
        fix="Install a version that fits `requires` in crosskeys.yaml.",
        bad=Example({SETTINGS: 'requires: ">=99"\n', PAYMENTS: client()}),
        good=Example({SETTINGS: 'requires: ">=0.1"\n', PAYMENTS: client()}),
    ),
    Rule(
        id="CK207",
        name="non-ascii-identifier",
        title="An identifier has a letter beyond ASCII",
        why="The Cyrillic `\u0430` looks like the Latin `a`: to a reviewer `p\u0430yments-app` is the role they know, "
        "to AWS it is another one or none. Free text, such as a description, may be in any language.",
        source="https://www.unicode.org/reports/tr39/#Confusable_Detection",
        fix="The finding names the character and where it stands in the value: type it anew.",
        bad=Example({PAYMENTS: client(role="p\u0430yments-app")}),
        good=Example({PAYMENTS: client("description: \u043f\u043b\u0430\u0442\u0435\u0436\u0438\n")}),
    ),
)
