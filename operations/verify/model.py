"""A check, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operations.verify.scene import Scene


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Unfit(Exception):
    """What is wrong, where, and what to do."""


class Skipped(Exception):
    """Why there is nothing to look at: the text names the setting, or what is not there yet."""


@dataclass(frozen=True)
class Check:
    """`run` says what was found in one sentence, or raises Unfit or Skipped. about: what O5 calls it.
    awake: it looks at what scheduled scaling takes down (F8)."""

    name: str
    group: str
    about: str
    run: Callable[[Scene], str]
    awake: bool = False


@dataclass(frozen=True)
class Outcome:
    check: Check
    state: State
    said: str
    seconds: float


class Outputs:
    """A stack's outputs. One that is missing is Unfit: the stack was made by an older program, or is not whole."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def text(self, *path: str) -> str:
        found = self._at(path)
        if not isinstance(found, str) or not found:
            raise Unfit(f"output {'.'.join(path)} is {found!r} and should be a text; `up` writes it")
        return found

    def table(self, *path: str) -> Mapping[str, Any]:
        found = self._at(path)
        if not isinstance(found, Mapping):
            raise Unfit(f"output {'.'.join(path)} is {found!r} and should be a table; `up` writes it")
        return found

    def _at(self, path: tuple[str, ...]) -> Any:
        found: Any = self._values
        for key in path:
            if not isinstance(found, Mapping) or key not in found:
                raise Unfit(f"the stack has no output {'.'.join(path)}; `up` with this program writes it")
            found = found[key]
        return found
