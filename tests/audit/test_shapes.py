"""Reading by shape says what parsing in full says, to the place of every rule. `make fuzz` asks far more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.audit import shapes
from generator.audit.faults import Unreadable
from generator.audit.reading import every_field, parsed, read_each
from generator.audit.shapes import cut, filled
from tests.audit.differential import FILES, Differential, run

if TYPE_CHECKING:
    from generator.audit.moulds import Declarations

PATH = "terraform/accounts/111111111111/vault/client-payments.tf"
EXAMPLE = dict(reversed(FILES))  # the example fleet is the first
CLIENT = EXAMPLE[PATH]


@pytest.fixture(scope="module")
def both() -> Differential:
    return Differential()


def test_every_file_of_the_example_and_golden_fleets_is_cast_as_it_is_parsed(both: Differential) -> None:
    assert [problem for path, text in FILES if (problem := both.problem(path, text))] == []
    assert both.cast == len(FILES)


def test_files_of_one_name_apart_have_one_shape() -> None:
    other = CLIENT.replace("payments", "ledger-2").replace("111111111111", "222222222222")
    one, two = cut(PATH, CLIENT), cut(PATH.replace("payments", "ledger-2"), other)
    assert one
    assert two
    assert one.shape == two.shape
    assert one.values != two.values
    assert "payments" not in one.shape.text


def test_a_shape_filled_with_its_values_is_the_file() -> None:
    for path, text in FILES:
        piece = cut(path, text)
        assert piece
        assert text.endswith(filled(piece.shape, piece.values))


def test_what_a_check_looks_into_is_part_of_the_shape() -> None:
    piece = cut(PATH, CLIENT)
    assert piece
    for word in ('"iam"', '"read", "list"', '"vault_policy"'):
        assert word in piece.shape.text
    aws = cut(PATH.replace("/vault/", "/aws/"), EXAMPLE[PATH.replace("/vault/", "/aws/")])
    assert aws
    for word in ('"Allow"', '"Service"', '"sts:AssumeRole"', '"ec2.amazonaws.com"'):
        assert word in aws.shape.text


def test_comments_and_lifetimes_are_each_files_own(both: Differential) -> None:
    other = CLIENT.replace("# list or read the actual certificates", "# shared: what lies below 3600 = certs/900")
    other = other.replace("= 3600", "= 900").replace("14400", "7")
    one, two = cut(PATH, CLIENT), cut(PATH, other)
    assert one
    assert two
    assert one.shape == two.shape
    assert [both.problem(PATH, text) for text in (CLIENT, other)] == [None, None]
    for number in ("09", "1e3", "9.5", "-1", "1234567890", '"900"', "900 # a", "900 }"):
        odd = cut(PATH, CLIENT.replace("= 3600", f"= {number}"))
        assert odd is None or odd.shape != one.shape


def test_what_is_imported_is_each_files_own(both: Differential) -> None:
    block = 'import {\n  to = vault_policy.payments\n  id = "payments-policy"\n}\n'
    one, two = cut(PATH, block), cut(PATH, block.replace("payments", "ledger-2"))
    assert one
    assert two
    assert one.shape == two.shape
    assert both.problem(PATH, block) is None
    for odd in ("vault_policy.for", "vault_policy.p.q", "vault_policy.p[0]", "vault_policy.p # x", "vault_policy.P"):
        text = block.replace("vault_policy.payments", odd)
        piece = cut(PATH, text)
        assert piece is None or piece.shape != one.shape
        assert both.problem(PATH, text) is None


def test_thousands_of_changed_files_are_read_alike() -> None:
    cast, problems = run(seed=7, numbers=range(800))
    assert problems == []
    assert cast > 300


def test_a_hole_that_takes_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = CLIENT.replace("payments-app/*", "payments app/*")
    both = Differential()
    assert [both.problem(PATH, text) for text in (CLIENT, wrong)] == [None, None]
    monkeypatch.setattr(shapes, "_PATH", shapes._VALUE)
    assert both.problem(PATH, CLIENT) is None
    assert "refused in full" in (both.problem(PATH, wrong) or "")


LABEL = st.from_regex(r"\A[a-z][a-z0-9-]{0,63}\Z")
NAME = st.text("".join(map(chr, range(32, 127))), min_size=1, max_size=20)


@given(LABEL, NAME, NAME)
@settings(max_examples=60, deadline=None)
def test_whatever_a_client_is_called_it_is_read_alike(label: str, role: str, owner: str) -> None:
    text = CLIENT.replace('"payments"', f'"{label}"').replace(".payments.", f".{label}.").replace("payments-app", role)
    text = text.replace("payments-team@example.com", owner)
    path = f"terraform/accounts/111111111111/vault/client-{label}.tf"
    texts = {path: text, PATH: CLIENT}
    assert every_field_of(read_each(texts, None)) == every_field_of({at: parsed(at, one) for at, one in texts.items()})


def every_field_of(found: dict[str, Declarations | Unreadable]) -> object:
    return {path: str(one) if isinstance(one, Unreadable) else every_field(one) for path, one in found.items()}
