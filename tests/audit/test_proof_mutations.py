"""Systematic changes of rendered text, in every fleet of the tests: reading or the proof must find each.

``CROSSKEYS_MUTATION_SCORE=1 pytest tests/audit/test_proof_mutations.py -k score -s`` prints the score by class.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.audit.faults import Unreadable, UnreadableTreeError
from generator.audit.proof import prove
from generator.audit.read import read_file, together
from generator.manifest.fleet import Fleet, resolve
from generator.manifest.load import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.audit.declared import Declaration

CHECKOUT = Path(__file__).parents[2]
FOLDERS = (CHECKOUT, *sorted(path.parent for path in (CHECKOUT / "tests" / "golden").glob("*/clients")))

SCORE = "CROSSKEYS_MUTATION_SCORE"
SOME = None if SCORE in os.environ else 6
"""How many places of each change are tried; all of them with the score, which takes a minute."""

VAULT, AWS, STS = r"vault/client-.*", r"aws/client-.*", r"(vault|aws)/sts"
IMPORTS = r"(vault|aws|platform)/import-.*"
POLICY_PATH = r'path "(?P<path>secret/(?:data|metadata)/[^"]+)/\*" \{ capabilities = \["(?:read|list)'
END_OF_POLICY = r"(?m)^  EOT$"


@dataclass(frozen=True)
class Change:
    """A change: in which files, what is replaced at each of its places, and by what."""

    files: str
    old: str
    new: str


def path(new: str) -> Change:
    """A change of the path of an allowing rule; ``{0}`` is the path with its last slash and star."""
    return Change(VAULT, r'(?<=path ")([^"\n]+)(?=" \{ capabilities = \["(?:read|list))', new)


def rule(text: str) -> Change:
    return Change(VAULT, END_OF_POLICY, f"    {text}\n  EOT")


OTHER = "certs/111111111111/payments-app"
ELSEWHERE = "certs/555555555555/somebody-app"
CHANGES: dict[str, dict[str, Change]] = {
    "a path is widened": {
        "by its last slash": Change(VAULT, r'(?<=[\w-])/\*(?=" \{ capabilities = \["[rl])', "*"),
        "by half of its last name": Change(VAULT, r'[\w-]{3}/\*(?=" \{ capabilities = \["[rl])', "*"),
        "by one name": Change(VAULT, r'/[^/"]+/\*(?=" \{ capabilities = \["[rl])', "/*"),
        "by two names": Change(VAULT, r'/[^/"]+/[^/"]+/\*(?=" \{ capabilities = \["[rl])', "/*"),
        "by three names": Change(VAULT, r'/[^/"]+/[^/"]+/[^/"]+/\*(?=" \{ capabilities = \["[rl])', "/*"),
        "to the mount": path("secret/*"),
        "to everything": path("*"),
        "to a prefix of the mount": path("se*"),
        "to all data of any mount": path("+/data/*"),
        "by + for the role": Change(VAULT, r'(?<=/)[^/"]+(?=/\*" \{ capabilities = \["[rl])', "+"),
        "by + for the account": Change(VAULT, r'(?<=certs/)[0-9]{12}(?=/[^"]*" \{ capabilities = \["[rl])', "+"),
        "by + for the area": Change(VAULT, r'(?<=secret/)(data|metadata)(?=/[^"]*" \{ capabilities = \["[rl])', "+"),
        "by + for the mount": Change(VAULT, r'(?<=path ")secret(?=/[^"]*" \{ capabilities = \["[rl])', "+"),
        "by + and a prefix": Change(VAULT, r'(?<=/)[^/"]+/[^/"]+/\*(?=" \{ capabilities = \["[rl])', "+/p*"),
    },
    "a path is another": {
        "another client's": path(f"secret/data/{OTHER}/*"),
        "nobody's": path(f"secret/data/{ELSEWHERE}/*"),
        "another mount's": Change(VAULT, r'(?<=path ")secret(?=/[^"]*" \{ capabilities = \["[rl])', "kv"),
        "upper case": Change(VAULT, r"(?<=/)certs(?=/[^\n]*\[\"[rl])", "Certs"),
        "without its star": Change(VAULT, r'/\*(?=" \{ capabilities = \["[rl])', "/"),
        "without slash and star": Change(VAULT, r'/\*(?=" \{ capabilities = \["[rl])', ""),
        "of another area": Change(VAULT, r'(?<=secret/)metadata(?=/[^"]*" \{ capabilities = \["[rl])', "destroy"),
        "with a template": Change(VAULT, r'(?<=/)[^/"]+(?=/\*" \{ capabilities = \["[rl])', "{{identity.entity.name}}"),
        "one + deeper": Change(VAULT, r'/\*(?=" \{ capabilities = \["[rl])', "/+"),
    },
    "a rule is added": {
        "one of Vault's policies": rule('path "sys/policies/acl/*" { capabilities = ["update"] }'),
        "one of sys/": rule('path "sys/mounts" { capabilities = ["read"] }'),
        "one of auth roles": rule('path "auth/aws/role/x" { capabilities = ["update"] }'),
        "one of tokens": rule('path "auth/token/create" { capabilities = ["update"] }'),
        "one of identity": rule('path "identity/entity-alias" { capabilities = ["update"] }'),
        "one of the cubbyhole": rule('path "cubbyhole/x" { capabilities = ["read"] }'),
        "one of the engine's settings": rule('path "secret/config" { capabilities = ["update"] }'),
        "one with a leading slash": rule(f'path "/secret/data/{ELSEWHERE}" {{ capabilities = ["read"] }}'),
        "one with an exact name": rule(f'path "secret/data/{ELSEWHERE}/tls" {{ capabilities = ["read"] }}'),
        "one that lists every account": rule('path "secret/metadata/certs" { capabilities = ["list"] }'),
        "one that lists every account, slash": rule('path "secret/metadata/certs/" { capabilities = ["list"] }'),
        "one that lists an account": rule('path "secret/metadata/certs/111111111111" { capabilities = ["list"] }'),
        "one that deletes": rule(f'path "secret/delete/{ELSEWHERE}/*" {{ capabilities = ["update"] }}'),
        "one that undeletes": rule(f'path "secret/undelete/{ELSEWHERE}/*" {{ capabilities = ["update"] }}'),
        "one that destroys": rule(f'path "secret/destroy/{ELSEWHERE}/*" {{ capabilities = ["update"] }}'),
        "one that sees keys": rule(f'path "secret/subkeys/{ELSEWHERE}/*" {{ capabilities = ["read"] }}'),
        "one with a parameter constraint": rule(
            f'path "secret/data/{ELSEWHERE}" {{\n capabilities = ["read"]\n allowed_parameters = {{ "x" = [] }}\n}}'
        ),
        "one of an older form": rule(f'path "secret/data/{ELSEWHERE}" {{ policy = "read" }}'),
        "one that is not shared with it": rule('path "secret/data/shared/other/*" { capabilities = ["read"] }'),
        "all of what is shared": rule('path "secret/data/shared/*" { capabilities = ["read"] }'),
    },
    "a capability is added": {
        name: Change(VAULT, r'"\](?= \})', f'", "{name}"]')
        for name in ("create", "update", "patch", "delete", "sudo", "subscribe", "recover", "root")
    },
    "a capability is taken": {
        "read": Change(VAULT, r'"read", "list"', '"list"'),
        "list": Change(VAULT, r'"list", "read"', '"read"'),
        "all": Change(VAULT, r'\["(read|list)", "(read|list)"\]', "[]"),
        "by a deny": Change(VAULT, r'\["(read|list)", "(read|list)"\]', '["deny"]'),
    },
    "a principal is another": {
        "a wildcard for the role": Change(VAULT, r'(?<=:role/)[^"]+', "*"),
        "a wildcard at the end": Change(VAULT, r'(:role/[^"]+)', r"\1*"),
        "everybody": Change(VAULT, r'"arn:[^"]+"', '"*"'),
        "the whole account": Change(VAULT, r'role/[^"]+', "root"),
        "a user": Change(VAULT, r":role/", ":user/"),
        "an assumed role": Change(VAULT, r':iam::([0-9]{12}):role/([^"]+)', r":sts::\1:assumed-role/\2/session"),
        "one with a path": Change(VAULT, r":role/", ":role/apps/"),
        "one of another account": Change(VAULT, r"(?<=iam::)[0-9]{12}", "555555555555"),
        "another client's": Change(VAULT, r'"arn:[^"]+"', '"arn:aws:iam::111111111111:role/ledger-app"'),
        "upper case": Change(VAULT, r"(?<=:role/)[a-z]", "X"),
        "another partition": Change(VAULT, r'"arn:aws[^:]*', '"arn:aws-iso'),
        "one more": Change(VAULT, r'("arn:[^"]+")', r'\1, "arn:aws:iam::111111111111:role/other"'),
        "none": Change(VAULT, r'\["arn:[^"]+"\]', "[]"),
        "the way in": Change(VAULT, r'(?<=:role/)[^"]+', "hcp-vault-lookup"),
        "an instance profile": Change(VAULT, r":role/", ":instance-profile/"),
    },
    "a Vault role is another": {
        "name": Change(VAULT, r'(?m)(^  role +)= "[^"]+"', r'\1= "another"'),
        "name in upper case": Change(VAULT, r'(?m)(^  role +)= "[a-z]', r'\1= "X'),
        "name of another client": Change(VAULT, r'(?m)(^  role +)= "[^"]+"', r'\1= "ledger-app"'),
        "mount": Change(VAULT, r'(?m)(^  backend +)= "[^"]+"', r'\1= "aws2"'),
        "type of login": Change(VAULT, r'= "iam"', '= "ec2"'),
        "unique ids": Change(VAULT, r"(?<=resolve_aws_unique_ids   = )false", "true"),
        "no unique ids": Change(VAULT, r"(?<=resolve_aws_unique_ids   = )true", "false"),
        "no inference": Change(VAULT, r"(?m)^  inferred_entity_type .*\n", ""),
        "region": Change(VAULT, r'(inferred_aws_region +)= "[^"]+"', r'\1= "ap-south-1"'),
        "no instance": Change(VAULT, r"(?m)^  bound_ec2_instance_ids .*\n", ""),
        "no image": Change(VAULT, r"(?m)^  bound_ami_ids .*\n", ""),
        "no network": Change(VAULT, r"(?m)^  bound_vpc_ids .*\n", ""),
        "no addresses": Change(VAULT, r"(?m)^  token_bound_cidrs .*\n", ""),
        "longer tokens": Change(VAULT, r"(token_max_ttl +)= [0-9]+", r"\1= 99999999"),
        "endless tokens": Change(VAULT, r"(?m)(^  token_policies .*\n)", r"\1  token_period = 3600\n"),
        "tokens for one use": Change(VAULT, r"(?m)(^  token_policies .*\n)", r"\1  token_num_uses = 1\n"),
        "batch tokens": Change(VAULT, r"(?m)(^  token_policies .*\n)", r'\1  token_type = "batch"\n'),
        "reauthentication": Change(VAULT, r"(?m)(^  token_policies .*\n)", r"\1  disallow_reauthentication = false\n"),
        "twice": Change(
            VAULT,
            r'(?s)(resource "vault_aws_auth_backend_role" "[^"]+)(" \{.*?\n\}\n)',
            r"\1\2\n\1-2\2",
        ),
        "gone": Change(VAULT, r'(?s)resource "vault_aws_auth_backend_role".*?\n\}\n', ""),
    },
    "token policies": {
        "one more": Change(VAULT, r"\[(vault_policy\.[\w-]+\.name)\]", r'[\1, "operators"]'),
        "root": Change(VAULT, r"\[(vault_policy\.[\w-]+\.name)\]", r'["root"]'),
        "another client's by name": Change(VAULT, r"\[(vault_policy\.[\w-]+\.name)\]", r'[\1, "ledger-policy"]'),
        "default by name": Change(VAULT, r"\[(vault_policy\.[\w-]+\.name)\]", r'[\1, "default"]'),
        "none": Change(VAULT, r"\[(vault_policy\.[\w-]+\.name)\]", "[]"),
        "an undeclared one": Change(VAULT, r"\[(vault_policy\.[\w-]+\.name)\]", '["somebodys"]'),
    },
    "a policy is another": {
        "name": Change(VAULT, r'(?m)^(  name   = )"[^"]+"', r'\1"another"'),
        "name in upper case": Change(VAULT, r'(?m)^(  name   = )"[a-z]', r'\1"X'),
        "another client's": Change(VAULT, r'(?m)^(  name   = )"[^"]+"', r'\1"ledger-policy"'),
        "default": Change(VAULT, r'(?m)^(  name   = )"[^"]+"', r'\1"default"'),
        "one more of its name": Change(VAULT, r'(?s)(resource "vault_policy" "[^"]+)(" \{.*?\n\}\n)', r"\1\2\n\1-2\2"),
        "one more": Change(
            VAULT,
            r"\Z",
            '\nresource "vault_policy" "extra" {\n  name   = "extra"\n  policy = <<-EOT\n'
            '    path "secret/data/certs/*" { capabilities = ["read"] }\n  EOT\n}\n',
        ),
        "gone, with its role": Change(VAULT, r"(?s)resource .*\n\}\n", ""),
    },
    "an IAM role is another": {
        "name": Change(AWS, r'(?m)^(  name                 = )"[^"]+"', r'\1"another"'),
        "name in upper case": Change(AWS, r'(?m)^(  name                 = )"[a-z]', r'\1"X'),
        "path": Change(AWS, r'(?m)^(  path                 = )"[^"]+"', r'\1"/x/"'),
        "boundary": Change(AWS, r"(?<=:policy/)[\w-]+", "another"),
        "no boundary": Change(AWS, r"(?m)^  permissions_boundary .*\n", ""),
        "gone": Change(AWS, r'(?s)resource "aws_iam_role" .*?\n\}\n', ""),
        "twice": Change(AWS, r'(?s)(resource "aws_iam_role" "[^"]+)(" \{.*?\n\}\n)', r"\1\2\n\1-2\2"),
        "one more that is nobody's": Change(
            AWS,
            r'(?s)(resource "aws_iam_role" "[^"]+)(" \{\n  name +=) "([^"]+)(".*?\n\}\n)',
            r'\1\2 "\3\4\n\1-2\2 "\3-2\4',
        ),
        "with a policy": Change(
            AWS,
            r'(?s)(resource "aws_iam_role" "([\w-]+)".*?\n\}\n)',
            r'\1\nresource "aws_iam_role_policy" "x" {\n  name = "x"\n  role = aws_iam_role.\2.name\n'
            r"  policy = data.aws_iam_policy_document.\2.json\n}\n",
        ),
        "its profile's name": Change(AWS, r'(?s)(instance_profile" "[\w-]+" \{\n  name = )"[^"]+"', r'\1"another"'),
        "its profile's role": Change(AWS, r"= aws_iam_role\.[\w-]+\.name", '= "another-app"'),
        "no profile": Change(AWS, r'(?s)resource "aws_iam_instance_profile".*?\n\}\n', ""),
    },
    "a trust policy is another": {
        "another service": Change(AWS, r'"ec2\.amazonaws\.com', '"lambda.amazonaws.com'),
        "one more service": Change(AWS, r'identifiers = \[("[^\]]+)\]', r'identifiers = [\1, "lambda.amazonaws.com"]'),
        "an account": Change(
            AWS,
            r'"Service"\n      identifiers = \["[^\]]+\]',
            '"AWS"\n      identifiers = ["arn:aws:iam::555555555555:root"]',
        ),
        "everybody": Change(AWS, r'"Service"\n      identifiers = \["[^\]]+\]', '"*"\n      identifiers = ["*"]'),
        "one more statement": Change(AWS, r"(?s)(  statement \{.*?\n  \}\n)", r"\1\1"),
        "one more principal": Change(AWS, r"(?s)(    principals \{.*?\n    \}\n)", r"\1\1"),
        "an effect": Change(AWS, r'"Allow"', '"Deny"'),
        "every action": Change(AWS, r"sts:AssumeRole", "sts:*"),
        "web identities": Change(AWS, r"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"),
        "no statement": Change(AWS, r"(?s)  statement \{.*?\n  \}\n", ""),
        "a condition": Change(
            AWS,
            r"(?s)(    principals \{.*?\n    \}\n)",
            r'\1    condition {\n      test = "Bool"\n      variable = "aws:SecureTransport"\n'
            r'      values = ["true"]\n    }\n',
        ),
        "another document": Change(AWS, r"(aws_iam_policy_document\.)[\w-]+\.json", r"\1vault_sts_trust.json"),
        "text": Change(AWS, r"data\.aws_iam_policy_document\.[\w-]+\.json", '"{}"'),
        "text that everybody may": Change(
            AWS,
            r"data\.aws_iam_policy_document\.[\w-]+\.json",
            '"{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": [{\\"Effect\\": \\"Allow\\", '
            '\\"Principal\\": \\"*\\", \\"Action\\": \\"sts:AssumeRole\\"}]}"',
        ),
    },
    "the way in is another": {
        "account": Change(STS, r'(account_id +)= "[0-9]{12}"', r'\1= "555555555555"'),
        "account of the ARN": Change(STS, r'(sts_role += "arn:[a-z-]+:iam::)[0-9]{12}', r"\g<1>555555555555"),
        "role": Change(STS, r'(sts_role .*role/)[^"]+', r"\1admin"),
        "mount": Change(STS, r'(backend +)= "[^"]+"', r'\1= "aws2"'),
        "external id of Vault": Change(STS, r'(external_id = ")', r"\1x"),
        "no external id of Vault": Change(STS, r"(?m)^  external_id .*\n", ""),
        "external id of AWS": Change(STS, r'(values   = \[")', r"\1x"),
        "a wildcard as external id": Change(STS, r'values   = \["[^"]+"\]', 'values   = ["*"]'),
        "one more external id": Change(STS, r'values   = \[("[^"]+")\]', r'values   = [\1, "*"]'),
        "no external id": Change(STS, r"(?s)    condition \{.*?\n    \}\n", ""),
        "a looser test": Change(STS, r"StringEquals", "StringLike"),
        "a test that may be missing": Change(STS, r"StringEquals", "StringEqualsIfExists"),
        "another variable": Change(STS, r"sts:ExternalId", "aws:PrincipalOrgID"),
        "any principal of Vault's account": Change(
            STS, r'(identifiers = \["arn:[a-z-]+:iam::[0-9]{12}:)[^"]+', r"\1root"
        ),
        "any principal": Change(STS, r'identifiers = \["[^\]]+\]', 'identifiers = ["*"]'),
        "one more principal": Change(
            STS, r'identifiers = \[("[^\]]+)\]', r'identifiers = [\1, "arn:aws:iam::555555555555:root"]'
        ),
        "a service": Change(STS, r'"AWS"', '"Service"'),
        "one more statement": Change(STS, r'(?s)(  statement \{\n    sid     = "V.*?\n  \}\n)', r"\1\1"),
        "every action of IAM": Change(STS, r"iam:GetRole", "iam:*"),
        "every action": Change(STS, r"ec2:DescribeInstances", "*"),
        "one more action": Change(STS, r'"iam:GetRole"', '"iam:GetRole", "sts:AssumeRole"'),
        "roles of all accounts": Change(STS, r"iam::[0-9]{12}:role/\*", "iam::*:role/*"),
        "role's name": Change(STS, r'(?m)^(  name                 = )"[^"]+"', r'\1"another"'),
        "no role": Change(STS, r'(?s)resource "aws_iam_role" .*?\n\}\n', ""),
        "no permissions": Change(STS, r'(?s)resource "aws_iam_role_policy" .*?\n\}\n', ""),
        "gone from Vault": Change(STS, r'(?s)resource "vault_aws_auth_backend_sts_role" .*?\n\}\n', ""),
        "the permissions as trust": Change(STS, r"vault_sts_trust\.json", "vault_sts_permissions.json"),
    },
    "a root is another": {
        "account allowed": Change("aws/root", r"(allowed_account_ids = \[\")[0-9]{12}", r"\g<1>555555555555"),
        "one more account": Change("aws/root", r'(allowed_account_ids = \["[0-9]{12}")', r'\1, "555555555555"'),
        "any account": Change("aws/root", r"(?m)^  allowed_account_ids .*\n", ""),
        "assumed role": Change("aws/root", r'(role_arn +)= "([^"]+)"', r'\1= "\2x"'),
        "no assumed role": Change("aws/root", r"(?s)  assume_role \{.*?\n  \}\n", ""),
        "namespace": Change("vault/root", r'(namespace = )"[^"]+"', r'\1"other"'),
        "no namespace": Change("vault/root", r"(?m)^  namespace .*\n", ""),
        "provider": Change("(vault|aws)/root", r'"hashicorp/', '"example/'),
        "no provider": Change("(vault|aws)/root", r'(?s)provider "\w+" \{.*?\n\}\n', ""),
        "one more provider": Change("(vault|aws)/root", r'(?s)(provider "\w+" \{.*?\n\}\n)', r"\1\n\1"),
    },
    "the platform is another": {
        "KV version": Change("platform/platform", r'version = "2"', 'version = "1"'),
        "KV mount": Change("platform/platform", r'(path += )"secret"', r'\1"kv"'),
        "auth mount": Change("platform/platform", r'(path += )"aws"', r'\1"aws2"'),
        "auth type": Change("platform/platform", r'(type += )"aws"', r'\1"userpass"'),
        "server id": Change("platform/platform", r'(iam_server_id_header_value += ")', r"\1x"),
        "no server id": Change("platform/platform", r"(?m)^  iam_server_id_header_value .*\n", ""),
        "STS endpoint": Change("platform/platform", r"= var\.sts_endpoint", '= "https://sts.example.com"'),
        "STS endpoint's default": Change(
            "platform/platform", r"(type    = string\n  default = )null", r'\1"https://x"'
        ),
        "alias": Change("platform/platform", r'"role_id"', '"full_arn"'),
        "gone": Change("platform/platform", r'(?s)resource "vault_mount" .*?\n\}\n', ""),
    },
    "an import is another": {
        "another object's": Change(IMPORTS, r'(?<=  id = ")[^"]+', "somebody-elses"),
        "in another spelling": Change(IMPORTS, r'(  id = ")([a-z])([^"]+)', r"\1\2_\3"),
        "another account's way in": Change(IMPORTS, r"(?<=config/sts/)[0-9]{12}", "555555555555"),
        "another mount's": Change(IMPORTS, r'(?<="auth/)aws(?=/)', "aws2"),
        "another mount": Change("platform/import-.*", r'(?<=id = ")(aws|secret)(?=")', r"\g<1>2"),
        "a role's other policy": Change(IMPORTS, r'(?<=id = ")([\w-]+):[\w-]+', r"\1:AdministratorAccess"),
        "another role's policy": Change(IMPORTS, r'(?<=id = ")[\w-]+(?=:)', "admin"),
        "for nobody": Change(IMPORTS, r"(?<=  to = )(\w+)\.[\w-]+", r"\1.nobody"),
        "for another kind": Change(IMPORTS, r"(?<=  to = )vault_policy", "vault_aws_auth_backend_role"),
        "for another provider": Change(IMPORTS, r"(?<=  to = )vault_policy", "aws_iam_role"),
        "for one of many": Change(IMPORTS, r"(?m)^(  to = .*)$", r'\1["x"]'),
        "for a module": Change(IMPORTS, r"(?<=  to = )", "module.x."),
        "twice": Change(IMPORTS, r"(?s)(import \{.*?\n\}\n)", r"\1\n\1"),
        "for each": Change(IMPORTS, r"(?m)^(  id = .*)$", r'\1\n  for_each = ["x"]'),
        "by an expression": Change(IMPORTS, r"(?m)^  id = .*$", "  id = vault_policy.payments.name"),
        "by a template": Change(IMPORTS, r'(?m)^  id = ".*$', '  id = "${terraform.workspace}"'),
        "by a provider": Change(IMPORTS, r"(?m)^(  id = .*)$", r"\1\n  provider = vault.other"),
        "by an identity": Change(IMPORTS, r"(?m)^(  id = .*)$", r'\1\n  identity = { name = "x" }'),
        "without an id": Change(IMPORTS, r"(?m)^  id = .*\n", ""),
        "of what another manifest names": Change(r"vault/client-payments", r'(?<=  name   = ")[^"]+', "other-policy"),
    },
}
"""By class and name."""

EQUIVALENT: dict[str, tuple[Change, str]] = {
    "the order of capabilities": (Change(VAULT, '"read", "list"', '"list", "read"'), "a set, to Vault"),
    "another client's trust policy that says the same": (
        Change(AWS, r"document\.reports-us\.json", "document.ledger.json"),
        "what it says counts, not where it stands",
    ),
    "a tag": (Change(AWS, r'(= ")4711', r"\g<1>4712"), "no trust policy here asks for tags"),
    "a session's length": (Change(AWS, r"(max_session_duration = )[0-9]+", r"\g<1>43200"), "says how long, not who"),
    "a description": (Change(AWS, r'(description          = ")', r"\1x"), "words"),
    "a statement's id": (Change(AWS, r"WorkloadAssumes", "WorkloadMayAssume"), "a name that nothing refers to"),
    "a region": (
        Change("aws/root", r'(region +)= "[^"]+"', r'\1= "eu-west-3"'),
        "IAM is the same in all of a partition",
    ),
    "a lost deny": (
        Change(VAULT, r'(?m)^ +path .*\["deny"\].*\n', ""),
        "a suspended client is cut off by what is not allowed; denies protect nothing here",
    ),
    "protection from being destroyed": (
        Change("platform/platform", "prevent_destroy = true", "prevent_destroy = false"),
        "destroying lets nobody in",
    ),
    "where state is kept": (
        Change("vault/root", r'(path = ")', r"\1x"),
        "whether state is safe is no matter of isolation",
    ),
}
"""Changes that let nobody reach more, with the reason; parse-back finds them all the same."""


@dataclass(frozen=True)
class Tree:
    fleet: Fleet
    texts: Mapping[str, str]
    declared: Mapping[str, tuple[Declaration, ...]]


@cache
def trees() -> tuple[Tree, ...]:
    return tuple(_tree(folder) for folder in FOLDERS)


def _tree(folder: Path) -> Tree:
    manifests, findings = load(folder)
    assert not findings
    files = sorted((folder / "terraform").rglob("*.tf"))
    texts = {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in files}
    return Tree(resolve(manifests), texts, {path: read_file(path, text) for path, text in texts.items()})


def mutants(change: Change) -> Iterator[tuple[Tree, str, str]]:
    """Every place at which a change changes something: tree, file and the file's text then."""
    for tree in trees():
        for file, text in tree.texts.items():
            if re.search(rf"/{change.files}\.tf$", file):
                for match in re.finditer(change.old, text):
                    new = text[: match.start()] + match.expand(change.new) + text[match.end() :]
                    if new != text:
                        yield tree, file, new


