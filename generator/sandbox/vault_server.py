"""Vault in the sandbox: a real server on one node of raft storage, unsealed with a key beside it."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from generator.errors import RemoteError
from generator.run.environment import allowed
from generator.sandbox import server
from generator.sandbox.server import LOOPBACK, Running, Server, answer, free_port, wait_for, write_private
from generator.sandbox.steps import tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import hvac

    from generator.sandbox.toolchain import Toolchain

_CATALOG_ENTRY = "sys/plugins/catalog/auth/aws"
_ACTIVE_PATIENCE = 60.0  # seconds
# For Vault's AWS auth plugin: moto takes any, and without them the AWS SDK would look for the machine's own.
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "vault",
    "AWS_SECRET_ACCESS_KEY": "vault",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class VaultUp:
    """A Vault that serves.

    Args:
        address: Its base URL.
        token: Its root token.
        is_new: It was initialised just now: nothing is in it but what Vault itself puts there.
        restarted: It was started just now.
    """

    address: str
    token: str = field(repr=False)
    is_new: bool
    restarted: bool


@dataclass(frozen=True, slots=True)
class _Keys:
    unseal_key: str
    root_token: str


def at(folder: Path) -> Server:
    """Return the Vault server of the sandbox in a folder."""
    return Server("vault", "the sandbox's Vault", folder, health="/v1/sys/seal-status")


def up(folder: Path, toolchain: Toolchain, progress: Callable[[str], None]) -> VaultUp:
    """Return the running Vault, started, initialised and unsealed as far as it was not.

    A Vault whose keys are lost, as when its first start was cut short, is started over.

    Raises:
        RemoteError: It does not come up, or refuses.
    """
    import requests  # noqa: PLC0415 - slow to import, and only the sandbox needs it
    from hvac.exceptions import VaultError  # noqa: PLC0415

    try:
        running, restarted = _start(folder, toolchain)
        opened = _open(folder, running)
        if opened is None:
            progress("Vault's keys do not open its data (an earlier start was cut short?): starting Vault over")
            _forget(folder)
            running, restarted = _start(folder, toolchain)
            opened = _open(folder, running)
        if opened is None:
            raise RemoteError(
                "the sandbox's Vault cannot be opened with the keys it has just given",
                help=f"see {at(folder).log}; to start from nothing, delete {folder} and run this again",
            )
        keys, is_new = opened
        with connected(running.address, keys.root_token) as client:
            _register_plugin(client, toolchain.vault_plugins, look_again=restarted)
    except (VaultError, requests.RequestException) as error:
        raise RemoteError(
            f"the sandbox's Vault refuses: {error}",
            help=f"see {at(folder).log}; to start from nothing, delete {folder} and run this again",
        ) from error
    if restarted:
        progress(f"Vault is up at {running.address}")
    return VaultUp(running.address, keys.root_token, is_new, restarted)


@contextmanager
def connected(address: str, token: str) -> Iterator[hvac.Client]:
    """Yield a client of a Vault that takes nothing from the environment: no address, token, certificate or proxy."""
    import hvac  # noqa: PLC0415 - 0.1 s, for the sandbox's verbs alone
    import requests  # noqa: PLC0415

    with requests.Session() as session:
        session.trust_env = False
        # hvac reads VAULT_CLIENT_CERT and VAULT_CACERT where these two are left out.
        yield hvac.Client(url=address, token=token, session=session, verify=True, cert=(), timeout=30)


def is_sealed(running: Running) -> bool:
    """Tell whether a Vault is anything but active: sealed, uninitialised, or not answering."""
    return answer(running.port, "/v1/sys/health") != HTTPStatus.OK


def _start(folder: Path, toolchain: Toolchain) -> tuple[Running, bool]:
    config = folder / "vault-config.json"
    data = folder / "vault-data"
    data.mkdir(mode=0o700, exist_ok=True)

    def command(port: int) -> list[str]:
        settings = _configuration(port, free_port(), data, toolchain.vault_plugins)
        write_private(config, json.dumps(settings, indent=1))
        return [str(toolchain.vault), "server", f"-config={config}"]

    made_of = f"{toolchain.vault} {toolchain.vault_plugins}"
    return server.up(at(folder), made_of, command, allowed(_CREDENTIALS))


def _configuration(port: int, cluster_port: int, data: Path, plugins: Path | None) -> Mapping[str, object]:
    listener = {
        "address": f"{LOOPBACK}:{port}",
        "cluster_address": f"{LOOPBACK}:{cluster_port}",
        "tls_disable": True,
    }
    return {
        # 1 is raft's own timing. Vault's default of 5 waits 5 s for other nodes before the only one leads.
        "storage": {"raft": {"path": str(data), "node_id": "sandbox", "performance_multiplier": 1}},
        "listener": {"tcp": listener},
        "api_addr": f"http://{LOOPBACK}:{port}",
        "cluster_addr": f"https://{LOOPBACK}:{cluster_port}",
        "disable_mlock": True,
        "ui": False,
        "log_level": "info",
    } | ({"plugin_directory": str(plugins.resolve())} if plugins else {})


def _open(folder: Path, running: Running) -> tuple[_Keys, bool] | None:
    """Initialise a Vault that is not and unseal it.

    Returns:
        The keys and whether they are new; None when there are none that open this Vault.
    """
    from hvac.exceptions import Forbidden, InvalidRequest, VaultError  # noqa: PLC0415

    keys = _read_keys(folder)
    with connected(running.address, "") as client:
        try:
            status = client.sys.read_seal_status()
            is_new = not status["initialized"]
            if is_new:
                keys = _initialise(client, folder)
        except VaultError:
            if keys:
                raise
            return None  # it was killed while it initialised and refuses for ever; there was never anything in it
        if keys is None:
            return None
        try:
            if status["sealed"]:
                client.sys.submit_unseal_key(keys.unseal_key)
            _wait_until_active(folder, running)
            client.token = keys.root_token
            client.auth.token.lookup_self()
        except (InvalidRequest, Forbidden):
            return None
    return keys, is_new


def _wait_until_active(folder: Path, running: Running) -> None:
    if not wait_for(lambda: not is_sealed(running), running, _ACTIVE_PATIENCE):
        raise RemoteError(
            f"the sandbox's Vault does not become active; the end of its log:\n{tail(at(folder).log)}",
            help="run this again; to start from nothing, delete " + str(folder),
        )


def _initialise(client: hvac.Client, folder: Path) -> _Keys:
    answer = client.sys.initialize(secret_shares=1, secret_threshold=1)
    keys = _Keys(answer["keys_base64"][0], answer["root_token"])
    write_private(_keys_file(folder), json.dumps({"unseal_key": keys.unseal_key, "root_token": keys.root_token}))
    return keys


def _read_keys(folder: Path) -> _Keys | None:
    try:
        fields = json.loads(_keys_file(folder).read_text("utf-8"))
        return _Keys(str(fields["unseal_key"]), str(fields["root_token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keys_file(folder: Path) -> Path:
    return folder / "vault-keys.json"


def _forget(folder: Path) -> None:
    server.stop(at(folder))
    shutil.rmtree(folder / "vault-data", ignore_errors=True)
    _keys_file(folder).unlink(missing_ok=True)


def _register_plugin(client: hvac.Client, plugins: Path | None, *, look_again: bool) -> None:
    """Let the auth method type `aws` resolve to the plugin in a Vault that has it not built in.

    Args:
        client: With the root token.
        plugins: The plugin folder that Vault was started with.
        look_again: Compare the plugin's hash too; it cannot have changed while Vault ran.
    """
    entry = client.read(_CATALOG_ENTRY)
    known = entry["data"] if entry else {}
    if known.get("builtin") or (known and not look_again):
        return
    if plugins is None:
        raise RemoteError(
            "this Vault has no AWS auth method",
            help="take vault off PATH, so that a fitting one is built, or put a full build of Vault there",
        )
    with (plugins / "aws").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if known.get("sha256") == digest:
        return
    client.write_data(_CATALOG_ENTRY, data={"sha256": digest, "command": "aws"})
    if known:
        # Vault has left out every mount whose plugin is not the one it knew.
        client.write_data("sys/plugins/reload/auth/aws", data={})
