"""`aws`, as far as kits use it: an option that botocore's own models do not know is an error.

Run as a program it takes the AWS CLI's words (`SERVICE OPERATION --option value --query KEY --output text`), and takes
its endpoint and credentials from the environment as that does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name


def main(arguments: list[str]) -> None:
    """Do what one command line says and print what it asks for."""
    service, operation, *rest = arguments
    options = _options(rest)
    query, output, region = (options.pop(name, None) for name in ("query", "output", "region"))
    client: Any = boto3.session.Session().client(service, region_name=region)  # type: ignore[call-overload] # any
    if (service, operation) == ("cloudformation", "deploy"):
        _deploy(client, **{name.replace("-", "_"): value for name, value in options.items()})
        return
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    by_option = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()}
    parameters = {by_option[option][0]: _value(by_option[option][1], text) for option, text in options.items()}
    answer = getattr(client, method)(**parameters)
    if query:
        assert output == "text"
        sys.stdout.write(f"{answer[query]}\n")


def _options(words: list[str]) -> dict[str, str]:
    options = {}
    while words:
        word, *words = words
        assert word.startswith("--"), word
        name, given, value = word.removeprefix("--").partition("=")
        if not given:
            value, *words = words
        options[name] = value
    return options


def _value(shape: Any, text: str) -> Any:
    match shape.type_name:
        case "integer":
            return int(text)
        case "structure" | "list":
            return json.loads(text)
        case _:
            return text


def _deploy(client: Any, *, stack_name: str, template_file: str, capabilities: str) -> None:
    body = Path(template_file).read_text("utf-8")
    client.create_stack(StackName=stack_name, TemplateBody=body, Capabilities=[capabilities])
    client.get_waiter("stack_create_complete").wait(StackName=stack_name)


if __name__ == "__main__":
    main(sys.argv[1:])
