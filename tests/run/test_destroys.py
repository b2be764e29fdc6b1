"""What a run may destroy, and what the refusal says."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import pipeline
from generator.errors import ExitCode, RefusedError
from generator.render.layout import Root, RootKind
from generator.report.runs import ResourceChange
from generator.run import refusals
from generator.run.destroys import Destroy, digest_of, judge
from generator.run.results import PlanOutcome, PlanResult
from tests.lifecycle.fleets import RETIRED, client, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.manifest.fleet import Fleet
    from generator.run.destroys import Judgement

TODAY = dt.date(2027, 1, 31)  # the last day of RETIRED
SUSPENDED = "suspend: {reason: key leaked}\n"
ACCOUNT, ELSEWHERE = "111111111111", "222222222222"
PLATFORM = Root("platform", RootKind.PLATFORM, None, (), handover=False)
MANY = 10_000


@pytest.fixture(scope="module")
def fleet_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Fleet]:
    """Return a fleet of `stays` and of others, each given by what its manifest says besides the usual."""

    def made(settings: str = "", **others: str) -> Fleet:
        folder = tmp_path_factory.mktemp("fleet")
        files = {f"clients/{name}.yaml": client(name, more) for name, more in others.items()}
        write(folder, {"crosskeys.yaml": f"version: 1\n{settings}", **files})
        if "stays" not in others:
            write(folder, {"clients/stays.yaml": client("stays", account_id="999999999999")})
        validated = pipeline.validate(folder)
        assert not validated.has_errors, validated.findings
        return validated.fleet

    return made


def root(kind: str, account_id: str = ACCOUNT) -> Root:
    return Root(f"accounts/{account_id}/{kind}", RootKind(kind), account_id, (), handover=False)


def plan(of: Root, *changes: tuple[str, str]) -> PlanResult:
    return PlanResult(of, PlanOutcome.CHANGES, changes=tuple(ResourceChange(*change) for change in changes))


def gone(name: str, account_id: str = ACCOUNT) -> list[PlanResult]:
    """Plans that destroy all that a client has: four objects."""
    vault = plan(
        root("vault", account_id), (f"vault_aws_auth_backend_role.{name}", "delete"), (f"vault_policy.{name}", "delete")
    )
    aws = plan(
        root("aws", account_id), (f"aws_iam_role.{name}", "delete"), (f"aws_iam_instance_profile.{name}", "delete")
    )
    return [vault, aws]


def judged(
    planned: Iterable[PlanResult],
    fleet: Fleet,
    declared: int = MANY,
    today: dt.date = TODAY,
    allowed: str | None = None,
) -> Judgement:
    return judge(planned, fleet, declared, today, allowed)


class TestAnnounced:
    def test_what_a_retired_client_had_may_go_up_to_the_last_day(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with(pay=RETIRED)
        assert judged(gone("pay"), fleet).allowed
        late = judged(gone("pay"), fleet, today=TODAY + dt.timedelta(days=1))
        assert late.reasons == ("4 objects would go that no manifest announces",)

    def test_what_was_not_announced_may_not(self, fleet_with: Callable[..., Fleet]) -> None:
        assert judged(gone("pay"), fleet_with()).reasons == ("4 objects would go that no manifest announces",)
        assert not judged(gone("pay"), fleet_with(pay="")).allowed

    @pytest.mark.parametrize(
        "planned",
        [
            gone("stays", "999999999999"),
            gone("pay", ELSEWHERE),
            [plan(root("vault"), ("aws_iam_role.pay", "delete"))],
            [plan(root("aws"), ("vault_policy.pay", "delete"))],
            [plan(root("vault"), ("vault_policy.pay2", "delete"))],
            [plan(root("vault"), ("vault_policy.pay[0]", "delete"))],
            [plan(root("vault"), ("vault_policy.pay", "replace"))],
            [plan(root("aws"), ("aws_iam_role.vault_sts", "delete"))],
        ],
        ids=["client", "account", "side", "other side", "name", "instance", "replacement", "account's own"],
    )
    def test_retiring_a_client_announces_its_own_objects_alone(
        self, fleet_with: Callable[..., Fleet], planned: list[PlanResult]
    ) -> None:
        judgement = judged([*gone("pay"), *planned], fleet_with(pay=RETIRED))
        assert not judgement.allowed
        assert {each.address for each in judgement.destroys if each.announced_by is None} == {
            change.address for result in planned for change in result.changes
        }

    def test_an_iam_role_that_is_not_the_fleets_is_not_announced(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with(pay=f"{RETIRED}aws: {{role: existing}}\n")
        judgement = judged(gone("pay"), fleet)
        assert judgement.reasons == ("2 objects would go that no manifest announces",)

    def test_suspending_announces_the_end_of_the_vault_role_alone(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with(pay=SUSPENDED)
        role = ("vault_aws_auth_backend_role.pay", "delete")
        assert judged([plan(root("vault"), role, ("vault_policy.pay", "update"))], fleet).allowed
        assert not judged([plan(root("vault"), role, ("vault_policy.pay", "delete"))], fleet).allowed
        assert not judged([plan(root("vault"), (role[0], "replace"))], fleet).allowed

    def test_a_client_that_is_renamed_and_suspended_at_once_loses_the_role_of_its_former_name(
        self, fleet_with: Callable[..., Fleet]
    ) -> None:
        fleet = fleet_with(pay=f"{SUSPENDED}previously: old\nvault: {{policy: old-policy}}\n")
        assert judged([plan(root("vault"), ("vault_aws_auth_backend_role.old", "delete"))], fleet).allowed
        assert not judged([plan(root("vault"), ("vault_policy.old", "delete"))], fleet).allowed

    def test_moves_destroy_nothing_and_a_rename_announces_nothing(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with(pay="previously: old\nvault: {policy: old-policy}\n")
        moves = plan(root("vault"), ("vault_policy.pay", "move"), ("vault_aws_auth_backend_role.pay", "move"))
        judgement = judged([moves], fleet)
        assert judgement.allowed
        assert judgement.destroys == ()
        assert not judged([plan(root("vault"), ("vault_policy.pay", "replace"))], fleet).allowed
        assert not judged([plan(root("vault"), ("vault_policy.old", "delete"))], fleet).allowed

    @pytest.mark.parametrize("action", ["create", "update", "move", "import", "remove"])
    def test_what_destroys_nothing_is_nobodys_business(self, fleet_with: Callable[..., Fleet], action: str) -> None:
        judgement = judged([plan(PLATFORM, ("vault_mount.kv", action))], fleet_with(), declared=0)
        assert judgement.allowed
        assert judgement.destroys == ()


class TestLimits:
    @pytest.mark.parametrize(("number", "allowed"), [(25, True), (26, False)])
    def test_so_many_announced_destroys_a_run(
        self, fleet_with: Callable[..., Fleet], number: int, allowed: bool
    ) -> None:
        fleet = fleet_with(**{f"pay-{count}": SUSPENDED for count in range(number)})
        planned = plan(root("vault"), *((f"vault_aws_auth_backend_role.pay-{n}", "delete") for n in range(number)))
        judgement = judged([planned], fleet)
        assert judgement.allowed is allowed
        if not allowed:
            assert judgement.reasons == ("26 objects would go, and limits.announced_destroys is 25",)
            assert judged([planned], fleet, allowed=judgement.digest).allowed

    @pytest.mark.parametrize(("declared", "allowed"), [(80, True), (79, False), (81, True), (0, False)])
    def test_so_large_a_share_of_the_fleet_where_several_clients_lose_something(
        self, fleet_with: Callable[..., Fleet], declared: int, allowed: bool
    ) -> None:
        fleet = fleet_with(one=RETIRED, two=RETIRED)
        planned = [*gone("one"), *gone("two")]
        judgement = judged(planned, fleet, declared)
        assert judgement.allowed is allowed
        assert allowed or "limits.destroy_percent is 10" in judgement.reasons[0]
        assert judged(planned, fleet, declared, allowed=judgement.digest).allowed

    def test_one_client_is_no_share_however_small_the_fleet(self, fleet_with: Callable[..., Fleet]) -> None:
        assert judged(gone("pay"), fleet_with(pay=RETIRED), declared=4).allowed

    def test_the_last_client_of_the_fleet_needs_the_digest(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with(stays=RETIRED)
        judgement = judged(gone("stays"), fleet)
        assert judgement.reasons == ("the last client of the fleet would go",)
        assert judged(gone("stays"), fleet, allowed=judgement.digest).allowed

    def test_the_settings_say_how_many(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with("limits: {announced_destroys: 3}\n", pay=RETIRED)
        assert judged(gone("pay"), fleet).reasons == ("4 objects would go, and limits.announced_destroys is 3",)
        fleet = fleet_with("limits: {destroy_percent: 50}\n", one=RETIRED, two=RETIRED)
        assert judged([*gone("one"), *gone("two")], fleet, declared=16).allowed


class TestDigest:
    def test_allows_exactly_what_it_was_made_of(self, fleet_with: Callable[..., Fleet]) -> None:
        fleet = fleet_with()
        planned = gone("pay")
        digest = judged(planned, fleet).digest
        assert re.fullmatch("[0-9a-f]{64}", digest)
        assert judged(planned, fleet, allowed=digest).allowed
        assert judged(reversed(planned), fleet, allowed=digest).allowed
        role, profile = planned[1].changes
        for other in (
            planned[:1],
            [*planned, plan(root("vault", ELSEWHERE), ("vault_policy.x", "delete"))],
            [planned[0], replace(planned[1], changes=planned[1].changes[:1])],
            [planned[0], replace(planned[1], changes=(replace(role, action="replace"), profile))],
            [planned[0], replace(planned[1], root=root("aws", ELSEWHERE))],
            gone("pay", ELSEWHERE),
            [],
        ):
            refused = judged(other, fleet, allowed=digest)
            assert refused.reasons == ("what would be destroyed is not what --destroy allows",)

    def test_that_is_wrong_is_refused_even_where_none_is_needed(self, fleet_with: Callable[..., Fleet]) -> None:
        assert not judged(gone("pay"), fleet_with(pay=RETIRED), allowed="0" * 64).allowed

    @pytest.mark.parametrize("action", ["delete", "replace"])
    def test_allows_nothing_of_the_platform(self, fleet_with: Callable[..., Fleet], action: str) -> None:
        planned = [*gone("pay"), plan(PLATFORM, ("vault_mount.kv", action))]
        judgement = judged(planned, fleet_with())
        again = judged(planned, fleet_with(), allowed=judgement.digest)
        assert again.final
        assert again.reasons == ("1 object of the platform would go",)


names = st.sampled_from(["retired", "lapsed", "suspended", "stays", "unheard"])
kinds = st.sampled_from(
    ["vault_policy", "vault_aws_auth_backend_role", "aws_iam_role", "aws_iam_instance_profile", "other"]
)
changes = st.tuples(
    st.sampled_from([ACCOUNT, ELSEWHERE]),
    st.sampled_from(["vault", "aws"]),
    st.builds("{}.{}".format, kinds, names),
    st.sampled_from(["create", "update", "delete", "replace", "move"]),
)
LAPSED = RETIRED.replace("2027-01-31", "2027-01-30")
_VAULT, _AWS = f"accounts/{ACCOUNT}/vault", f"accounts/{ACCOUNT}/aws"
ANNOUNCED = {
    (_VAULT, "vault_policy.retired"),
    (_VAULT, "vault_aws_auth_backend_role.retired"),
    (_AWS, "aws_iam_role.retired"),
    (_AWS, "aws_iam_instance_profile.retired"),
    (_VAULT, "vault_aws_auth_backend_role.suspended"),
}


@pytest.fixture(scope="module")
def fleet(fleet_with: Callable[..., Fleet]) -> Fleet:
    return fleet_with(retired=RETIRED, lapsed=LAPSED, suspended=SUSPENDED)


@given(wanted=st.sets(changes, max_size=8), other=st.sets(changes, max_size=8), declared=st.integers(0, 200))
def test_whatever_is_planned_nothing_is_allowed_but_what_is_announced_or_in_the_digest(
    fleet: Fleet,
    wanted: set[tuple[str, str, str, str]],
    other: set[tuple[str, str, str, str]],
    declared: int,
) -> None:
    def plans(of: set[tuple[str, str, str, str]]) -> list[PlanResult]:
        return [plan(root(side, account), (address, action)) for account, side, address, action in of]

    def destroys(of: set[tuple[str, str, str, str]]) -> set[tuple[str, str, str]]:
        return {(f"accounts/{a}/{s}", address, act) for a, s, address, act in of if act in {"delete", "replace"}}

    free = judged(plans(wanted), fleet, declared)
    if free.allowed:
        assert destroys(wanted) <= {(*place, "delete") for place in ANNOUNCED}
    by_digest = judged(plans(wanted), fleet, declared, allowed=judged(plans(other), fleet, declared).digest)
    assert by_digest.allowed is (destroys(wanted) == destroys(other))


class TestWords:
    def test_a_refusal_names_every_object_what_it_means_and_the_ways_on(self, fleet_with: Callable[..., Fleet]) -> None:
        planned = [*gone("payments"), *gone("pay"), plan(root("vault"), ("vault_policy.x\x1b[2J", "delete"))]
        judgement = judged(planned, fleet_with(pay=RETIRED))
        with pytest.raises(RefusedError) as caught:
            refusals.require_allowed(judgement)
        said, help_ = caught.value.message.splitlines(), caught.value.help or ""
        assert caught.value.exit_code is ExitCode.REFUSED
        assert said[0] == "nothing was applied: 5 objects would go that no manifest announces:"
        assert len(said) == 10
        lines = {" ".join(line.split()) for line in said[1:]}
        where = f"{ACCOUNT} accounts/{ACCOUNT}"
        assert f"payments {where}/vault vault_aws_auth_backend_role.payments payments can no longer log in" in lines
        assert f"payments {where}/aws aws_iam_role.payments payments loses its IAM role" in lines
        assert sum("(announced by clients/pay.yaml)" in line for line in lines) == 4
        assert not any("\x1b" in line for line in said)
        assert "git restore" in help_
        assert "retire: {approved_until: ..., reason: ...}" in help_
        assert f"--destroy {judgement.digest}" in help_

    def test_of_announced_destroys_there_is_nothing_to_restore(self, fleet_with: Callable[..., Fleet]) -> None:
        help_ = refusals.ways_on(judged(gone("stays"), fleet_with(stays=RETIRED)))
        assert "--destroy" in help_
        assert "restore" not in help_

    def test_for_the_platform_no_digest_is_shown(self, fleet_with: Callable[..., Fleet]) -> None:
        judgement = judged([plan(PLATFORM, ("vault_mount.kv", "replace"))], fleet_with())
        assert "every certificate in it is lost" in refusals.sentence(judgement)
        assert judgement.digest not in refusals.ways_on(judgement)
        assert "terraform state rm" in refusals.ways_on(judgement)

    def test_what_is_the_accounts_is_no_clients(self) -> None:
        sts = Destroy(root("aws"), "aws_iam_role.vault_sts", "delete")
        assert refusals.client_of(sts.address) is None
        assert refusals.meaning(sts) == f"Vault can no longer look into {ACCOUNT}"
        assert refusals.meaning(replace(sts, action="replace")).endswith(" meanwhile")
        assert refusals.meaning(Destroy(root("aws"), "random_pet.x", "delete")) == ""

    def test_a_digest_with_nothing_to_destroy_says_so(self, fleet_with: Callable[..., Fleet]) -> None:
        judgement = judged([], fleet_with(), allowed=digest_of([]) + "0")
        assert "nothing would be destroyed" in refusals.sentence(judgement)
