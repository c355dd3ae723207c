"""How a damaged file is read, and what is wrong with the answer.

Both ways that lead to settings are taken: the commands read the file, and the program is handed its values as texts.
They must agree.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pulumi

from infra.settings.errors import MISSING, SettingsError
from infra.settings.load import load_file
from infra.settings.model import Settings
from infra.settings.stack import from_stack
from rehearsal.engine.config import StackConfig
from rehearsal.engine.errors import ConfigInvalid
from tests.program import ROOT
from tests.settings_fuzz.damage import Damaged

SECONDS = 5.0  # that a file may take to be read; a real one takes 0.02
LINE = 1200  # characters of a line of a message; the longest lists of what is allowed have about 900
# What only a reader of our code would understand.
JARGON = ("Traceback", "pydantic", "object at 0x", "_type=", "Value error", "Assertion failed", "<class")


@dataclass(frozen=True)
class Answer:
    """`settings` of a file that is accepted; `refusal`: how one is refused; `wrong`: what must not be."""

    settings: Settings | None = None
    refusal: str = ""
    message: str = ""
    wrong: str = ""


def read(damaged: Damaged, folder: Path) -> Answer:
    """`folder`: has the project's Pulumi.yaml; the file is written into it."""
    path = folder / f"Pulumi.{damaged.stack}.yaml"
    path.write_bytes(damaged.content)
    try:
        with _at_most(SECONDS):
            answer = Answer(load_file(path))
    except SettingsError as error:
        answer = Answer(refusal=_kind(error), message=str(error), wrong=unclear(error, path.name))
    except Exception as error:
        return Answer(refusal="traceback", wrong=f"{type(error).__name__}: {error}")
    if answer.wrong or answer.refusal == "file":
        return answer
    return Answer(answer.settings, answer.refusal, answer.message, _other_way(answer, folder, damaged.stack))


class _TooLongError(Exception):
    """Reading has no end, or none that anybody waits for."""


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Of the processor's time. Raises _TooLongError; works in the main thread."""
    def stop(number: int, frame: object) -> None:
        raise _TooLongError(f"more than {seconds:g} s of processor")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _kind(error: SettingsError) -> str:
    """"file": it can't be read as a map; "missing": a setting is not there; "value": one is not allowed."""
    if not error.problems or not error.problems[0].setting:
        return "file"
    return "missing" if all(problem.value is MISSING for problem in error.problems) else "value"


def unclear(error: SettingsError, file: str) -> str:
    """What the message lacks: the file, and for each problem the setting, its value or that it is missing, and what
    is allowed, in a line of readable words."""
    first, *lines = str(error).split("\n")
    if not first.startswith(file):
        return f"does not begin with the file: {first}"
    if not lines or len(lines) != len(error.problems):
        return f"{len(error.problems)} problems in {len(lines)} lines: {error}"
    for problem, line in zip(error.problems, lines, strict=True):
        if " is " not in line or not problem.allowed or not line.endswith(problem.allowed):
            return f"does not say value and what is allowed: {line}"
        if len(line) > LINE or not line.isprintable():
            return f"is no line to read: {line[:200]!r}, {len(line)} characters"
    told = [word for word in JARGON if word in str(error)]
    return f"speaks of {told}: {error}" if told else ""


def _other_way(answer: Answer, folder: Path, stack: str) -> str:
    """As `pulumi` does: values as texts, through the program's own entry."""
    try:
        values = dict(StackConfig.load(folder, stack, "").values)
        with patch.object(pulumi.runtime.config, "get_config_env", lambda: values), \
                patch.object(pulumi, "get_stack", lambda: stack):
            settings = from_stack()
    except (ConfigInvalid, pulumi.RunError) as error:
        return f"the file is accepted, and the program refuses it: {error}" if answer.settings else ""
    except Exception as error:
        return f"the program: {type(error).__name__}: {error}"
    if answer.settings is None:
        return f"the program accepts what the file is refused for: {answer.message}"
    return "" if settings == answer.settings else "the program reads other settings than the commands"


def read_all(drawn: Iterable[Damaged]) -> Iterator[tuple[Damaged, Answer]]:
    with tempfile.TemporaryDirectory(prefix="candlefish-fuzz-") as name:
        folder = Path(name)
        shutil.copy(ROOT / "Pulumi.yaml", folder)
        for damaged in drawn:
            yield damaged, read(damaged, folder)
