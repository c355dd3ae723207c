"""A provider in memory, for tests of the engine and of programs that need no cloud.

Its world outlives an engine: `World` can be kept in a file, so that a killed process finds what it had made. A repeated
operation id is answered with what the first call got, as the AWS gateway does.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.engine.provider import (
    Change,
    Checked,
    Context,
    Diff,
    Failure,
    Found,
    NotFound,
    PropertyDiff,
    ProviderError,
    Register,
    Registration,
)
from rehearsal.engine.values import UNKNOWN, Archive, Asset, Properties, ResourceReference


@dataclass
class World:
    """What exists: id -> {"type", "inputs"}. `log`: every mutating call as (call, URN), in order."""

    path: Path | None = None
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)  # operation id -> id
    log: list[tuple[str, str]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @staticmethod
    def load(path: Path) -> World:
        world = World(path)
        if path.exists():
            kept = json.loads(path.read_text())
            world.objects, world.answers = kept["objects"], kept["answers"]
            world.log = [(call, urn) for call, urn in kept["log"]]
        return world

    def save(self) -> None:
        if self.path is not None:
            temporary = self.path.with_suffix(".tmp")
            temporary.write_text(json.dumps({"objects": self.objects, "answers": self.answers, "log": self.log},
                                            default=_spelled))
            os.replace(temporary, self.path)


def _spelled(value: Any) -> Any:
    if isinstance(value, Asset | Archive):
        return {"hash": value.hash}
    if isinstance(value, ResourceReference):
        return value.urn
    raise TypeError(f"a {type(value).__name__} can't be kept")


@dataclass
class MemoryProvider:
    """Serves `fake:*` (or other packages). A property whose name ends in `Immutable` forces a replacement; the type
    `fake:index:Named` has an auto-name that must be unique; `fake:index:Group` is a packaged component."""

    world: World = field(default_factory=World)
    packages: Sequence[str] = ("fake",)
    identifies: bool = True
    before: Callable[[str, Context], None] = lambda call, context: None  # before and after a mutation took effect
    after: Callable[[str, Context], None] = lambda call, context: None
    delay_seconds: float = 0.0

    def _count(self, call: str) -> None:
        with self.world.lock:
            self.world.calls[call] = self.world.calls.get(call, 0) + 1

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked:
        self._count("check")
        if new.get("invalid"):
            return Checked(new, (Failure("invalid", "is set"),))
        if context.type == "fake:index:Named" and "name" not in new:
            kept = (old or {}).get("name")
            return Checked({**new, "name": kept or f"{context.name}-{context.random.getrandbits(28):07x}"})
        return Checked(new)

    def diff(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
             new_inputs: Properties) -> Diff:
        self._count("diff")
        found = []
        for key in sorted({*old_inputs, *new_inputs}):
            before, after = old_inputs.get(key), new_inputs.get(key)
            if before is after or (before is not UNKNOWN and after is not UNKNOWN and _same(before, after)):
                continue
            change = Change.ADD if key not in old_inputs else Change.DELETE if key not in new_inputs else Change.UPDATE
            replaces = key.endswith("Immutable") or (context.type == "fake:index:Named" and key == "name")
            found.append(PropertyDiff(key, change, replaces))
        return Diff(tuple(found), delete_before_replace=bool(new_inputs.get("exclusive")))

    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        self._count("preview")
        known = (old_outputs or {}).get("generated", UNKNOWN)
        return {**inputs, "generated": known}

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        self._count("create")
        self.before("create", context)
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        if inputs.get("refused"):
            raise ProviderError("creation was refused")
        with self.world.lock:
            if context.operation not in self.world.answers:
                id = self._make(context, inputs)
                self.world.answers[context.operation] = id
                self.world.log.append(("create", context.urn))
                self.world.save()
            id = self.world.answers[context.operation]
        self.after("create", context)
        if inputs.get("halfway"):
            raise ProviderError("it was created but is not ready", (id, self._outputs(id, inputs)))
        return id, self._outputs(id, inputs)

    def _make(self, context: Context, inputs: Properties) -> str:
        name = inputs.get("name")
        taken = {item["inputs"].get("name") for item in self.world.objects.values() if item["type"] == context.type}
        if context.type == "fake:index:Named" and name in taken:
            raise ProviderError(f"the name {name} is taken")
        if "of" in inputs:  # has no identity but that of what it belongs to
            id = f"{inputs['of']}-0"
            self.world.objects[id] = {"type": context.type, "inputs": inputs}
            return id
        number = 1 + max((int(id.rsplit("-", 1)[1]) for id in self.world.objects), default=0)
        used = {int(id.rsplit("-", 1)[1]) for id in self.world.answers.values()}
        id = f"{context.name}-{max({number, *(used and {max(used) + 1})})}"
        self.world.objects[id] = {"type": context.type, "inputs": inputs}
        return id

    @staticmethod
    def _outputs(id: str, inputs: Properties) -> Properties:
        return {**inputs, "generated": f"generated-{id}"}

    def read(self, context: Context, id: str, inputs: Properties | None,
             outputs: Properties | None) -> Found | None:
        self._count("read")
        item = self.world.objects.get(id)
        return None if item is None else Found(id, self._outputs(id, item["inputs"]), item["inputs"])

    def update(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
               new_inputs: Properties, ignored: tuple[str, ...]) -> Properties:
        self._count("update")
        self.before("update", context)
        if new_inputs.get("refused"):
            raise ProviderError("update was refused")
        with self.world.lock:
            if id not in self.world.objects:
                raise NotFound(f"there is no {id}")
            self.world.objects[id]["inputs"] = new_inputs
            self.world.log.append(("update", context.urn))
            self.world.save()
        self.after("update", context)
        return self._outputs(id, new_inputs)

    def delete(self, context: Context, id: str, inputs: Properties, outputs: Properties) -> None:
        self._count("delete")
        self.before("delete", context)
        if inputs.get("sticky"):
            raise ProviderError("it can't be deleted")
        with self.world.lock:
            if self.world.objects.pop(id, None) is None:
                raise NotFound(f"there is no {id}")
            self.world.log.append(("delete", context.urn))
            self.world.save()
        self.after("delete", context)

    def invoke(self, context: Context, token: str, arguments: Properties) -> Properties:
        self._count("invoke")
        if arguments.get("fail"):
            raise ProviderError("the data source failed")
        return {"token": token, "echo": {key: value for key, value in arguments.items() if key != "__self__"},
                "region": context.config.get("region", "")}

    def construct(self, context: Context, inputs: Properties, register: Register) -> Properties:
        self._count("construct")
        first = register(Registration("fake:index:Thing", f"{context.name}-first", {"value": inputs.get("value")}))
        second = register(Registration("fake:index:Thing", f"{context.name}-second",
                                       {"value": first.outputs["generated"]}, depends_on=(first.urn,)))
        return {"first": ResourceReference(first.urn, first.id), "generated": second.outputs["generated"]}


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Asset | Archive) and isinstance(right, Asset | Archive):
        return left.hash == right.hash
    return bool(left == right)
