"""The verbs roots, matrix and export, and the options --since and --shard, on a repository of the example fleet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import yaml

from generator.errors import ExitCode

if TYPE_CHECKING:
    from tests.cli.conftest import Run

BIN = Path(sys.executable).parent
SCAFFOLD = Path(__file__).parents[2] / "scaffold/gitlab"
ROOTS = {
    "platform",
    *(f"accounts/{digit * 12}/{side}" for digit in "1234" for side in ("aws", "vault")),
}


def git(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, *arguments], cwd=folder, env=environment, capture_output=True, check=True)


@pytest.fixture
def cloned(fleet: Path) -> Path:
    """The example fleet, committed on main, with a branch checked out."""
    (fleet / ".gitignore").write_text(".crosskeys/\n")
    git(fleet, "init", "--quiet")
    git(fleet, "add", "--all")
    git(fleet, "commit", "--quiet", "--message", "x")
    git(fleet, "checkout", "--quiet", "-b", "topic")
    return fleet


@pytest.fixture
def changed(cloned: Path, run: Run) -> Path:
    """The same with a client changed, and another one deleted."""
    manifest = cloned / "clients/payments.yaml"
    manifest.write_text(manifest.read_text("utf-8") + "description: Card payments\n", "utf-8")
    (cloned / "clients/search.yaml").unlink()
    assert run("render").code == ExitCode.CLEAN
    return cloned


def lint(*argv: str | Path) -> None:
    done = subprocess.run([BIN / "check-jsonschema", *argv], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class TestRoots:
    def test_all_are_listed_with_who_applies_them(self, run: Run) -> None:
        said = json.loads(run("roots", "--format", "json").out)
        assert said["since"] is None
        assert {root["name"] for root in said["roots"]} == ROOTS
        handed = [root for root in said["roots"] if root["provisioning"] == "handover"]
        assert [(root["name"], root["clients"]) for root in handed] == [
            ("accounts/444444444444/aws", ["partner-gateway"])
        ]
        assert all(root["directory"] == f"terraform/{root['name']}" for root in said["roots"])

    @pytest.mark.usefixtures("changed")
    def test_those_that_differ_are_named_with_the_client_and_the_manifest(self, run: Run) -> None:
        said = json.loads(run("roots", "--since", "main", "--format", "json").out)
        files = {
            (root["name"], file["client"], file["change"], *file["sources"])
            for root in said["roots"]
            for file in root["change"]["files"]
        }
        assert files == {
            ("accounts/111111111111/aws", "payments", "changed", "clients/payments.yaml"),
            ("accounts/111111111111/vault", "payments", "changed", "clients/payments.yaml"),
            ("accounts/333333333333/aws", "search", "removed", "clients/search.yaml"),
            ("accounts/333333333333/vault", "search", "removed", "clients/search.yaml"),
        }
        assert said["since"] == "main"

    @pytest.mark.usefixtures("changed")
    def test_options_that_narrow_add_up(self, run: Run) -> None:
        ended = run("roots", "--since", "main", "--side", "aws", "--account", "333333333333", "--format", "concise")
        assert ended.out == "accounts/333333333333/aws\n"

    def test_a_root_that_is_gone_is_listed_and_not_planned(self, run: Run, cloned: Path) -> None:
        git(cloned, "checkout", "--quiet", "main")
        gone = cloned / "terraform/accounts/999999999999/vault"
        gone.mkdir(parents=True)
        (gone / "root.tf").write_text("# rendered once\n")
        git(cloned, "add", "--all")
        git(cloned, "commit", "--quiet", "--message", "x")
        git(cloned, "checkout", "--quiet", "-B", "topic")
        (gone / "root.tf").unlink()
        (root,) = json.loads(run("roots", "--since", "main", "--format", "json").out)["roots"]
        assert (root["name"], root["change"]["change"]) == ("accounts/999999999999/vault", "removed")
        assert root["provisioning"] is None
        assert "not rendered any more" in run("roots", "--since", "main").out
        assert run("roots", "--since", "main", "--format", "concise").out == ""
        ended = run("matrix", "--since", "main", "--max-jobs", "4", "--format", "github")
        assert "accounts/999999999999/vault is not rendered any more, so it cannot be planned" in ended.err
        assert json.loads(ended.out) == {"include": []}

    def test_reasons_without_a_comparison_are_refused(self, run: Run) -> None:
        ended = run("roots", "--why")
        assert (ended.code, "--since REF" in ended.err) == (ExitCode.USAGE, True)

    @pytest.mark.usefixtures("cloned")
    def test_an_unknown_revision_is_refused(self, run: Run) -> None:
        ended = run("roots", "--since", "nosuch")
        assert (ended.code, "git knows no commit `nosuch`" in ended.err) == (ExitCode.USAGE, True)

    def test_a_tree_that_is_stale_is_not_compared(self, run: Run, cloned: Path) -> None:
        (cloned / "clients/search.yaml").unlink()
        assert run("roots", "--since", "main").code == ExitCode.FINDINGS


class TestMatrix:
    def matrix(self, run: Run, *arguments: str) -> Any:
        ended = run("matrix", *arguments)
        assert ended.code == ExitCode.CLEAN, ended.err
        return ended.out

    def test_every_root_is_in_one_shard(self, run: Run) -> None:
        said = json.loads(self.matrix(run, "--max-jobs", "3"))
        assert [shard["shard"] for shard in said["shards"]] == ["1/3", "2/3", "3/3"]
        assert sorted(name for shard in said["shards"] for name in shard["roots"]) == sorted(ROOTS)
        assert len({shard["split"] for shard in said["shards"]}) == 1

    def test_what_is_handed_over_is_in_no_live_shard(self, run: Run) -> None:
        said = json.loads(self.matrix(run, "--max-jobs", "3", "--target", "live"))
        assert {name for shard in said["shards"] for name in shard["roots"]} == ROOTS - {"accounts/444444444444/aws"}

    def test_githubs_is_a_line_that_a_workflow_takes(self, run: Run, changed: Path) -> None:
        said = self.matrix(run, "--since", "main", "--max-jobs", "8", "--format", "github")
        assert said.count("\n") == 1
        include = json.loads(said)["include"]
        assert [(each["shard"], each["roots"]) for each in include] == [("1/2", 2), ("2/2", 2)]
        job = {
            "runs-on": "ubuntu-24.04",
            "timeout-minutes": 5,
            "strategy": {"matrix": {"include": include}},
            "steps": [{"run": "true"}],
        }
        workflow = changed / "workflow.yml"
        workflow.write_text(yaml.safe_dump({"on": "push", "jobs": {"shard": job}}))
        lint("--builtin-schema", "vendor.github-workflows", workflow)

    @pytest.mark.parametrize("max_jobs", ["1", "8"])
    def test_gitlabs_is_a_pipeline(self, run: Run, changed: Path, max_jobs: str) -> None:
        said = self.matrix(run, "--since", "main", "--max-jobs", max_jobs, "--format", "gitlab")
        pipeline = yaml.safe_load(said)
        (matrix,) = pipeline["shard"]["parallel"]["matrix"]
        assert [shard.partition("@")[0] for shard in matrix["CROSSKEYS_SHARD"]] == (
            ["1/1"] if max_jobs == "1" else ["1/2", "2/2"]
        )
        assert pipeline["shard"]["variables"] == {"CROSSKEYS_SINCE": "main"}
        assert pipeline["shard"]["extends"] == ".shard"
        (changed / "child.yml").write_text(said)
        lint("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", changed / "child.yml")

    @pytest.mark.parametrize("side", ["vault", "aws"])
    def test_gitlabs_jobs_are_those_that_the_scaffold_has_for_a_side(self, run: Run, side: str) -> None:
        pipeline = yaml.safe_load(self.matrix(run, "--side", side, "--max-jobs", "2", "--format", "gitlab"))
        (included,) = pipeline["include"]
        assert pipeline["shard"]["extends"] in yaml.safe_load((SCAFFOLD / included["local"]).read_text("utf-8"))

    def test_gitlabs_has_a_job_where_there_is_nothing_to_do(self, run: Run, cloned: Path) -> None:
        said = self.matrix(run, "--since", "main", "--max-jobs", "8", "--format", "gitlab")
        assert list(yaml.safe_load(said)) == ["nothing-to-do"]
        (cloned / "child.yml").write_text(said)
        lint("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", cloned / "child.yml")

    def test_what_was_measured_decides_the_split(self, run: Run, fleet: Path) -> None:
        slow = "accounts/444444444444/vault"
        rows = [{"root": name, "seconds": 500.0 if name == slow else 1.0} for name in sorted(ROOTS)]
        (fleet / "run.json").write_text(json.dumps({"roots": rows}))
        said = json.loads(self.matrix(run, "--max-jobs", "2", "--costs", "run.json"))
        assert said["shards"][0]["roots"] == ["accounts/444444444444/aws", slow]
        assert [shard["seconds"] for shard in said["shards"]] == [501.0, 7.0]

    @pytest.mark.parametrize(("fmt", "most"), [("github", 256), ("gitlab", 200)])
    def test_more_jobs_than_the_ci_can_have_are_refused(self, run: Run, fmt: str, most: int) -> None:
        assert run("matrix", "--max-jobs", str(most + 1), "--format", fmt).code == ExitCode.USAGE
        assert run("matrix", "--max-jobs", str(most), "--format", fmt).code == ExitCode.CLEAN


class TestShards:
    def test_of_another_split_are_refused_before_anything_is_started(self, run: Run) -> None:
        said = json.loads(run("matrix", "--max-jobs", "2").out)
        split = said["shards"][0]["split"]
        ended = run("plan", "--shard", f"1/3@{split}")
        assert (ended.code, "of the split" in ended.err) == (ExitCode.REFUSED, True)

    def test_are_refused_beside_plans_that_were_kept(self, run: Run) -> None:
        assert run("apply", "plans", "--shard", "1/2").code == ExitCode.USAGE


class TestAtlantis:
    KEYS: ClassVar = {
        "": {
            "version", "automerge", "autodiscover", "delete_source_branch_on_merge", "parallel_plan", "parallel_apply",
            "abort_on_execution_order_fail", "projects", "workflows", "allowed_regexp_prefixes", "repo_locks",
        },
        "project": {
            "name", "branch", "dir", "workspace", "execution_order_group", "depends_on", "repo_locks",
            "custom_policy_check", "autoplan", "terraform_version", "plan_requirements", "apply_requirements",
            "import_requirements", "silence_pr_comments", "workflow", "terraform_distribution",
        },
        "autoplan": {"when_modified", "enabled"},
        "autodiscover": {"mode", "ignore_paths"},
    }  # fmt: skip
    """What the documentation of Atlantis says can be there; it refuses every other key."""

    def exported(self, run: Run, fleet: Path, *options: str) -> Any:
        assert run("export", "atlantis", *options).code == ExitCode.CLEAN
        return yaml.safe_load((fleet / "atlantis.yaml").read_text("utf-8"))

    def test_has_a_project_a_root_that_is_not_handed_over(self, run: Run, fleet: Path) -> None:
        config = self.exported(run, fleet)
        assert "&" not in (fleet / "atlantis.yaml").read_text("utf-8"), "written out, for people read it"
        names = [project["name"] for project in config["projects"]]
        assert names == sorted(ROOTS - {"accounts/444444444444/aws"})
        assert all((fleet / project["dir"] / "root.tf").is_file() for project in config["projects"])

    def test_orders_the_platform_before_aws_before_vault(self, run: Run, fleet: Path) -> None:
        projects = {project["name"]: project for project in self.exported(run, fleet)["projects"]}
        assert {name.rpartition("/")[2]: each["execution_order_group"] for name, each in projects.items()} == {
            "platform": 0, "aws": 1, "vault": 2,
        }  # fmt: skip
        assert projects["accounts/111111111111/vault"]["depends_on"] == ["accounts/111111111111/aws", "platform"]
        assert projects["accounts/444444444444/vault"]["depends_on"] == ["platform"]
        assert "depends_on" not in projects["platform"]

    def test_has_no_key_that_atlantis_does_not_know(self, run: Run, fleet: Path) -> None:
        config = self.exported(run, fleet, "--terraform-version", "1.11.4")
        assert config["version"] == 3
        assert config.keys() <= self.KEYS[""]
        assert config["autodiscover"].keys() <= self.KEYS["autodiscover"]
        for project in config["projects"]:
            assert project.keys() <= self.KEYS["project"]
            assert project["autoplan"].keys() <= self.KEYS["autoplan"]
            assert project["terraform_version"] == "1.11.4"
            assert ".." not in project["dir"]

    def test_takes_an_exact_version_from_the_fleet(self, run: Run, fleet: Path) -> None:
        assert all("terraform_version" not in each for each in self.exported(run, fleet)["projects"])
        with (fleet / "crosskeys.yaml").open("a") as settings:
            settings.write('terraform: {required_version: "= 1.11.4"}\n')
        assert run("render").code == ExitCode.CLEAN
        assert {each["terraform_version"] for each in self.exported(run, fleet)["projects"]} == {"1.11.4"}

    def test_check_tells_what_is_stale_and_writes_nothing(self, run: Run, fleet: Path) -> None:
        assert run("export", "atlantis", "--check").code == ExitCode.FINDINGS
        assert not (fleet / "atlantis.yaml").exists()
        self.exported(run, fleet)
        assert run("export", "atlantis", "--check").code == ExitCode.CLEAN

    def test_a_file_of_somebody_else_stays(self, run: Run, fleet: Path) -> None:
        (fleet / "atlantis.yaml").write_text("version: 3\n")
        assert run("export", "atlantis").code == ExitCode.REFUSED
        assert (fleet / "atlantis.yaml").read_text() == "version: 3\n"

    def test_stands_at_the_top_of_the_repository_wherever_the_fleet_is(self, run: Run, fleet: Path) -> None:
        git(fleet.parent, "init", "--quiet")
        assert run("export", "atlantis").code == ExitCode.CLEAN
        config = yaml.safe_load((fleet.parent / "atlantis.yaml").read_text("utf-8"))
        assert {project["dir"].partition("/")[0] for project in config["projects"]} == {fleet.name}
        assert not (fleet / "atlantis.yaml").exists()
