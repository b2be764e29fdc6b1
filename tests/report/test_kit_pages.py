"""The texts of a kit: every value filled in, and none of them anything but a value wherever it stands."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import hcl2
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from generator.errors import UsageError
from generator.manifest.client import ClientManifest
from generator.manifest.source import parse
from generator.manifest.validate import Sourced, validate
from generator.report.kit.contents import contents
from generator.report.kit.pages import Pages
from generator.report.kit.scope import of_client
from generator.resources import data
from tests.hostile.strings import INJECTIONS
from tests.report.kits import ACCOUNT_ID, ADDRESS, CLIENT, SETTINGS, STS, declared_by, fleet_of, kit, kit_of, texts_of

if TYPE_CHECKING:
    from pathlib import Path

IAM = "[A-Za-z0-9_+=,.@-]"
ANSWERS = """
printf '%s\\0' "$role" "$vault_role" "$account" "$data" "$metadata" "$above" "$VAULT_ADDR" "${VAULT_NAMESPACE-none}"
"""


def values_in(script: str) -> list[str]:
    """Return what a shell takes the script's values for."""
    head, found, _ = script.partition("\nok() {\n")
    assert found
    done = subprocess.run(["sh", "-eu", "-c", head + ANSWERS], stdout=subprocess.PIPE, text=True, check=True, cwd="/")
    return done.stdout.split("\0")[:-1]


def unquoted(value: Any) -> Any:
    """Return what HCL's reader gives, without the quotes that it leaves around strings."""
    match value:
        case dict():
            return {key.strip('"'): unquoted(item) for key, item in value.items()}
        case list():
            return [unquoted(item) for item in value]
        case str():
            return value.strip('"')
        case _:
            return value


def login_in(text: str) -> dict[str, Any]:
    """Return the agent's configuration of the login."""
    found: dict[str, Any] = unquoted(hcl2.loads(text))
    return found


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    role=st.from_regex(f"{IAM}{{1,64}}", fullmatch=True),
    vault_role=st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9_])?", fullmatch=True),
    profile=st.from_regex(f"{IAM}{{1,128}}", fullmatch=True).filter(lambda name: name != "none"),
    path=st.from_regex(f"/({IAM}{{1,9}}/){{0,3}}", fullmatch=True),
    header=st.from_regex("[A-Za-z0-9.:/_-]{1,255}", fullmatch=True) | st.none(),
    namespace=st.from_regex("[A-Za-z0-9_-]{1,9}(/[A-Za-z0-9_-]{1,9}){0,2}", fullmatch=True) | st.none(),
    mount=st.from_regex("[A-Za-z0-9_-]{1,9}(/[A-Za-z0-9_-]{1,9}){0,2}", fullmatch=True),
)
def test_whatever_a_manifest_takes_comes_out_as_it_went_in(
    *,
    role: str,
    vault_role: str,
    profile: str,
    path: str,
    header: str | None,
    namespace: str | None,
    mount: str,
) -> None:
    client = {
        **CLIENT,
        "role_name": role,
        "vault": {"role": vault_role},
        "aws": {"instance_profile": profile, "role_path": path},
    }
    vault = {"server_id_header": header, "namespace": namespace, "auth_mount": mount, "kv_mount": mount}
    fleet = fleet_of(client, settings={**SETTINGS, "vault": vault})
    hostile = of_client(fleet, "gateway")
    found = {path: file.data.decode() for path, file in kit_of(hostile).items()}

    script = found["workload/smoke-test.sh"]
    directory = f"certs/{ACCOUNT_ID}/{role}"
    assert values_in(script) == [
        role,
        vault_role,
        ACCOUNT_ID,
        f"{mount}/data/{directory}",
        f"{mount}/metadata/{directory}",
        f"{mount}/metadata/certs/{ACCOUNT_ID}/",
        ADDRESS,
        namespace or "none",
    ]
    login = login_in(found["workload/agent/login.hcl"])
    (method,) = login["auto_auth"][0]["method"]
    assert method["mount_path"] == f"auth/{mount}"
    assert method["config"]["role"] == vault_role
    assert method["config"].get("header_value") == header
    assert method.get("namespace") == login["vault"][0].get("namespace") == namespace
    assert f'secrets "{mount}/metadata/{directory}/"' in found["workload/agent/certificates.hcl"]
    resources = yaml.safe_load(found["cloudformation.yaml"])["Resources"]
    assert resources["GatewayRole"]["Properties"]["RoleName"] == role
    assert resources["GatewayInstanceProfile"]["Properties"]["InstanceProfileName"] == profile
    assert resources["GatewayRole"]["Properties"]["Path"] == path


def test_free_text_is_text_on_the_page() -> None:
    pages, applied = Pages([data("templates")]), {"terraform": True, "cloudformation": True, "large": 0, "imports": 0}

    def of(text: str) -> dict[str, str]:
        account = {"name": text, "owner": text[:256]}
        fleet = fleet_of({**CLIENT, "description": text, "owner": text[:256]}, account=account)
        scope = of_client(fleet, "gateway")
        return {**dict(pages.client(scope, scope.clients[0], applied)), "account.md": pages.account(scope, applied)}

    plain = of("x")
    for text in filter(is_taken, filter(str.strip, INJECTIONS)):
        found = of(text)
        for path, page in found.items():
            same = shape(page) == shape(plain[path]) if path.endswith(".md") else page == plain[path]
            assert same, (path, text)


