"""Where state is kept: each root's apart, out of the tree, and without a credential in the settings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from generator.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.diagnostics import Span
    from generator.manifest.fleet import Fleet
    from generator.manifest.settings import Backend, Setting

CREDENTIAL_IN_BACKEND = "CK920"
STATE_IN_THE_TREE = "CK921"
SHARED_STATE = "CK922"

_TREE = "terraform"  # where the rendered roots lie

# From the backends' schemas: https://github.com/hashicorp/terraform/tree/v1.11.4/internal/backend/remote-state
_CREDENTIALS = frozenset(
    {
        "access_key",
        "client_key",
        "conn_str",
        "credentials",
        "encryption_key",
        "http_auth",
        "key_pem",
        "client_private_key_pem",
        "secret_id",
        "secret_key",
        "sse_customer_key",
    }
)
_SECRET = re.compile("(?:[a-z0-9_]*_)?(?:password|secret|token)", re.ASCII)
_USER_IN_URL = re.compile("[a-z][a-z0-9+.-]*://[^/@]*@", re.ASCII | re.IGNORECASE)
_ENVIRONMENT = {
    "azurerm": "ARM_ variables",
    "consul": "CONSUL_ variables",
    "cos": "TENCENTCLOUD_ variables",
    "gcs": "GOOGLE_ variables",
    "http": "TF_HTTP_USERNAME and TF_HTTP_PASSWORD",
    "kubernetes": "KUBE_ variables",
    "oss": "ALICLOUD_ variables",
    "pg": "PG variables, such as PGHOST, PGUSER and PGPASSWORD, or PG_CONN_STR",
    "remote": "a TF_TOKEN_ variable",
    "s3": "AWS_ variables, or a profile",
}

CHOOSING = {
    "azurerm": frozenset({"container_name", "key", "storage_account_name"}),
    "consul": frozenset({"path"}),
    "cos": frozenset({"bucket", "key", "prefix"}),
    "gcs": frozenset({"bucket", "prefix"}),
    "http": frozenset({"address"}),
    "kubernetes": frozenset({"namespace", "secret_suffix"}),
    "local": frozenset({"path"}),
    "oss": frozenset({"bucket", "key", "prefix"}),
    "pg": frozenset({"schema_name"}),
    "remote": frozenset({"workspaces"}),
    "s3": frozenset({"bucket", "key"}),
}
"""Which settings choose the state, by the backend's type; a root's name in any other leaves all roots at one."""

_NAMED = re.compile(r"\{root(?:_label)?\}")
# A lock or a release at an address of all roots is one of all roots.
_HTTP_LOCKS = ("lock_address", "unlock_address")


def check(fleet: Fleet) -> Iterator[Diagnostic]:
    """Yield findings about the fleet's backend."""
    if fleet.source is None:
        return
    backend, at = fleet.settings.terraform.backend, ("terraform", "backend")
    for path, value in _each(backend.settings):
        if _is_secret(path[-1], value):
            yield _credential(backend.type, path[-1], fleet.source.key_span(*at, *path))
    if not _is_each_roots_own(backend):
        yield _shared(backend, fleet.source.span(*at))
    for key in _HTTP_LOCKS if backend.type == "http" else ():
        if key in backend.settings and not _has_name(backend.settings[key]):
            yield _shared_lock(key, fleet.source.span(*at, key))
    where = backend.settings.get("path")
    if backend.type == "local" and isinstance(where, str) and _in_tree(where):
        yield Diagnostic(
            STATE_IN_THE_TREE,
            Severity.ERROR,
            fleet.source.span(*at, "path"),
            f"state would lie in {_TREE}/, beside what is committed",
            "name a path outside it, such as .crosskeys/state/{root}.tfstate: state holds secrets in clear text",
        )


def _each(settings: Mapping[str, Setting]) -> Iterator[tuple[tuple[str, ...], Setting]]:
    for key, value in settings.items():
        yield (key,), value
        if isinstance(value, Mapping):
            yield from (((key, inner), item) for inner, item in value.items())


def _is_secret(key: str, value: Setting) -> bool:
    if key in _CREDENTIALS or _SECRET.fullmatch(key):
        return True
    return isinstance(value, str) and _USER_IN_URL.match(value) is not None


def _credential(backend: str, key: str, span: Span) -> Diagnostic:
    where = _ENVIRONMENT.get(backend, "the environment")
    return Diagnostic(
        CREDENTIAL_IN_BACKEND,
        Severity.ERROR,
        span,
        f"`{key}` is a credential, and would be rendered into every root and committed",
        f"remove it, and give it to the backend `{backend}` by {where}; if it was ever pushed, have it revoked",
    )


def _is_each_roots_own(backend: Backend) -> bool:
    settings, choosing = backend.settings, CHOOSING.get(backend.type)
    return any(_has_name(value) for key, value in settings.items() if choosing is None or key in choosing)


def _has_name(value: Setting) -> bool:
    if isinstance(value, Mapping):
        return any(isinstance(item, str) and _NAMED.search(item) for item in value.values())
    return isinstance(value, str) and _NAMED.search(value) is not None


def _shared(backend: Backend, span: Span) -> Diagnostic:
    keys = sorted(CHOOSING.get(backend.type, ()))
    return Diagnostic(
        SHARED_STATE,
        Severity.ERROR,
        span,
        f"{{root}} is in no setting that chooses the state: all roots would share one state of the backend "
        f"`{backend.type}`",
        f"write {{root}} in {' or '.join(f'`{key}`' for key in keys)}" if keys else "write {root} in one of them",
    )


def _shared_lock(key: str, span: Span) -> Diagnostic:
    return Diagnostic(
        SHARED_STATE,
        Severity.ERROR,
        span,
        f"`{key}` is the same for all roots: they would wait for one lock, and release each other's",
        f"write {{root}} in `{key}`",
    )


def _in_tree(path: str) -> bool:
    return posixpath.normpath(path).split("/")[0] == _TREE
