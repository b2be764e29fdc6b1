"""State: where each root's is kept."""

from __future__ import annotations

from generator.rules.examples import PAYMENTS, SETTINGS, client
from generator.rules.registry import Example, Rule

_BACKENDS = "https://github.com/hashicorp/terraform/tree/v1.11.4/internal/backend/remote-state"
_GOOD = "terraform: {backend: {type: s3, bucket: state, key: 'fleet/{root}.tfstate', region: us-east-1}}\n"


def _fleet(settings: str) -> Example:
    return Example({SETTINGS: settings, PAYMENTS: client()})


RULES = (
    Rule(
        id="CK920",
        name="credential-in-backend",
        title="A credential stands in the settings of the state's backend",
        why="The backend's settings are rendered into every root and committed, and Terraform writes them into its "
        "working folder and into every saved plan. Whoever reads the repository could read and change all state.",
        source="https://developer.hashicorp.com/terraform/language/backend#credentials-and-sensitive-data",
        fix="Remove it and set the environment variable that the finding names; every live run passes it on. A "
        "credential that was pushed must be revoked.",
        bad=_fleet(_GOOD.replace("bucket: state", "bucket: state, secret_key: example")),
        good=_fleet(_GOOD),
    ),
    Rule(
        id="CK921",
        name="state-in-the-tree",
        title="Local state would lie in terraform/",
        why="State holds secrets in clear text, and what lies in `terraform/` is committed. A root's files are "
        "exactly those that were rendered, so each run would also end at the file that the one before had left.",
        source="https://developer.hashicorp.com/terraform/language/state/sensitive-data",
        fix="Name a path outside `terraform/` that git ignores, or leave the backend out: state is then kept below "
        "`.crosskeys/state/`.",
        bad=_fleet("terraform: {backend: {type: local, path: 'terraform/{root}/terraform.tfstate'}}\n"),
        good=_fleet("terraform: {backend: {type: local, path: '.crosskeys/state/{root}.tfstate'}}\n"),
    ),
    Rule(
        id="CK922",
        name="shared-state",
        title="Two roots would share one state, or one lock",
        why="What a root does not declare and its state holds, Terraform destroys: of two roots with one state each "
        "would destroy the other's objects, in turn. `{root}` counts where it chooses the state, such as in `key`; "
        "`workspace_key_prefix` and `session_name` choose none.",
        source=_BACKENDS,
        fix="Write `{root}` in the setting that the finding names, or `{root_label}` where the backend takes no "
        "slashes.",
        bad=_fleet(_GOOD.replace("{root}", "all")),
        good=_fleet(_GOOD),
    ),
)