def is_taken(text: str) -> bool:
    """Tell whether a description may be this text."""
    document = parse(json.dumps({**CLIENT, "description": text}, ensure_ascii=False).encode(), "x.yaml")
    return not isinstance(document, tuple) and isinstance(validate(document, ClientManifest), Sourced)


def shape(page: str) -> list[str]:
    """Return what Markdown makes of a page, without what is in its code spans."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page)
    return [inner.type for token in tokens for inner in (token, *(token.children or ())) if inner.type != "softbreak"]


def test_every_shell_takes_the_script_and_a_linter_finds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "smoke-test.sh"
    bound = {**CLIENT, "vault": {"token_bound_cidrs": ["10.0.0.0/8", "192.0.2.0/24"]}}
    ecs = {**CLIENT, "aws": {"trusted_services": ["ecs-tasks.amazonaws.com"]}}
    for client in (CLIENT, bound, ecs):
        script.write_text(kit("gateway", client)["workload/smoke-test.sh"], "utf-8")
        for checker in (["sh", "-n"], ["dash", "-n"], ["busybox", "sh", "-n"], ["shellcheck"]):
            if shutil.which(checker[0]):
                done = subprocess.run([*checker, script], capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stdout + done.stderr


def test_the_login_by_hand_names_all_that_a_login_needs() -> None:
    (line,) = [line for line in kit("gateway", CLIENT)["README.md"].splitlines() if line.startswith("vault login")]
    # The words of `vault login`: builtin/credential/aws/cli.go
    assert shlex.split(line) == [
        *("vault", "login", "-no-print", "-method=aws", "-path=aws"),
        *("role=gateway-app", "header_value=vault.example.com", "region=us-east-1"),
    ]


def test_the_unit_keeps_what_it_writes_to_itself() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign] # as configparser's documentation has it
    unit.read_string(kit("gateway", CLIENT)["workload/vault-agent-gateway.service"])
    service = unit["Service"]
    assert service["ExecStart"] == "/usr/bin/env vault agent -config=/etc/vault-agent-gateway"
    assert service["WorkingDirectory"] == f"/run/{service['RuntimeDirectory']}" == "/run/vault-agent-gateway"
    assert (service["UMask"], service["RuntimeDirectoryMode"]) == ("0077", "0700")


class TestWhatAKitIsAbout:
    def test_one_clients_has_nothing_of_another(self) -> None:
        other = {**CLIENT, "name": "other", "role_name": "other-app", "owner": "neighbour@example.com"}
        found = kit("gateway", CLIENT, other, account=STS)
        assert not [path for path, text in found.items() if "other-app" in path + text or "neighbour" in text]
        assert {path for path in found if path.startswith("terraform/")} == {
            "terraform/backend.tf",
            "terraform/client-gateway.tf",
            "terraform/root.tf",
        }

    def test_the_role_that_vault_assumes_is_there_for_who_needs_it(self) -> None:
        looked_up = {**CLIENT, "vault": {"ec2": {"region": "eu-central-1", "vpc_ids": ["vpc-0123456789abcdef0"]}}}
        found = kit("gateway", looked_up, account=STS)
        assert "terraform/sts.tf" in found
        assert "`vpc-0123456789abcdef0`" in found["README.md"]
        assert "--region eu-central-1" in found["launch.md"]

    def test_a_role_that_exists_is_not_made(self) -> None:
        found = kit("gateway", {**CLIENT, "aws": {"role": "existing"}})
        assert not [path for path in found if path.startswith(("terraform/", "cloudformation"))]
        assert "Nothing to do: the IAM role is there already." in found["README.md"]
        assert "list-instance-profiles-for-role --role-name='gateway-app'" in found["launch.md"]

    def test_what_terraform_takes_over_has_no_second_way(self) -> None:
        scope = of_client(fleet_of(CLIENT), "gateway")
        folder = f"terraform/accounts/{ACCOUNT_ID}/aws"
        imports = {f"{folder}/import-client-{name}.tf": "import {}\n" for name in ("gateway", "other")}
        texts = {**texts_of(scope.fleet), **imports}
        found = contents(scope, declared_by(scope.fleet), texts, [data("templates")])
        assert "terraform/import-client-gateway.tf" in found
        assert "terraform/import-client-other.tf" not in found
        assert "cloudformation.yaml" not in found
        assert "Terraform takes them over" in found["README.md"].data.decode()

    def test_a_managed_account_has_no_aws_side(self) -> None:
        role = f"arn:aws:iam::{ACCOUNT_ID}:role/provisioner"
        account = {"name": "a", "owner": "x", "provisioning": "managed", "provisioner_role": role}
        found = kit("gateway", CLIENT, account=account)
        assert not [path for path in found if path.startswith(("terraform/", "cloudformation"))]
        assert "makes the IAM roles of this account" in found["README.md"]
        assert "provisioner" not in "".join(found.values())

    def test_what_is_no_machine_of_its_own_has_neither_unit_nor_launch(self) -> None:
        found = kit("gateway", {**CLIENT, "aws": {"trusted_services": ["ecs-tasks.amazonaws.com"]}})
        assert "launch.md" not in found
        assert "workload/vault-agent-gateway.service" not in found
        assert "169.254.169.254/latest/api" not in found["workload/smoke-test.sh"].replace("$imds", "")
        assert "unset AWS_ACCESS_KEY_ID" not in found["workload/smoke-test.sh"]
        assert "of an ECS task: its task role" in found["README.md"]

    def test_an_account_has_a_page_for_each_client_that_can_log_in(self) -> None:
        off = {**CLIENT, "name": "off", "role_name": "off-app", "suspend": {"reason": "key leaked"}}
        found = kit(ACCOUNT_ID, CLIENT, off, {**CLIENT, "name": "other", "role_name": "other-app"})
        assert {path for path in found if path.endswith("README.md")} == {
            "README.md",
            "clients/gateway/README.md",
            "clients/other/README.md",
        }
        # What Terraform has made for a suspended client stays: a root without it would destroy that.
        assert "terraform/client-off.tf" in found
        assert "off-app" in found["cloudformation.yaml"]


class TestTheRegionOfALogin:
    @pytest.mark.parametrize(
        ("partition", "from_client", "region"),
        [
            ("aws", True, "eu-west-1"),
            ("aws", False, "us-east-1"),
            ("aws-cn", True, "eu-west-1"),
            ("aws-cn", False, "cn-north-1"),
        ],
    )
    def test_is_one_whose_signature_vault_can_check(self, partition: str, region: str, *, from_client: bool) -> None:
        fleet = {
            **SETTINGS,
            "vault": {"sts_region_from_client": from_client},
            "aws": {"partition": partition, "region": "cn-north-1"},
        }
        found = kit("gateway", CLIENT, settings=fleet, account={"name": "a", "owner": "x", "region": "eu-west-1"})
        (method,) = login_in(found["workload/agent/login.hcl"])["auto_auth"][0]["method"]
        assert method["config"]["region"] == region
        assert f"region={region}\n" in found["README.md"]


class TestTemplatesOfAFleetsOwn:
    def test_say_whom_to_ask(self, tmp_path: Path) -> None:
        (tmp_path / "kit").mkdir()
        (tmp_path / "kit/contact.j2").write_text("the platform's team, don't \"$(hesitate)\"")
        found = kit_of(of_client(fleet_of(CLIENT), "gateway"), [tmp_path])
        script = found["workload/smoke-test.sh"].data.decode()
        done = subprocess.run(
            ["sh", "-c", script.partition("\nok() {")[0] + '\nprintf %s "$platform"'],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "the platform's team, don't \"$(hesitate)\""

    @pytest.mark.parametrize(
        ("template", "says"),
        [
            ("{{ client.owner }}", "which no filter has passed"),
            ("{{ client.description | plain }}", "not plain text"),
            ("{{ client.path.__class__ | code }}", "what no template may"),
        ],
    )
    def test_can_print_nothing_else_than_what_is_safe(self, tmp_path: Path, template: str, says: str) -> None:
        (tmp_path / "kit").mkdir()
        (tmp_path / "kit/README.md.j2").write_text(template)
        scope = of_client(fleet_of({**CLIENT, "description": "$(id)"}), "gateway")
        with pytest.raises(UsageError, match=says):
            kit_of(scope, [tmp_path])


def test_the_files_do_not_depend_on_the_clock_or_the_order_of_manifests() -> None:
    other = {**CLIENT, "name": "other", "role_name": "other-app"}
    assert list(kit(ACCOUNT_ID, CLIENT, other).items()) == list(kit(ACCOUNT_ID, other, CLIENT).items())


def test_a_boundary_that_must_be_there_before_is_named_once() -> None:
    boundary = {"aws": {"permissions_boundary": "arn:aws:iam::{account_id}:policy/boundary"}}
    arn = f"`arn:aws:iam::{ACCOUNT_ID}:policy/boundary`"
    second = {**CLIENT, "name": "second", "role_name": "second-app"}
    bounded: dict[str, Any] = {"settings": {**SETTINGS, **boundary}, "account": STS}
    for name in ("gateway", ACCOUNT_ID):
        assert kit(name, CLIENT, second, **bounded)["README.md"].count(arn) == 1
    existing = {**CLIENT, "aws": {"role": "existing"}}
    assert arn not in kit("gateway", existing, **bounded)["README.md"]
    assert "boundary" not in kit("gateway", CLIENT)["README.md"]


def test_the_page_offers_as_many_ways_as_there_are() -> None:
    assert "Then **one** of the two. With Terraform:" in kit("gateway", CLIENT)["README.md"]
