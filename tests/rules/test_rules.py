"""Every rule: a fleet that breaks it, where the finding stands, and the nearest fleet that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from generator.rules import accounts, aws, names, paths, vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.rules.conftest import Judge

ACCOUNT = "name: retail\nowner: retail@example.com\n"
STS = "sts: {role: hcp-vault, external_id: crosskeys-1}\n"
UNIQUE = "vault: {resolve_unique_ids: true}\n"
PRINCIPAL = "vault: {principals: ['arn:aws:iam::999999999999:role/hcp-vault']}\n"


def client(name: str, more: str = "", account_id: str = "111111111111", role: str | None = None) -> str:
    return f'name: {name}\naccount_id: "{account_id}"\nrole_name: {role or name}\nowner: x@example.com\n{more}'


class Case(NamedTuple):
    """A fleet that breaks one rule, and what is changed in it to keep the rule.

    ``at`` is where the finding stands, ``other`` where its other end is, if there are two.
    """

    rule: str
    at: str
    broken: dict[str, str]
    kept: dict[str, str]
    says: str
    other: str | None = None


A, B = "clients/a.yaml", "clients/b.yaml"
ONE, TWO = "clients/accounts/111111111111.yaml", "clients/accounts/222222222222.yaml"
SETTINGS = "crosskeys.yaml"
AREAS = (names, accounts, vault, paths, aws)

# Names of services that make a trust policy of 2,049 characters.
SERVICES = [*(f"s{number:03}.amazonaws.com" for number in range(89)), f"s{'x' * 22}.amazonaws.com"]
SEVERAL = ", ".join(f"arn:aws:iam::999999999999:role/v{number}" for number in range(60))

CASES = {
    "one name in two folders": Case(
        names.TWO_MANIFESTS_FOR_ONE_NAME,
        "clients/y/a.yaml:1:7",
        {
            "clients/x/a.yaml": client("a", "vault: {policy: one}\n", role="one"),
            "clients/y/a.yaml": client("a", "vault: {policy: two}\n", role="two"),
        },
        {"clients/y/a.yaml": "", "clients/y/b.yaml": client("b", role="two")},
        "two manifests for the client `a`",
        "clients/x/a.yaml:1:7",
    ),
    "one IAM role name in two accounts": Case(
        names.SHARED_VAULT_ROLE,
        "clients/b.yaml:3:12",
        {A: client("a", role="app"), B: client("b", account_id="222222222222", role="app")},
        {B: client("b", "vault: {role: b-app}\n", account_id="222222222222", role="app")},
        "the Vault role `app` is taken",
        "clients/a.yaml:3:12",
    ),
    "a Vault role in another spelling": Case(
        names.SHARED_VAULT_ROLE,
        "clients/b.yaml:5:15",
        {A: client("a", "vault: {role: app}\n"), B: client("b", "vault: {role: App}\n")},
        {B: client("b", "vault: {role: App2}\n")},
        "the Vault role `App` is taken",
        "clients/a.yaml:5:15",
    ),
    "one policy": Case(
        names.SHARED_POLICY,
        "clients/b.yaml:5:17",
        {A: client("a"), B: client("b", "vault: {policy: A-policy}\n")},
        {B: client("b", "vault: {policy: a-policy2}\n")},
        "the Vault policy `A-policy` is taken",
        "clients/a.yaml:1:7",
    ),
    "one IAM role": Case(
        names.SHARED_PRINCIPAL,
        "clients/b.yaml:3:12",
        {A: client("a", role="app"), B: client("b", "vault: {role: b}\naws: {instance_profile: b}\n", role="app")},
        {B: client("b", "vault: {role: b}\naws: {instance_profile: b}\n", "222222222222", role="app")},
        "`arn:aws:iam::111111111111:role/app` is another client's role already",
        "clients/a.yaml:3:12",
    ),
    "one IAM role in another spelling": Case(
        names.SHARED_IAM_ROLE,
        "clients/b.yaml:3:12",
        {A: client("a", role="app"), B: client("b", "vault: {role: b}\naws: {instance_profile: b}\n", role="App")},
        {B: client("b", "vault: {role: b}\naws: {instance_profile: b}\n", "222222222222", role="App")},
        "in another spelling",
        "clients/a.yaml:3:12",
    ),
    "one instance profile": Case(
        names.SHARED_INSTANCE_PROFILE,
        "clients/b.yaml:5:25",
        {A: client("a"), B: client("b", "aws: {instance_profile: A}\n")},
        {B: client("b", "aws: {instance_profile: A}\n", "222222222222")},
        "an instance profile of this name",
        "clients/a.yaml:3:12",
    ),
    "one instance profile for a role that exists": Case(
        names.SHARED_INSTANCE_PROFILE,
        "clients/b.yaml:5:25",
        {A: client("a"), B: client("b", "aws: {instance_profile: a}\n")},
        {A: client("a", "aws: {role: existing}\n")},
        "an instance profile of this name",
        "clients/a.yaml:3:12",
    ),
    "one directory": Case(
        names.SHARED_DIRECTORY,
        "clients/b.yaml:3:12",
        {SETTINGS: "vault: {directory: 'certs/{account_id}'}\n", A: client("a"), B: client("b")},
        {B: client("b", account_id="222222222222")},
        "the directory `certs/111111111111` is another client's already",
        "clients/a.yaml:3:12",
    ),
    "one directory in two accounts": Case(
        names.SHARED_DIRECTORY,
        "clients/ab.yaml:3:12",
        {
            SETTINGS: "vault: {directory: 'certs/{role_name}', role: '{name}'}\n",
            A: client("a"),
            "clients/ab.yaml": client("ab", "aws: {instance_profile: x}\n", "222222222222", role="a"),
        },
        # Directories are told apart to their last character.
        {"clients/ab.yaml": client("ab", account_id="222222222222", role="a.b")},
        "the directory `certs/a` is another client's already",
        "clients/a.yaml:3:12",
    ),
    "an unregistered account": Case(
        accounts.UNREGISTERED_ACCOUNT,
        "clients/a.yaml:2:13",
        {SETTINGS: "accounts: registered\n", A: client("a")},
        {ONE: ACCOUNT},
        "the account 111111111111 is not registered",
    ),
    "EC2 inference without a way in": Case(
        accounts.NO_WAY_INTO_THE_ACCOUNT,
        "clients/a.yaml:5:9",
        {SETTINGS: PRINCIPAL, ONE: ACCOUNT, A: client("a", "vault: {ec2: {region: us-east-1}}\n")},
        {ONE: ACCOUNT + STS},
        "`vault.ec2` needs Vault to look into the account",
    ),
    "unique ids without a way in": Case(
        accounts.NO_WAY_INTO_THE_ACCOUNT,
        "clients/a.yaml:5:9",
        {A: client("a", "vault: {resolve_unique_ids: true}\n")},
        {A: client("a", "vault: {resolve_unique_ids: false}\n")},
        "`vault.resolve_unique_ids` needs Vault to look into the account",
    ),
    "managed by nobody": Case(
        accounts.NO_PROVISIONER_ROLE,
        f"{ONE}:3:15",
        {ONE: f"{ACCOUNT}provisioning: managed\n", A: client("a")},
        {ONE: f"{ACCOUNT}provisioning: managed\nprovisioner_role: arn:aws:iam::111111111111:role/run\n"},
        "needs `provisioner_role`",
    ),
    "a role that nobody can assume": Case(
        accounts.NO_VAULT_PRINCIPAL,
        f"{ONE}:3:1",
        {ONE: ACCOUNT + STS, A: client("a", UNIQUE)},
        {SETTINGS: PRINCIPAL},
        "names no principal of Vault's",
    ),
    "Vault's own role as a client": Case(
        accounts.STS_ROLE_IS_A_CLIENT,
        "clients/a.yaml:3:12",
        {SETTINGS: PRINCIPAL, ONE: ACCOUNT + STS, A: client("a", UNIQUE, role="HCP-Vault")},
        {A: client("a", UNIQUE, role="HCP-Vault2")},
        "`HCP-Vault` is the role that Vault assumes in this account",
    ),
    "one external id": Case(
        accounts.SHARED_EXTERNAL_ID,
        f"{TWO}:3:37",
        {
            SETTINGS: PRINCIPAL,
            ONE: ACCOUNT + STS,
            TWO: ACCOUNT + STS,
            A: client("a", UNIQUE),
            B: client("b", UNIQUE, "222222222222"),
        },
        {TWO: ACCOUNT + STS.replace("crosskeys-1", "crosskeys-2")},
        "another account has the same external id",
        f"{ONE}:3:37",
    ),
    "a provisioner that is a client": Case(
        accounts.PROVISIONER_ROLE_IS_TAKEN,
        "clients/a.yaml:3:12",
        {ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::111111111111:role/ops/run\n", A: client("a", role="Run")},
        {A: client("a", role="run2")},
        "`run` is the role that runs assume",
        f"{ONE}:3:19",
    ),
    "a provisioner that is a role which exists": Case(
        accounts.PROVISIONER_ROLE_IS_TAKEN,
        "clients/a.yaml:3:12",
        {
            ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::111111111111:role/run\n",
            A: client("a", "aws: {role: existing}\n", role="run"),
        },
        {A: client("a", "aws: {role: existing}\n", account_id="222222222222", role="run")},
        "`run` is the role that runs assume",
        f"{ONE}:3:19",
    ),
    "a provisioner that Vault assumes": Case(
        accounts.PROVISIONER_ROLE_IS_TAKEN,
        f"{ONE}:4:13",
        {
            SETTINGS: PRINCIPAL,
            ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::111111111111:role/hcp-vault\n{STS}",
            A: client("a", UNIQUE),
        },
        {ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::111111111111:role/run\n{STS}"},
        "`hcp-vault` is the role that runs assume",
        f"{ONE}:3:19",
    ),
    "a way in for nobody": Case(
        accounts.IDLE_STS_ROLE,
        f"{ONE}:3:1",
        {SETTINGS: PRINCIPAL, ONE: ACCOUNT + STS, A: client("a")},
        {A: client("a", "vault: {ec2: {region: us-east-1}}\n")},
        "no client of it needs that",
    ),
    "a way in for a client that is retired": Case(
        accounts.IDLE_STS_ROLE,
        f"{ONE}:3:1",
        {
            SETTINGS: PRINCIPAL,
            ONE: ACCOUNT + STS,
            A: client("a", f"{UNIQUE}retire: {{approved_until: '2999-12-31', reason: x}}\n"),
        },
        {A: client("a", f"{UNIQUE}suspend: {{reason: x}}\n")},
        "no client of it needs that",
    ),
    "a role that Vault looks up under a name that two accounts have": Case(
        names.ROLE_NAME_IN_SEVERAL_ACCOUNTS,
        "clients/b.yaml:3:12",
        {
            SETTINGS: PRINCIPAL,
            ONE: ACCOUNT + STS,
            A: client("a", "vault: {role: a}\n", "222222222222", role="app"),
            B: client("b", "vault: {role: b, ec2: {region: us-east-1}}\n", role="App"),
        },
        # Nothing is looked up for either: the plain registration, whatever the Vault roles are called.
        {ONE: ACCOUNT, B: client("b", "vault: {role: b}\n", role="App")},
        "CVE-2025-11621",
        "clients/a.yaml:3:12",
    ),
    "two roles that Vault looks up in one account": Case(
        names.SHARED_IAM_ROLE,
        "clients/b.yaml:3:12",
        {
            SETTINGS: PRINCIPAL,
            ONE: ACCOUNT + STS,
            A: client("a", "vault: {role: a, resolve_unique_ids: true}\naws: {instance_profile: none}\n", role="app"),
            B: client("b", "vault: {role: b, resolve_unique_ids: true}\n", role="App"),
        },
        {B: client("b", "vault: {role: b, resolve_unique_ids: true}\n", role="App2")},
        "in another spelling",
        "clients/a.yaml:3:12",
    ),
    "too many tags together": Case(
        accounts.TOO_MANY_TAGS,
        "clients/a.yaml:5:13",
        {
            SETTINGS: f"aws: {{tags: {{{', '.join(f'f{n}: x' for n in range(20))}}}}}\n",
            ONE: f"{ACCOUNT}tags: {{{', '.join(f'a{n}: x' for n in range(20))}}}\n",
            A: client("a", f"aws: {{tags: {{{', '.join(f'c{n}: x' for n in range(11))}}}}}\n"),
        },
        # One that the fleet sets as well is no further tag.
        {A: client("a", f"aws: {{tags: {{f0: x, {', '.join(f'c{n}: x' for n in range(10))}}}}}\n")},
        "set 51 tags",
    ),
    "an IAM name that Vault cannot take": Case(
        vault.UNUSABLE_VAULT_NAME,
        "clients/a.yaml:3:12",
        {A: client("a", role="app@1")},
        {A: client("a", "vault: {role: app-1}\n", role="app@1")},
        "`app@1` is legal in IAM and not as the name of a Vault role",
    ),
    "a policy name made of one that Vault cannot take": Case(
        vault.UNUSABLE_VAULT_NAME,
        "clients/a.yaml:3:12",
        {SETTINGS: "vault: {policy: '{role_name}', role: '{name}'}\n", A: client("a", role="app+")},
        {A: client("a", "vault: {policy: app}\n", role="app+")},
        "not as the name of a Vault policy",
    ),
    "a policy name of Vault's own": Case(
        vault.RESERVED_POLICY_NAME,
        "clients/a.yaml:5:17",
        {A: client("a", "vault: {policy: Root}\n")},
        {A: client("a", "vault: {policy: roots}\n")},
        "the policy name `Root` is reserved",
    ),
    "a token that outlives its limit": Case(
        vault.TTL_ABOVE_MAXIMUM,
        "clients/a.yaml:5:20",
        {SETTINGS: "defaults: {token_max_ttl: 1h}\n", A: client("a", "vault: {token_ttl: 61m}\n")},
        {A: client("a", "vault: {token_ttl: 60m}\n")},
        "token_ttl (3660 s) is longer than token_max_ttl (3600 s)",
    ),
    "a limit below the fleet's default": Case(
        vault.TTL_ABOVE_MAXIMUM,
        "clients/a.yaml:5:24",
        {SETTINGS: "defaults: {token_ttl: 1h}\n", A: client("a", "vault: {token_max_ttl: 30m}\n")},
        {A: client("a", "vault: {token_max_ttl: 60m}\n")},
        "token_ttl (3600 s) is longer than token_max_ttl (1800 s)",
    ),
    "defaults that outlive their limit": Case(
        vault.TTL_ABOVE_MAXIMUM,
        "crosskeys.yaml:1:23",
        {SETTINGS: "defaults: {token_ttl: 2h, token_max_ttl: 1h}\n", A: client("a"), B: client("b")},
        {SETTINGS: "defaults: {token_ttl: 1h, token_max_ttl: 1h}\n"},
        "token_ttl (7200 s) is longer than token_max_ttl (3600 s)",
    ),
    "a name of Vault's own by the fleet's naming": Case(
        vault.RESERVED_POLICY_NAME,
        "clients/default.yaml:1:7",
        {SETTINGS: "vault: {policy: '{name}'}\n", "clients/default.yaml": client("default")},
        {SETTINGS: "vault: {policy: '{name}-policy'}\n"},
        "the policy name `default` is reserved",
    ),
    "a role named as a wildcard": Case(
        vault.WILDCARD_SEGMENT,
        "clients/a.yaml:3:12",
        {A: client("a", "vault: {role: a}\n", role="+")},
        {A: client("a", "vault: {role: a}\n", role="++")},
        "`certs/111111111111/+`",
    ),
    "a role named as a step up": Case(
        vault.WILDCARD_SEGMENT,
        "clients/a.yaml:3:12",
        {A: client("a", "vault: {role: a}\n", role="..")},
        {A: client("a", "vault: {role: a}\n", role="...")},
        "`certs/111111111111/..`",
    ),
    "a grant of what nobody shares": Case(
        paths.GRANT_OUTSIDE_SHARED_PATHS,
        "clients/a.yaml:5:17",
        {SETTINGS: "shared_paths: [{path: shared/ca, owner: pki}]\n", A: client("a", "grants: [{path: shared/ca2}]\n")},
        {A: client("a", "grants: [{path: shared/ca/root}]\n")},
        "`shared/ca2` is not at or below a shared path",
    ),
    "a grant above what is shared": Case(
        paths.GRANT_OUTSIDE_SHARED_PATHS,
        "clients/a.yaml:5:36",
        {
            SETTINGS: "shared_paths: [{path: shared/ca, owner: pki}]\n",
            A: client("a", "grants: [{path: shared/ca}, {path: shared}]\n"),
        },
        {SETTINGS: "shared_paths: [{path: shared, owner: pki}]\n"},
        "`shared` is not at or below a shared path",
    ),
    "a grant of Vault's own": Case(
        paths.PATH_OF_VAULT_ITSELF,
        "clients/a.yaml:5:17",
        {
            SETTINGS: "shared_paths: [{path: shared/ca, owner: pki}]\n",
            A: client("a", "grants: [{path: auth/token/create}]\n"),
        },
        {A: client("a", "grants: [{path: shared/ca/auth}]\n")},
        "auth/ is Vault's own",
    ),
    "a shared path of Vault's own": Case(
        paths.PATH_OF_VAULT_ITSELF,
        "crosskeys.yaml:1:23",
        {SETTINGS: "shared_paths: [{path: identity/oidc, owner: pki}]\n", A: client("a")},
        {SETTINGS: "shared_paths: [{path: identity-oidc, owner: pki}]\n"},
        "identity/ is Vault's own",
    ),
    "a grant with the mount and data/": Case(
        paths.PATH_WITH_MOUNT,
        "clients/a.yaml:5:17",
        {
            SETTINGS: "vault: {kv_mount: kv/certs}\nshared_paths: [{path: shared/ca, owner: pki}]\n",
            A: client("a", "grants: [{path: kv/certs/data/shared/ca/x}]\n"),
        },
        {A: client("a", "grants: [{path: shared/ca/x}]\n")},
        "`kv/certs/data/shared/ca/x` is written with the mount",
    ),
    "a grant with the mount alone": Case(
        paths.PATH_WITH_MOUNT,
        "clients/a.yaml:5:17",
        {
            SETTINGS: "shared_paths: [{path: shared/ca, owner: pki}]\n",
            A: client("a", "grants: [{path: secret/shared/ca}]\n"),
        },
        # It is shared under the mount's name: then it is what it says.
        {SETTINGS: "shared_paths: [{path: secret/shared, owner: pki}]\n"},
        "`secret/shared/ca` is written with the mount",
    ),
    "a directory with the mount and data/": Case(
        paths.PATH_WITH_MOUNT,
        "crosskeys.yaml:1:20",
        {SETTINGS: "vault: {directory: 'secret/data/certs/{name}'}\n", A: client("a")},
        {SETTINGS: "vault: {directory: 'data/certs/{name}'}\n"},
        "`secret/data/certs/{name}` is written with the mount",
    ),
    "a grant into a directory": Case(
        paths.GRANT_INTO_A_DIRECTORY,
        "clients/a.yaml:5:17",
        {
            SETTINGS: "shared_paths: [{path: certs, owner: pki}]\n",
            A: client("a", "grants: [{path: certs/222222222222/b/inner}]\n"),
            B: client("b", account_id="222222222222"),
        },
        {A: client("a", "grants: [{path: certs/222222222222/c}]\n")},
        "reaches a client's own directory",
    ),
    "a grant of all directories": Case(
        paths.GRANT_INTO_A_DIRECTORY,
        "clients/a.yaml:5:17",
        {SETTINGS: "shared_paths: [{path: certs, owner: pki}]\n", A: client("a", "grants: [{path: certs}]\n")},
        {A: client("a", "grants: [{path: certs/ca}]\n")},
        "reaches a client's own directory",
    ),
    "a boundary of another partition": Case(
        aws.WRONG_PARTITION,
        "clients/a.yaml:5:29",
        {A: client("a", "aws: {permissions_boundary: 'arn:aws-cn:iam::111111111111:policy/x'}\n")},
        {A: client("a", "aws: {permissions_boundary: 'arn:aws:iam::111111111111:policy/x'}\n")},
        "of the partition `aws-cn`, and this fleet is of `aws`",
    ),
    "a fleet's boundary of one account for two": Case(
        aws.WRONG_ACCOUNT,
        "crosskeys.yaml:1:29",
        {
            SETTINGS: "aws: {permissions_boundary: 'arn:aws:iam::111111111111:policy/x'}\n",
            A: client("a"),
            B: client("b", account_id="222222222222"),
        },
        {SETTINGS: "aws: {permissions_boundary: 'arn:aws:iam::{account_id}:policy/x'}\n"},
        "of the account 111111111111, and 222222222222 has roles",
    ),
    "a fleet's boundary of one account for Vault's role in another": Case(
        aws.WRONG_ACCOUNT,
        "crosskeys.yaml:1:29",
        {
            SETTINGS: "aws: {permissions_boundary: 'arn:aws:iam::222222222222:policy/x'}\n" + PRINCIPAL,
            ONE: ACCOUNT + STS,
            A: client("a", f"{UNIQUE}aws: {{role: existing}}\n"),
        },
        {ONE: f"{ACCOUNT}{STS}permissions_boundary: arn:aws:iam::111111111111:policy/x\n"},
        "of the account 222222222222, and 111111111111 has roles",
    ),
    "more services than a trust policy takes": Case(
        aws.TRUST_POLICY_TOO_LONG,
        "clients/a.yaml:5:25",
        {A: client("a", f"aws: {{trusted_services: [{', '.join(SERVICES)}]}}\n")},
        # 2,048 characters to the last one.
        {A: client("a", f"aws: {{trusted_services: [{', '.join((*SERVICES[:-1], SERVICES[-1][1:]))}]}}\n")},
        "would have 2049 characters, and IAM takes 2048",
    ),
    "more principals than a trust policy takes": Case(
        aws.TRUST_POLICY_TOO_LONG,
        "crosskeys.yaml:1:21",
        {
            SETTINGS: f"vault: {{principals: [{SEVERAL}]}}\n",
            ONE: ACCOUNT + STS,
            A: client("a", UNIQUE),
        },
        {SETTINGS: PRINCIPAL},
        "and IAM takes 2048",
    ),
    "a commercial boundary in GovCloud": Case(
        aws.WRONG_PARTITION,
        "clients/a.yaml:5:29",
        {
            SETTINGS: "aws: {partition: aws-us-gov, region: us-gov-west-1}\n",
            A: client("a", "aws: {permissions_boundary: 'arn:aws:iam::111111111111:policy/x'}\n"),
        },
        {A: client("a", "aws: {permissions_boundary: 'arn:aws-us-gov:iam::111111111111:policy/x'}\n")},
        "of the partition `aws`, and this fleet is of `aws-us-gov`",
    ),
    "a principal of another partition": Case(
        aws.WRONG_PARTITION,
        "crosskeys.yaml:1:22",
        {SETTINGS: PRINCIPAL.replace("arn:aws:", "arn:aws-us-gov:"), A: client("a")},
        {SETTINGS: PRINCIPAL},
        "of the partition `aws-us-gov`, and this fleet is of `aws`",
    ),
    "a fleet's boundary of another partition": Case(
        aws.WRONG_PARTITION,
        "crosskeys.yaml:1:29",
        {SETTINGS: "aws: {permissions_boundary: 'arn:aws-cn:iam::{account_id}:policy/x'}\n", A: client("a")},
        {SETTINGS: "aws: {permissions_boundary: 'arn:aws:iam::{account_id}:policy/x'}\n"},
        "of the partition `aws-cn`",
    ),
    "a provisioner of another account": Case(
        aws.WRONG_ACCOUNT,
        f"{ONE}:3:19",
        {ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::222222222222:role/run\n", A: client("a")},
        {ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::111111111111:role/run\n"},
        "the ARN is of the account 222222222222, and this manifest is of 111111111111",
    ),
    "a provisioner of another account that has a client's name": Case(
        aws.WRONG_ACCOUNT,
        f"{ONE}:3:19",
        {ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::222222222222:role/a\n", A: client("a")},
        {ONE: f"{ACCOUNT}provisioner_role: arn:aws:iam::111111111111:role/run\n"},
        "the ARN is of the account 222222222222, and this manifest is of 111111111111",
    ),
    "a boundary of another account": Case(
        aws.WRONG_ACCOUNT,
        "clients/a.yaml:5:29",
        {A: client("a", "aws: {permissions_boundary: 'arn:aws:iam::222222222222:policy/x'}\n")},
        # AWS's own policies are of no account.
        {A: client("a", "aws: {permissions_boundary: 'arn:aws:iam::aws:policy/x'}\n")},
        "of the account 222222222222",
    ),
    "an account's boundary of another account": Case(
        aws.WRONG_ACCOUNT,
        f"{ONE}:3:23",
        {ONE: f"{ACCOUNT}permissions_boundary: arn:aws:iam::222222222222:policy/x\n", A: client("a")},
        {ONE: f"{ACCOUNT}permissions_boundary: arn:aws:iam::111111111111:policy/x\n"},
        "of the account 222222222222",
    ),
    "the fleet's region of another partition": Case(
        aws.REGION_OF_ANOTHER_PARTITION,
        "crosskeys.yaml:1:15",
        {SETTINGS: "aws: {region: cn-north-1}\n", A: client("a")},
        {SETTINGS: "aws: {region: ca-central-1}\n"},
        "the region `cn-north-1` is of the partition `aws-cn`",
    ),
    "an account's region of another partition": Case(
        aws.REGION_OF_ANOTHER_PARTITION,
        f"{ONE}:3:9",
        {ONE: f"{ACCOUNT}region: us-gov-west-1\n", A: client("a")},
        {ONE: f"{ACCOUNT}region: us-west-1\n"},
        "the region `us-gov-west-1` is of the partition `aws-us-gov`",
    ),
    "a service of another partition": Case(
        aws.SERVICE_OF_ANOTHER_PARTITION,
        "clients/a.yaml:5:45",
        {A: client("a", "aws: {trusted_services: [ec2.amazonaws.com, ec2.amazonaws.com.cn]}\n")},
        {SETTINGS: "aws: {partition: aws-cn, region: cn-north-1}\n"},
        "the service `ec2.amazonaws.com.cn` is of the partition `aws-cn`",
    ),
    "instances in a region of another partition": Case(
        aws.REGION_OF_ANOTHER_PARTITION,
        "clients/a.yaml:5:23",
        {
            SETTINGS: PRINCIPAL,
            ONE: ACCOUNT + STS,
            A: client("a", "vault: {ec2: {region: cn-north-1}}\n"),
        },
        {A: client("a", "vault: {ec2: {region: us-east-1}}\n")},
        "the region `cn-north-1` is of the partition `aws-cn`",
    ),
}


def files(case: Case, changes: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in {**case.broken, **changes}.items() if text}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
class TestEachRule:
    def test_is_broken_where_the_finding_says(self, judge: Judge, case: Case) -> None:
        (finding,) = judge(case.broken)
        assert (finding.rule, str(finding.span)) == (case.rule, case.at)
        assert case.says in finding.message
        assert finding.help
        assert [str(note.span) for note in finding.notes] == ([case.other] if case.other else [])

    def test_is_kept_by_the_nearest_fleet(self, judge: Judge, case: Case) -> None:
        assert judge(files(case, case.kept)) == ()


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.__name__.rpartition(".")[2])
def test_every_rule_has_a_case(area: object) -> None:
    rules = {value for name, value in vars(area).items() if name.isupper() and str(value).startswith("CK")}
    assert rules
    assert rules <= {case.rule for case in CASES.values()}


def test_all_that_is_wrong_with_a_fleet_is_said_at_once_in_the_order_of_the_files(judge: Judge) -> None:
    found = judge(
        {
            SETTINGS: "aws: {region: cn-north-1}\n",
            B: client("b", "vault: {policy: default, token_ttl: 2h, token_max_ttl: 1h}\ngrants: [{path: x}]\n"),
            A: client("a", role="B"),
        }
    )
    assert [str(finding.span) for finding in found] == [
        "clients/b.yaml:3:12",
        "clients/b.yaml:3:12",
        "clients/b.yaml:3:12",
        "clients/b.yaml:5:17",
        "clients/b.yaml:5:37",
        "clients/b.yaml:6:17",
        "crosskeys.yaml:1:15",
    ]


def test_a_third_client_of_one_name_is_named_with_the_first(judge: Judge) -> None:
    found = judge({f"clients/{name}.yaml": client(name, "vault: {role: x}\n") for name in "abc"})
    assert [(finding.span.path, finding.notes[0].span.path) for finding in found] == [
        ("clients/b.yaml", "clients/a.yaml"),
        ("clients/c.yaml", "clients/a.yaml"),
    ]


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("ap-southeast-2", "aws"),
        ("us-gov-east-1", "aws-us-gov"),
        ("cn-northwest-1", "aws-cn"),
        ("ca-central-1", "aws"),
    ],
)
def test_a_region_tells_its_partition(region: str, partition: str) -> None:
    assert aws.partition_of(region) == partition
