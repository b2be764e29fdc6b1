"""Names by pattern, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from generator.live.adopting.names import name_by

_NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
_PATTERNS = st.sampled_from(
    ["{name}", "{name}-policy", "read-{name}", "{account_id}.{name}", "{name}_{name}", "{role_name}-{name}-ro"]
)


@given(_PATTERNS, _NAMES, st.from_regex(r"[A-Za-z0-9_.]{1,20}", fullmatch=True))
def test_what_a_pattern_makes_leads_back_to_the_name(pattern: str, name: str, role_name: str) -> None:
    known = {"account_id": "123456789012", "role_name": role_name}
    made = pattern.format(name=name, **known)
    assert name_by(pattern, made.lower(), known) == name


def test_a_pattern_without_the_name_leads_nowhere() -> None:
    assert name_by("{role_name}-policy", "app-policy", {"account_id": "1", "role_name": "app"}) is None
    assert name_by("{name}-policy", "app-policies", {}) is None
    assert name_by("{name}_{name}", "one_other", {}) is None
    assert name_by("{name}.policy", "app-policy", {}) is None
