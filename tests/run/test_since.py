"""Which roots differ since a branch was left, on real repositories of real fleets, against what git itself says."""

from __future__ import annotations

import os
import random
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from generator import pipeline
from generator.render import tree
from generator.resources import data
from generator.run.affected import ChangeKind
from generator.run.since import Since, since

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = [f"{number:012d}" for number in range(1, 6)]
SETTINGS: dict[str, Any] = {
    "version": 1,
    "platform": {"auth_mount": True, "kv_mount": True},
    "vault": {"role": "{name}"},
    "terraform": {"backend": {"type": "local", "path": "state/{root}.tfstate"}},
}


@dataclass
class FleetRepository:
    """A fleet in a repository of its own: main, and a branch that left it."""

    folder: Path
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=lambda: dict(SETTINGS))

    def git(self, *arguments: str) -> str:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def write(self) -> pipeline.Rendered:
        """Write what the fleet says, and what it is rendered to."""
        for old in (self.folder / "clients").rglob("*.yaml"):
            old.unlink()
        (self.folder / "clients/accounts").mkdir(parents=True, exist_ok=True)
        texts = {"crosskeys.yaml": self.settings}
        texts |= {f"clients/{name}.yaml": {"name": name, **said} for name, said in self.clients.items()}
        texts |= {f"clients/accounts/{account}.yaml": said for account, said in self.accounts.items()}
        for path, said in texts.items():
            (self.folder / path).write_text(yaml.safe_dump(said), "utf-8")
        return self.render()

    def render(self) -> pipeline.Rendered:
        validated = pipeline.validate(self.folder)
        assert not validated.has_errors, validated.findings
        rendered = pipeline.render(self.folder, validated.fleet, None)
        tree.write(self.folder, rendered.comparison)
        return rendered

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")

    def branch(self) -> None:
        """Commit everything on main, and leave it."""
        self.git("init", "--quiet")
        (self.folder / ".gitignore").write_text(".crosskeys/\n")
        self.commit()
        self.git("switch", "--quiet", "--create", "topic")

    def since_main(self, rendered: pipeline.Rendered) -> Since:
        return since(self.folder, "main", rendered.roots, rendered.comparison.wanted)

    def differing_by_git(self) -> set[str]:
        """Return the roots in which git sees a file that differs from the merge base, whatever is committed."""
        self.git("add", "--all")
        base = self.git("merge-base", "main", "HEAD").strip()
        names = self.git("diff", "--cached", "--no-renames", "--name-only", base, "--", "terraform").splitlines()
        return {re.sub(r"^terraform/|/[^/]*$", "", name) for name in names}


@pytest.fixture
def fleet(tmp_path: Path) -> FleetRepository:
    made = FleetRepository(tmp_path)
    for number, account in enumerate(ACCOUNTS[:4]):
        made.clients[f"c{number}"] = {"account_id": account, "role_name": f"r{number}", "owner": "a@example.com"}
    made.clients["c9"] = {"account_id": ACCOUNTS[0], "role_name": "r9", "owner": "a@example.com"}
    made.accounts[ACCOUNTS[1]] = {"name": "two", "owner": "a@example.com"}
    made.write()
    made.branch()
    return made


def edit(fleet: FleetRepository, chance: random.Random) -> str:  # noqa: C901 - a way a case
    """Change the fleet in one way, and say in which."""
    name = chance.choice(sorted(fleet.clients))
    said = fleet.clients[name]
    what = chance.choice(["add", "change", "delete", "move", "rename", "settings", "account", "no account", "nothing"])
    match what:
        case "add":
            new = f"n{chance.randrange(10**6)}"
            fleet.clients[new] = {"account_id": chance.choice(ACCOUNTS), "role_name": new, "owner": "b@example.com"}
        case "change":
            fleet.clients[name] = {**said, "owner": f"o{chance.randrange(10**6)}@example.com"}
        case "delete" if len(fleet.clients) > 1:
            del fleet.clients[name]
        case "move":
            fleet.clients[name] = {**said, "account_id": chance.choice(ACCOUNTS)}
        case "rename":
            fleet.clients[f"m{chance.randrange(10**6)}"] = fleet.clients.pop(name)
        case "settings":
            key = chance.choice(["defaults", "aws", "kv"])
            if key == "defaults":
                fleet.settings["defaults"] = {"token_ttl": f"{chance.randrange(1, 50)}m", "token_max_ttl": "1h"}
            elif key == "aws":
                fleet.settings["aws"] = {"tags": {"t": str(chance.randrange(100))}}
            else:
                fleet.settings["vault"] = {**fleet.settings["vault"], "kv_mount": f"kv{chance.randrange(100)}"}
        case "account":
            account = chance.choice(ACCOUNTS)
            fleet.accounts[account] = {"name": f"a{chance.randrange(100)}-{account}", "owner": "b@example.com"}
        case "no account":
            fleet.accounts.pop(chance.choice(ACCOUNTS), None)
    return what


