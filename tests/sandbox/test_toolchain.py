"""Finding, fetching and building the sandbox's programs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet

from generator import cache, resources
from generator.errors import ExitCode, InternalError, RemoteError
from generator.run.environment import allowed
from generator.sandbox import gobuild, providers, steps, toolchain
from generator.sandbox.gobuild import GoModule, built
from generator.sandbox.locking import locked
from generator.sandbox.providers import Provider

if TYPE_CHECKING:
    from generator.sandbox.toolchain import Toolchain

MODULE = GoModule(
    folder="demo",
    title="Demo 1.0",
    programs=(("demo", "example.com/demo"), ("sub/extra", "example.com/x")),
    instead="fetch it",
)
AWS = Provider("aws", SpecifierSet(">=5.100,<7"))
PLATFORM = f"linux_{gobuild.architecture()}"
# Stands in for the Go compiler: writes what it was asked to, counting how often.
FAKE_GO = """#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo "package $3" >> "$(dirname "$0")/calls"
{delay}
printf built > "$2"
"""


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that stand first on PATH, with the shell's own after it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "dirname", "sleep"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toolchain folder with the demonstration module in it."""
    folder = tmp_path / "toolchain"
    (folder / "demo").mkdir(parents=True)
    (folder / "demo" / "go.mod").write_text("module demo\n\ngo 1.99.1\n")
    (folder / "demo" / "go.sum").write_text("")
    monkeypatch.setattr(gobuild, "data", lambda _: folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, with nothing else looked through."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(providers, "_LOOKED_THROUGH", ())
    monkeypatch.setattr(providers, "PROVIDERS", (AWS,))
    for name in ("TF_PLUGIN_CACHE_DIR", "XDG_DATA_HOME", "XDG_DATA_DIRS", "TF_CLI_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def provider_at(mirror: Path, version: str, platform: str = PLATFORM) -> Path:
    folder = mirror / "registry.terraform.io" / "hashicorp" / "aws" / version / platform
    program(folder, f"terraform-provider-aws_v{version}_x5", "")
    return folder


# Terraform and Vault on PATH


@pytest.mark.usefixtures("path")
def test_missing_terraform_is_said_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="no terraform on PATH") as caught:
        toolchain.ensure(tmp_path / "cache", print)
    assert caught.value.exit_code is ExitCode.REMOTE
    assert "1.11" in str(caught.value.help)


@pytest.mark.parametrize(
    ("output", "complaint"),
    [('{"terraform_version": "1.10.5"}', "Terraform 1.10.5, older than 1.11"), ("what?", "does not say which version")],
)
def test_unfit_terraform_is_refused(path: Path, tmp_path: Path, output: str, complaint: str) -> None:
    program(path, "terraform", f"#!/bin/sh\necho '{output}'\n")
    with pytest.raises(RemoteError, match=complaint):
        toolchain.ensure(tmp_path / "cache", print)


@pytest.mark.parametrize(
    ("version", "handler", "fits"),
    [
        ("1.21.0", "echo 'Usage: vault login -method=aws'", True),
        ("1.22.1+ent", "echo 'Usage: vault login -method=aws'", True),
        ("1.20.9", "echo 'Usage: vault login -method=aws'", False),
        ("1.21.2", "exit 2", False),
    ],
)
def test_vault_on_path_is_used_when_new_enough_and_complete(
    path: Path, tmp_path: Path, version: str, handler: str, fits: bool
) -> None:
    text = f"#!/bin/sh\nif [ $1 = version ]; then echo 'Vault v{version} (abc), built today'; else {handler}; fi\n"
    assert toolchain._fits(tmp_path, program(path, "vault", text)) is fits


def test_answers_of_a_program_are_remembered_until_its_file_changes(tmp_path: Path) -> None:
    echo = Path(shutil.copy(os.path.realpath("/bin/echo"), tmp_path / "echo"))
    assert toolchain._remembered(tmp_path, echo, "one") == "one\n"
    memory = tmp_path / "probes.json"
    memory.write_text(memory.read_text().replace("one\\n", "remembered"))
    assert toolchain._remembered(tmp_path, echo, "one") == "remembered"
    os.utime(echo, ns=(1, 1))
    assert toolchain._remembered(tmp_path, echo, "one") == "one\n"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}'])
