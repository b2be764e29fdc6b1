"""The bootstrap templates: made by CloudFormation as moto has it, and resolved here, for moto leaves out much."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[2] / "docs/bootstrap"
ACCOUNT = "555555555555"
RUNNER = "arn:aws:iam::123456789012:role/runner"
_NOTHING = object()


def make(cloudformation: Any, template: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Make a stack of a template and return its outputs."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    name = template.partition(".")[0]
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=(FOLDER / template).read_text("utf-8"),
        Parameters=given,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stack: Any = None
    for _ in range(50):
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
        time.sleep(0.1)
    raise AssertionError(stack)


def read(template: str) -> dict[str, Any]:
    """Return a template with its functions spelt out, as JSON has them."""
    found: dict[str, Any] = cfn_yaml.loads((FOLDER / template).read_text("utf-8"))
    return found


def resources(template: str, parameters: Mapping[str, str], account: str = ACCOUNT) -> dict[str, Any]:
    """Return the properties of a template's resources, every function resolved."""
    text = read(template)
    values = {name: str(each.get("Default", "")) for name, each in text["Parameters"].items()} | dict(parameters)
    values |= {"AWS::Partition": "aws", "AWS::AccountId": account, "AWS::URLSuffix": "amazonaws.com"}
    conditions: dict[str, bool] = {}
    for name, condition in text.get("Conditions", {}).items():
        conditions[name] = bool(_resolved(condition, values, conditions))
    return {
        name: _resolved(each["Properties"], values, conditions)
        for name, each in text["Resources"].items()
        if conditions.get(each.get("Condition", ""), True)
    }


def _resolved(value: Any, values: Mapping[str, str], conditions: Mapping[str, bool]) -> Any:  # noqa: PLR0911 - a line a form
    def inside(each: Any) -> Any:
        return _resolved(each, values, conditions)

    match value:
        case {"Ref": "AWS::NoValue"}:
            return _NOTHING
        case {"Ref": name}:
            return values.get(name, name)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda match: values[match[1]], text)
        case {"Fn::If": [name, then, otherwise]}:
            return inside(then if conditions[name] else otherwise)
        case {"Fn::Equals": [left, right]}:
            return inside(left) == inside(right)
        case {"Fn::Not": [wrong]}:
            return not inside(wrong)
        case dict():
            kept = {str(key): inside(each) for key, each in value.items()}
            return {key: each for key, each in kept.items() if each is not _NOTHING}
        case list():
            return [each for each in map(inside, value) if each is not _NOTHING]
        case _:
            return value
