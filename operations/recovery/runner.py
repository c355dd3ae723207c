"""Who runs a stack's program for recovery: Pulumi (`pulumi_runner`), or in a rehearsal the rehearsal's engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from operations.errors import OperationError

# Of one run, over the stack file's: path below `candlefish:` → value, such as `database.restore.snapshotId`.
Settings: TypeAlias = Mapping[str, str]
Deployment: TypeAlias = dict[str, Any]  # as `pulumi stack export` prints it


class RunnerError(OperationError):
    """The program, its engine or its state failed; the text is the engine's own, and what to do."""


@dataclass(frozen=True)
class Changes:
    """Of a preview or a run. counts: operation (`create`, `update`, `replace`, `delete`, `same`) → resources.
    lost: URNs of what is deleted, or made anew in the place of what there was."""

    counts: Mapping[str, int]
    lost: tuple[str, ...] = ()


class Runner(Protocol):
    """Of one stack. Everything but `preview`, `outputs` and `export` changes the stack or its state. A run that was
    killed is gone on with by the next `up`. Raises RunnerError."""

    @property
    def stack(self) -> str: ...

    def preview(self, settings: Settings) -> Changes:
        """What `up` would do; a stack that was never made counts as empty."""

    def up(self, settings: Settings) -> Changes: ...

    def outputs(self) -> dict[str, Any]:
        """Secrets in plain text, for memory alone. Empty for a stack that was never made."""

    def reach(self, host: str) -> str:
        """URL at which this stack answers for a public name, from here."""

    def export(self) -> Deployment:
        """Secrets stay encrypted. Without resources for a stack that was never made."""
