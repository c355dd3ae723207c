"""What is done to a stack file: an edit of one setting, or damage to the text itself.

    files = Files.of(ROOT)
    damaged = draw(files, random.Random(7))

Edits reach every setting that there is, also those that a stack leaves to their default.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.settings.load import PREFIX, load_file
from tests.hostile import NASTY
from tests.stacks import STACKS

Place = tuple[str | int, ...]  # of a setting in `config`: ("candlefish:network", "cidr")
_DROP = object()
TEXT_SHARE = 0.2  # of the draws damage the text; the others edit a setting
_DAMAGED_VALUES = tuple(value for value in NASTY if value != "\ud800")  # which YAML can't hold: the texts have it


@dataclass(frozen=True)
class Edit:
    """`value` put at `place`, whose parents are made where they are missing. `renamed`: the key it gets instead."""

    kind: str
    place: Place
    value: Any = None
    renamed: str | None = None

    def apart(self, other: Edit) -> bool:
        """Whether both can be made in one file: neither is inside what the other one replaces."""
        size = min(len(self.place), len(other.place))
        return self.place[:size] != other.place[:size]

    def made(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of `config` with the edit."""
        found: dict[str, Any] = copy.deepcopy(dict(config))
        inside: Any = found
        for part in self.place[:-1]:
            if isinstance(inside, dict) and not isinstance(inside.get(part), dict | list):
                inside[part] = {}
            inside = inside[part]
        last = self.place[-1]
        if self.value is _DROP:
            del inside[last]
        elif self.renamed is not None:
            inside[self.renamed] = inside.pop(last)
        else:
            inside[last] = copy.deepcopy(self.value)
        return found


@dataclass(frozen=True)
class Damaged:
    """A stack's file as bytes, and what became of it. `edit`: None where the text itself is damaged."""

    stack: str
    kind: str
    what: str
    content: bytes
    edit: Edit | None = None


@dataclass(frozen=True)
class Files:
    """By stack. `texts`: the files; `configs`: their `config`; `whole`: every setting with its default."""

    texts: Mapping[str, str]
    configs: Mapping[str, dict[str, Any]]
    whole: Mapping[str, dict[str, Any]]

    @staticmethod
    def of(root: Path) -> Files:
        paths = {stack: root / f"Pulumi.{stack}.yaml" for stack in STACKS}
        texts = {stack: path.read_text(encoding="utf-8") for stack, path in paths.items()}
        configs = {stack: yaml.safe_load(text)["config"] for stack, text in texts.items()}
        return Files(texts, configs, {stack: _whole(path) for stack, path in paths.items()})


def _whole(path: Path) -> dict[str, Any]:
    document = load_file(path).model_dump(mode="json", by_alias=True)
    document["services"] = {each["name"]: {key: value for key, value in each.items() if key != "name"}
                            for each in document["services"]}
    return {f"{PREFIX}{key}": value for key, value in document.items()}


def draw(files: Files, dice: random.Random) -> Damaged:
    stack = dice.choice(STACKS)
    if dice.random() < TEXT_SHARE:
        kind = dice.choice(list(_TEXTS))
        return Damaged(stack, kind, kind, _TEXTS[kind](files.texts[stack], dice))
    edit = _edit(files, stack, dice)
    what = f"{'.'.join(map(str, edit.place))}: {edit.kind}"
    return Damaged(stack, edit.kind, what, written(edit.made(files.configs[stack])), edit)


