"""Templated paths: each kind of selector, and an identity file that is not one."""

from __future__ import annotations

import pytest

from generator.audit.acl_identity import Identity, UnbalancedError, filled, is_templated
from generator.errors import UsageError

WHO = Identity.of(
    {
        "entity": {
            "id": "e1",
            "name": "payments",
            "metadata": {"team": "cards", "empty": ""},
            "aliases": [
                {
                    "mount_accessor": "auth_aws_1",
                    "id": "a1",
                    "name": "arn",
                    "metadata": {"account_id": "111111111111"},
                    "custom_metadata": {"x": "y"},
                }
            ],
        },
        "groups": [{"id": "g1", "name": "ops", "metadata": {"tier": "gold"}}, {"id": "g2"}],
    }
)


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("identity.entity.id", "e1"),
        ("identity.entity.name", "payments"),
        ("identity.entity.metadata.team", "cards"),
        ("identity.entity.metadata.empty", ""),
        ("identity.entity.metadata.none", None),
        ("identity.entity.metadata", None),
        ("identity.entity.groups.names", None),
        ("identity.entity.aliases.auth_aws_1.id", "a1"),
        ("identity.entity.aliases.auth_aws_1.name", "arn"),
        ("identity.entity.aliases.auth_aws_1.metadata.account_id", "111111111111"),
        ("identity.entity.aliases.auth_aws_1.custom_metadata.x", "y"),
        ("identity.entity.aliases.auth_aws_2.id", None),
        ("identity.entity.aliases.auth_aws_1", None),
        ("identity.groups.names.ops.id", "g1"),
        ("identity.groups.ids.g1.name", "ops"),
        ("identity.groups.ids.g2.name", None),
        ("identity.groups.ids.g1.metadata.tier", "gold"),
        ("identity.groups.ids.g3.id", None),
        ("identity.groups.others.g1.id", None),
        ("nonsense", None),
    ],
)
def test_a_selector_is_replaced_or_the_rule_left_out(selector: str, value: str | None) -> None:
    path = f"a/{{{{ {selector} }}}}/b"
    assert filled(path, WHO) == (None if value is None else f"a/{value}/b")
    assert filled(path, Identity()) is None


def test_several_templates_of_one_path_are_all_replaced() -> None:
    path = "{{identity.entity.id}}-{{identity.entity.name}}*"
    assert is_templated(path)
    assert filled(path, WHO) == "e1-payments*"


@pytest.mark.parametrize("path", ["a{{b", "a}}b", "a}}{{b", "{{a}}}}", "{{a{{b}}"])
def test_templates_that_do_not_balance_are_told(path: str) -> None:
    with pytest.raises(UnbalancedError):
        is_templated(path)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"entities": {}},
        {"entity": []},
        {"entity": {"id": 1}},
        {"entity": {"metadata": {"a": 1}}},
        {"entity": {"metadata": "a"}},
        {"entity": {"aliases": [{"name": "a"}]}},
        {"groups": {}},
        {"groups": ["a"]},
    ],
    ids=str,
)
def test_an_identity_that_is_none_is_refused_with_its_form(document: object) -> None:
    with pytest.raises(UsageError) as caught:
        Identity.of(document)
    assert caught.value.help
    assert '"entity"' in caught.value.help
