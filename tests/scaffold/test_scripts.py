"""Scripts of CI files, run for real where their platform can be stood in for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scaffold.files import GITLAB, WORKFLOWS, commit, load

WORKFLOW = {path.stem: load(path) for path in WORKFLOWS}
SPLIT = {step.get("id"): step.get("run") for step in WORKFLOW["scale-out"]["jobs"]["split"]["steps"]}
COMMENT = WORKFLOW["comment"]["jobs"]["comment"]["steps"][0]["run"]
VERIFY = {
    step["name"]: step["run"] for job in WORKFLOW["verify"]["jobs"].values() for step in job["steps"] if "run" in step
}
PUSH = next(s["run"] for s in WORKFLOW["render-bot"]["jobs"]["render"]["steps"] if s["name"].startswith("Commit"))
# Answers as gh would for one open pull request, and writes down what it is asked to do.
GH = r"""#!/bin/sh
printf '%s\n' "$*" >> "$CALLS"
case "$*" in
  *repos/o/r/pulls*) printf '%s' "$NUMBER" ;;
  "run download"*) mkdir report && eval "$REPORT" ;;
  *issues/7/comments*--jq*) printf '%s' "$MINE" ;;
esac
"""
SEEN = """#!/bin/sh
printf '%s %s\\n' "$(basename "$0")" "$*" >> "$CALLS"
"""


@pytest.fixture
def stand_ins(tmp_path: Path) -> dict[str, str]:
    """Stand-ins for programs that would need the network, and an environment that has them first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in {"gh": GH, "crosskeys": SEEN, "python": SEEN}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (tmp_path / "calls").touch()
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    return {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), **home}


def shell(text: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("changed", "judged_as_proposed"), [("clients/search.yaml", False), ("requirements.txt", True)]
)
def test_gitlab_judges_data_with_the_target_branchs_settings(
    repository: Path, proposed: Path, stand_ins: dict[str, str], changed: str, judged_as_proposed: bool
) -> None:
    (proposed / changed).write_text("changed\n")
    commit(proposed)
    branch = subprocess.run(
        ["git", "-C", repository, "branch", "--show-current"], capture_output=True, text=True, check=True
    )
    variables = {"CI_PROJECT_DIR": str(proposed), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": branch.stdout.strip()}
    done = shell("\n".join(load(GITLAB)["check"]["script"]), proposed, stand_ins | variables)
    assert done.returncode == 0, done.stderr
    with open(stand_ins["CALLS"]) as calls:  # noqa: PTH123 - a path in text
        install, _, check = calls.read().splitlines()
    fleet = check.split()[2]
    assert check == f"crosskeys -C {fleet} check"
    assert install.endswith(f"--requirement {fleet}/requirements.txt")
    assert (fleet == str(proposed)) is judged_as_proposed
    assert ("platform team" in done.stdout) is judged_as_proposed
    with open(f"{fleet}/{changed}") as file:  # noqa: PTH123 - a path in text
        assert file.read() == "changed\n"


@pytest.mark.parametrize(("source", "begins"), [("push", True), ("schedule", False), ("web", False)])
def test_gitlab_begins_at_the_latest_deployment_that_marks_what_went_through(
    repository: Path, proposed: Path, stand_ins: dict[str, str], source: str, begins: bool
) -> None:
    head = ["git", "-C", str(repository), "rev-parse", "HEAD"]
    last = subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()
    (repository / "clients/more.yaml").write_text("x\n")
    commit(repository)
    for number, revision in (("9", "HEAD"), ("10", last)):
        ref = f"refs/environments/crosskeys-applied/deployments/{number}"
        subprocess.run(["git", "-C", repository, "update-ref", ref, revision], check=True)
    subprocess.run(["git", "-C", proposed, "pull", "--quiet"], check=True)
    seen = Path(stand_ins["PATH"].partition(":")[0]) / "crosskeys"
    seen.write_text('#!/bin/sh\necho "$* since ${CROSSKEYS_SINCE:-the beginning}" >> "$CALLS"\n')
    variables = {"CI_PIPELINE_SOURCE": source, "SIDE": "vault", "CROSSKEYS_SHARDS": "16"}
    done = shell("\n".join(load(GITLAB)[".split"]["script"]), proposed, stand_ins | variables)
    assert done.returncode == 0, done.stderr
    since = last if begins else "the beginning"
    asked = Path(stand_ins["CALLS"]).read_text().splitlines()[-1]
    assert asked == f"matrix --side vault --max-jobs 16 --format gitlab since {since}"


class TestSplit:
    """The two steps of the workflow that scales out, with a stand-in for GitHub alone."""

    def since(self, repository: Path, environment: dict[str, str], answer: str, event: str = "push") -> str:
        gh = Path(environment["PATH"].partition(":")[0]) / "gh"
        gh.write_text(f'#!/bin/sh\necho "$*" >> "$CALLS"\necho {answer}\n')
        output = repository.parent / "output"
        output.write_text("")
        done = shell(SPLIT["since"], repository, environment | {"EVENT": event, "GITHUB_OUTPUT": str(output)})
        assert done.returncode == 0, done.stderr
        return output.read_text()

    def test_begins_where_the_last_run_that_went_through_ended(
        self, repository: Path, stand_ins: dict[str, str]
    ) -> None:
        head = ["git", "-C", str(repository), "rev-parse", "HEAD"]
        last = subprocess.run(head, capture_output=True, text=True, check=True).stdout.strip()
        (repository / "clients/more.yaml").write_text("x\n")
        commit(repository)
        assert self.since(repository, stand_ins, last) == f"since={last}\n"
        assert "--branch main --status success" in Path(stand_ins["CALLS"]).read_text()

    @pytest.mark.parametrize(("answer", "event"), [("", "push"), ("0" * 40, "push"), ("HEAD", "workflow_dispatch")])
    def test_takes_everything_where_that_is_not_known_or_was_asked_for(
        self, repository: Path, stand_ins: dict[str, str], answer: str, event: str
    ) -> None:
        assert self.since(repository, stand_ins, answer, event) == "since=\n"

    @pytest.mark.parametrize(("sides", "number"), [('["vault"]', 0), ('["vault", "aws"]', 1)])
    def test_gives_each_side_its_shards(self, repository: Path, sides: str, number: int) -> None:
        account = repository / "clients/accounts/123456789012.yaml"
        role = "arn:aws:iam::123456789012:role/provisioner"
        account.write_text(f"{account.read_text()}provisioning: managed\nprovisioner_role: {role}\n")
        (repository / "terraform/root.tf").unlink()
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(repository.parent), "CROSSKEYS_TARGET": "live", "CROSSKEYS_SINCE": ""}
        assert shell("crosskeys render", repository, environment).returncode == 0
        output = repository.parent / "output"
        environment |= {"SHARDS": "4", "SIDES": sides, "GITHUB_OUTPUT": str(output)}
        done = shell(SPLIT["split"], repository, environment)
        assert done.returncode == 0, done.stderr
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        assert outputs["platform"] == ""
        assert [len(json.loads(outputs[side])["include"]) for side in ("vault", "aws")] == [1, number]


