"""What can go wrong, as types that a command can tell apart. Every message says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import RehearsalError, Unusable


class EngineError(RehearsalError):
    """Base of all errors that the engine raises on purpose."""


class ProgramFailed(EngineError):
    """The Pulumi program raised or ended early. `traceback` is its text, with known secrets masked."""

    def __init__(self, traceback: str, exit_code: int | None = None) -> None:
        code = "" if exit_code is None else f" with exit code {exit_code}"
        super().__init__(f"the program failed{code}:\n{traceback}")
        self.traceback = traceback
        self.exit_code = exit_code


class ProgramBlocked(EngineError):
    """The program made no progress and asked for nothing within the watchdog's limit."""

    def __init__(self, seconds: float, stacks: str) -> None:
        super().__init__(f"the program has made no progress for {seconds:.0f} s and was stopped; "
                         f"it stood here:\n{stacks}")
        self.stacks = stacks


@dataclass(frozen=True)
class FailedStep:
    urn: str
    reason: str


class StepFailed(EngineError):
    """One or more resources failed; what had succeeded is in the state."""

    def __init__(self, failures: Sequence[FailedStep]) -> None:
        lines = "\n".join(f"  {failure.urn}: {failure.reason}" for failure in failures)
        super().__init__(f"{len(failures)} resource{'s' if len(failures) != 1 else ''} failed:\n{lines}")
        self.failures = tuple(failures)


class Protected(EngineError):
    """Resources that would be deleted are protected. Nothing was deleted."""

    def __init__(self, urns: Sequence[str]) -> None:
        listed = "\n".join(f"  {urn}" for urn in urns)
        super().__init__(f"{len(urns)} protected resource{'s' if len(urns) != 1 else ''} would be deleted; set "
                         f"`protect` to false and run `up` first:\n{listed}")
        self.urns = tuple(urns)


class Locked(EngineError):
    """Another live process works on this stack."""

    def __init__(self, owner: str, path: Path) -> None:
        super().__init__(f"the stack is in use by {owner}; wait for it to end, or, if it is gone, delete {path}")
        self.owner = owner


class StateCorrupt(EngineError):
    """The state file cannot be understood. It is left as it is."""


class StateNotWritten(EngineError):
    """The state could not be written (disk full, permissions); the file still holds the last good state."""


class WrongPassphrase(EngineError):
    """Secrets cannot be decrypted."""


class Cancelled(EngineError):
    """The run was interrupted; what had finished is in the state."""


class ConfigInvalid(EngineError):
    """Pulumi.yaml or a stack's file cannot be used."""


class PackFailed(EngineError):
    """A policy pack did not start, or failed on its own."""


class PackUnusable(EngineError, Unusable):
    """A folder is no policy pack, or its configuration fits none of its policies."""


@dataclass(frozen=True)
class Violation:
    """What a policy pack said of a resource. urn: empty where it is about the stack. level: mandatory or advisory."""

    pack: str
    policy: str
    level: str
    urn: str
    message: str

    @property
    def mandatory(self) -> bool:
        return self.level == "mandatory"


class PolicyViolated(EngineError):
    """Mandatory policies are violated. `violations` has the advisory ones too."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        found = [each for each in violations if each.mandatory]
        lines = "\n".join(f"  {each.urn or 'the stack'}\n    {each.policy}: " + each.message.replace("\n", "\n    ")
                          for each in found)
        super().__init__(f"{len(found)} mandatory polic{'y is' if len(found) == 1 else 'ies are'} violated:\n{lines}")
        self.violations = tuple(violations)


class Halted(Exception):
    """Internal: this registration is not answered, since the run is being stopped."""


class StepRefused(Exception):
    """Internal: one resource failed, with the reason as the user sees it."""
