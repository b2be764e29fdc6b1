"""AWS: ARNs, regions, services and trust policies."""

from __future__ import annotations

from generator.rules.examples import PAYMENTS, SETTINGS, client
from generator.rules.registry import Example, Rule

_ARNS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
_PRINCIPALS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"


def _boundary(arn: str) -> Example:
    return Example({PAYMENTS: client(f"aws: {{permissions_boundary: '{arn}'}}\n")})


def _services(count: int) -> Example:
    services = ", ".join(f"service-{number}.amazonaws.com" for number in range(count))
    return Example({PAYMENTS: client(f"aws: {{trusted_services: [{services}]}}\n")})


RULES = (
    Rule(
        id="CK601",
        name="wrong-partition",
        title="An ARN is of another partition than the fleet",
        why="The partitions `aws`, `aws-us-gov` and `aws-cn` have accounts, roles and endpoints of their own, and "
        "nothing can be delegated between two of them.",
        source=_ARNS,
        fix="Name the object of the fleet's own partition; keep a fleet for each partition.",
        bad=_boundary("arn:aws-cn:iam::111111111111:policy/boundary"),
        good=_boundary("arn:aws:iam::111111111111:policy/boundary"),
    ),
    Rule(
        id="CK602",
        name="wrong-account",
        title="An ARN is of another account than the manifest",
        why="A permissions boundary must lie in the role's own account, and a provisioner of another account would "
        "make the roles there.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
        fix="Name the object of this account; in crosskeys.yaml write `{account_id}` in its place. Policies that AWS "
        "manages (`arn:aws:iam::aws:policy/…`) are of no account.",
        bad=_boundary("arn:aws:iam::222222222222:policy/boundary"),
        good=_boundary("arn:aws:iam::111111111111:policy/boundary"),
    ),
    Rule(
        id="CK603",
        name="region-of-another-partition",
        title="A region is of another partition than the fleet",
        why="A provider or an inference in such a region would ask endpoints that do not know the fleet's accounts.",
        source="https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html",
        fix="Name a region of the fleet's partition.",
        bad=Example({SETTINGS: "aws: {region: cn-north-1}\n", PAYMENTS: client()}),
        good=Example({SETTINGS: "aws: {region: eu-central-1}\n", PAYMENTS: client()}),
    ),
    Rule(
        id="CK604",
        name="service-of-another-partition",
        title="A service principal is of another partition than the fleet",
        why="`ec2.amazonaws.com.cn` is a service of China's regions; elsewhere IAM refuses the trust policy.",
        source=_PRINCIPALS,
        fix="Write the service without `.cn`.",
        bad=Example({PAYMENTS: client("aws: {trusted_services: [ec2.amazonaws.com.cn]}\n")}),
        good=Example({PAYMENTS: client("aws: {trusted_services: [ec2.amazonaws.com]}\n")}),
    ),
    Rule(
        id="CK605",
        name="not-one-principal",
        title="An ARN does not name the one role, user or policy that is meant",
        why="A wildcard, `:root` or a bare account id is everybody of an account; `assumed-role` is one session, gone "
        "with it. Vault compares a login with the role's canonical ARN, and in a bound ARN a trailing `*` would let "
        "in every role that begins so.",
        source="https://github.com/hashicorp/vault/blob/v1.21.2/builtin/credential/aws/path_login.go",
        fix="Write the exact ARN, `arn:aws:iam::<account_id>:role/<name>`; the client's `role_name` is the name alone.",
        bad=Example({SETTINGS: "vault: {principals: ['arn:aws:iam::999999999999:root']}\n", PAYMENTS: client()}),
        good=Example(
            {SETTINGS: "vault: {principals: ['arn:aws:iam::999999999999:role/hcp-vault']}\n", PAYMENTS: client()}
        ),
    ),
    Rule(
        id="CK606",
        name="trust-policy-too-long",
        title="A role's trust policy is longer than IAM takes",
        why="IAM takes 2,048 characters, white space not counted, and refuses the role at apply. An account can have "
        "that raised to 4,096; the rule goes by what every account has. The length is that of the document which this "
        "tool's own templates make.",
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
        "#reference_iam-quotas-entity-length",
        fix="Trust fewer services or principals. Each one that is trusted is the client, so few are right.",
        bad=_services(80),
        good=_services(50),
    ),
)
