"""What is concluded from the part of a fleet that a change concerns is what reading all of it says."""

from __future__ import annotations

import datetime as dt
import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from generator import nearby, pipeline, untouched
from generator.cli import app
from generator.cli.context import ending_well
from generator.rules.registry import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from generator.rules.registry import Example

    Say = Callable[..., tuple[int, str]]

SETTINGS = """\
version: 1
defaults: {token_ttl: 1h, token_max_ttl: 4h}
vault: {principals: ["arn:aws:iam::999999999999:role/hcp-vault"]}
shared_paths: [{path: shared/ca, owner: pki@example.com}]
"""
ACCOUNTS = [f"{number}" * 12 for number in range(1, 5)]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untouched, "SETTLED_NS", -10_000_000_000)  # what is written here is never of the same size
    monkeypatch.delenv("CI", raising=False)
    # The option sets it for the whole process: what it was comes back after the test.
    monkeypatch.setenv("CROSSKEYS_CACHE_DIR", "")


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, caches: Path) -> Say:
    """Run a verb on the fleet; return its exit code and what it says on stdout."""

    def said(*arguments: str, cache: str = "known") -> tuple[int, str]:
        capsys.readouterr()
        given = ["-C", str(tmp_path / "fleet"), "--cache-dir", str(caches / cache), *arguments]
        code = ending_well(lambda: app(given, prog_name="crosskeys"))
        return code, capsys.readouterr().out

    return said


def anew(say: Say, caches: Path, *arguments: str) -> tuple[int, str]:
    """Run a verb that remembers shapes alone."""
    shutil.rmtree(caches / "anew" / untouched.FOLDER, ignore_errors=True)
    return say(*arguments, cache="anew")


@pytest.fixture
def concluded(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each look at a part of a fleet was enough."""
    looks: list[bool] = []
    real = nearby.nearby

    def look(*given: object) -> object:
        found = real(*given)  # type: ignore[arg-type] # handed on as they are
        looks.append(found is not None)
        return found

    monkeypatch.setattr(nearby, "nearby", look)
    return looks


def begin(say: Say) -> bool:
    """Render the fleet; tell whether it is in order, and then remembered."""
    say("render")
    code, said = say("check", "--format", "concise")
    return code == 0 and ": CK" not in said and " CK" not in said


def same(say: Say, caches: Path, *more: str) -> tuple[int, str]:
    """Hold what is concluded against what reading all of the fleet says."""
    known = say("check", *more)
    assert known == anew(say, caches, "check", *more)
    return known


def put(folder: Path, example: Example) -> None:
    for path, text in example.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    for path, target in example.links.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(target)


JUDGED_BY_CHECK = [
    rule.id
    for rule in catalogue().values()
    if any(path.startswith("clients/") for path in rule.good.files)
    and not rule.good.links
    # These two families look at one file by itself.
    and not rule.id.startswith(("CK1", "CK2"))
]


def test_a_fleet_touched_right_before_is_remembered_once_what_was_read_is_read_again(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "fleet", next(rule.good for rule in catalogue().values() if rule.id in JUDGED_BY_CHECK))
    say("render")
    reads: list[frozenset[str]] = []
    tells: list[object] = []
    real_is_still, real_render = untouched.is_still, pipeline.render

    def is_still(folder: Path, paths: frozenset[str], texts: Mapping[str, str]) -> bool:
        reads.append(paths)
        return real_is_still(folder, paths, texts)

    def slow_render(*given: object) -> object:
        time.sleep(0.6)
        return real_render(*given)  # type: ignore[arg-type] # handed on as they are

    monkeypatch.setattr(untouched, "SETTLED_NS", 500_000_000)
    monkeypatch.setattr(untouched, "is_still", is_still)
    monkeypatch.setattr(pipeline, "render", slow_render)
    for path in (tmp_path / "fleet").rglob("*.*"):
        path.touch()
    assert say("check")[0] == 0
    assert {path.partition("/")[0] for path in reads.pop()} == {"clients", "terraform"}
    monkeypatch.setattr(pipeline, "render", tells.append)  # would not be called
    assert say("check")[0] == 0
    assert not tells


def test_a_file_is_still_as_it_was_read_or_is_not(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("é")
    assert untouched.is_still(tmp_path, ["a"], {"a": "é"})
    assert not untouched.is_still(tmp_path, ["a"], {"a": "e"})
    assert not untouched.is_still(tmp_path, ["a", "b"], {"a": "é"})
    assert not untouched.is_still(tmp_path, ["b"], {"b": ""})


@pytest.mark.parametrize("rule", JUDGED_BY_CHECK)
def test_a_change_that_breaks_a_rule_is_found(tmp_path: Path, say: Say, caches: Path, rule: str) -> None:
    folder = tmp_path / "fleet"
    folder.mkdir()
    found = catalogue()[rule]
    put(folder, found.good)
    if not begin(say):
        pytest.skip("the good example has a finding of another rule")
    for path in found.good.files.keys() - found.bad.files.keys():
        (folder / path).unlink()
    put(folder, found.bad)
    for path, change in found.bad.edits.items():
        file = folder / path
        text = file.read_text() if file.exists() else ""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace(change.old, change.new, 1) if change.old else text + change.new)
    same(say, caches)


def client(name: str, account: str) -> str:
    return f'name: {name}\naccount_id: "{account}"\nrole_name: r-{name}\nowner: team@example.com\n'


def words(chance: random.Random) -> tuple[str, str]:
    """Return a client's file and text, of so few names that many collide."""
    name, account = f"c{chance.randrange(12)}", chance.choice(ACCOUNTS)
    role = chance.choice([f"app-{chance.randrange(8)}", f"APP-{chance.randrange(8)}", f"r-{name}"])
    lines = [f"name: {name}", f'account_id: "{account}"', f"role_name: {role}", "owner: team@example.com"]
    vault = []
    if chance.random() < 0.5:
        vault.append(f"  role: {chance.choice(['app', 'v'])}-{chance.randrange(8)}")
    if chance.random() < 0.5:
        vault.append(f"  policy: c{chance.randrange(12)}-policy")
    if chance.random() < 0.2:
        vault.append("  resolve_unique_ids: true")
    lines += ["vault:", *vault] if vault else []
    if chance.random() < 0.3:
        lines.append(f"previously: c{chance.randrange(12)}")
    if chance.random() < 0.3:
        lines.append("grants: [{path: shared/ca, access: read}]")
    if chance.random() < 0.1:
        lines.append("suspend: {reason: lost}")
    return f"clients/{chance.choice(['', '', 'team/'])}{name}.yaml", "\n".join(lines) + "\n"


def unlike(chance: random.Random, folder: Path) -> None:
    """Change a client, add one, take one away, or change the tree or an account."""
    kind = chance.choice(("client", "client", "client", "gone", "tree", "account", "stray"))
    manifests = sorted(folder.glob("clients/**/c*.yaml"))
    if kind == "gone":
        chance.choice(manifests).unlink()
    elif kind == "tree":
        file = chance.choice(sorted(folder.glob("terraform/**/*.tf")))
        file.write_text(file.read_text() + "# changed\n")
    elif kind == "account":
        file = folder / f"clients/accounts/{chance.choice(ACCOUNTS)}.yaml"
        file.parent.mkdir(exist_ok=True)
        number = chance.randrange(3)
        file.write_text(f"name: a\nowner: o@example.com\nsts: {{role: lookup, external_id: id-{number}}}\n")
    elif kind == "stray":
        chance.choice([folder / "clients/notes.txt", folder / "terraform/accounts/x.tf"]).write_text("x")
    else:
        path, text = words(chance)
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)