def test_broken_memory_of_answers_is_replaced(tmp_path: Path, text: str) -> None:
    echo = Path(shutil.copy(os.path.realpath("/bin/echo"), tmp_path / "echo"))
    (tmp_path / "probes.json").write_text(text)
    assert toolchain._remembered(tmp_path, echo, "one") == "one\n"
    assert f"{echo} one" in json.loads((tmp_path / "probes.json").read_text())


def test_answers_of_a_version_managers_shim_are_never_remembered(path: Path, tmp_path: Path) -> None:
    shim = program(path, "shim", "#!/bin/sh\necho first\n")
    assert toolchain._remembered(tmp_path, shim) == "first\n"
    facts = shim.stat()
    shim.write_text("#!/bin/sh\necho other\n")
    os.utime(shim, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert toolchain._remembered(tmp_path, shim) == "other\n"


# Building


def test_build_is_done_once_for_a_pin_and_again_for_the_next(path: Path, modules: Path, tmp_path: Path) -> None:
    program(path, "go", FAKE_GO.format(delay=""))
    lines: list[str] = []
    first = built(MODULE, tmp_path / "cache", lines.append)
    assert (first / "demo").read_text() == (first / "sub" / "extra").read_text() == "built"
    assert "building Demo 1.0" in lines[0]
    assert "built Demo 1.0 in" in lines[-1]
    assert built(MODULE, tmp_path / "cache", lines.append) == first
    assert len((path / "calls").read_text().splitlines()) == 2
    (modules / "demo" / "go.sum").write_text("example.com/demo v1.0.1 h1:x\n")
    assert built(MODULE, tmp_path / "cache", lines.append) != first


@pytest.mark.usefixtures("path", "modules")
def test_missing_go_is_said_with_the_version_to_get(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="no go on PATH") as caught:
        built(MODULE, tmp_path / "cache", print)
    assert "install Go 1.99.1 or newer" in str(caught.value.help)
    assert "or fetch it" in str(caught.value.help)


@pytest.mark.usefixtures("modules")
def test_failed_build_shows_the_end_of_what_go_said_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    program(path, "go", "#!/bin/sh\necho 'proxy: connection refused' >&2\nexit 1\n")
    with pytest.raises(RemoteError, match="connection refused"):
        built(MODULE, tmp_path / "cache", print)
    assert [left.name for left in (tmp_path / "cache" / "builds").iterdir() if left.is_dir()] == []


def start_build(modules: Path, cache: Path) -> subprocess.Popen[str]:
    script = (
        "import sys; from pathlib import Path; from generator.sandbox import gobuild\n"
        "gobuild.data = lambda _: Path(sys.argv[1])\n"
        f"gobuild.built(gobuild.{MODULE!r}, Path(sys.argv[2]), lambda line: print(line, flush=True))\n"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(modules), str(cache)], stdout=subprocess.PIPE, text=True)


def test_killed_build_leaves_nothing_that_passes_for_built(path: Path, modules: Path, tmp_path: Path) -> None:
    program(path, "go", FAKE_GO.format(delay="sleep 5"))
    cache = tmp_path / "cache"
    with start_build(modules, cache) as killed:
        deadline = time.monotonic() + 10
        while not (path / "calls").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
    assert not (cache / "builds" / f"demo-{MODULE.key}").exists()
    assert list((cache / "builds").glob(".demo-*")) != []
    program(path, "go", FAKE_GO.format(delay=""))
    assert (built(MODULE, cache, print) / "demo").read_text() == "built"
    assert list((cache / "builds").glob(".demo-*")) == []


def test_two_runs_build_once(path: Path, modules: Path, tmp_path: Path) -> None:
    program(path, "go", FAKE_GO.format(delay="sleep 0.5"))
    with start_build(modules, tmp_path / "cache") as one, start_build(modules, tmp_path / "cache") as other:
        output = one.communicate(timeout=30)[0] + other.communicate(timeout=30)[0]
    assert one.returncode == other.returncode == 0
    assert len((path / "calls").read_text().splitlines()) == 2
    assert "waiting for another run that builds Demo 1.0" in output


def test_go_sees_no_ambient_target_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOS", "GOFLAGS", "AWS_SECRET_ACCESS_KEY", "VAULT_TOKEN"):
        monkeypatch.setenv(name, "ambient")
    monkeypatch.setenv("GOPROXY", "https://proxy.example.com")
    environment = gobuild._environment()
    assert "ambient" not in environment.values()
    assert environment["GOPROXY"] == "https://proxy.example.com"
    assert environment["CGO_ENABLED"] == "0"


