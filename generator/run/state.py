"""The state of a root where its backend keeps it: read, locked and copied by Terraform, and by nothing else.

Terraform is run in a root of nothing but the backend, so that it needs no provider, no credential but the backend's,
and leaves the rendered root's own working folder alone.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from generator.errors import RemoteError
from generator.render.layout import TREE, BackendBlock, backend_of
from generator.rules.state import CHOOSING
from generator.run.locks import Lock, lock_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.manifest.settings import FleetSettings
    from generator.run.children import Children

_CONFIGURED = b"Successfully configured the backend"
_NO_WAITING = "-lock-timeout=0s"
_WAITING = "-lock-timeout=30s"
# Taints nothing: the address is in no root, and Terraform looks for it only once it has the lock.
_NOWHERE = "terraform_data.crosskeys_asks_for_the_lock"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stands in a state, its values aside.

    Args:
        lineage: What all snapshots of one state have in common.
        serial: Its number among them.
        objects: Addresses of the managed objects.
        contents: All that it holds, in the form in which two snapshots are equal when they hold the same.
    """

    lineage: str
    serial: int
    objects: tuple[str, ...]
    contents: str

    @classmethod
    def of(cls, text: bytes) -> Snapshot | None:
        """Return what a state file says, None for that of a root that has no state.

        Raises:
            ValueError: When it is no state file of a version that is known.
        """
        if not text.strip():
            return None
        try:
            raw = json.loads(text)
            resources = raw["resources"] or []
            # What Terraform makes up for some backends where there is none.
            if not raw["lineage"] and not resources:
                return None
            objects = tuple(sorted(_addresses(resources)))
            # The version of Terraform that wrote it, and what it noted of checks, are its own.
            contents = json.dumps([raw.get("outputs"), sorted(map(_canonical, resources))], sort_keys=True)
            return cls(str(raw["lineage"]), int(raw["serial"]), objects, contents)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("it is no state file that Terraform 1 writes") from error


@dataclass(frozen=True, slots=True)
class Place:
    """Where a root's state is kept.

    Args:
        root: The root's name.
        backend: Its backend; a local path is absolute.
    """

    root: str
    backend: BackendBlock

    @classmethod
    def of(cls, folder: Path, settings: FleetSettings, root: str) -> Place:
        """Return where the fleet settings keep a root's state.

        Args:
            folder: The fleet's folder.
            settings: The settings.
            root: The root's name.
        """
        backend = backend_of(settings, root)
        if backend.type != "local":
            return cls(root, backend)
        return cls.local(root, folder / TREE / root / str(backend.settings["path"]))

    @classmethod
    def local(cls, root: str, path: Path) -> Place:
        """Return the place of a state that is kept in a file."""
        return cls(root, BackendBlock("local", {"path": os.path.normpath(path.absolute())}, {}))

    @property
    def file(self) -> Path | None:
        """The file of a local state."""
        return Path(str(self.backend.settings["path"])) if self.backend.type == "local" else None

    @property
    def address(self) -> str:
        """Where it is, in the backend's own terms."""
        settings = self.backend.settings
        match self.backend.type:
            case "local":
                return str(settings["path"])
            case "s3":
                return f"s3://{settings.get('bucket', '')}/{settings.get('key', '')}"
            case "http":
                return str(settings.get("address", ""))
            case kind:
                chosen = CHOOSING.get(kind, settings.keys())
                said = {**settings, **{key: dict(value) for key, value in self.backend.blocks.items()}}
                return ", ".join(f"{key} {value}" for key, value in said.items() if key in chosen)


@dataclass(frozen=True, slots=True)
class Keeper:
    """A backend that keeps one root's state, and Terraform to ask it.

    Args:
        root: The root's name.
        folder: A folder of its own, readable by its owner alone, that holds a root of nothing but the backend.
        environment: The whole environment of the backend's Terraform.
        children: Starts the processes.
    """

    root: str
    folder: Path
    environment: Mapping[str, str]
    children: Children

    @property
    def own_terraform(self) -> str:
        """How a person would call Terraform where this backend is set up; the folder here is gone by then."""
        return f"in a root that was initialised with this backend, such as {TREE}/{self.root}: terraform"

    def connect(self) -> None:
        """Let Terraform take up the backend.

        Raises:
            RemoteError: When it cannot: its settings are wrong, or it does not answer.
        """
        empty = self.folder / "plugins"
        empty.mkdir()
        # The state names providers, which init would fetch and nothing here needs: it fails for want of them, after
        # the backend.
        code, said, complaint = self._run("init", "-input=false", f"-plugin-dir={empty}")
        if code != 0 and _CONFIGURED not in said:
            self._fail("the backend of its state cannot be used", complaint)

    def pull(self) -> bytes:
        """Return the state as Terraform writes it; nothing where there is none.

        Raises:
            RemoteError: When it cannot be read.
        """
        code, state, complaint = self._run("state pull")
        if code != 0:
            self._fail("its state cannot be read", complaint)
        return state

    def snapshot(self, text: bytes) -> Snapshot | None:
        """Return what a pulled state says.

        Raises:
            RemoteError: When it is no state.
        """
        try:
            return Snapshot.of(text)
        except ValueError as error:
            raise RemoteError(f"{self.root}: its state cannot be read: {error}") from error

    def lock(self) -> Lock | None:
        """Return the lock that somebody holds on the state; take it for a moment and release it when it is free.

        Raises:
            RemoteError: When that cannot be found out.
        """
        code, _, complaint = self._run("untaint", "-allow-missing", _NO_WAITING, _NOWHERE)
        if code == 0:
            return None
        return lock_in(complaint) or self._fail("its lock cannot be looked at", complaint)

    def push(self, state: bytes) -> None:
        """Write a state, as Terraform allows it: over none, or over an earlier snapshot of the same.

        Raises:
            RemoteError: When Terraform refuses or fails.
        """
        with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".tfstate") as file:
            file.write(state)
            file.flush()
            code, _, complaint = self._run("state push", _WAITING, file.name)
        if code != 0:
            self._fail("its state cannot be written", complaint)

    def _run(self, command: str, *options: str) -> tuple[int | None, bytes, str]:
        environment = {
            **self.environment,
            "TF_DATA_DIR": str(self.folder / "data"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        line = ("terraform", f"-chdir={self.folder}", *command.split(), "-no-color", *options)
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            try:
                code = self.children.run(line, environment, output.fileno(), lambda _line: None, errors=errors.fileno())
            except OSError as error:
                return 1, b"", f"terraform could not be started: {error}"
            return code, _whole(output.fileno()), _whole(errors.fileno()).decode(errors="replace")

    def _fail(self, what: str, complaint: str) -> NoReturn:
        if self.children.stopping():
            raise RemoteError(f"{self.root}: interrupted")
        words = complaint.strip() or "Terraform does not say why"
        raise RemoteError(f"{self.root}: {what}: {words}")


def _whole(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _addresses(resources: list[dict[str, Any]]) -> list[str]:
    return [
        f"{each['type']}.{each['name']}" + (f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else "")
        for each in resources
        if each["mode"] == "managed"
        for instance in each["instances"]
    ]


def _canonical(resource: dict[str, Any]) -> str:
    return json.dumps(resource, sort_keys=True)