@pytest.mark.parametrize("seed", range(12))
def test_exactly_the_roots_whose_files_differ_are_named_whatever_was_edited(fleet: FleetRepository, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - edits that can be had again
    edits = []
    for _ in range(chance.randrange(1, 5)):
        edits.append(edit(fleet, chance))
        if chance.random() < 0.5:
            fleet.write()
            fleet.commit()
    rendered = fleet.write()
    found = fleet.since_main(rendered)
    assert {root.name for root in found.roots} == fleet.differing_by_git(), edits
    there = {path.split("/", 1)[1].rpartition("/")[0] for path in rendered.comparison.wanted}
    assert {root.name for root in found.roots if root.change is not ChangeKind.REMOVED} <= there
    for root in found.roots:
        assert root.files
        for file in root.files:
            assert file.sources, "nothing but manifests and settings was edited"


def test_what_main_has_done_since_is_not_this_branchs(fleet: FleetRepository) -> None:
    fleet.clients["c0"]["owner"] = "topic@example.com"
    fleet.write()
    fleet.commit()
    fleet.git("switch", "--quiet", "main")
    fleet.clients["c0"]["owner"] = "a@example.com"
    fleet.clients["c3"]["owner"] = "main@example.com"
    fleet.write()
    fleet.commit()
    fleet.git("switch", "--quiet", "topic")
    found = fleet.since_main(fleet.render())
    assert {root.account_id for root in found.roots} == {ACCOUNTS[0]}


def test_a_deleted_client_and_its_account_are_told_with_the_manifest_that_went(fleet: FleetRepository) -> None:
    del fleet.clients["c3"]
    found = fleet.since_main(fleet.write())
    assert {root.name for root in found.roots} == {f"accounts/{ACCOUNTS[3]}/{side}" for side in ("aws", "vault")}
    for root in found.roots:
        (file,) = (file for file in root.files if file.client)
        assert (file.client, file.change, file.sources) == ("c3", ChangeKind.REMOVED, ("clients/c3.yaml",))
        assert root.clients == ("c3",)


def test_a_setting_is_the_reason_for_the_roots_that_it_changes_and_for_no_other(fleet: FleetRepository) -> None:
    fleet.settings["aws"] = {"tags": {"cost-center": "4711"}}
    found = fleet.since_main(fleet.write())
    assert {root.kind.value for root in found.roots} == {"aws"}
    assert {root.account_id for root in found.roots} == set(ACCOUNTS[:4])
    assert {file.sources for root in found.roots for file in root.files} == {("crosskeys.yaml",)}


def test_the_platform_takes_part_when_it_changed(fleet: FleetRepository) -> None:
    fleet.settings["platform"] = {"auth_mount": True, "kv_mount": False}
    assert [root.name for root in fleet.since_main(fleet.write()).roots] == ["platform"]


def test_a_template_is_the_reason_where_it_is_used(fleet: FleetRepository) -> None:
    (fleet.folder / "templates/vault").mkdir(parents=True)
    own = fleet.folder / "templates/vault/client.tf.j2"
    shipped = data("templates") / "vault/client.tf.j2"
    own.write_text(shipped.read_text("utf-8") + "# ours\n", "utf-8")
    found = fleet.since_main(fleet.render())
    assert {root.kind.value for root in found.roots} == {"vault"}
    assert {file.sources for root in found.roots for file in root.files} == {("templates/vault/client.tf.j2",)}


def test_what_no_manifest_says_is_put_down_to_another_version_or_a_hand(fleet: FleetRepository) -> None:
    path = fleet.folder / f"terraform/accounts/{ACCOUNTS[2]}/vault/client-c2.tf"
    edited = path.read_text("utf-8") + "\n# by hand\n"
    path.write_text(edited, "utf-8")
    fleet.git("switch", "--quiet", "main")
    fleet.commit()
    fleet.git("branch", "--force", "topic")
    fleet.git("switch", "--quiet", "topic")
    (root,) = fleet.since_main(fleet.render()).roots
    assert [(file.client, file.sources) for file in root.files] == [("c2", ())]


def test_another_provider_lock_file_counts_and_one_that_a_run_has_left_does_not(fleet: FleetRepository) -> None:
    locks = [fleet.folder / f"terraform/accounts/{account}/vault/.terraform.lock.hcl" for account in ACCOUNTS[:3]]
    fleet.git("switch", "--quiet", "main")
    for lock in locks[:2]:
        lock.write_text("# v1\n")
    fleet.commit()
    fleet.git("branch", "--force", "topic")
    fleet.git("switch", "--quiet", "topic")
    locks[1].write_text("# v2\n")
    locks[2].write_text("# v1\n")
    (root,) = fleet.since_main(fleet.render()).roots
    assert (root.account_id, root.change) == (ACCOUNTS[1], ChangeKind.CHANGED)


def test_without_changes_there_are_no_roots(fleet: FleetRepository) -> None:
    assert fleet.since_main(fleet.render()).roots == ()
