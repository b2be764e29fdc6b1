"""What is planned of chosen roots from a part of the fleet is what reading all of it says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import typer

from generator import pipeline, untouched
from generator.cli import destroys
from generator.cli.context import Context, Format
from generator.errors import UsageError
from generator.render import tree
from generator.render.layout import Root, RootKind
from generator.report.runs import ResourceChange
from generator.run.results import PlanOutcome, PlanResult
from generator.run.roots import select

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from generator.pipeline import Rendered

SETTINGS = """\
version: 1
defaults: {token_ttl: 1h, token_max_ttl: 4h}
shared_paths: [{path: shared/ca, owner: pki@example.com}]
platform: {kv_mount: true}
"""
NEAR, FAR, OTHER, FURTHER = "111111111111", "222222222222", "333333333333", "555555555555"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untouched, "SETTLED_NS", -10_000_000_000)  # what is written here is never of the same size


def client(name: str, account: str, more: str = "") -> str:
    return f'name: {name}\naccount_id: "{account}"\nrole_name: r-{name}\nowner: team@example.com\n{more}'


@dataclass(frozen=True)
class Fleet:
    """A fleet that is remembered to be in order."""

    folder: Path
    cache: Path

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def render(self) -> None:
        fleet = pipeline.validate(self.folder).fleet
        tree.write(self.folder, pipeline.render(self.folder, fleet, self.cache).comparison)

    @property
    def here(self) -> Context:
        return Context(self.folder, 0, None, self.cache)

    def chosen(self, *, accounts: str = "", clients: str = "") -> Rendered:
        return self.here.gated_for(None, frozenset(accounts.split()), frozenset(clients.split()))[0]

    def whole(self) -> Rendered:
        return self.here.gated(None)[0]

    def both(self, **chosen: str) -> tuple[Rendered, Rendered]:
        return self.chosen(**chosen), self.whole()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def fleet(tmp_path: Path, cache: Path) -> Fleet:
    made = Fleet(tmp_path / "fleet", cache)
    made.write("crosskeys.yaml", SETTINGS)
    made.write(f"clients/accounts/{FAR}.yaml", "name: far\nowner: o@example.com\n")
    for name, account in (("a", NEAR), ("b", NEAR), ("team/c", FAR), ("d", OTHER), ("x", FURTHER)):
        made.write(f"clients/{name}.yaml", client(name.rpartition("/")[2], account))
    made.render()
    assert not made.chosen(clients="a").others  # nothing is remembered yet
    return made


def same(part: Rendered, whole: Rendered, *, accounts: str = "", clients: str = "") -> None:
    """Hold all that a plan of chosen roots takes from a part against what it takes from the whole."""
    named = frozenset(accounts.split()), frozenset(clients.split())
    chosen = select(whole.roots, *named)
    assert chosen
    assert select(part.roots, *named) == chosen
    assert (part.digest, part.names, part.fleet.settings) == (whole.digest, whole.names, whole.fleet.settings)
    for path in (path for root in chosen for path in root.files):
        assert part.comparison.wanted[path] == whole.comparison.wanted[path]
    names = {root.name for root in chosen}
    of_part, of_whole = (
        {key: item for key, item in each.declared.objects.items() if key[0] in names} for each in (part, whole)
    )
    assert of_part == of_whole
    ids = {root.account_id for root in chosen}
    assert [each for each in part.fleet.accounts if each.id in ids] == [
        each for each in whole.fleet.accounts if each.id in ids
    ]


def nothing(_fleet: Fleet) -> None:
    pass


def changed(fleet: Fleet) -> None:
    fleet.write("clients/a.yaml", client("a", NEAR, "vault: {token_ttl: 30m}\n"))
    fleet.render()


def changed_elsewhere(fleet: Fleet) -> None:
    fleet.write("clients/d.yaml", client("d", OTHER, "grants: [{path: shared/ca, access: read}]\n"))
    fleet.render()


def suspended(fleet: Fleet) -> None:
    fleet.write("clients/a.yaml", client("a", NEAR, "suspend: {reason: lost}\n"))
    fleet.render()


def moved(fleet: Fleet) -> None:
    fleet.write("clients/a.yaml", client("a", "444444444444"))
    fleet.render()


def of_account(fleet: Fleet) -> None:
    fleet.write(f"clients/accounts/{NEAR}.yaml", "name: near\nowner: o@example.com\n")
    fleet.render()


@pytest.mark.parametrize("change", [nothing, changed, changed_elsewhere, suspended, moved, of_account])
def test_a_part_is_enough_and_says_of_its_roots_what_the_whole_fleet_does(
    fleet: Fleet, change: Callable[[Fleet], None]
) -> None:
    change(fleet)
    whole = fleet.whole()
    assert not whole.others
    for chosen in ({"clients": "a"}, {"accounts": FAR, "clients": "a"}):
        part = fleet.chosen(**chosen)
        assert part.others
        same(part, whole, **chosen)


def test_a_client_that_is_new_is_planned_from_its_own_account(fleet: Fleet) -> None:
    fleet.write("clients/e.yaml", client("e", FAR))
    fleet.render()
    part, whole = fleet.both(clients="e")
    assert {account.id for account in part.fleet.accounts} == {FAR}
    same(part, whole, clients="e")


def gone(fleet: Fleet) -> None:
    (fleet.folder / "clients/d.yaml").unlink()
    fleet.render()


def settings(fleet: Fleet) -> None:
    fleet.write("crosskeys.yaml", SETTINGS.replace("1h", "2h"))
    fleet.render()


def template(fleet: Fleet) -> None:
    fleet.write("templates/mine.tf.j2", "")


@pytest.mark.parametrize("change", [gone, settings, template])
def test_the_whole_fleet_is_read_where_a_part_says_too_little(fleet: Fleet, change: Callable[[Fleet], None]) -> None:
    change(fleet)
    read, whole = fleet.both(clients="a")
    assert not read.others
    same(read, whole, clients="a")


def test_on_another_day_the_whole_fleet_is_read(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fleet.chosen(clients="a").others
    real = untouched.sight
    tomorrow = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)).isoformat()
    monkeypatch.setattr(untouched, "sight", lambda folder, _day: real(folder, tomorrow))
    assert not fleet.chosen(clients="a").others


@pytest.mark.parametrize("chosen", [{"clients": "a nn"}, {"accounts": "999999999999"}, {"clients": "r-a"}])
def test_a_name_that_nobody_has_is_told_from_the_whole_fleet(fleet: Fleet, chosen: dict[str, str]) -> None:
    read, whole = fleet.both(**chosen)
    assert not read.others
    said = []
    for each in (read, whole):
        named = (frozenset(chosen.get(what, "").split()) for what in ("accounts", "clients"))
        with pytest.raises(UsageError) as refused:
            select(each.roots, *named)
        said.append((refused.value.message, refused.value.help))
    assert said[0] == said[1]


def collides(fleet: Fleet) -> None:
    fleet.write("clients/d.yaml", client("d", OTHER, "vault: {role: r-a}\n"))


def stale(fleet: Fleet) -> None:
    fleet.write("clients/a.yaml", client("a", NEAR, "vault: {token_ttl: 30m}\n"))


def stale_elsewhere(fleet: Fleet) -> None:
    fleet.write("clients/d.yaml", client("d", OTHER, "vault: {token_ttl: 30m}\n"))


def edited(fleet: Fleet) -> None:
    path = f"terraform/accounts/{OTHER}/vault/client-d.tf"
    fleet.write(path, (fleet.folder / path).read_text().replace("3600", "3601"))


def stray(fleet: Fleet) -> None:
    fleet.write(f"terraform/accounts/{OTHER}/vault/more.tf", "")


@pytest.mark.parametrize("change", [collides, stale, stale_elsewhere, edited, stray])
def test_what_is_wrong_anywhere_refuses_the_plan_in_the_words_of_the_whole_fleet(
    fleet: Fleet, change: Callable[[Fleet], None], capsys: pytest.CaptureFixture[str]
) -> None:
    change(fleet)
    said = []
    reads: tuple[Callable[[], Rendered], ...] = (lambda: fleet.chosen(clients="a"), fleet.whole)
    for read in reads:
        capsys.readouterr()
        with pytest.raises(typer.Exit) as refused:
            read()
        said.append((refused.value.exit_code, *capsys.readouterr()))
    assert said[0] == said[1]
    assert said[0][0] == 1
    assert "error" in said[0][1]


def planned(*actions: str) -> PlanResult:
    root = Root(f"accounts/{NEAR}/vault", RootKind.VAULT, NEAR, ("a",), handover=False)
    changes = tuple(ResourceChange("vault_policy.a", action) for action in actions)
    return PlanResult(root, PlanOutcome.CHANGES, changes=changes)


def test_destroys_are_judged_by_the_whole_fleet_and_nothing_else_is(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    part, whole = fleet.both(clients="a")
    asked = []

    def all_of_it() -> Rendered:
        asked.append(fleet.here.whole(part, Format.FULL))
        return asked[-1]

    destroys.tell([planned("create", "update")], all_of_it)
    assert not asked
    destroys.tell([planned("delete")], all_of_it)
    assert "1 object would go that no manifest announces" in capsys.readouterr().err
    assert (asked[0].objects, asked[0].roots, asked[0].fleet) == (whole.objects, whole.roots, whole.fleet)
    assert part.objects < whole.objects
    assert fleet.here.whole(whole, Format.FULL) is whole