def written(config: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump({"config": dict(config)}, sort_keys=False, width=1000).encode()


def differences(before: Mapping[str, Any], after: Mapping[str, Any], above: Place = ()) -> tuple[Edit, ...]:
    """The edits that make `after` of `before`."""
    found: list[Edit] = []
    for key in {**before, **after}:
        place = (*above, key)
        if key not in after:
            found.append(Edit("dropped", place, _DROP))
        elif isinstance(before.get(key), dict) and isinstance(after[key], dict):
            found += differences(before[key], after[key], place)
        elif key not in before or before[key] != after[key]:
            found.append(Edit("put", place, after[key]))
    return tuple(found)


def places(value: Any, above: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every setting, and every value inside it. What is inside a list is only reached by its whole."""
    for key, inner in value.items():
        yield (*above, key), inner
        if isinstance(inner, dict):
            yield from places(inner, (*above, key))


def _edit(files: Files, stack: str, dice: random.Random) -> Edit:
    """Half of the edits are where the file says something, half anywhere."""
    config = files.configs[stack]
    said = dict(places({key: value for key, value in config.items() if key.startswith(PREFIX)}))
    reached = said if dice.random() < 0.5 else dict(places(files.whole[stack]))
    place = dice.choice(list(reached))
    value, last = reached[place], str(place[-1])
    if place in said:
        match dice.randrange(12):
            case 0:
                return Edit("dropped", place, _DROP)
            case 1:
                return Edit("renamed", place, renamed=dice.choice(
                    [last[:-1] + "x", last.upper(), last + "s", f" {last}", str(dice.choice(_DAMAGED_VALUES))]))
    others = [found for name in STACKS if name != stack for at, found in places(files.whole[name]) if at == place]
    match dice.randrange(10):
        case 0:
            return Edit("null", place, None)
        case 1:
            return Edit("of another type", place, dice.choice(_DAMAGED_VALUES))
        case 2 | 3 if others:
            return Edit("of another stack", place, dice.choice(others))
        case 4:
            return Edit("of another setting", place, dice.choice([found for _, found in places(files.whole[stack])]))
    for kind, change in _CHANGES:
        if isinstance(value, kind):
            name, changed = change(value, dice)
            return Edit(name, place, changed)
    return Edit("of another type", place, dice.choice(_DAMAGED_VALUES))


def _flag(value: bool, dice: random.Random) -> tuple[str, Any]:
    if dice.random() < 0.5:
        return "switched", not value
    return "almost a flag", dice.choice(["yes", "True", 1, 2, "on"])


def _number(value: float, dice: random.Random) -> tuple[str, Any]:
    near = [value + 1, value - 1, value + 7, value * 2, value // 2, 0, 1]
    far = [-1, -value, value * 1000, 2**31, 2**63, 10**30, 1e308, float("nan"), float("inf"), float("-inf"),
           value + 0.5, f"{value}", f"{value} ", "0x10", "1e3", True]
    return ("a number nearby", dice.choice(near)) if dice.random() < 0.6 else ("a number far off", dice.choice(far))


_RANGES = ("10.0.0.0/8", "10.20.0.0/33", "10.20.0.0/15", "10.20.0.0/22", "10.20.0.0/23", "10.20.0.1/16", "0.0.0.0/0",
           "172.16.0.0/16", "172.17.0.0/16", "172.20.0.0/16", "192.168.0.0/16", "100.64.0.0/16", "fd00::/48",
           "10.20.0.0", "255.255.255.255/32", "10.20.0.0/255.255.0.0", "224.0.0.0/16")


def _text(value: str, dice: random.Random) -> tuple[str, Any]:
    if value.count(".") == 3 and "/" in value and dice.random() < 0.8:
        return "a range", dice.choice(_RANGES)
    match dice.randrange(4):
        case 0:
            return "an empty text", dice.choice(["", " ", "\t", "\n", "\u200b"])
        case 1:
            return "a huge text", (value or "x") * dice.choice([5, 50, 5000])
        case 2:
            return "unicode", dice.choice(["é", "💡", "\u202e", "ａ", "ß", "\x7f", "\u2028", "İ"]) + value
    at = dice.randrange(len(value) + 1)
    return "almost the text", dice.choice([
        value[:-1], value + "x", f" {value}", f"{value} ", value.upper(), f"-{value}",
        value[:at] + dice.choice("_.:/@#$*{}'\"\\%\n") + value[at:]])


def _list(value: Sequence[Any], dice: random.Random) -> tuple[str, Any]:
    shuffled = [*value]
    dice.shuffle(shuffled)
    inner = dice.choice([*value, "x"])
    return dice.choice([
        ("a list reordered", shuffled), ("a list reordered", [*reversed(value)]), ("a list emptied", []),
        ("a list doubled", [*value, *value]), ("a list cut", [*value][:-1]),
        ("a list with null", [*value, None]), ("a list as its item", inner), ("a list in a list", [[*value]]),
        ("a long list", [inner] * 300), ("a list as a map", {str(index): each for index, each in enumerate(value)}),
        ("a list with another thing", [*value, dice.choice(_DAMAGED_VALUES)])])


def _map(value: Mapping[str, Any], dice: random.Random) -> tuple[str, Any]:
    keys = [*value]
    dice.shuffle(keys)
    some = dice.choice(keys) if keys else "x"
    return dice.choice([
        ("a map emptied", {}), ("a map as a list", [*value.values()]), ("a map reordered", {k: value[k] for k in keys}),
        ("a map in a map", {some: dict(value)}), ("a key too many", {**value, f"{some}2": value.get(some)}),
        ("a key too many", {**value, str(dice.choice(_DAMAGED_VALUES))[:200]: 1}),
        ("values swapped", {**value, **dict(zip(keys, [value[k] for k in sorted(keys)], strict=True))}),
        ("a map of nulls", dict.fromkeys(value))])


# bool before the numbers, as it is one.
_CHANGES: tuple[tuple[Any, Callable[[Any, random.Random], tuple[str, Any]]], ...] = (
    (bool, _flag), (int | float, _number), (str, _text), (list, _list), (dict, _map))


def _line(text: str, dice: random.Random, change: Callable[[str], str]) -> bytes:
    lines = text.splitlines(keepends=True)
    at = dice.randrange(len(lines))
    return "".join([*lines[:at], change(lines[at]), *lines[at + 1:]]).encode()


def _within(text: str, dice: random.Random, *wedges: str) -> bytes:
    at = dice.randrange(len(text))
    return (text[:at] + dice.choice(wedges) + text[at + dice.randrange(3):]).encode()


_NO_TEXT = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\0")


def _added(*values: str) -> Callable[[str, random.Random], bytes]:
    return lambda text, dice: f"{text}  candlefish:usage: {dice.choice(values)}\n".encode()


_TEXTS: Mapping[str, Callable[[str, random.Random], bytes]] = {
    "cut off": lambda text, dice: text.encode()[:dice.randrange(len(text))],
    "a line twice": lambda text, dice: _line(text, dice, lambda line: line * 2),
    "a line less": lambda text, dice: _line(text, dice, lambda line: ""),
    "a tab": lambda text, dice: _line(text, dice, lambda line: "\t" + line.lstrip()),
    "indented more": lambda text, dice: _line(text, dice, lambda line: " " + line),
    "indented less": lambda text, dice: _line(text, dice, lambda line: line[1:]),
    "without its colon": lambda text, dice: _line(text, dice, lambda line: line.replace(":", "", 1)),
    "a wedge": lambda text, dice: _within(text, dice, "\0", '"', "'", "{", "[", "&a ", "*a ", "!!", "- ", "? ", "%",
                                          "@", "|", "\u0085", "\ufeff", "💡", "[" * 50_000, "\\"),
    "an anchor": _added("&a {x: *a}", "&a [*a]", "*nowhere", "{x: &a [1], y: *a}", "{<<: 3}",
                        "[&a [1, 1], &b [*a, *a], &c [*b, *b]]"),
    "a tag": _added("!!python/object/apply:os.getcwd []", "!!int x", "!!bool x", "!!binary x", "!secret x",
                    "!!set {a, b}", "!!timestamp x", "!!omap [a: 1]"),
    "what looks like another thing": _added("2026-99-99", "9" * 5000, "1:99:99", "0b12", "0o9", "{1: 2}", "{[a]: 1}",
                                            "{null: 1}", "{true: 1}", '"\\ud800"', "{? {a: b} : 1}", "1_000", ".inf"),
    "another encoding": lambda text, dice: text.encode(dice.choice(["utf-16", "utf-32", "utf-8-sig"])),
    "bytes that are no text": lambda text, dice: text.encode() + dice.choice(_NO_TEXT),
    "two documents": lambda text, dice: f"{text}---\n{text}".encode(),
    "another kind of document": lambda text, dice: dice.choice(
        [b"", b"[]", b"x", b"3", b"config:", b"config: []", b"config: x", b"---", b"...", b"null", b"config: {1: 2}"]),
    "the lines of another system": lambda text, dice: text.replace("\n", dice.choice(["\r\n", "\r"])).encode(),
}
