"""From the configuration of a stack to `Settings`: the only way to get one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from infra.settings.errors import MISSING, Problem, SettingsError
from infra.settings.model import Service, Settings
from infra.settings.rules import check
from infra.settings.yaml import read_yaml

PREFIX = "candlefish:"
OTHERS = ("aws", "eks", "kubernetes", "pulumi", "random")  # whose configuration a stack file may have too
CATALOGUE = Path(__file__).with_name("services.yaml")
EXPERIMENTS = Path(__file__).with_name("experiments.yaml")


def load(values: Mapping[str, Any], source: str) -> Settings:
    """Settings from plain values by key without the prefix, `{"environment": "staging", "network": {…}}`.

    `source` names where they come from in errors, such as `Pulumi.staging.yaml`.
    Raises SettingsError with every problem found.
    """
    document = dict(values)
    # Pulumi hands a program no null: whether one arrives as an empty text or not at all is not said anywhere.
    problems = [Problem(key, None, "a value; leave the key out for its default") for key, value in values.items()
                if value is None]
    if isinstance(document.get("services"), Mapping):
        document["services"] = list(_services(document["services"], problems))
    if isinstance(document.setdefault("experiments", {}), Mapping):
        document["experiments"] = _experiments(document["experiments"])
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        told = {problem.setting for problem in problems}
        details = [_problem(detail, document) for detail in error.errors(include_url=False)]
        raise SettingsError(source, problems + [each for each in details if each.setting not in told]) from None
    problems += check(settings)
    if problems:
        raise SettingsError(source, problems)
    return settings


def load_file(path: Path) -> Settings:
    """Settings of a stack file, `Pulumi.{stack}.yaml`, without an engine."""
    if not path.exists():
        known = ", ".join(sorted(p.name for p in path.parent.glob("Pulumi.*.yaml"))) or "none"
        raise SettingsError(path.name, [Problem("stack", path.stem.removeprefix("Pulumi."),
                                                f"a stack that has a file; there are: {known}")])
    document = read_yaml(path)
    config = document.get("config") or {}
    if not isinstance(config, Mapping):
        raise SettingsError(path.name, [Problem("config", config, "a map of keys to values")])
    return load(own(config, path.name), path.name)


def own(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The project's values of a stack's whole configuration, without the prefix, which Pulumi lets be left out.
    Raises SettingsError for a key of nobody's: misspelt, it would be left out in silence."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in config.items():
        space, colon, name = key.rpartition(":")
        if colon and f"{space}:" != PREFIX:
            if space not in OTHERS:
                problems.append(Problem(key, value, f"a key that begins with {PREFIX}, or with one of "
                                        f"{', '.join(f'{other}:' for other in OTHERS)}"))
        elif name in found:
            problems.append(Problem(name, value, f"the key once, with {PREFIX} before it or without"))
        else:
            found[name] = value
    if problems:
        raise SettingsError(source, problems)
    return found


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """What is the same for a service in every environment; a stack's entry goes on top."""
    return read_yaml(CATALOGUE)


def _services(entries: Mapping[str, Any], problems: list[Problem]) -> Iterator[dict[str, Any]]:
    """The stack's entries over the catalogue's. A name that the catalogue has not must be complete."""
    for name, entry in entries.items():
        if entry is not None and not isinstance(entry, Mapping):
            problems.append(Problem(f"services.{name}", entry, "a map such as {image: …, replicas: {…}}"))
            continue
        if isinstance(entry, Mapping) and "name" in entry:
            problems.append(Problem(f"services.{name}.name", entry["name"], "nothing; the key is the name"))
        yield {**_merge(catalogue().get(name, {}), entry or {}), "name": name}


def _experiments(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The stack's fields over the catalogue's; variants as a whole, as their shares only make sense together."""
    merged = read_yaml(EXPERIMENTS)
    for name, entry in entries.items():
        merged[name] = {**merged.get(name, {}), **entry} if isinstance(entry, Mapping) else entry
    return merged


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _problem(detail: ErrorDetails, document: Mapping[str, Any]) -> Problem:
    location = detail["loc"]
    path = _path(location, document)
    kind = detail["type"]
    if kind == "missing":
        return Problem(path, MISSING, "a value; the setting has no default")
    if kind == "extra_forbidden":
        return Problem(path, detail["input"], _known_keys(location))
    return Problem(path, detail["input"], _allowed(detail))


def _allowed(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "greater_than":
            return f"more than {context['gt']}"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "enum" | "literal_error":
            return str(context["expected"])
        case "string_pattern_mismatch":
            return f"text that matches {context['pattern']}"
        case "ip_v4_network":
            return "an IPv4 range such as 10.20.0.0/16, with no bits set behind the prefix"
        case "model_type" | "dict_type" | "mapping_type":
            return "a map of keys to values"
        case "invalid_key":
            return "keys that are texts"
        case "tuple_type" | "list_type":
            return "a list such as [a, b]"
        case _:
            return detail["msg"].removeprefix("Input should be ")


def _path(location: tuple[int | str, ...], document: Mapping[str, Any]) -> str:
    """`services.2.port` becomes `services.website.port`: what the file says."""
    parts = [str(part) for part in location]
    if len(location) > 1 and parts[0] == "services" and isinstance(location[1], int):
        service = document["services"][location[1]]
        if isinstance(service, Mapping) and "name" in service:
            parts[1] = str(service["name"])
    return ".".join(parts)


def _known_keys(location: tuple[int | str, ...]) -> str:
    model = _model_at(location[:-1])
    keys = sorted(field.alias or to_camel(name) for name, field in model.model_fields.items()) if model else []
    if model is Service:
        keys.remove("name")
    close = difflib.get_close_matches(str(location[-1]), keys, n=1)
    hint = f"{close[0]} (did you mean it?), or another of " if close else ""
    return f"{hint}{', '.join(keys)}"


def _model_at(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    model: Any = Settings
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = {field.alias or to_camel(name): field for name, field in model.model_fields.items()}
            model = _strip_none(fields[str(part)].annotation) if str(part) in fields else None
        elif get_origin(model) in (tuple, list, dict):
            arguments = get_args(model)
            model = arguments[1] if get_origin(model) is dict else arguments[0]
        model = _strip_none(model)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _strip_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        return next(argument for argument in get_args(annotation) if argument is not type(None))
    return annotation
