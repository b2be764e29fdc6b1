"""Why the reader takes nothing of some names: what each would do that reading it does not show."""

from __future__ import annotations

_WHY = {
    # Arguments and blocks that any resource may have.
    "count": "how many there are is computed",
    "for_each": "which there are is computed",
    "dynamic": "which blocks there are is computed",
    "provider": "it may lead into another account or another Vault",
    "provisioner": "it runs a program",
    "connection": "it runs a program",
    "lifecycle": "it may leave in place what the file no longer says",
    "depends_on": "the order of a root follows from its references alone",
    "namespace": "it leads into another namespace than the provider's",
    # Blocks of a root.
    "module": "what it declares stands elsewhere",
    "locals": "write the value where it is used",
    "output": "nothing reads it, and it may show a secret",
    "removed": "it lets go of what was made, which then stays",
    "check": "it may ask anything of anybody",
    "ephemeral": "what it brings is known only when it runs",
    "cloud": "the state and the runs would be elsewhere",
    "provider_meta": "it changes what a provider does",
    "experiments": "it changes how the root is read",
    "alias": "a root has one provider",
    # A Vault role.
    "role_tag": "tags of an instance would choose among the policies",
    "alias_metadata": "it gives identities what policies may be templated with",
    "allow_instance_migration": "it belongs to logins that name no principal",
    "disallow_reauthentication": "it belongs to logins that name no principal",
    # IAM.
    "not_actions": "what it allows is all that it does not name",
    "not_principals": "whom it allows is all whom it does not name",
    "not_resources": "what it allows is all that it does not name",
    "source_policy_documents": "parts of the document stand elsewhere",
    "override_policy_documents": "parts of the document stand elsewhere",
    "source_json": "parts of the document stand elsewhere",
    "override_json": "parts of the document stand elsewhere",
    "managed_policy_arns": "what these policies allow stands elsewhere",
    "inline_policy": "declare an `aws_iam_role_policy`",
    "name_prefix": "the name is then known only when it is made",
    "force_detach_policies": "a role of this root has no policies of others to detach",
}


def because(name: str) -> str:
    """Return why an argument or a block of a name is refused, to append to a message; empty where there is no more."""
    why = _WHY.get(name)
    return f": {why}" if why else ""
