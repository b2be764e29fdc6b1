"""An import as a whole: what it may not begin without."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from generator.errors import RemoteError
from generator.live.adopting.asked import Asked
from generator.live.adopting.settings import Where
from generator.live.adopting.whole import Place, whole
from generator.live.answers import Unknown
from generator.live.pace import Pace
from generator.live.systems import Systems
from generator.live.vault import Vault
from tests.live.adopting.worlds import fleet_of

if TYPE_CHECKING:
    from pathlib import Path


def test_mounts_that_cannot_be_read_are_not_taken_for_the_usual_one(tmp_path: Path) -> None:
    vault = mock.create_autospec(Vault, instance=True)
    vault.read.side_effect = lambda path: Unknown(path, "permission denied", f"let the token read {path}")
    vault.list.return_value = None
    systems = Systems(lambda: vault, lambda _account: None, Pace(0))
    place = Place(tmp_path, None, Where("admin"))
    asked = Asked(owner="team@example.com")
    with pytest.raises(RemoteError, match="which auth methods Vault has cannot be told: permission denied") as error:
        whole(place, fleet_of(), systems, asked, dt.date(2026, 1, 1), progress=lambda _said: None)
    assert error.value.help is not None
    assert error.value.help.startswith("let the token read sys/auth; or begin the fleet with `crosskeys init")
