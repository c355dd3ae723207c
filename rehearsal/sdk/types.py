"""Input types of a resource type, as plain data, kept in a cache folder for the next process."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rehearsal.sdk import source

# A kind is "string", "boolean", "integer", "number", "any", or {"list": kind}, {"map": kind}, {"object": reference},
# {"union": [kind, …]}.
Kind: TypeAlias = Any

FORMAT = 2  # of the cached files; raise it when what is in them changes
_PROPERTY = re.compile(
    r"@(?:_builtins\.)?property\n    @pulumi\.getter(?:\(name=\"([^\"]+)\"\))?\n"
    r"(?:    @[^\n]*\n)*    def (\w+)\(self\) -> ([^\n]+):\n")
_SCALARS = {"str": "string", "bool": "boolean", "int": "integer", "float": "number"}


@dataclass(frozen=True)
class Property:
    kind: Kind
    required: bool


@dataclass(frozen=True)
class ResourceType:
    """Names are camelCase, as on the wire. `types`: the nested input types by reference."""

    token: str
    inputs: dict[str, Property]
    outputs: tuple[str, ...]
    types: dict[str, dict[str, Property]]


class Types:
    """Thread-safe. `cache`: a folder of one's own; files of other SDK versions in it are left alone."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._known: dict[str, ResourceType] = {}
        self._lock = threading.Lock()

    def get(self, token: str) -> ResourceType:
        """Raises `source.NoSuchType`, whose message names the token."""
        with self._lock:
            if token not in self._known:
                self._known[token] = self._load(token)
            return self._known[token]

    def _load(self, token: str) -> ResourceType:
        package = token.partition(":")[0]
        if package not in source.PACKAGES:
            raise source.NoSuchType(f"{token}: no SDK package of that name is known")
        folder = self._cache / f"{package}-{source.version(package)}-{FORMAT}"
        file = folder / (re.sub(r"[^A-Za-z0-9]+", "_", token) + ".json")
        if file.exists():
            return _decoded(token, json.loads(file.read_text()))
        parsed = parse(token)
        folder.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(_encoded(parsed), separators=(",", ":")))
        fresh.replace(file)
        return parsed


def parse(token: str) -> ResourceType:
    """From the SDK's source."""
    resource, arguments = source.resource(token)
    inputs, types = _properties(arguments), {}
    pending = list(_references(inputs))
    while pending:
        reference = pending.pop()
        if reference in types:
            continue
        folder, _, name = reference.partition("#")
        place = source.nested(source.root(folder.partition("/")[0]) / folder.partition("/")[2], name)
        if place is None:
            raise source.NoSuchType(f"{token}: the SDK has no input type {reference}")
        types[reference] = _properties(place)
        pending += _references(types[reference])
    outputs = tuple(found[1] or found[2] for found in _PROPERTY.finditer(resource.text)
                    if found[3].startswith("pulumi.Output["))
    return ResourceType(token, inputs, outputs, types)


def _properties(cls: source.ClassText) -> dict[str, Property]:
    found: dict[str, Property] = {}
    for camel, snake, annotation in _PROPERTY.findall(cls.text):
        kind, optional = _kind(ast.parse(annotation, mode="eval").body, cls.folder)
        found[camel or snake] = Property(kind, not optional)
    return found


def _kind(node: ast.expr, folder: Path) -> tuple[Kind, bool]:
    """The kind, and whether it may be left out."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="Input" | "InputType"), slice=inner):
            return _kind(inner, folder)
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return _kind(inner, folder)[0], True
        case ast.Subscript(value=ast.Name(id="Sequence" | "List"), slice=inner):
            return {"list": _kind(inner, folder)[0]}, False
        case ast.Subscript(value=ast.Name(id="Mapping"), slice=ast.Tuple(elts=[_, inner])):
            return {"map": _kind(inner, folder)[0]}, False
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=parts)):
            kinds = [_kind(part, folder)[0] for part in parts]
            return ("any" if "any" in kinds else {"union": kinds}), False
        case ast.Subscript(value=ast.Name(id="Literal")):
            return "string", False
        case ast.Attribute(value=ast.Name(id="_builtins"), attr=name) | ast.Name(id=name) if name in _SCALARS:
            return _SCALARS[name], False
        case ast.Constant(value=str(reference)) if reference.endswith("Args"):
            if (place := source.nested(folder, reference)) is not None:
                return {"object": _reference(place)}, False
        case ast.Constant(value=str(_)):
            # An enum, whose values are strings or numbers, or a resource that is passed whole.
            return "any", False
    return "any", False


def _reference(cls: source.ClassText) -> str:
    """`aws/s3#BucketRuleArgs`: package, folder, class."""
    parts = cls.folder.parts
    start = max(index for index, part in enumerate(parts) if part.startswith("pulumi_"))
    return "/".join([parts[start].removeprefix("pulumi_"), *parts[start + 1:]]) + f"#{cls.name}"


def _references(properties: dict[str, Property]) -> Iterator[str]:
    pending = [entry.kind for entry in properties.values()]
    while pending:
        kind = pending.pop()
        if isinstance(kind, dict):
            [(shape, inner)] = kind.items()
            if shape == "object":
                yield inner
            else:
                pending += inner if shape == "union" else [inner]


def _encoded(resource: ResourceType) -> Any:
    def table(properties: dict[str, Property]) -> Any:
        return {name: [entry.kind, entry.required] for name, entry in properties.items()}

    return {"inputs": table(resource.inputs), "outputs": resource.outputs,
            "types": {name: table(properties) for name, properties in resource.types.items()}}


def _decoded(token: str, data: Any) -> ResourceType:
    def table(properties: Any) -> dict[str, Property]:
        return {name: Property(kind, required) for name, (kind, required) in properties.items()}

    return ResourceType(token, table(data["inputs"]), tuple(data["outputs"]),
                        {name: table(properties) for name, properties in data["types"].items()})


@functools.cache
def default_cache() -> Path:
    """`XDG_CACHE_HOME` or `~/.cache`, below it candlefish/sdk."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "candlefish" / "sdk"
