"""What `crosskeys verify` finds in Vault: what is not as it was applied, and what nobody declared."""

from __future__ import annotations

from generator.diagnostics import Severity
from generator.rules.examples import PAYMENTS, client
from generator.rules.registry import Example, Rule

_GOOD = Example({PAYMENTS: client()})
_SOURCE = "https://github.com/hashicorp/vault/blob/v1.21.2"
_ROLES = f"{_SOURCE}/builtin/credential/aws/path_role.go"
_IDENTITY = "https://developer.hashicorp.com/vault/docs/concepts/identity"
_APPLY = (
    "Find out who changed it, from Vault's audit log, and run `crosskeys apply`. If the change was meant, put it into "
    "the manifest first."
)
_ROLE = "vault write auth/aws/role/"
_CLIENT_ARN = "bound_iam_principal_arn=arn:aws:iam::111111111111:role/payments-app"
_OTHER_ARN = "bound_iam_principal_arn=arn:aws:iam::222222222222:role/reports"


def _live(*commands: str, also: tuple[str, ...] = (), files: Example = _GOOD) -> Example:
    return Example(files.files, live="\n".join(commands), also=also)


RULES = (
    Rule(
        id="CK940",
        name="gone-from-vault",
        title="What was applied is not there any more",
        why="Without its role a client cannot log in, without its policy it reads nothing, and without the STS entry "
        "Vault does not find its instances. Tokens that were given before may live on.",
        source=_ROLES,
        fix="Find out who removed it, from Vault's audit log, and run `crosskeys apply`.",
        bad=_live("vault delete auth/aws/role/payments-app"),
        good=_GOOD,
    ),
    Rule(
        id="CK941",
        name="other-in-vault-than-applied",
        title="A field in Vault is not what was applied",
        why="Who logs in, from where and for how long is said by these fields alone, and a review saw others. Values "
        "are compared as Vault keeps them: names in lower case, lists in any order, times in seconds.",
        source=_ROLES,
        fix=_APPLY,
        bad=_live(f"{_ROLE}payments-app token_ttl=720h"),
        good=_GOOD,
    ),
    Rule(
        id="CK942",
        name="policy-allows-otherwise",
        title="A policy allows other requests than were reviewed",
        why="Vault decides by the text that it has. The finding says which requests are decided otherwise, and whose "
        "directory they reach.",
        source=f"{_SOURCE}/vault/acl.go",
        fix=_APPLY,
        bad=_live('echo \'path "secret/*" { capabilities = ["read"] }\' | vault policy write payments-policy -'),
        good=_GOOD,
    ),
    Rule(
        id="CK943",
        name="policy-in-other-words",
        title="A policy has another text than was applied, and allows the same",
        why="Nobody gained anything. Still somebody wrote a policy past the review; the next apply writes it again.",
        source="a rule of this tool's own",
        fix=_APPLY,
        bad=_live("(vault policy read payments-policy; echo '# checked') | vault policy write payments-policy -"),
        good=_GOOD,
    ),
    Rule(
        id="CK944",
        name="role-beyond-manifests",
        title="A Vault role has a field that no manifest can say",
        why="Such a field was never reviewed, and Terraform leaves it as it is: role tags and migration let instances "
        "in that the manifest does not know.",
        source=_ROLES,
        fix="Write the role without the field, or delete it and run `crosskeys apply`.",
        bad=_live(
            "vault delete auth/aws/role/payments-app",
            f"{_ROLE}payments-app auth_type=ec2 bound_account_id=111111111111 \\",
            "  role_tag=VaultRole policies=payments-policy",
            also=("CK941",),
        ),
        good=_GOOD,
    ),
    Rule(
        id="CK945",
        name="undeclared-role-of-a-client",
        title="A role that nobody declared lets a client in",
        why="The client can log in by it as well, with whatever policies it brings. A bound ARN that ends in `*` lets "
        "in everybody whose ARN begins like it.",
        source=f"{_SOURCE}/builtin/credential/aws/path_login.go",
        fix="Delete the role and revoke the tokens that it gave, or adopt it with `crosskeys import`.",
        bad=_live(
            f"{_ROLE}second auth_type=iam resolve_aws_unique_ids=false \\", f"  {_CLIENT_ARN} policies=operators"
        ),
        good=_GOOD,
    ),
    Rule(
        id="CK946",
        name="undeclared-role",
        title="The auth method has a role that nobody declared",
        severity=Severity.WARNING,
        why="Whoever it lets in reaches nothing of the fleet's today. What its policies say can change without anybody "
        "here noticing.",
        source="a rule of this tool's own",
        fix="Delete the role if nobody needs it, adopt it with `crosskeys import`, or leave it to its owner.",
        bad=_live(f"{_ROLE}reports auth_type=iam resolve_aws_unique_ids=false \\", f"  {_OTHER_ARN} policies=reports"),
        good=_GOOD,
    ),
    Rule(
        id="CK947",
        name="undeclared-policy-reaches-certificates",
        title="A policy that nobody declared reaches certificates or shared paths",
        why="Whoever has it, by whatever way of logging in, reads or writes what the manifests give to clients alone. "
        "A rule counts for all that it may match; one that cannot be read counts for everything.",
        source=f"{_SOURCE}/vault/acl.go",
        fix="Narrow the policy or delete it. See who had it, and revoke their tokens. If it is of those who run Vault, "
        "name it in `live.operator_policies`.",
        bad=_live('echo \'path "secret/data/*" { capabilities = ["read"] }\' | vault policy write helpdesk -'),
        good=_GOOD,
    ),
    Rule(
        id="CK948",
        name="undeclared-policy-with-power",
        title="A policy that nobody declared gives power over Vault",
        why="Whoever writes policies, roles or identity can give themselves every certificate in one more step. Those "
        "who run Vault need such a policy; nobody else does.",
        source="https://developer.hashicorp.com/vault/docs/concepts/policies",
        fix="Narrow or delete it. If it is of those who run Vault, name it in `live.operator_policies`.",
        bad=_live('echo \'path "sys/policies/acl/*" { capabilities = ["update"] }\' | vault policy write builders -'),
        good=_GOOD,
    ),
    Rule(
        id="CK949",
        name="undeclared-role-reaches-certificates",
        title="A role that nobody declared brings a policy that reaches certificates",
        why="Somebody who is no client of this fleet can log in and read what a client reads.",
        source=_ROLES,
        fix="Delete the role, or take the policy from it, and revoke the tokens that it gave.",
        bad=_live(
            f"{_ROLE}reports auth_type=iam resolve_aws_unique_ids=false \\", f"  {_OTHER_ARN} policies=payments-policy"
        ),
        good=_GOOD,
    ),
    Rule(
        id="CK950",
        name="role-of-cut-off-client",
        title="A suspended or retired client has a Vault role",
        why="It can still log in, or can again: nothing was applied since, or somebody made the role anew.",
        source="a rule of this tool's own",
        fix="Run `crosskeys apply`, or delete the role, and revoke the tokens that it gave.",
        bad=_live(
            f"{_ROLE}payments-app auth_type=iam resolve_aws_unique_ids=false \\",
            f"  {_CLIENT_ARN} policies=payments-policy",
            files=Example({PAYMENTS: client("suspend: {reason: key leaked}\n")}),
        ),
        good=Example({PAYMENTS: client("suspend: {reason: key leaked}\n")}),
    ),
    Rule(
        id="CK951",
        name="undeclared-sts-entry",
        title="Vault has a way into an account that nobody declared",
        severity=Severity.WARNING,
        why="Vault assumes the role of the entry where a role has unique ids, wildcards or instances. The entry "
        "decides by which AWS account's word an instance is believed.",
        source=f"{_SOURCE}/builtin/credential/aws/path_config_sts.go",
        fix="Delete the entry, or declare it with `sts` in the account's manifest.",
        bad=_live("vault write auth/aws/config/sts/222222222222 sts_role=arn:aws:iam::222222222222:role/vault"),
        good=_GOOD,
    ),
    Rule(
        id="CK952",
        name="identity-reaches-certificates",
        title="Vault's identity gives somebody a policy that reaches certificates",
        why="Groups and entities give their policies to whoever is a member, however they log in, beside what their "
        "token has anyway.",
        source=_IDENTITY,
        fix="Take the policy from the group or entity, or remove its members. Clients get policies by their Vault "
        "roles alone.",
        bad=_live("vault write identity/group name=helpdesk policies=payments-policy"),
        good=_GOOD,
    ),
    Rule(
        id="CK953",
        name="identity-adds-to-a-login",
        title="Vault's identity gives a client more than its Vault role",
        why="A login by AWS has an entity. Policies of that entity and of its groups come on top of those of the role, "
        "at every request, for tokens that were given before too.",
        source=_IDENTITY,
        fix="Take the policy away. Clients get policies by their Vault roles alone.",
        bad=_live("vault write identity/entity/name/entity_1f0c policies=operators  # that of a login of payments"),
        good=_GOOD,
    ),
    Rule(
        id="CK954",
        name="another-aws-auth-mount",
        title="There is another AWS auth method",
        severity=Severity.WARNING,
        why="The same principals may log in there, with other roles and policies. Its roles are looked at as those "
        "that nobody declared.",
        source="https://developer.hashicorp.com/vault/docs/auth/aws",
        fix="See who logs in there, and disable it if nobody needs it.",
        bad=_live("vault auth enable -path=legacy aws"),
        good=_GOOD,
    ),
    Rule(
        id="CK955",
        name="changed-default-policy",
        title="The policy `default` is not what Vault began with",
        severity=Severity.WARNING,
        why="Every token has it. What it allows beyond looking after the token itself, every client may; where that "
        "reaches a client's directory or gives power, that is an error of its own. What it lacks, such as renewing the "
        "token, no client can do.",
        source=f"{_SOURCE}/vault/policy_store.go",
        fix="Put `default` back to what Vault began with, or see that every token may do that.",
        bad=_live('echo \'path "sys/health" { capabilities = ["read"] }\' | vault policy write default -'),
        good=_GOOD,
    ),
    Rule(
        id="CK959",
        name="not-read",
        title="Something live could not be read, and so is not known to be right",
        why="Without an answer nobody can say that all is well: exit code 4, before any other finding's 1.",
        source="a rule of this tool's own",
        fix="Do what the finding says: mostly, let the token read the path; `docs/verify.md` has the policy for that.",
        bad=_live("vault token create -policy=default  # and verify with that"),
        good=_GOOD,
    ),
)
