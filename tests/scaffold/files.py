"""Where the scaffold is, and what its CI files say."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
SCAFFOLD = CHECKOUT / "scaffold"
WORKFLOWS = tuple(sorted((SCAFFOLD / "github/.github/workflows").glob("*.yml")))
GITLAB = SCAFFOLD / "gitlab/.gitlab-ci.yml"
GITLAB_PARTS = tuple(sorted((SCAFFOLD / "gitlab/ci").glob("*.yml")))
HOOKS = CHECKOUT / ".pre-commit-hooks.yaml"
HOOK_CONFIG = SCAFFOLD / ".pre-commit-config.yaml"


@dataclass(frozen=True)
class Script:
    """A piece of shell in a CI file."""

    where: str
    text: str

    def __str__(self) -> str:
        return self.where


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def triggers(workflow: Any) -> set[str]:
    # `on` is a boolean to YAML 1.1.
    on = workflow[True]
    return {on} if isinstance(on, str) else set(on)


def scripts() -> Iterator[Script]:
    """Yield every script of every workflow and of the GitLab file."""
    for path in WORKFLOWS:
        for name, job in load(path)["jobs"].items():
            for step in job["steps"]:
                if "run" in step:
                    yield Script(f"{path.name}:{name}:{step['name']}", step["run"])
    for path in (GITLAB, *GITLAB_PARTS):
        for name, job in load(path).items():
            for key in ("before_script", "script"):
                if isinstance(job, dict) and key in job:
                    yield Script(f"{path.name}:{name}:{key}", "\n".join(job[key]))


def commands() -> Iterator[tuple[str, ...]]:
    """Yield the arguments of every crosskeys command in CI files and hooks, without the folder, for both sides."""
    texts = [script.text for script in scripts()]
    texts += [hook["entry"] for hook in load(HOOKS)]
    texts += [hook["entry"] for repo in load(HOOK_CONFIG)["repos"] for hook in repo["hooks"]]
    found = {
        tuple(shlex.split(re.split(r" (?:>|\|\|) ", line)[0].replace("$SIDE", side).replace("$CROSSKEYS_SHARDS", "16")))
        for side in ("aws", "vault")
        for text in texts
        for line in re.findall(r"^crosskeys (?:-C \S+ )?(.*)$", text, re.MULTILINE)
    }
    yield from sorted(found)


def commit(folder: Path) -> None:
    """Commit all that lies in a repository's work tree."""
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, "add", "--all", "--force"], check=True)
    subprocess.run(["git", "-C", folder, *who, "commit", "--quiet", "--message", "Change"], check=True)
