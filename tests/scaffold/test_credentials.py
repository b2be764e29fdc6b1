"""No job that meets a pull request's code can have a credential, and no job has another side's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.scaffold.files import GITLAB, GITLAB_PARTS, WORKFLOWS, load, triggers

if TYPE_CHECKING:
    from pathlib import Path

# Only these run what has been merged, or what somebody with write access has pushed or started.
TRUSTED = {"push", "merge_group", "schedule", "workflow_dispatch"}
BY_NAME = {path.stem: load(path) for path in WORKFLOWS}
PIPELINE = {name: job for path in (*GITLAB_PARTS, GITLAB) for name, job in load(path).items()}


def text_of(path: Path) -> str:
    """Return a file without its comments."""
    return "\n".join(line.split(" #")[0] for line in path.read_text("utf-8").splitlines() if line.lstrip()[:1] != "#")


def writes(job: Any) -> set[str]:
    return {scope for scope, level in job.get("permissions", {}).items() if level == "write"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_has_a_permission_that_it_does_not_name(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    assert all(isinstance(job["permissions"], dict) for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_only_trusted_events_meet_an_environment_a_secret_or_oidc(path: Path) -> None:
    workflow = load(path)
    assert "pull_request_target" not in triggers(workflow)
    assert not re.search(r"\bsecrets\b", text_of(path)), "everything comes from OIDC"
    if triggers(workflow) <= TRUSTED:
        return
    for job in workflow["jobs"].values():
        assert "environment" not in job
        assert "id-token" not in job["permissions"]
        assert not re.search(r"\bvars\.", text_of(path))


def test_the_check_of_a_pull_request_can_only_read() -> None:
    assert "pull_request" in triggers(BY_NAME["check"])
    assert [job["permissions"] for job in BY_NAME["check"]["jobs"].values()] == [{"contents": "read"}]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_checkout_leaves_its_token_behind(path: Path) -> None:
    steps = [step for job in load(path)["jobs"].values() for step in job["steps"]]
    for step in steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_what_writes_comments_runs_and_checks_out_nothing_of_the_pull_request() -> None:
    assert triggers(BY_NAME["comment"]) == {"workflow_run"}
    (job,) = BY_NAME["comment"]["jobs"].values()
    assert writes(job) == {"pull-requests"}
    assert not any("uses" in step for step in job["steps"])
    for step in job["steps"]:
        assert "${{" not in step["run"], "what others have named reaches the shell as variables only"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_expression_is_pasted_into_a_script(path: Path) -> None:
    for job in load(path)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_the_bot_never_runs_for_forks_and_never_on_the_default_branch() -> None:
    bot = BY_NAME["render-bot"]
    assert triggers(bot) == {"push"}
    assert "main" in bot[True]["push"]["branches-ignore"]
    (job,) = bot["jobs"].values()
    assert writes(job) == {"contents", "actions"}
    with_token = [step["name"] for step in job["steps"] if "github.token" in str(step.get("env"))]
    assert with_token == ["Commit what was rendered"]


def test_live_jobs_have_one_environment_a_side_and_log_in_to_vault_on_its_side_only() -> None:
    jobs = BY_NAME["plan"]["jobs"]
    assert {job["environment"] for job in jobs.values()} == {
        "crosskeys-plan-${{ matrix.side }}",
        "crosskeys-apply-${{ matrix.side }}",
    }
    for job in jobs.values():
        logins = [step for step in job["steps"] if "vault-action" in step.get("uses", "")]
        assert [step["if"] for step in logins] == ["${{ matrix.side == 'vault' }}"]
    assert jobs["plan"]["if"] == "${{ github.ref == 'refs/heads/main' && !vars.CROSSKEYS_SHARDS }}"
    assert jobs["apply"]["needs"] == "plan"


def test_shards_have_the_credentials_of_their_side_alone_and_what_splits_has_none() -> None:
    jobs = dict(BY_NAME["scale-out"]["jobs"])
    split = jobs.pop("split")
    assert split["permissions"] == {"contents": "read", "actions": "read"}
    assert "environment" not in split
    assert split["if"] == "${{ github.ref == 'refs/heads/main' && vars.CROSSKEYS_SHARDS }}"
    for name, job in jobs.items():
        step, _, side = name.partition("-")
        assert job["environment"] == f"crosskeys-{step}-{'aws' if side == 'aws' else 'vault'}"
        assert any("vault-action" in each.get("uses", "") for each in job["steps"]) is (side != "aws")
        assert job["steps"][-1]["run"] == f"crosskeys {step} {'--yes ' if step == 'apply' else ''}--side {side}"


def test_every_root_of_a_split_is_planned_before_any_is_applied_and_sides_are_in_order() -> None:
    jobs = BY_NAME["scale-out"]["jobs"]
    assert jobs["apply-platform"]["needs"] == ["split", "plan-aws", "plan-vault"]
    assert jobs["apply-aws"]["needs"] == [*jobs["apply-platform"]["needs"], "apply-platform"]
    assert jobs["apply-vault"]["needs"] == [*jobs["apply-aws"]["needs"], "apply-aws"]
    for name in ("apply-platform", "apply-aws", "apply-vault"):
        assert "!failure()" in jobs[name]["if"]
    for name in ("plan-aws", "plan-vault", "apply-aws", "apply-vault"):
        output = name.partition("-")[2]
        assert jobs[name]["strategy"]["matrix"] == f"${{{{ fromJSON(needs.split.outputs.{output}) }}}}"
        assert jobs[name]["env"]["CROSSKEYS_SHARD"] == "${{ matrix.shard }}@${{ matrix.split }}"
        assert jobs[name]["env"]["CROSSKEYS_SINCE"] == "${{ needs.split.outputs.since }}"


def test_plans_are_never_uploaded() -> None:
    steps = [step for name in ("plan", "scale-out") for job in BY_NAME[name]["jobs"].values() for step in job["steps"]]
    assert not any("artifact" in step.get("uses", "") for step in steps)
    assert not any(
        "artifacts" in job
        for name, job in PIPELINE.items()
        if isinstance(job, dict) and name not in {"check", ".split", ".verify"}
    )


def test_in_gitlab_merge_requests_meet_the_check_alone() -> None:
    jobs = {name: job for name, job in PIPELINE.items() if isinstance(job, dict) and "rules" in job}
    for name, job in jobs.items():
        if name == "workflow":
            continue
        on_merge_request = any("merge_request_event" in rule["if"] for rule in job["rules"])
        assert on_merge_request is (name == "check")
        assert on_merge_request or all("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in r["if"] for r in job["rules"])
        without = on_merge_request or name.startswith("split-") or "trigger" in job
        assert ("environment" in job) is not without
    assert not {"id_tokens", "environment", "extends"} & PIPELINE["check"].keys()


def test_in_gitlab_only_vaults_side_gets_a_token_for_vault_and_applying_waits() -> None:
    assert set(PIPELINE[".vault"]["id_tokens"]) == {"VAULT_ID_TOKEN", "AWS_ID_TOKEN"}
    assert set(PIPELINE[".aws"]["id_tokens"]) == {"AWS_ID_TOKEN"}
    assert "id_tokens" not in PIPELINE[".live"]
    for side in ("vault", "aws"):
        assert PIPELINE[f"apply-{side}"]["extends"] == [f".{side}", ".apply"]
        assert {rule["when"] for rule in PIPELINE[f"apply-{side}"]["rules"]} == {"manual"}


def test_in_gitlab_what_splits_has_no_token_and_shards_have_those_of_their_side() -> None:
    for side in ("vault", "aws"):
        assert PIPELINE[f"split-{side}"].keys() == {"extends", "variables", "rules"}
        assert not {"id_tokens", "environment", "before_script"} & PIPELINE[".split"].keys()
        shard = PIPELINE[f".shard-{side}"]
        assert (shard["extends"], shard["environment"]) == (f".{side}", f"crosskeys-$STEP/{side}")
        for step in ("plan", "apply"):
            start = PIPELINE[f"{step}-shards-{side}"]
            assert start["variables"] == {"STEP": step}
            assert start["trigger"]["include"] == [{"artifact": "shards.yml", "job": f"split-{side}"}]
            assert start["trigger"]["strategy"] == "depend"


def test_in_gitlab_a_fleet_has_either_one_job_a_side_or_shards() -> None:
    for name, job in PIPELINE.items():
        if name in {"check", "workflow", "verify-vault", "verify-aws"} or not isinstance(job, dict):
            continue
        for rule in job.get("rules", ()):
            assert "$CROSSKEYS_VERIFY == null" in rule["if"]
            assert ("$CROSSKEYS_SHARDS == null" in rule["if"]) is bool(re.fullmatch("(plan|apply)-(vault|aws)", name))
            assert "$CROSSKEYS_SHARDS" in rule["if"]


def test_in_gitlab_nothing_of_a_split_is_applied_before_somebody_has_agreed() -> None:
    assert {rule["when"] for rule in PIPELINE["apply-platform"]["rules"]} == {"manual"}
    for side in ("vault", "aws"):
        assert "apply-platform" in PIPELINE[f"apply-shards-{side}"]["needs"]
        assert PIPELINE[f"apply-shards-{side}"]["resource_group"] == "crosskeys-live"
    assert {"job": "apply-shards-aws", "optional": True} in PIPELINE["apply-shards-vault"]["needs"]
    assert PIPELINE["applied"]["needs"] == ["apply-shards-vault"]


def test_what_verifies_reads_with_its_sides_credentials_and_what_tells_has_none() -> None:
    jobs = BY_NAME["verify"]["jobs"]
    assert triggers(BY_NAME["verify"]) == {"schedule", "workflow_dispatch"}
    assert jobs["verify"]["if"] == "${{ github.ref == 'refs/heads/main' }}"
    assert jobs["verify"]["environment"] == "crosskeys-verify-${{ matrix.side }}"
    assert writes(jobs["verify"]) == {"id-token"}
    logins = {step["name"]: step["if"] for step in jobs["verify"]["steps"] if step["name"].startswith("Log in")}
    assert logins == {
        "Log in to AWS": "${{ matrix.side == 'aws' }}",
        "Log in to Vault": "${{ matrix.side == 'vault' }}",
    }
    assert writes(jobs["tell"]) == {"issues"}
    assert "environment" not in jobs["tell"]
    assert not any("uses" in step for step in jobs["tell"]["steps"])


def test_no_step_after_a_login_has_githubs_token() -> None:
    names = [step["name"] for step in BY_NAME["verify"]["jobs"]["verify"]["steps"]]
    with_token = [
        step["name"] for step in BY_NAME["verify"]["jobs"]["verify"]["steps"] if "github.token" in str(step.get("env"))
    ]
    assert with_token == ["Fetch the last look"]
    assert names.index("Fetch the last look") < names.index("Log in to AWS")


def test_in_gitlab_a_schedule_that_verifies_does_nothing_else() -> None:
    for side in ("vault", "aws"):
        job = PIPELINE[f"verify-{side}"]
        assert job["extends"] == [f".{side}", ".verify"]
        assert job["environment"] == {"name": f"crosskeys-verify/{side}", "action": "verify"}
        for rule in job["rules"]:
            assert '$CI_PIPELINE_SOURCE == "schedule" && $CROSSKEYS_VERIFY == "true"' in rule["if"]
