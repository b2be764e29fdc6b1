"""What the command line says on the day that it is run."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from generator.cli import app
from tests.lifecycle.fleets import client, write

if TYPE_CHECKING:
    from pathlib import Path

TODAY = dt.datetime.now(dt.UTC).date()


@pytest.mark.parametrize(
    ("until", "lapsed"), [(TODAY - dt.timedelta(days=2), True), (TODAY + dt.timedelta(days=2), False)]
)
def test_permission_that_is_over_is_a_warning_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: dt.date, lapsed: bool
) -> None:
    monkeypatch.setenv("CROSSKEYS_CACHE_DIR", str(tmp_path / "cache"))
    retired = client("a", f'retire: {{approved_until: "{until}", reason: moved}}\n')
    write(tmp_path / "fleet", {"clients/a.yaml": retired, "clients/b.yaml": client("b")})
    for verb in ("validate", "render", "check"):
        done = CliRunner().invoke(app, ["-C", str(tmp_path / "fleet"), verb, "--format", "concise"])
        assert done.exit_code == 0, done.output
        if verb != "render":
            assert ("warning CK901" in done.output) is lapsed
