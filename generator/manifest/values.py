"""The value types that manifests are made of, each with the form that its owner (AWS, Vault) documents for it."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


class Model(BaseModel):
    """The base of every manifest model: frozen, closed, documented by attribute docstrings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return the model itself: pydantic copies the defaults of each of ten thousand manifests."""
        return self


@dataclass(frozen=True, slots=True)
class Form:
    """What a string must look like.

    Args:
        pattern: A regular expression for the whole value, ASCII only, the same in Python and in JSON Schema.
        expects: What is expected, as the end of a sentence that begins with "expected".
    """

    pattern: str
    expects: str

    def _check(self, value: str) -> str:
        if re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise PydanticCustomError("form", "expected {expects}", {"expects": self.expects})
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}


ClientName = Annotated[
    StrictStr, Form("[a-z][a-z0-9-]{0,63}", "lower-case letters, digits and hyphens, a letter first, at most 64")
]
AccountId = Annotated[StrictStr, Form("[0-9]{12}", "an AWS account id: twelve digits in quotes")]

# IAM names and paths: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_IAM = "[A-Za-z0-9_+=,.@-]"
_PARTITION = "aws(?:-us-gov|-cn)?"
IamRoleName = Annotated[
    StrictStr, Form(f"{_IAM}{{1,64}}", "an IAM role name: letters, digits and _+=,.@-, at most 64, without its path")
]
InstanceProfileName = Annotated[
    StrictStr, Form(f"{_IAM}{{1,128}}", "an instance profile name: letters, digits and _+=,.@-; or none")
]
IamPath = Annotated[
    StrictStr,
    Form(f"(?=.{{1,512}}$)/(?:{_IAM}+/)*", "an IAM path of at most 512 characters between two slashes, such as /apps/"),
]
RoleArn = Annotated[
    StrictStr,
    Form(
        f"arn:{_PARTITION}:iam::[0-9]{{12}}:role/(?:{_IAM}+/)*{_IAM}{{1,64}}",
        "the ARN of one IAM role, such as arn:aws:iam::123456789012:role/name",
    ),
]
PolicyArn = Annotated[
    StrictStr,
    Form(
        f"arn:{_PARTITION}:iam::(?:[0-9]{{12}}|aws):policy/(?:{_IAM}+/)*{_IAM}{{1,128}}",
        "the ARN of one IAM policy, such as arn:aws:iam::123456789012:policy/name",
    ),
]
PolicyArnTemplate = Annotated[
    StrictStr,
    Form(
        f"arn:{_PARTITION}:iam::(?:[0-9]{{12}}|aws|[{{]account_id[}}]):policy/(?:{_IAM}+/)*{_IAM}{{1,128}}",
        "the ARN of an IAM policy, in which {account_id} stands for each account, "
        "such as arn:aws:iam::{account_id}:policy/name",
    ),
]
PrincipalArn = Annotated[
    StrictStr,
    Form(
        f"arn:{_PARTITION}:iam::[0-9]{{12}}:(?:role|user)/(?:{_IAM}+/)*{_IAM}{{1,64}}",
        "the exact ARN of Vault's own IAM role or user, neither a wildcard nor :root",
    ),
]
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, ExternalId
ExternalId = Annotated[
    StrictStr, Form("[A-Za-z0-9_+=,.@:/-]{2,1224}", "an external id: 2 to 1224 letters, digits and _+=,.@:/-")
]
Region = Annotated[StrictStr, Form("[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}", "an AWS region, such as us-east-1")]
ServicePrincipal = Annotated[
    StrictStr,
    Form(
        r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?",
        "an AWS service principal, such as ec2.amazonaws.com",
    ),
]

# Vault role names: framework.GenericNameRegex, used by builtin/credential/aws/path_role.go. Policy names are wider in
# Vault; held to the same form they need no quoting anywhere.
_VAULT_NAME = "[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?"
VaultRoleName = Annotated[
    StrictStr, Form(_VAULT_NAME, "a Vault role name: letters, digits, _ and, neither first nor last, . or -")
]
VaultPolicyName = Annotated[
    StrictStr, Form(_VAULT_NAME, "a Vault policy name: letters, digits, _ and, neither first nor last, . or -")
]
_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9_=,.@-]+"  # `.` and `..` would be steps in a path, not names
KvPath = Annotated[
    StrictStr, Form(f"{_SEGMENT}(?:/{_SEGMENT})*", "a path without leading or trailing slash, such as shared/ca")
]
MountPath = Annotated[
    StrictStr, Form("[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*", "a mount path without leading or trailing slash, such as aws")
]
FreeText = Annotated[StrictStr, StringConstraints(min_length=1, max_length=1000)]
Owner = Annotated[StrictStr, StringConstraints(min_length=1, max_length=256)]


def _tag(longest: int, shortest: int, expects: str) -> AfterValidator:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules: [\p{L}\p{Z}\p{N}_.:/=+\-@]*
    def check(value: str) -> str:
        legal = all(unicodedata.category(c)[0] in "LZN" or c in "_.:/=+-@" for c in value)
        if not legal or not shortest <= len(value) <= longest or value.lower().startswith("aws:"):
            raise PydanticCustomError("form", "expected {expects}", {"expects": expects})
        return value

    return AfterValidator(check)


TagKey = Annotated[
    StrictStr, _tag(128, 1, "a tag key: at most 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:")
]
TagValue = Annotated[
    StrictStr, _tag(256, 0, "a tag value: at most 256 letters, digits, spaces and _.:/=+-@, not beginning with aws:")
]
# Tools disagree on classes of letters in JSON Schema's regular expressions: there, what is beyond ASCII passes.
_IN_TAG = r"(?![Aa][Ww][Ss]:)[^\x00-\x1f!-*,;<>?\[-^`{-\x7f]"
Tags = Annotated[
    dict[TagKey, TagValue],
    Field(max_length=50),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": f"^{_IN_TAG}{{1,128}}$"},
            "additionalProperties": {"type": "string", "pattern": f"^(?:{_IN_TAG}{{1,256}})?$"},
            "maxProperties": 50,
        }
    ),
]

_DURATION = "(?:([0-9]{1,5})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,8})m)?(?:([0-9]{1,9})s)?"
_LONGEST = timedelta(days=3650)


def seconds(duration: str) -> int:
    """Return the seconds of a duration such as ``1h``, ``90m`` or ``1h30m``.

    Raises:
        ValueError: When it is not of that form, is zero or is longer than ten years.
    """
    match = re.fullmatch(_DURATION, duration, re.ASCII)
    days, hours, minutes, secs = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    total = timedelta(days=days, hours=hours, minutes=minutes, seconds=secs)
    if not timedelta(0) < total <= _LONGEST:
        raise ValueError("not a duration")
    return int(total.total_seconds())


def _duration(value: str) -> str:
    try:
        seconds(value)
    except ValueError:
        raise PydanticCustomError("form", "expected a duration from 1s to 3650d, such as 30m, 1h or 1h30m") from None
    return value


Duration = Annotated[
    StrictStr,
    AfterValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": f"^(?=.*[1-9]){_DURATION}$"}),
]


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=True)
    except ValueError as error:
        raise PydanticCustomError(
            "form", "expected a CIDR block such as 10.20.0.0/16 ({reason})", {"reason": str(error)}
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped:
        raise PydanticCustomError("form", "expected IPv4 addresses in their own form, such as 10.20.0.0/16")
    # Vault hands a block of one address back without its prefix; written so, the plan after an apply stays empty.
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


Cidr = Annotated[
    StrictStr,
    Form(
        r"(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8})(?:/[0-9]{1,3})?",
        "a CIDR block such as 10.20.0.0/16",
    ),
    AfterValidator(_network),
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unique:
    """A list whose items, as they are shown, all differ.

    Args:
        shortest: How many items it has at least.
    """

    shortest: int = 0

    def _check(self, value: tuple[T, ...]) -> tuple[T, ...]:
        shown = [str(item) for item in value]
        doubles = sorted({item for item in shown if shown.count(item) > 1})
        if doubles:
            raise PydanticCustomError("form", "lists {doubles} twice", {"doubles": ", ".join(doubles)})
        if len(value) < self.shortest:
            raise PydanticCustomError("form", "expected at least {shortest} item", {"shortest": self.shortest})
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        least = {"minItems": self.shortest} if self.shortest else {}
        return {**handler(schema), **least, "uniqueItems": True}


InstanceId = Annotated[StrictStr, Form("i-[0-9a-f]{8,17}", "an instance id, such as i-0123456789abcdef0")]
AmiId = Annotated[StrictStr, Form("ami-[0-9a-f]{8,17}", "an AMI id, such as ami-0123456789abcdef0")]
VpcId = Annotated[StrictStr, Form("vpc-[0-9a-f]{8,17}", "a VPC id, such as vpc-0123456789abcdef0")]
SubnetId = Annotated[StrictStr, Form("subnet-[0-9a-f]{8,17}", "a subnet id, such as subnet-0123456789abcdef0")]


def _placeholders(allowed: frozenset[str]) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, str):
            left = re.sub("|".join(f"[{{]{name}[}}]" for name in sorted(allowed)), "x", value)
            if "{" in left or "}" in left:
                known = ", ".join(f"{{{name}}}" for name in sorted(allowed))
                raise PydanticCustomError("form", "expected no other placeholders than {known}", {"known": known})
        return value

    return BeforeValidator(check)


_NAMES = frozenset({"name", "account_id", "role_name"})
_PLACEHOLDER = rf"\{{(?:{'|'.join(sorted(_NAMES))})\}}"
NameTemplate = Annotated[
    StrictStr,
    _placeholders(_NAMES),
    Form(f"(?:[A-Za-z0-9_.-]|{_PLACEHOLDER})+", "a Vault name in which {name}, {account_id}, {role_name} are replaced"),
]
DirectoryTemplate = Annotated[
    StrictStr,
    _placeholders(_NAMES),
    Form(
        f"(?:[A-Za-z0-9_=,.@-]|{_PLACEHOLDER})+(?:/(?:[A-Za-z0-9_=,.@-]|{_PLACEHOLDER})+)*",
        "a path in the KV mount in which {name}, {account_id}, {role_name} are replaced",
    ),
]
