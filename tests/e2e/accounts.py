"""What stands in an AWS account, taken down to be put back, however somebody has changed it meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Standing:
    """Roles and instance profiles of an account as they were found.

    Args:
        iam: IAM in the account, as its owner.
        roles: AWS's own words on each, with the documents of its own policies, by name.
        profiles: The same of each instance profile.
    """

    iam: Any
    roles: dict[str, tuple[dict[str, Any], dict[str, Any]]]
    profiles: dict[str, dict[str, Any]]

    def put_back(self) -> None:
        """Make all of it what it was; a role that was made anew under its path stays the new one."""
        for profile in self.iam.list_instance_profiles()["InstanceProfiles"]:
            name = profile["InstanceProfileName"]
            if _profile(self.iam, name) != self.profiles.get(name):
                for role in profile["Roles"]:
                    self.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])
                self.iam.delete_instance_profile(InstanceProfileName=name)
        for name, (role, policies) in self.roles.items():
            if _role(self.iam, name) != (role, policies):
                self._put_role_back(name, role, policies)
        there = {each["InstanceProfileName"] for each in self.iam.list_instance_profiles()["InstanceProfiles"]}
        for policy in self.iam.list_policies(Scope="Local")["Policies"]:
            self.iam.delete_policy(PolicyArn=policy["Arn"])
        for name, profile in self.profiles.items():
            if name not in there:
                self.iam.create_instance_profile(InstanceProfileName=name, Path=profile["Path"], Tags=profile["Tags"])
                for role in profile["Roles"]:
                    self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)

    def _put_role_back(self, name: str, role: dict[str, Any], policies: dict[str, Any]) -> None:
        try:
            path = self.iam.get_role(RoleName=name)["Role"]["Path"]
        except self.iam.exceptions.NoSuchEntityException:
            self._create(name, role)
        else:
            if path != role["Path"]:
                remove_role(self.iam, name)
                self._create(name, role)
        self.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(role["Trust"]))
        self.iam.update_role(RoleName=name, Description=role["Description"], MaxSessionDuration=role["Seconds"])
        if role["Boundary"]:
            self.iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=role["Boundary"])
        tags = [tag["Key"] for tag in self.iam.list_role_tags(RoleName=name)["Tags"]]
        self.iam.untag_role(RoleName=name, TagKeys=tags)
        self.iam.tag_role(RoleName=name, Tags=role["Tags"])
        for attached in self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            self.iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        for own in self.iam.list_role_policies(RoleName=name)["PolicyNames"]:
            self.iam.delete_role_policy(RoleName=name, PolicyName=own)
        for own, document in policies.items():
            self.iam.put_role_policy(RoleName=name, PolicyName=own, PolicyDocument=json.dumps(document))

    def _create(self, name: str, role: dict[str, Any]) -> None:
        self.iam.create_role(RoleName=name, Path=role["Path"], AssumeRolePolicyDocument=json.dumps(role["Trust"]))


def standing(iam: Any, *names: str) -> Standing:
    """Take down roles and every instance profile of an account."""
    profiles = [each["InstanceProfileName"] for each in iam.list_instance_profiles()["InstanceProfiles"]]
    return Standing(iam, {name: _role(iam, name) for name in names}, {name: _profile(iam, name) for name in profiles})


def remove_role(iam: Any, name: str) -> None:
    """Delete a role with all that hangs on it."""
    for profile in iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=name)
    for own in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=own)
    iam.delete_role(RoleName=name)


def _role(iam: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return {}, {}
    own = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "Path": role["Path"],
        "Trust": role["AssumeRolePolicyDocument"],
        "Description": role.get("Description", ""),
        "Seconds": role["MaxSessionDuration"],
        "Boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "Tags": role.get("Tags", []),
        "Attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
    }, {each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in own}


def _profile(iam: Any, name: str) -> dict[str, Any]:
    profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    roles = [role["RoleName"] for role in profile["Roles"]]
    return {"Path": profile["Path"], "Roles": roles, "Tags": profile.get("Tags", [])}
