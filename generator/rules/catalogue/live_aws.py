"""An account's side of AWS as it is live."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import ACCOUNT, PAYMENTS, PRINCIPALS, SETTINGS, account, client, sts
from generator.rules.registry import Example, Rule

_MANAGED = account(
    "provisioning: managed\nprovisioner_role: arn:aws:iam::111111111111:role/crosskeys-provisioner\n",
)
_FLEET = {PAYMENTS: client(), ACCOUNT: _MANAGED}
_EXISTING = {PAYMENTS: client("aws: {role: existing}\n"), ACCOUNT: _MANAGED}
_LOOKED_UP = {
    SETTINGS: PRINCIPALS,
    PAYMENTS: client("vault: {resolve_unique_ids: true}\n"),
    ACCOUNT: _MANAGED + sts(),
}
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_APPLY = "`crosskeys apply` makes it what was reviewed; if the change was meant, the manifest says it first."


def _after(live: str, files: dict[str, str] = _FLEET) -> tuple[Example, Example]:
    """Return a fleet with what somebody did to the live systems, and without."""
    return Example(files, live=live), Example(files)


_DELETED, _WHOLE = _after("aws iam delete-role --role-name payments-app")
_TRUSTING, _TRUSTED = _after(
    "aws iam update-assume-role-policy --role-name payments-app --policy-document file://t.json"
)
_SET, _UNSET = _after("aws iam update-role --role-name payments-app --max-session-duration 43200")
_WORDED, _UNWORDED = _after("aws iam tag-role --role-name payments-app --tags Key=seen,Value=yes")
_WIDENED, _NARROW = _after(
    "aws iam attach-role-policy --role-name hcp-vault-lookup --policy-arn arn:aws:iam::aws:policy/IAMFullAccess",
    _LOOKED_UP,
)
_SHARED, _OWN = _after("aws iam add-role-to-instance-profile --instance-profile-name other --role-name payments-app")
_OPEN, _CLOSED = _after(
    "aws iam update-assume-role-policy --role-name payments-app --policy-document file://t.json", _EXISTING
)
_REMADE, _KEPT = _after(
    "aws iam delete-role --role-name payments-app\naws iam create-role --role-name payments-app --cli-input-json …",
    _LOOKED_UP,
)

RULES = (
    Rule(
        id="CK960",
        name="iam-object-is-gone",
        title="An IAM role, a policy of it or an instance profile that the fleet counts on is not there",
        why="Vault goes on trusting the name of the role. Whoever may make a role of that name in the account is the "
        "client as soon as it exists.",
        source=f"{_IAM}/reference_identifiers.html",
        fix="Find out who deleted it. `crosskeys apply` makes what the fleet creates; a role that exists by its "
        "manifest is for the account's team to make, or the client for you to retire.",
        bad=_DELETED,
        good=_WHOLE,
    ),
    Rule(
        id="CK961",
        name="client-role-is-assumed-by-others",
        title="The trust policy of a client's IAM role is not the one that was reviewed",
        why="Vault sees no more than the role: whoever can assume it is the client, and reads its certificates. The "
        "order of statements, their ids and how AWS writes one value or many say nothing; each further principal, "
        "action or lost condition does.",
        source=f"{_IAM}/id_roles_create_for-service.html",
        fix="Find out who changed it, and treat what the client could read as read. `crosskeys apply` makes it what "
        "was reviewed.",
        bad=_TRUSTING,
        good=_TRUSTED,
    ),
    Rule(
        id="CK962",
        name="iam-role-is-not-as-reviewed",
        title="Path, permissions boundary, session length or tags are not those that were reviewed",
        why="A boundary bounds what whoever takes over the role can do; tags can decide on access in the account; a "
        "path that differs means that the role was made anew.",
        source=f"{_IAM}/access_policies_boundaries.html",
        fix=_APPLY,
        bad=_SET,
        good=_UNSET,
    ),
    Rule(
        id="CK963",
        name="iam-role-has-other-words",
        title="A description is not the one that was reviewed, or there are further tags",
        severity=Severity.WARNING,
        why="Nobody gains anything by it, but the next apply takes the change back. Tags whose keys begin with `aws:` "
        "are AWS's own and count for nothing.",
        source=f"{_IAM}/id_tags.html",
        fix=_APPLY,
        bad=_WORDED,
        good=_UNWORDED,
    ),
    Rule(
        id="CK964",
        name="live-way-in-differs",
        title="The role that Vault assumes trusts others, or can do something else, than was reviewed",
        why="Vault looks into the account through this role. Without the external id anyone whom its principal serves "
        "can have it look here, and each further policy is power over the account that Vault's operators would have. "
        "A principal that begins with `AROA` or `AIDA` is one that was deleted: AWS no longer knows its name.",
        source=f"{_IAM}/confused-deputy.html",
        fix="Find out who changed it. `crosskeys apply` makes the trust policy and the declared policy what was "
        "reviewed; remove what is not declared by hand.",
        bad=_WIDENED,
        good=_NARROW,
    ),
    Rule(
        id="CK965",
        name="instance-profile-differs",
        title="An instance profile has another role or path, or a role is in a profile that is not declared",
        why="An instance has the role of its profile: with a second profile, whoever may start instances with that "
        "one is the client, and with another role in the profile the client's own instances are somebody else.",
        source=f"{_IAM}/id_roles_use_switch-role-ec2_instance-profiles.html",
        fix="`crosskeys apply` makes what the fleet declares as it was reviewed. The account's owner removes the role "
        "from the other profile, or the manifest names that one.",
        bad=_SHARED,
        good=_OWN,
    ),
    Rule(
        id="CK966",
        name="existing-role-is-assumed-by-others",
        title="An IAM role that the fleet does not make may be assumed by more than its services",
        severity=Severity.WARNING,
        why="Whoever can assume the role is the client to Vault. The role is its own team's, so this is for that team "
        "to know, and no drift.",
        source=f"{_IAM}/id_roles_create_for-service.html",
        fix="Have the team narrow the trust policy, or name the services in the manifest's `aws.trusted_services`.",
        bad=_OPEN,
        good=_CLOSED,
    ),
    Rule(
        id="CK967",
        name="iam-role-was-made-anew",
        title="Vault waits for the unique id of an IAM role that is no more",
        why="With `resolve_unique_ids` Vault keeps the id that the role had when Vault's role was written, so that "
        "one made anew under the same name is nobody. Its client cannot log in, and Terraform sees no change.",
        source="https://github.com/hashicorp/vault/blob/v1.21.2/builtin/credential/aws/path_role.go",
        fix="See that the new role is meant. Then write its ARN once more as `bound_iam_principal_arn` of Vault's "
        "role: Vault looks the id up again.",
        bad=_REMADE,
        good=_KEPT,
    ),
)
