"""Why a registration is left alone: what a manifest cannot say, or should not."""

from __future__ import annotations

from generator.report.imported import Reason

EC2_AUTH = Reason(
    "ec2-auth-type",
    "it logs in by the ec2 auth type",
    "let the client log in by IAM; with vault.ec2 Vault looks at the instance too",
)
WILDCARD = Reason(
    "wildcard-principal",
    "it is bound to a wildcard",
    "bind one IAM role for each client: `crosskeys new` for each, then delete this role",
)
SEVERAL_PRINCIPALS = Reason(
    "several-principals",
    "it is bound to several principals",
    "one IAM role is one client: write a manifest for each, with a vault.role of its own",
)
NO_PRINCIPAL = Reason(
    "no-principal", "it is bound to no IAM principal", "bind it to the exact ARN of the client's IAM role"
)
NOT_A_ROLE = Reason(
    "not-an-iam-role",
    "its principal is no IAM role",
    "a client is an IAM role: not a user, a session, an account or anything of another service",
)
PRINCIPAL_WITH_PATH = Reason(
    "principal-with-path",
    "its bound ARN has an IAM path",
    "Vault compares ARNs without their path, so nobody can log in by this: bind the ARN without it, then import again",
)
OTHER_PARTITION = Reason(
    "other-partition", "its principal is in another AWS partition", "a fleet has one partition: import it into another"
)
OTHER_BINDS = Reason(
    "unsupported-bind", "it has a bind that manifests do not have", "take the bind away, or keep this role by hand"
)
OTHER_FIELDS = Reason(
    "unsupported-field", "it has a field that manifests do not have", "take it away, or keep this role by hand"
)
TOKEN_FIELDS = Reason(
    "unsupported-token-field",
    "it has token settings that manifests do not have",
    "use token_ttl and token_max_ttl instead, or keep this role by hand",
)
LIMITS = Reason(
    "token-limits",
    "its token_ttl is longer than the token_max_ttl that it would get",
    "set both in Vault or change defaults in crosskeys.yaml, then import again",
)
NO_POLICY = Reason("no-policy", "it gives no policy", "it gives access to nothing: delete it, or give it its policy")
EXTRA_POLICIES = Reason(
    "extra-policies",
    "it gives more than one policy",
    "put what it needs into one policy: its own directory, and shared paths as grants",
)
MISSING_POLICY = Reason(
    "missing-policy",
    "its policy does not exist",
    "an import would give it access that it does not have: delete it, or write the policy",
)
SHARED_POLICY = Reason(
    "shared-policy", "its policy is given by other roles too", "give each role a policy of its own, then import again"
)
UNDECIDED_POLICY = Reason(
    "undecidable-policy",
    "its policy says more than paths and capabilities",
    "write it with literal paths and capabilities alone, then import again",
)
OTHER_MEANING = Reason(
    "other-policy",
    "its policy allows other things than would be rendered",
    "make it read and list the client's own directory and shared paths, and nothing else, then import again",
)
OTHER_DIRECTORY = Reason(
    "other-directory",
    "its policy is about another directory than the fleet's pattern gives",
    "move its secrets to the directory that vault.directory gives and change its policy, then import again",
)
NOT_SHARED = Reason(
    "unshared-path",
    "its policy reads a path that is not shared",
    "add the path to shared_paths in crosskeys.yaml, then import again",
)
SHARED_PRINCIPAL = Reason(
    "shared-principal",
    "its principal is bound by other roles too",
    "one IAM role is one client: delete the Vault roles that are not used, then import again",
)
NO_NAME = Reason(
    "no-name",
    "neither its policy nor its role makes a client's name",
    "write its manifest with vault.role and vault.policy, then run `crosskeys import --client NAME`",
)
NO_STS = Reason(
    "no-sts",
    "Vault must look into its account, and the fleet cannot say how",
    "set vault.principals in crosskeys.yaml, see that the account has an STS entry with an external id (and, where it "
    "has a manifest, `sts`), then import again",
)
IAM_ROLE_MISSING = Reason(
    "missing-iam-role",
    "its IAM role does not exist",
    "an import would make the role, and with it access: delete the registration, or make the role",
)
RECREATED = Reason(
    "recreated-iam-role",
    "its IAM role was made anew since it was bound by its unique id",
    "nobody can log in by it: delete the Vault role and write a manifest with `crosskeys new`",
)
AGAINST_RULE = Reason("rule", "its manifest would break a rule", "`crosskeys explain RULE` says what the rule is about")
AWS_SIDE = Reason(
    "aws-side",
    "the IAM role stays as it is: only Vault's side is imported",
    "a manifest cannot say this of an IAM role; it says aws.role: existing",
)
REPLACED = Reason(
    "replaced", "taking it over would destroy it and make it anew", "change the manifest, or the object, to agree"
)
