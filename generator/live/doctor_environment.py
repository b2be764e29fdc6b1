"""Whether the fleet's settings and this process's environment let a live run begin, and what in them surprises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generator.diagnostics import has_errors
from generator.live import gate
from generator.render.layout import TREE
from generator.report.checkup import Check, Status
from generator.report.counts import counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.diagnostics import Diagnostic
    from generator.manifest.settings import FleetSettings

_FLEET, _ENVIRONMENT = "fleet", "environment"
_PREFIXES = ("AWS_", "TF_", "VAULT_")
# What Terraform takes from the environment in every root, whatever crosskeys tells it.
_SURPRISING = ("TF_CLI_ARGS", "TF_LOG", "TF_VAR_")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_TRUE = frozenset({"1", "t", "true"})


def fleet(findings: tuple[Diagnostic, ...], clients: int, accounts: int) -> Check:
    """Judge the manifests and settings.

    Args:
        findings: All that is wrong with them.
        clients: How many could be read.
        accounts: How many could be read.
    """
    if has_errors(findings):
        said = f"{counts(findings)} in the manifests or settings; what follows may be incomplete"
        return Check(_FLEET, "manifests", Status.FAILED, said, "crosskeys check shows them")
    if findings:
        said = f"{counts(findings)} in the manifests or settings"
        return Check(_FLEET, "manifests", Status.WARNING, said, "crosskeys check shows them")
    return Check(_FLEET, "manifests", Status.OK, f"{clients} clients in {accounts} accounts, nothing wrong")


def cluster(settings: FleetSettings) -> Check:
    """Judge whether the settings say which cluster is the fleet's."""
    if settings.live.cluster_id:
        return Check(_FLEET, "cluster id", Status.OK, f"live runs require {settings.live.cluster_id}")
    said = "the settings do not say which cluster the fleet's Vault is"
    advice = "set live.cluster_id in crosskeys.yaml: another Vault at the same address would be taken for it"
    return Check(_FLEET, "cluster id", Status.WARNING, said, advice)


def locks(folder: Path, roots: Sequence[str]) -> Check:
    """Judge whether every root that this fleet applies, by its name, has its provider lock file."""
    missing = [root for root in roots if not (folder / TREE / root / ".terraform.lock.hcl").is_file()]
    if not missing:
        return Check(_FLEET, "lock files", Status.OK, f"each of {len(roots)} roots has its provider lock file")
    said = f"{len(missing)} of {len(roots)} roots have no provider lock file, {missing[0]} for one"
    advice = "the next live run writes .terraform.lock.hcl into them: commit it"
    return Check(_FLEET, "lock files", Status.WARNING, said, advice)


def not_asked(area: str, why: str, advice: str | None = None) -> Check:
    """Say that a whole area could not be looked at."""
    return Check(area, "not asked", Status.UNKNOWN, why, advice or "mend what failed above, then run again")


def sandboxed(environment: Mapping[str, str]) -> Check:
    """Say what of the environment the sandbox leaves aside."""
    count = sum(name.startswith(_PREFIXES) for name in environment)
    said = f"{count} variables of Vault, AWS or Terraform are set, and the sandbox takes no notice of them"
    return Check(_ENVIRONMENT, "variables", Status.OK, said if count else "nothing of Vault, AWS or Terraform is set")


def live(settings: FleetSettings, environment: Mapping[str, str]) -> Iterator[Check]:
    """Judge the environment of a live run: what would be refused, then what surprises.

    Args:
        settings: The fleet's.
        environment: The process environment.
    """
    refused = gate.complaints(settings, environment)
    for subject, error in refused.items():
        yield Check(_ENVIRONMENT, subject, Status.FAILED, error.message, error.help)
    if not refused:
        said = "the environment names the fleet's Vault, AWS itself and each root's own state"
        yield Check(_ENVIRONMENT, "world", Status.OK, said)
    for subject, said, advice in _surprises(environment):
        yield Check(_ENVIRONMENT, subject, Status.WARNING, said, advice)


def _surprises(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    surprising = sorted(name for name in environment if name.startswith(_SURPRISING))
    if surprising:
        yield "terraform", f"Terraform heeds {', '.join(surprising)} in every root", f"unset {' '.join(surprising)}"
    configuration = environment.get("TF_CLI_CONFIG_FILE")
    if configuration and not Path(configuration).is_file():
        yield (
            "TF_CLI_CONFIG_FILE",
            "it names a file that is not there, and is not passed on",
            "let it name your Terraform CLI configuration, or unset it",
        )
    if environment.get("VAULT_SKIP_VERIFY", "").lower() in _TRUE:
        yield (
            "VAULT_SKIP_VERIFY",
            "whoever answers at the address is taken for Vault",
            "unset it, and name the certificate authority with VAULT_CACERT",
        )
    if environment.get("AWS_PROFILE") and environment.get("AWS_ACCESS_KEY_ID"):
        yield (
            "AWS_PROFILE",
            "AWS_ACCESS_KEY_ID is set too: the keys are used, and the profile for what they leave open",
            "unset the one that is not meant",
        )
    if bool(environment.get("AWS_ACCESS_KEY_ID")) != bool(environment.get("AWS_SECRET_ACCESS_KEY")):
        yield "AWS_ACCESS_KEY_ID", "only one half of the key pair is set", "set AWS_SECRET_ACCESS_KEY too, or neither"
    region, default = environment.get("AWS_REGION"), environment.get("AWS_DEFAULT_REGION")
    if region and default and region != default:
        yield "AWS_REGION", f"it is {region}, and AWS_DEFAULT_REGION is {default}", "set both to the same, or neither"
    if proxies := [name for name in _PROXIES if environment.get(name)]:
        yield (
            "proxy",
            f"{', '.join(proxies)} sends requests to a proxy",
            "see that it leads to Vault and AWS, or name them in NO_PROXY",
        )
