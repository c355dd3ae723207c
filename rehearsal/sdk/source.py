"""The source text of the installed SDK packages, found without importing them."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("aws", "kubernetes", "eks", "random")

_MODULES = re.compile(r'resource_modules="""\n(.*?)\n""",', re.S)
_CLASS = re.compile(r"^class (\w+)", re.M)


class NoSuchType(Exception):
    """The SDK has no class for a type token."""


@dataclass(frozen=True)
class ClassText:
    """One class of the SDK: its source, and the folder of the package that it is in."""

    name: str
    folder: Path
    text: str


@functools.cache
def root(package: str) -> Path:
    """The folder of `pulumi_{package}`. Raises NoSuchType when it is not installed."""
    spec = importlib.util.find_spec(f"pulumi_{package}")
    if spec is None or spec.origin is None:
        raise NoSuchType(f"the package pulumi-{package} is not installed; see requirements.txt")
    return Path(spec.origin).parent


@functools.cache
def version(package: str) -> str:
    return importlib.metadata.version(f"pulumi-{package}")


@functools.cache
def modules(package: str) -> Mapping[str, tuple[str, str]]:
    """Type token → (folder of its module inside the package, class name)."""
    found = _MODULES.search((root(package) / "__init__.py").read_text())
    if found is None:
        raise NoSuchType(f"pulumi_{package}/__init__.py has no resource_modules; the SDK's layout has changed")
    return {token: ("/".join(entry["fqn"].split(".")[1:]), name)
            for entry in json.loads(found[1]) for token, name in entry["classes"].items()}


def resource(token: str) -> tuple[ClassText, ClassText]:
    """The resource class of a type token and the class of its arguments. Raises NoSuchType."""
    package = token.partition(":")[0]
    if package not in PACKAGES or token not in modules(package):
        raise NoSuchType(f"{token} is not a resource type of the installed SDK packages ({', '.join(PACKAGES)})")
    where, name = modules(package)[token]
    folder = root(package) / where if where else root(package)
    for file in _candidates(folder, name):
        classes = _classes(file)
        if name in classes:
            arguments = next((n for n in (f"{name}Args", f"{name}InitArgs") if n in classes), None)
            if arguments is None:
                break
            text = file.read_text()
            return (ClassText(name, folder, text[slice(*classes[name])]),
                    ClassText(arguments, folder, text[slice(*classes[arguments])]))
    raise NoSuchType(f"{token}: no class {name} with arguments in {folder}; the SDK's layout has changed")


def nested(folder: Path, reference: str) -> ClassText | None:
    """An input type as an annotation of a class in `folder` names it: `RuleArgs`, or `_meta.v1.ObjectMetaArgs` of
    another module of the package, or `pulumi_aws.eks.ThingArgs`. None for what is not an input type (an enum)."""
    *path, name = reference.split(".")
    if path:
        package = path[0] if path[0].startswith("pulumi_") else None
        start = root(package.removeprefix("pulumi_")) if package else _package_root(folder)
        folder = start.joinpath(*(part.lstrip("_") for part in (path[1:] if package else path)))
    file = folder / "_inputs.py"
    if not file.exists() or name not in (classes := _classes(file)):
        return None
    return ClassText(name, folder, _text(file)[slice(*classes[name])])


def _package_root(folder: Path) -> Path:
    while not folder.name.startswith("pulumi_"):
        folder = folder.parent
    return folder


def _candidates(folder: Path, name: str) -> list[Path]:
    """The likely files first: the class name in snake case, or as it is (Kubernetes)."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    likely = [file for file in (folder / f"{snake}.py", folder / f"{name}.py") if file.exists()]
    return likely + [file for file in sorted(folder.glob("*.py")) if file not in likely]


@functools.lru_cache(maxsize=64)
def _text(file: Path) -> str:
    return file.read_text()


@functools.lru_cache(maxsize=512)
def _classes(file: Path) -> Mapping[str, tuple[int, int]]:
    """Class name → where its text begins and ends."""
    text = _text(file)
    starts = [(found.start(), found[1]) for found in _CLASS.finditer(text)]
    ends = [*(start for start, _ in starts[1:]), len(text)]
    return {name: (start, end) for (start, name), end in zip(starts, ends, strict=True)}