def test_long_step_shows_that_it_lives_and_is_ended_with_its_children_when_interrupted(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_SIGN_OF_LIFE", 0.2)
    slow = program(path, "slow", f"#!/bin/sh\nsh -c 'sleep 3; echo late > {tmp_path}/late' &\nsleep 60\n")
    lines: list[str] = []

    def interrupt_at_the_third(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.run(
            [str(slow)],
            cwd=tmp_path,
            env=allowed({}),
            log=tmp_path / "log",
            doing="waiting",
            progress=interrupt_at_the_third,
        )
    assert lines == ["waiting … 0 s", "waiting … 0 s", "waiting … 1 s"]
    time.sleep(3)
    assert not (tmp_path / "late").exists()


def test_module_is_named_after_the_version_that_it_pins() -> None:
    pinned = re.search(r"github.com/hashicorp/vault (v\S+)", (toolchain.VAULT.source / "go.mod").read_text())
    assert pinned is not None
    assert f"Vault {pinned[1].removeprefix('v')} " in toolchain.VAULT.title


# Providers


def test_newest_fitting_provider_on_the_machine_is_linked(path: Path, home: Path, tmp_path: Path) -> None:
    plugins = home / ".terraform.d" / "plugins"
    for version in ("5.99.0", "5.100.0", "6.2.0", "6.11.0", "7.0.0"):
        provider_at(plugins, version)
    provider_at(plugins, "6.12.0", "plan9_mips")
    lines: list[str] = []
    mirror = providers.mirrored(tmp_path / "cache", path / "terraform", lines.append)
    link = mirror / "registry.terraform.io" / "hashicorp" / "aws" / "6.11.0" / PLATFORM
    assert link.resolve() == plugins / "registry.terraform.io" / "hashicorp" / "aws" / "6.11.0" / PLATFORM
    assert len(lines) == 1
    assert providers.mirrored(tmp_path / "cache", path / "terraform", lines.append) == mirror
    assert len(lines) == 1


@pytest.mark.parametrize("place", ["tools/mirror", ".local/share/terraform/plugins", "a/b/c"])
def test_provider_is_found_anywhere_near(path: Path, home: Path, tmp_path: Path, place: str) -> None:
    found = provider_at(home / place, "5.100.0")
    mirror = providers.mirrored(tmp_path / "cache", path / "terraform", lambda _: None)
    assert next((mirror / "registry.terraform.io").glob("*/*/*/*")).resolve() == found


def test_linked_provider_keeps_its_version(path: Path, home: Path, tmp_path: Path) -> None:
    found = provider_at(home / "mirror", "5.100.0")
    found.rename(tmp_path / "program")
    found.symlink_to(tmp_path / "program")
    mirror = providers.mirrored(tmp_path / "cache", path / "terraform", lambda _: None)
    link = mirror / "registry.terraform.io" / "hashicorp" / "aws" / "5.100.0" / PLATFORM
    assert link.readlink() == tmp_path / "program"


@pytest.mark.usefixtures("home")
def test_plugin_cache_is_looked_through(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = provider_at(tmp_path / "elsewhere" / "a" / "b" / "c" / "d" / "e", "5.100.0")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(found.parents[4]))
    mirror = providers.mirrored(tmp_path / "cache", path / "terraform", lambda _: None)
    assert next((mirror / "registry.terraform.io").glob("*/*/*/*")).resolve() == found


def test_provider_that_went_away_is_looked_for_again(path: Path, home: Path, tmp_path: Path) -> None:
    gone = provider_at(home / "old", "5.100.0")
    providers.mirrored(tmp_path / "cache", path / "terraform", lambda _: None)
    shutil.rmtree(gone)
    kept = provider_at(home / "new", "5.100.0")
    mirror = providers.mirrored(tmp_path / "cache", path / "terraform", lambda _: None)
    assert next((mirror / "registry.terraform.io").glob("*/*/*/*")).resolve() == kept


@pytest.mark.usefixtures("home")
def test_provider_is_taken_from_where_the_users_terraform_leads(path: Path, tmp_path: Path) -> None:
    program(
        path,
        "terraform",
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        f"place = pathlib.Path('.terraform/providers/registry.terraform.io/hashicorp/aws/6.1.0/{PLATFORM}')\n"
        "place.mkdir(parents=True)\n"
        "(place / 'terraform-provider-aws_v6.1.0_x5').touch(0o755)\n",
    )
    mirror = providers.mirrored(tmp_path, path / "terraform", lambda _: None)
    got = mirror / "registry.terraform.io" / "hashicorp" / "aws" / "6.1.0" / PLATFORM
    assert (got / "terraform-provider-aws_v6.1.0_x5").is_file()
    assert list(tmp_path.glob(".init-*")) == []


@pytest.mark.usefixtures("home")
def test_provider_that_nobody_has_is_said_with_what_terraform_said(path: Path, tmp_path: Path) -> None:
    program(path, "terraform", "#!/bin/sh\necho 'could not connect'\nexit 1\n")
    with pytest.raises(RemoteError, match="could not connect") as caught:
        providers.mirrored(tmp_path, path / "terraform", lambda _: None)
    assert "no Terraform aws provider (<7, >=5.100" in caught.value.message
    assert "providers mirror" in str(caught.value.help)


@pytest.mark.toolchain
def test_terraform_installs_from_the_mirror_and_asks_nobody(toolchain: Toolchain, tmp_path: Path) -> None:
    required = {"vault": {"source": "hashicorp/vault"}, "aws": {"source": "hashicorp/aws"}}
    (tmp_path / "main.tf.json").write_text(json.dumps({"terraform": {"required_providers": required}}))
    # Anything that went out would meet a proxy that is not there.
    environment = allowed({"TF_CLI_CONFIG_FILE": str(toolchain.terraform_config), "HTTPS_PROXY": "http://127.0.0.1:1"})
    done = subprocess.run(
        [toolchain.terraform, "init", "-no-color"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout.replace("Warning: Incomplete lock file information for providers", "")


@pytest.mark.toolchain
def test_warm_toolchain_starts_no_program(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    from generator.sandbox.toolchain import ensure  # noqa: PLC0415 - the fixture has the module's name

    assert ensure(cache.folder(), pytest.fail) == toolchain


# The command, the cache, the parts


@pytest.mark.usefixtures("path")
def test_command_reports_an_error_and_its_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CROSSKEYS_CACHE_DIR", str(tmp_path / "cache"))
    assert toolchain.main() == ExitCode.REMOTE
    assert capsys.readouterr().err.splitlines()[0] == "error: there is no terraform on PATH"


def test_cache_that_cannot_be_made_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RemoteError, match="cannot prepare the toolchain") as caught:
        toolchain.ensure(tmp_path / "file" / "cache", print)
    assert "CROSSKEYS_CACHE_DIR" in str(caught.value.help)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CROSSKEYS_CACHE_DIR": "/chosen"}, "/chosen"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/crosskeys"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/someone/.cache/crosskeys"),
        ({}, "/home/someone/.cache/crosskeys"),
    ],
)
def test_cache_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for name in ("CROSSKEYS_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(cache.folder()) == expected


def test_environment_passes_who_the_user_is_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "VAULT_TOKEN", "TF_VAR_x", "TF_CLI_ARGS", "GITHUB_TOKEN", "LD_PRELOAD", "PYTHONPATH"):
        monkeypatch.setenv(name, "ambient")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = allowed({"VAULT_ADDR": "http://127.0.0.1:8200", "LANG": "C"})
    assert "ambient" not in environment.values()
    assert environment["VAULT_ADDR"] == "http://127.0.0.1:8200"
    assert environment["LANG"] == "C"
    assert environment["PATH"] == os.environ["PATH"]


def test_data_folders_are_the_installed_ones_before_the_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resources.data("toolchain").samefile(Path(__file__).parents[2] / "toolchain")
    package = tmp_path / "generator"
    package.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    with pytest.raises(InternalError, match="lacks its folder schemas"):
        resources.data("schemas")
    (tmp_path / "schemas").mkdir()
    assert resources.data("schemas") == tmp_path / "schemas"
    (package / "_data" / "schemas").mkdir(parents=True)
    assert resources.data("schemas") == package / "_data" / "schemas"


def test_lock_lets_the_holders_own_errors_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), locked(tmp_path / "lock", lambda: None):
        raise FileNotFoundError("mine")


def test_lock_on_a_deleted_file_is_not_taken_for_held(tmp_path: Path) -> None:
    folder = tmp_path / "state"

    def delete() -> None:
        shutil.rmtree(folder)
        holder.__exit__(None, None, None)

    holder = locked(folder / "lock", lambda: None)
    holder.__enter__()
    with locked(folder / "lock", delete):
        assert (folder / "lock").exists()