def found(tree: Tree, file: str, text: str) -> str:
    """What finds a mutant: the rule's id; empty for nothing."""
    try:
        declared = {**tree.declared, file: read_file(file, text)}
        proof = prove(together((item for items in declared.values() for item in items), ()), tree.fleet)
    except Unreadable as fault:
        return fault.finding.rule
    except UnreadableTreeError as error:
        return error.findings[0].rule
    assert all(finding.message and finding.help for finding in proof.findings)
    return proof.findings[0].rule if proof.findings else ""


def test_the_trees_themselves_are_proven_to_isolate() -> None:
    for tree in trees():
        declared = together((item for items in tree.declared.values() for item in items), ())
        assert prove(declared, tree.fleet).findings == ()


@pytest.mark.parametrize("kind", CHANGES)
def test_every_harmful_change_is_found(kind: str) -> None:
    missed = []
    for name, change in CHANGES[kind].items():
        made = list(islice(mutants(change), SOME))
        assert made, f"{name} changes nothing anywhere"
        missed += [(name, file) for tree, file, text in made if not found(tree, file, text)]
    assert missed == []


@pytest.mark.parametrize("name", EQUIVALENT)
def test_a_change_that_lets_nobody_in_is_no_finding(name: str) -> None:
    made = list(islice(mutants(EQUIVALENT[name][0]), SOME))
    assert made
    assert {found(*mutant) for mutant in made} == {""}


@pytest.mark.skipif(SCORE not in os.environ, reason="prints a table for docs/proof.md")
def test_score() -> None:
    lines = [
        "",
        "| Class | Changes | Mutants | Found by reading | Found by the proof | Missed |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    whole: Counter[str] = Counter()
    for kind, changes in CHANGES.items():
        score: Counter[str] = Counter()
        for change in changes.values():
            for mutant in mutants(change):
                rule_id = found(*mutant)
                score["missed" if not rule_id else "proof" if "CK830" <= rule_id < "CK900" else "reading"] += 1
        lines.append(
            f"| {kind} | {len(changes)} | {score.total()} | {score['reading']} | {score['proof']} | {score['missed']} |"
        )
        whole += score
    lines.append(
        f"| all | {sum(map(len, CHANGES.values()))} | {whole.total()} | {whole['reading']} | {whole['proof']} "
        f"| {whole['missed']} |"
    )
    sys.stdout.write("\n".join(lines) + "\n")
