"""What Terraform and crosskeys ask of Vault and AWS, taken down by proxies between them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.bootstrap.iam import Request
from tests.run.proxy import Fault, between

if TYPE_CHECKING:
    from collections.abc import Iterator

_S3 = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}


@dataclass(frozen=True, order=True)
class Asked:
    """One request as it was sent."""

    method: str
    path: str
    body: bytes = b""


@dataclass
class Recorder:
    """A proxy's address and what went through it, in order.

    Args:
        fault: How some requests are answered instead; those are not taken down.
    """

    address: str
    asked: list[Asked] = field(default_factory=list)
    fault: Fault | None = None


@contextmanager
def recording(server: str) -> Iterator[Recorder]:
    """Yield a recorder in front of a server."""
    with between(server) as proxy:
        recorder = Recorder(proxy.address)

        def due(method: str, path: str, body: bytes) -> Fault | None:
            if recorder.fault and recorder.fault.meant(method, path, body):
                return recorder.fault
            recorder.asked.append(Asked(method, path, body))
            return None

        proxy.due = due  # type: ignore[method-assign]  # in place of its own bookkeeping
        yield recorder


def iam_requests(asked: list[Asked], account: str) -> list[Request]:
    """Return what requests to IAM ask for, with what else IAM asks for them, in the words of policies.

    Which actions a request takes, on which resource and with which condition keys: the service authorization reference
    for IAM, https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html.
    """
    arns: dict[str, str] = {}
    boundaries: dict[str, str] = {}
    found: list[Request] = []
    for each in asked:
        form = {name: values[0] for name, values in parse_qs(each.body.decode(errors="replace")).items()}
        action, role, profile = form.get("Action", ""), form.get("RoleName"), form.get("InstanceProfileName")
        if form.get("Version") != "2010-05-08":
            continue
        for kind, name in (("role", role), ("instance-profile", profile)):
            if action == f"Create{''.join(word.title() for word in kind.split('-'))}":
                arns[f"{kind}/{name}"] = f"arn:aws:iam::{account}:{kind}{form.get('Path', '/')}{name}"
            # What is not there has no path, and so no ARN; AWS says "iam:GetRole on resource: role NAME".
            arns.setdefault(f"{kind}/{name}", f"{kind} {name}")
        if role and "PermissionsBoundary" in form:
            boundaries[role] = form["PermissionsBoundary"]
        about = arns[f"instance-profile/{profile}"] if profile else arns[f"role/{role}"]
        context = {}
        if action in {"CreateRole", "PutRolePermissionsBoundary", "PutRolePolicy", "DeleteRolePolicy"}:
            context = {"iam:PermissionsBoundary": boundaries[role or ""]} if role in boundaries else {}
        found.append(Request(f"iam:{action}", about, context))
        if action in {"DeleteRole", "DeleteInstanceProfile"}:
            del arns[f"role/{role}" if role else f"instance-profile/{profile}"]
        if action in {"CreateRole", "CreateInstanceProfile"} and any(name.startswith("Tags.") for name in form):
            found.append(Request(f"iam:Tag{action.removeprefix('Create')}", about))
        if action == "AddRoleToInstanceProfile":
            passed = {"iam:PassedToService": "ec2.amazonaws.com"}
            found.append(Request("iam:PassRole", arns[f"role/{role}"], passed))
    return found


def s3_requests(asked: list[Asked], bucket: str) -> list[Request]:
    """Return what requests to S3 ask for, in the words of policies."""
    context = {"aws:SecureTransport": "true"}
    found = []
    for each in asked:
        path = urlsplit(each.path).path.strip("/")
        if path == bucket:
            found.append(Request("s3:ListBucket", f"arn:aws:s3:::{bucket}", context))
        elif path.startswith(f"{bucket}/"):
            found.append(Request(_S3[each.method], f"arn:aws:s3:::{path}", context))
    return found


def vault_policy(text: str) -> list[tuple[str, list[str]]]:
    """Return the rules of a policy that is written as those of the bootstrap folder are: a line each."""
    rules = re.findall(r'^path "([^"]+)" \{ capabilities = \[([^\]]+)\] \}$', text, re.MULTILINE)
    return [(path, re.findall(r'"(\w+)"', capabilities)) for path, capabilities in rules]
