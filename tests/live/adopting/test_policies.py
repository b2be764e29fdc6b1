"""What a policy lets a client read, in whatever words it says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.live.adopting.policies import Unsuitable, directories, kv_mount, mean_the_same
from tests.live.adopting.worlds import policy_text

_DIRECTORIES = st.sets(st.from_regex(r"[a-z]{1,6}(/[a-z0-9_.-]{1,6}){0,3}", fullmatch=True), min_size=1, max_size=4)
_AREAS = {"data": ["read", "list"], "metadata": ["read", "list"]}


@st.composite
def _written(draw: st.DrawFn) -> tuple[frozenset[str], str]:
    """Draw directories and a policy that reads them, in any order, spacing, comments and number of rules."""
    wanted = frozenset(
        directory for directory in draw(_DIRECTORIES) if not {".", ".."} & set(directory.split("/"))
    ) or frozenset({"one"})
    rules = []
    for directory in wanted:
        for area, capabilities in _AREAS.items():
            path = f"{draw(st.sampled_from(['', '/']))}secret/{area}/{directory}/*"
            divided = draw(st.booleans())
            for part in [[each] for each in capabilities] if divided else [draw(st.permutations(capabilities))]:
                space = draw(st.sampled_from([" ", "\n  ", "\t"]))
                listed = f",{space}".join(f'"{each}"' for each in part)
                comment = draw(st.sampled_from(["", "# a comment\n", "// another } {\n", "/* and\n one */ "]))
                rules.append(f'{comment}path "{path}" {{{space}capabilities = [{listed}]{space}}}\n')
    return wanted, "".join(draw(st.permutations(rules)))


@settings(deadline=None)
@given(_written())
def test_other_words_for_the_same_are_the_same(written: tuple[frozenset[str], str]) -> None:
    wanted, text = written
    assert directories(text, "p", "secret") == wanted
    again = "".join(
        f'path "secret/{area}/{directory}/*" {{ capabilities = ["read", "list"] }}\n'
        for directory in sorted(wanted)
        for area in _AREAS
    )
    assert mean_the_same(text, again, "p")


@settings(deadline=None)
@given(_written(), st.sampled_from(["create", "update", "delete", "sudo", "patch", "deny"]))
def test_one_capability_more_is_another_policy(written: tuple[frozenset[str], str], capability: str) -> None:
    _, text = written
    wider = text.replace('["', f'["{capability}", "', 1)
    assert isinstance(directories(wider, "p", "secret"), Unsuitable)
    assert not mean_the_same(wider, text, "p")


def test_it_makes_no_difference_whether_data_may_be_listed() -> None:
    text = policy_text("app")
    without = text.replace('["read", "list"]', '["read"]')
    assert without != text
    assert directories(without, "p", "secret") == directories(text, "p", "secret")
    assert mean_the_same(text, without, "p")
    assert not mean_the_same(text, text.replace('["list", "read"]', '["read"]'), "p")


@pytest.mark.parametrize(
    ("texts", "mount"),
    [
        ([], None),
        (['path "sys/health" { capabilities = ["read"] }'], None),
        ([policy_text("a"), policy_text("b")], "secret"),
        ([policy_text("a").replace("secret/", "team/kv/"), policy_text("b").replace("secret/", "team/kv/")], "team/kv"),
    ],
)
def test_the_mount_is_that_of_most_policies(texts: list[str], mount: str | None) -> None:
    assert kv_mount(texts) == mount
