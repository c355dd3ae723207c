"""Properties of pulumi-aws ↔ parameters and answers of the AWS API, led by botocore's shapes.

Both sides name the same things after two conventions (`kmsKeyArn`, `KMSKeyArn`), and differ in a few words, which a
service's `Names` says. A property without a member is an error: nothing is dropped silently on the way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call
from rehearsal.engine.values import Properties

OFTEN = {"Delay": 0.05, "MaxAttempts": 1200}  # for waiters: an emulator is done at once; gives up after a minute

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def camel(member: str) -> str:
    """`KMSKeyArn` → `kmsKeyArn`, `IPSetReferenceStatement` → `ipSetReferenceStatement`."""
    first, *rest = _WORDS.findall(member)
    return str(first.lower() + "".join(word[0].upper() + word[1:].lower() for word in rest))


class Names:
    """Words that the camel-casing does not find: property → member, alone or as `Shape.property`.

    lists     shapes with Quantity and Items that Pulumi shows as a bare list (CloudFront); others keep `items`
    hidden    members that Pulumi does not show
    """

    def __init__(self, words: Mapping[str, str] | None = None, *, lists: Iterable[str] = (),
                 hidden: Iterable[str] = ()) -> None:
        self._members = dict(words or {})
        self._properties = {
            f"{key.rpartition('.')[0]}.{member}".lstrip("."): key.rpartition(".")[2]
            for key, member in self._members.items()}
        self._lists = frozenset(lists)
        self._hidden = frozenset(hidden)

    def request(self, shape: Any, value: Any) -> Any:
        """The API's spelling of a property value. Raises ValueError for a property that the shape does not have."""
        if shape.type_name == "structure":
            return self._structure(shape, value)
        if shape.type_name == "list":
            values = value if isinstance(value, list) else [value]
            return [self.request(shape.member, each) for each in values]
        if shape.type_name == "map":
            return {key: self.request(shape.value, each) for key, each in value.items()}
        if shape.type_name == "blob" and isinstance(value, str):
            return value.encode()
        if shape.type_name in ("integer", "long") and isinstance(value, str):
            return int(value)
        if shape.type_name == "string" and shape.enum and value not in shape.enum:  # botocore does not look
            raise refused("ValidationException", f"{value!r} is no {shape.name}: one of {', '.join(shape.enum)}",
                          shape.name)
        return value

    def _structure(self, shape: Any, value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            if "Items" in shape.members:
                items = [self.request(shape.members["Items"].member, each) for each in value]
                return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}
            value = value[0]
        sent = {}
        for key, each in value.items():
            if each is not None:
                member = self.member(shape, key)
                sent[member] = self.request(shape.members[member], each)
        if "Quantity" in shape.members and "Items" in shape.members:
            sent["Quantity"] = len(sent.get("Items", ()))
        return sent

    def member(self, shape: Any, key: str) -> str:
        for word in (self._members.get(f"{shape.name}.{key}"), self._members.get(key), key, key[:-1], key + "s"):
            for member in shape.members:
                if word and member.lower() == word.lower():
                    return str(member)
        raise ValueError(f"{shape.name} of the AWS API has no member for the property {key!r}")

    def response(self, shape: Any, value: Any) -> Any:
        """Pulumi's spelling of an answer; absent members stay absent."""
        if shape.type_name == "structure":
            if shape.name in self._lists:
                return [self.response(shape.members["Items"].member, each) for each in value.get("Items") or ()]
            return dict(self._shown(shape, member, each) for member, each in value.items()
                        if member in shape.members and each is not None and not self._is_hidden(shape, member))
        if shape.type_name == "list":
            return [self.response(shape.member, each) for each in value]
        if shape.type_name == "blob" and isinstance(value, bytes):
            return value.decode()
        return value

    def _shown(self, shape: Any, member: str, value: Any) -> tuple[str, Any]:
        return self._property(shape, member), self.response(shape.members[member], value)

    def _is_hidden(self, shape: Any, member: str) -> bool:
        counted = member == "Quantity" and "Items" in shape.members
        return counted or member in self._hidden or f"{shape.name}.{member}" in self._hidden

    def _property(self, shape: Any, member: str) -> str:
        return self._properties.get(f"{shape.name}.{member}") or self._properties.get(member) or camel(member)


def input_shape(client: Any, operation: str) -> Any:
    return client.meta.service_model.operation_model(operation).input_shape


def output_shape(client: Any, operation: str) -> Any:
    return client.meta.service_model.operation_model(operation).output_shape


def present(**parameters: Any) -> dict[str, Any]:
    """The parameters that are given: None is what Pulumi sends for nothing."""
    return {key: value for key, value in parameters.items() if value is not None}


def select(properties: Properties, table: Mapping[str, str], only: Iterable[str] | None = None) -> dict[str, Any]:
    """Flat parameters by a table property → parameter; `only` narrows to the properties that changed."""
    chosen = table.keys() if only is None else [key for key in table if key in set(only)]
    return {table[key]: properties[key] for key in chosen if properties.get(key) is not None}


def refused(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    """A refusal that AWS would give and the emulator does not."""
    return ClientError({"Error": {"Code": code, "Message": message},
                        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "", "HostId": "",
                                             "HTTPHeaders": {}, "RetryAttempts": 0}}, operation)


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def unless(*codes: str) -> Iterator[None]:
    """Takes these error codes for success: what should go away is not there."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in codes:
            raise


def found(ask: Callable[[], Any], *codes: str) -> Any | None:
    """The answer, or None when the error is one of the codes that mean "does not exist"."""
    try:
        return ask()
    except ClientError as error:
        if code_of(error) in codes:
            return None
        raise


def tag_map(tags: Iterable[Mapping[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """`[{"Key": …, "Value": …}]` as a map, without the tags that AWS keeps for itself."""
    return {tag[key]: tag.get(value, "") for tag in tags or () if not tag[key].startswith("aws:")}


def retag(call: Call, current: Mapping[str, str], add: Callable[[dict[str, str]], Any],
          remove: Callable[[list[str]], Any]) -> None:
    """Makes the tags those of `call`, with the fewest calls."""
    stale = sorted(key for key in current if key not in call.tags)
    fresh = {key: value for key, value in sorted(call.tags.items()) if current.get(key) != value}
    if stale:
        remove(stale)
    if fresh:
        add(fresh)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def iso(moment: Any) -> str | None:
    """RFC 3339 in UTC with seconds, as the provider writes times."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def given_back(known: Properties, names: Iterable[str]) -> Properties:
    """Properties that the emulator holds but no call shows again, such as a password or code: as last known."""
    return {name: known[name] for name in names if known.get(name) is not None}
