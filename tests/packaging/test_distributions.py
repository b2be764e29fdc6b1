"""The wheel and the source distribution, and the wheel at work where there is no checkout."""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_type_hints

import pytest

from generator import __version__
from generator.resources import data

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
# What the code asks for, not what the build's settings say that it gets.
DATA: tuple[str, ...] = get_args(get_type_hints(data)["name"])


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the source distribution, and the wheel from that: so the former has all that the latter needs."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


@dataclass(frozen=True)
class Installation:
    """A virtual environment into which the wheel was installed."""

    folder: Path

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def run(self, *arguments: str, cwd: Path, program: str = "crosskeys") -> subprocess.CompletedProcess[str]:
        hidden = ("PYTHON", "CROSSKEYS_", "AWS_", "VAULT_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        environment |= {"CROSSKEYS_CACHE_DIR": str(self.folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Install the wheel without its dependencies and without write permission for anybody.

    The dependencies are this environment's: a .pth file puts its folder behind the new one's. Python does not look for
    further .pth files there, so the editable installation of the checkout stays out of sight, and nothing is fetched.
    """
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    installation = Installation(folder)
    (installation.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    package = [installation.packages / "generator", *(installation.packages / "generator").rglob("*")]
    for path in package:
        path.chmod(path.stat().st_mode & ~0o222)
    yield installation
    for path in package:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """The example fleet's manifests: no templates/ of its own, and nothing rendered yet."""
    folder = tmp_path / "fleet"
    shutil.copytree(CHECKOUT / "clients", folder / "clients")
    shutil.copy(CHECKOUT / "crosskeys.yaml", folder)
    return folder


def files_below(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and ".terraform" not in str(path))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_the_wheel_carries_the_data_folders_as_they_stand_in_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in DATA:
            prefix = f"generator/_data/{name}/"
            packed = {
                path.removeprefix(prefix): archive.read(path) for path in archive.namelist() if path.startswith(prefix)
            }
            assert packed == files_below(CHECKOUT / name)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    about = f"crosskeys-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert {name.partition("/")[0] for name in names} == {"generator", about}
        assert f"{about}/licenses/LICENSE" in names
        assert archive.read(f"{about}/entry_points.txt").decode().split() == [
            "[console_scripts]",
            "crosskeys",
            "=",
            "generator.start:main",
        ]
    code = {name.removeprefix("generator/") for name in names if name.endswith(".py")}
    assert code == {name for name in files_below(CHECKOUT / "generator") if name.endswith(".py")}


def test_the_source_distribution_holds_what_building_needs_and_no_fleet(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    assert tops == {
        *DATA,
        "generator",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "PKG-INFO",
        ".gitignore",  # hatchling adds it: it says what is left out
    }


def test_it_is_the_installed_package_that_runs(installed: Installation, fleet: Path) -> None:
    said = installed.run("--version", cwd=fleet).stdout
    assert said == f"crosskeys {__version__}\n"
    where = installed.run("-c", "import generator; print(generator.__file__)", cwd=fleet, program="python").stdout
    assert Path(where.strip()).is_relative_to(installed.packages)


def test_the_installed_program_renders_what_the_checkout_has_committed(installed: Installation, fleet: Path) -> None:
    assert installed.run("validate", cwd=fleet).returncode == 0
    assert installed.run("check", cwd=fleet).returncode == 1, "nothing is rendered yet"
    rendered = installed.run("render", cwd=fleet)
    assert rendered.returncode == 0, rendered.stderr
    assert files_below(fleet / "terraform") == files_below(CHECKOUT / "terraform")
    assert installed.run("check", cwd=fleet).returncode == 0


def test_the_installed_program_prints_the_schemas_of_the_checkout(installed: Installation, fleet: Path) -> None:
    for kind in ("client", "account", "fleet"):
        committed = (CHECKOUT / f"schemas/{kind}.schema.json").read_text()
        assert installed.run("schema", kind, cwd=fleet).stdout == committed


def test_the_installation_is_only_read(installed: Installation, fleet: Path) -> None:
    def state() -> str:
        whole = hashlib.sha256()
        for path, content in sorted(files_below(installed.packages / "generator").items()):
            whole.update(f"{path}\0{len(content)}\0".encode() + content)
        return whole.hexdigest()

    before = state()
    for verb in (["validate"], ["render"], ["check"], ["schema"], ["sandbox", "status"]):
        ended = installed.run(*verb, cwd=fleet)
        assert "itself failed" not in ended.stderr
    assert state() == before


def test_a_fleets_own_template_comes_before_the_wheels(installed: Installation, fleet: Path) -> None:
    name = "vault/root.tf.j2"
    (fleet / "templates/vault").mkdir(parents=True)
    own = (CHECKOUT / "templates" / name).read_text()
    (fleet / "templates" / name).write_text(f"# Reviewed by the platform team.\n{own}")
    assert not filecmp.cmp(fleet / "templates" / name, installed.packages / "generator/_data/templates" / name)
    rendered = installed.run("render", cwd=fleet)
    assert rendered.returncode == 0, rendered.stderr
    text = (fleet / "terraform/accounts/111111111111/vault/root.tf").read_text()
    assert "# Reviewed by the platform team.\n" in text
