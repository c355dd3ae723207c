"""One run of the program: server, child process, watchdog, deletions at the end."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rehearsal.engine.analyzers import PolicyPack
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.errors import Cancelled, PolicyViolated, ProgramBlocked, StepFailed
from rehearsal.engine.monitor import Monitor, serve
from rehearsal.engine.policing import Analyzer, Packs
from rehearsal.engine.program import Program
from rehearsal.engine.provider import Provider
from rehearsal.engine.registrar import Registrar
from rehearsal.engine.run import Run

MENDS_VARIABLE = "CANDLEFISH_SDK_MENDS"
_EXIT_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Limits:
    """blocked_seconds: how long a program may neither ask for anything nor end. finish_seconds: how long running
    steps may go on after an interruption. mend_sdk: see `host.py`; CANDLEFISH_SDK_MENDS=0 turns it off."""

    blocked_seconds: float = 120.0
    finish_seconds: float = 60.0
    mend_sdk: bool = field(default_factory=lambda: os.environ.get(MENDS_VARIABLE, "1") != "0")
    environment: Mapping[str, str] = field(default_factory=dict)


class Execution:
    """`prepare` loads the state and finishes interrupted steps while the program is already starting."""

    def __init__(self, project: Project, stack: str, providers: Sequence[Provider], limits: Limits, *, preview: bool,
                 parallel: int, prepare: Callable[[], Run], packs: Packs, analyzers: Sequence[Analyzer]) -> None:
        self._project = project
        self._stack = stack
        self._providers = providers
        self._limits = limits
        self._preview = preview
        self._parallel = parallel
        self._prepare = prepare
        self._packs = packs
        self._analyzers = analyzers
        self._run: Run | None = None
        self._registrar: Registrar | None = None
        self._wake = threading.Condition()
        self._early_lines: list[tuple[str, str]] = []
        self._active = time.monotonic()
        self.program_seconds = 0.0

    def _the_run(self) -> Run:
        assert self._run is not None
        return self._run

    def _the_registrar(self) -> Registrar:
        assert self._registrar is not None
        return self._registrar

    def execute(self, finish: Callable[[Run, Registrar], None], config_of: Callable[[], StackConfig]) -> Run:
        """Runs the program to its end. `finish` is called when everything is registered, before the program ends.
        Raises ProgramFailed, StepFailed, PolicyViolated, PackFailed, Cancelled, ProgramBlocked and what the state's
        files raise."""
        monitor = Monitor(self._the_run, self._the_registrar)
        monitor.on_activity = self._notify
        # A request may wait for others that its own callbacks make: threads are plenty, and come up only as needed.
        threads = max(64, 4 * self._parallel)
        server, address = serve(monitor, threads + 64)
        program: Program | None = None
        packs: list[PolicyPack] = []
        try:
            packs = self._packs.start(self._project, self._stack, config_of(), preview=self._preview, address=address,
                                      on_line=self._on_line)
            program = Program(self._project, self._stack, config_of(), address=address,
                              preview=self._preview, parallel=self._parallel, threads=threads,
                              environment=self._limits.environment, mend=self._limits.mend_sdk, on_line=self._on_line)
            run = self._run = self._prepare()
            for pack in packs:
                pack.connect()
            self._registrar = Registrar(run, self._providers, [*self._analyzers, *packs])
            for stream, text in self._early_lines:
                run.diagnose(stream, text)
            monitor.ready.set()
            self._follow(run, program, monitor)
            self.program_seconds = time.monotonic() - program.started
            if monitor.wants_shutdown.is_set() and not self._stopped(run, monitor):
                finish(run, self._registrar)
            self._end(run, program, monitor)
            return run
        finally:
            if program is not None and program.running:
                program.kill()
            monitor.may_shut_down.set()
            monitor.ready.set()
            server.stop(grace=0)
            for pack in packs:
                pack.close()
            if self._registrar is not None:
                self._registrar.callbacks.close()

    def _on_line(self, stream: str, text: str) -> None:
        if self._run is None:
            self._early_lines.append((stream, text))
        else:
            self._run.diagnose(stream, text)

    def _notify(self) -> None:
        with self._wake:
            self._active = time.monotonic()
            self._wake.notify_all()

    @staticmethod
    def _stopped(run: Run, monitor: Monitor) -> bool:
        return run.halted or monitor.fatal is not None

    def _follow(self, run: Run, program: Program, monitor: Monitor) -> None:
        """Until the program has registered everything, has ended, or is to be stopped."""
        blocked = self._limits.blocked_seconds
        while program.running and not monitor.wants_shutdown.is_set():
            if self._stopped(run, monitor):
                self._let_finish(run)
                return
            with self._wake:
                self._wake.wait(timeout=0.05)
            if run.running == 0 and time.monotonic() - self._active > blocked and program.running:
                stacks = run.masker.mask(program.stacks())
                program.kill()
                raise ProgramBlocked(blocked, stacks)

    def _let_finish(self, run: Run) -> None:
        """Steps that have begun go on; no new one begins."""
        deadline = time.monotonic() + self._limits.finish_seconds
        with run.idle:
            while run.running and time.monotonic() < deadline:
                run.idle.wait(timeout=0.1)

    def _end(self, run: Run, program: Program, monitor: Monitor) -> None:
        if monitor.fatal is not None:
            raise monitor.fatal
        if run.failures and not run.cancelled.is_set():
            raise StepFailed(sorted(run.failures, key=lambda failure: failure.urn))
        if run.violated and not run.cancelled.is_set():
            raise PolicyViolated(sorted(run.violations, key=lambda found: (found.urn, found.policy)))
        if run.cancelled.is_set():
            raise Cancelled("interrupted; finished steps are in the state, and `up` goes on from there")
        monitor.may_shut_down.set()
        try:
            program.wait(timeout=_EXIT_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            run.diagnose("warning", "the program did not end after its last step and was stopped")
            program.kill()
            return
        failure = program.failure(run.masker.mask)
        if failure is not None:
            raise failure