class TestComment:
    def run(self, tmp_path: Path, environment: dict[str, str], **variables: str) -> tuple[int, list[str]]:
        (tmp_path / "job").mkdir()
        facts = {
            "GH_REPO": "o/r",
            "RUN_ID": "1",
            "RUN_URL": "https://x",
            "HEAD": "o:b",
            "HEAD_SHA": "abc",
            "MARK": "<m>",
        }
        defaults = {"NUMBER": "7", "MINE": "", "REPORT": "echo fine > report/report.md"}
        done = shell(COMMENT, tmp_path / "job", environment | facts | defaults | variables)
        return done.returncode, (tmp_path / "calls").read_text().splitlines()

    def test_is_written_once(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        code, calls = self.run(tmp_path, stand_ins)
        assert code == 0
        assert calls[-1] == "api --silent --method POST repos/o/r/issues/7/comments -F body=@comment.md"
        assert (tmp_path / "job/comment.md").read_text() == "<m>\n[The check](https://x) of abc says:\n\nfine\n"

    def test_is_renewed_afterwards(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        code, calls = self.run(tmp_path, stand_ins, MINE="41\n42")
        assert code == 0
        assert "--method PATCH repos/o/r/issues/comments/41 " in calls[-1]

    def test_is_not_written_for_a_commit_that_is_no_longer_proposed(
        self, tmp_path: Path, stand_ins: dict[str, str]
    ) -> None:
        code, calls = self.run(tmp_path, stand_ins, NUMBER="")
        assert (code, len(calls)) == (0, 1)

    def test_never_shows_what_a_link_leads_to(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        code, calls = self.run(tmp_path, stand_ins, REPORT="ln -s /etc/hostname report/report.md")
        assert code == 1
        assert not any("comments" in call for call in calls)

    def test_is_not_too_long_to_be_taken(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        code, _ = self.run(tmp_path, stand_ins, REPORT="head -c 200000 /dev/zero | tr '\\0' x > report/report.md")
        assert code == 0
        assert (tmp_path / "job/comment.md").stat().st_size < 65536


class TestBot:
    def push(self, repository: Path, proposed: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        job = repository.parent / "job"
        job.mkdir()
        subprocess.run(["git", "-C", proposed, "switch", "--quiet", "--create", "new/client"], check=True)
        subprocess.run(["git", "clone", "--quiet", repository, job / "fleet"], check=True)
        proposed.rename(job / "proposed")
        (job / "fleet/terraform/root.tf").write_text("# rendered anew\n")
        return shell(PUSH, job, environment | {"BRANCH": "new/client"})

    def pushed(self, repository: Path) -> str:
        return subprocess.run(
            ["git", "-C", repository, "show", "--format=%an", "--name-only", "new/client"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_commits_the_rendered_tree_alone_and_has_it_checked(
        self, repository: Path, proposed: Path, stand_ins: dict[str, str], tmp_path: Path
    ) -> None:
        (proposed / "left-over").write_text("x\n")
        done = self.push(repository, proposed, stand_ins)
        assert done.returncode == 0, done.stderr
        assert self.pushed(repository).split() == ["github-actions[bot]", "terraform/root.tf"]
        assert (tmp_path / "calls").read_text().splitlines()[-1] == "workflow run check.yml --ref new/client"

    def test_commits_nothing_when_all_is_rendered(
        self, repository: Path, proposed: Path, stand_ins: dict[str, str], tmp_path: Path
    ) -> None:
        (proposed / "terraform/root.tf").write_text("# rendered anew\n")
        commit(proposed)
        done = self.push(repository, proposed, stand_ins)
        assert (done.returncode, done.stdout) == (0, "terraform/ is up to date.\n"), done.stderr
        assert (tmp_path / "calls").read_text() == ""


class TestVerify:
    """The steps that carry a look from run to run, and tell of it, with a stand-in for GitHub alone."""

    GH = r"""#!/bin/sh
printf '%s\n' "$*" >> "$CALLS"
case "$*" in
  "run list"*) printf '%s\n' 9 8 7 ;;
  "run download 9"*) exit 1 ;;
  "run download 8"*) echo "{}" > look/last.json; echo old > look/report.md ;;
  "run download"*) eval "$LOOKS" ;;
  *issues?state=open*) printf '%s' "$OPEN" ;;
esac
for word; do case "$word" in body.md) cp body.md "$CALLS.body" ;; esac; done
"""

    def run(self, step: str, folder: Path, environment: dict[str, str], **variables: str) -> list[str]:
        (Path(environment["PATH"].partition(":")[0]) / "gh").write_text(self.GH)
        given = {
            "GH_REPO": "o/r",
            "RUN_ID": "5",
            "RUN_URL": "https://example.com/5",
            "TITLE": "Differs",
            "MARK": "<!-- m -->",
        }
        folder.mkdir(exist_ok=True)
        done = shell(
            VERIFY[step], folder, environment | given | {"LOOKS": "true", "OPEN": "", "SIDE": "vault"} | variables
        )
        assert done.returncode == 0, done.stderr
        return Path(environment["CALLS"]).read_text().splitlines()

    def test_takes_the_newest_look_that_there_is(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        calls = self.run("Fetch the last look", tmp_path / "run", stand_ins)
        assert [call.split()[2] for call in calls if "download" in call] == ["9", "8"]
        assert [path.name for path in (tmp_path / "run/look").iterdir()] == ["last.json"]

    def test_opens_an_issue_with_the_reports_of_each_side(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        looks = "for side in vault aws; do mkdir -p looks/look-$side; echo of $side > looks/look-$side/report.md; done"
        calls = self.run("Open, renew or close the issue", tmp_path / "run", stand_ins, RESULT="failure", LOOKS=looks)
        assert calls[-1] == "issue create --title Differs --body-file body.md"
        body = Path(f"{stand_ins['CALLS']}.body").read_text()
        assert body.startswith("<!-- m -->\n[The last look](https://example.com/5) has ended with: failure.\n")
        assert "of vault" in body
        assert "of aws" in body

    def test_renews_the_issue_that_is_open(self, tmp_path: Path, stand_ins: dict[str, str]) -> None:
        calls = self.run("Open, renew or close the issue", tmp_path / "run", stand_ins, RESULT="failure", OPEN="7\n3")
        assert calls[-1] == "issue edit 7 --body-file body.md"
        assert "is not known" in Path(f"{stand_ins['CALLS']}.body").read_text()

    @pytest.mark.parametrize(("is_open", "closes"), [("7", True), ("", False)])
    def test_closes_it_when_all_is_well(
        self, tmp_path: Path, stand_ins: dict[str, str], is_open: str, closes: bool
    ) -> None:
        calls = self.run("Open, renew or close the issue", tmp_path / "run", stand_ins, RESULT="success", OPEN=is_open)
        assert calls[-1].startswith("issue close 7") is closes
        assert len(calls) == 1 + closes
