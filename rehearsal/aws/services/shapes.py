"""Shapes that the modules here share: error codes, the spellings of keys, tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call
from rehearsal.engine.values import Properties


def code(error: ClientError) -> str:
    """The service's error code, such as "InvalidVpcID.NotFound"."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_absent(error: ClientError) -> bool:
    """Whether the error says that the object is not there. The services spell it in three ways."""
    return any(part in code(error) for part in ("NotFound", "NoSuchEntity", "NotExist"))


@contextmanager
def absent_is_fine() -> Iterator[None]:
    """For deletions: something that is not there counts as deleted."""
    try:
        yield
    except ClientError as error:
        if not is_absent(error):
            raise


def pascal(value: Any) -> Any:
    """camelCase keys → PascalCase keys, at every depth; None is left out."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: pascal(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [pascal(item) for item in value]
    return value


def camel(value: Any) -> Any:
    """PascalCase keys → camelCase keys, at every depth."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [camel(item) for item in value]
    return value


def given(**values: Any) -> dict[str, Any]:
    """The arguments that are not None: botocore refuses a parameter that is None."""
    return {key: value for key, value in values.items() if value is not None}


def chosen(inputs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The inputs that are set, under the API's names. `names`: Pulumi's name → the API's."""
    return {api: inputs[name] for name, api in names.items() if inputs.get(name) is not None}


def tags_of(pairs: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """`[{"Key": …, "Value": …}]` as a mapping, without those that AWS itself sets."""
    return {pair["Key"]: pair.get("Value", "") for pair in pairs or () if not pair["Key"].startswith("aws:")}


def tag_changes(now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What to set and which keys to remove so that `now` becomes `wanted`."""
    return ({key: value for key, value in wanted.items() if now.get(key) != value},
            sorted(key for key in now if key not in wanted))


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def retag(now: Mapping[str, str], wanted: Mapping[str, str], tag: Callable[[list[dict[str, str]]], Any],
          untag: Callable[[list[str]], Any]) -> None:
    """Makes `now` what is `wanted`. `tag` gets pairs, `untag` keys; neither is called for nothing."""
    add, remove = tag_changes(now, wanted)
    if add:
        tag(pairs(add))
    if remove:
        untag(remove)


def name_of(call: Call, inputs: Properties, property: str = "name") -> str:
    """The name that the program gives, or its prefix with 26 hex digits as the provider appends them."""
    name = inputs.get(property)
    if name:
        return str(name)
    return f"{inputs[property + 'Prefix']}{call.context.random.getrandbits(104):026x}"


def in_order_of(known: Sequence[Any] | None, observed: Iterable[Any]) -> list[Any]:
    """A set as a list: what the program names in the program's order, the rest sorted after it."""
    order = list(known or ())
    return sorted(observed, key=lambda item: (order.index(item) if item in order else len(order), str(item)))


def same_document(text: Any) -> Any:
    """A JSON document as a value to compare; text that is no JSON stays as it is."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
