"""When policy packs are asked, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rehearsal.engine import urns
from rehearsal.engine.analyzers import PolicyPack
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.errors import Halted, Violation
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import EventKind
from rehearsal.engine.run import Run
from rehearsal.engine.state import State
from rehearsal.engine.values import Properties


class Analyzer(Protocol):
    """A pack behind its protocol, or what looks at the same from within this process."""

    def analyze(self, urn: str, goal: Goal, inputs: Properties, provider: State | None) -> list[Violation]: ...

    def analyze_stack(self, states: Iterable[tuple[State, Goal | None, State | None]]) -> list[Violation]: ...


@dataclass(frozen=True)
class Packs:
    """Folders of policy packs, and for each the configuration of its policies, where it has one."""

    folders: Sequence[Path] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    def start(self, project: Project, stack: str, settings: StackConfig, *, preview: bool, address: str,
              on_line: Any) -> list[PolicyPack]:
        """They come up while the program does; `connect` waits for one. Raises PackFailed."""
        started: list[PolicyPack] = []
        try:
            for folder in self.folders:
                started.append(PolicyPack(folder, project, stack, settings, preview=preview, config=self.config,
                                          address=address, on_line=on_line))
        except BaseException:
            for pack in started:
                pack.close()
            raise
        return started


class Policing:
    """Of one run."""

    def __init__(self, run: Run, analyzers: Sequence[Analyzer]) -> None:
        self._run = run
        self._analyzers = analyzers
        self._goals: dict[str, Goal] = {}

    def before(self, urn: str, goal: Goal, inputs: Properties, reference: str) -> None:
        """Raises Halted where a mandatory policy is violated and this is no preview."""
        if not self._analyzers:
            return
        self._goals[urn] = goal
        provider = self._provider(reference)
        self._note(found for each in self._analyzers for found in each.analyze(urn, goal, inputs, provider))
        if self._run.halted:
            raise Halted

    def after(self) -> None:
        """The whole stack, once everything is done without a failure."""
        run = self._run
        if not self._analyzers or run.failures:
            return
        states = [(state, self._goals.get(urn), self._provider(state.provider))
                  for urn, state in run.registered.items()]
        self._note(found for each in self._analyzers for found in each.analyze_stack(states))

    def _provider(self, reference: str) -> State | None:
        return self._run.registered.get(urns.split_reference(reference)[0]) if reference else None

    def _note(self, violations: Iterable[Violation]) -> None:
        for found in violations:
            with self._run.lock:
                self._run.violations.append(found)
            self._run.event(EventKind.POLICY, found.urn, None, f"{found.policy}: {found.message}",
                            "error" if found.mandatory else "info")