def test_changes_by_chance_are_judged_alike(tmp_path: Path, say: Say, caches: Path, concluded: list[bool]) -> None:
    chance = random.Random(5)  # noqa: S311 - chance that can be had again, no secret
    folder, first = tmp_path / "fleet", tmp_path / "first"
    (folder / "clients/team").mkdir(parents=True)
    (folder / "crosskeys.yaml").write_text(SETTINGS)
    for number, account in enumerate(ACCOUNTS):
        for name in (f"c{number}", f"c{number + 4}"):
            (folder / f"clients/{name}.yaml").write_text(client(name, account))
    assert begin(say)
    shutil.copytree(folder, first)
    ends = set()
    for _ in range(40):
        for _ in range(chance.choice((1, 1, 2))):
            unlike(chance, folder)
        same(say, caches, "--format", "json")
        say("render")
        code, said = same(say, caches)
        ends.add((code, "up to date" in said))
        if code or chance.random() < 0.3:
            shutil.rmtree(folder)
            shutil.copytree(first, folder)
    assert ends == {(0, True), (1, False)}
    assert 8 < sum(concluded) < len(concluded)


def test_a_grant_that_could_lie_in_a_directory_leaves_nothing_to_be_concluded(
    tmp_path: Path, say: Say, caches: Path
) -> None:
    folder = tmp_path / "fleet"
    (folder / "clients").mkdir(parents=True)
    (folder / "crosskeys.yaml").write_text(SETTINGS.replace("shared/ca", "certs"))
    (folder / "clients/a.yaml").write_text(client("a", ACCOUNTS[0]))
    say("render")
    assert say("check")[0] == 0
    seen = untouched.sight(folder, dt.datetime.now(dt.UTC).date().isoformat())
    assert seen
    whole = untouched.recall(caches / "known", folder, seen)
    assert whole
    assert whole.files == seen.files
    assert not whole.facts


def test_a_render_of_a_part_writes_what_a_whole_one_does(
    tmp_path: Path, say: Say, caches: Path, concluded: list[bool]
) -> None:
    folder = tmp_path / "fleet"
    (folder / "clients").mkdir(parents=True)
    (folder / "crosskeys.yaml").write_text(SETTINGS)
    for name, account in (("a", ACCOUNTS[0]), ("b", ACCOUNTS[1])):
        (folder / f"clients/{name}.yaml").write_text(client(name, account))
    assert begin(say)
    (folder / "clients/c.yaml").write_text(client("c", ACCOUNTS[2]))
    code, said = say("render")
    assert (code, concluded) == (0, [True])
    assert said.endswith("4 added, 0 changed, 0 removed, 8 unchanged\n")
    assert anew(say, caches, "check")[0] == 0
    assert "3 clients in 3 accounts" in say("check")[1]
