"""The engine's front: preview, up, refresh, destroy, import, export."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rehearsal.engine import urns
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.crypt import Crypter
from rehearsal.engine.errors import Cancelled, EngineError, FailedStep, Halted, StepFailed, StepRefused
from rehearsal.engine.execution import Execution, Limits
from rehearsal.engine.lock import StateLock
from rehearsal.engine.masking import Masker
from rehearsal.engine.order import ordered, topological
from rehearsal.engine.policing import Analyzer, Packs
from rehearsal.engine.provider import Provider
from rehearsal.engine.refresh import refresh_all
from rehearsal.engine.registrar import Registrar
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import COUNTED, Event, Operation, Result, Step
from rehearsal.engine.resume import Resumer
from rehearsal.engine.run import Run
from rehearsal.engine.state import State
from rehearsal.engine.store import Loaded, StateFile, Store, load
from rehearsal.engine.values import Properties, Secret


@dataclass
class Engine:
    """One stack of one project. Operations take the state's lock and may be called one after another.

    parallel  how many providers' calls may change something at the same time
    on_event  called from many threads; secrets are masked
    """

    project: Project
    stack: str
    config: StackConfig
    providers: Sequence[Provider]
    state: StateFile
    seed: int = 0
    parallel: int = 32
    on_event: Callable[[Event], None] = lambda event: None
    continue_on_error: bool = False
    limits: Limits = field(default_factory=Limits)
    packs: Packs = field(default_factory=Packs)
    analyzers: Sequence[Analyzer] = ()  # beside the packs: what looks on from within this process
    states: tuple[State, ...] = field(default=(), init=False)  # as the last operation left them, a preview's included
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict, init=False)  # and where a new one's past may be
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def preview(self) -> Result:
        """What `up` would do. Nothing is changed, no lock is taken, and all failures are found, not only the first."""
        return self._with_program(preview=True)

    def up(self) -> Result:
        """Makes the stack what the program says. Interrupted steps of the run before are taken again first."""
        with StateLock(self.state.path):
            return self._with_program(preview=False)

    def refresh(self) -> Result:
        """Reads every resource back; the state then says what is."""
        def work(run: Run, registrar: Registrar) -> None:
            refresh_all(run, registrar.registry)

        return self._without_program(work)

    def destroy(self) -> Result:
        """Deletes everything in reverse order of dependencies. Raises Protected before the first deletion."""
        def work(run: Run, registrar: Registrar) -> None:
            run.outputs = {}
            registrar.deleter.delete_all(run.store.states())

        return self._without_program(work)

    def import_(self, type: str, name: str, id: str, *, parent: str = "", provider: str = "",
                protect: bool = True) -> Result:
        """Takes an existing resource into the state, protected as `pulumi import` does. `parent`: a URN; `provider`:
        a reference `urn::id`; empty: the default provider."""
        def work(run: Run, registrar: Registrar) -> None:
            run.registered.update({state.urn: state for state in run.store.states()})
            served = registrar.resolver.resolve(provider, type, self._version(run, type))
            context = run.context(urns.make(run.stack, run.project, parent, type, name), served.config)
            found = served.provider.read(context, id, None, None)
            if found is None:
                raise StepFailed([FailedStep(context.urn, f"there is no {type} with the id `{id}`")])
            registrar.register(Goal(type=type, name=name, custom=True, inputs=found.inputs, parent=parent,
                                    provider=served.reference, protect=protect, import_id=id))

        return self._without_program(work)

    def export(self) -> dict[str, Any]:
        """The deployment as `pulumi stack export` prints it; secrets stay encrypted."""
        loaded, codec = load(self.state, self._crypter, Masker())
        store = Store(self.state.path, loaded, codec, frozen=True)
        text = store.render(ordered(store.states()), list(store.pending.values()))
        deployment: dict[str, Any] = json.loads(text)
        return deployment

    def outputs(self) -> Properties:
        """The stack's outputs as of the last run; secret ones are `Secret`."""
        loaded, _ = load(self.state, self._crypter, Masker())
        return next((state.outputs for state in loaded.resources if state.type == urns.STACK_TYPE), {})

    def cancel(self) -> None:
        """Stops the operation that is going on: running steps finish, none begins. It then raises Cancelled."""
        self._cancelled.set()

    # ----------------------------------------------------------------------------------------------------------------

    def _crypter(self, salt: str | None) -> Crypter:
        return Crypter(self.state.passphrase, salt or self.config.salt)

    def _prepare(self, preview: bool) -> Run:
        masker = Masker()
        masker.learn([Secret(self.config.values[key]) for key in sorted(self.config.secret_keys)])
        loaded, codec = load(self.state, self._crypter, masker)
        if preview:
            loaded = Loaded(loaded.resources, [], loaded.salt, loaded.extra)
        store = Store(self.state.path, loaded, codec, frozen=preview)
        for state in loaded.resources:
            if state.type == urns.STACK_TYPE:
                outputs = state.outputs
                break
        else:
            outputs = {}
        run = Run(self.project.name, self.stack, self.project.directory, self.config, store, masker, preview,
                  self.seed, self.parallel, self.on_event, self.continue_on_error, self._cancelled, outputs=outputs)
        if not preview and store.pending:
            Resumer(run, Registrar(run, self.providers).registry).resume()
        return run

    def _with_program(self, *, preview: bool) -> Result:
        with self._operation():
            return self._run_program(preview=preview)

    def _run_program(self, *, preview: bool) -> Result:
        started = time.monotonic()
        runs: list[Run] = []

        def prepare() -> Run:
            runs.append(self._prepare(preview))
            return runs[0]

        def finish(run: Run, registrar: Registrar) -> None:
            # What the program registered but could not be brought up to date is no leftover.
            leftovers = [state for state in run.store.states() if state.delete
                         or (id(state) not in run.store.done and state.urn not in registrar.claimed)]
            registrar.deleter.delete_all(leftovers, keep=list(run.registered))
            registrar.policing.after()

        execution = Execution(self.project, self.stack, self.providers, self.limits, preview=preview,
                              parallel=self.parallel, prepare=prepare, packs=self.packs, analyzers=self.analyzers)
        try:
            run = execution.execute(finish, lambda: self.config)
        finally:
            for prepared in runs:
                prepared.store.close()
        return self._result(run, started, execution.program_seconds)

    def _without_program(self, work: Callable[[Run, Registrar], None]) -> Result:
        with self._operation():
            return self._run_on_state(work)

    def _run_on_state(self, work: Callable[[Run, Registrar], None]) -> Result:
        started = time.monotonic()
        with StateLock(self.state.path):
            run = self._prepare(False)
            try:
                if not run.failures:
                    registrar = Registrar(run, self.providers)
                    try:
                        work(run, registrar)
                    except (StepRefused, Halted) as error:
                        if not run.failures and not run.cancelled.is_set():
                            raise EngineError(str(error)) from error
            finally:
                run.store.close()
        if run.failures:
            raise StepFailed(sorted(run.failures, key=lambda failure: failure.urn))
        if run.cancelled.is_set():
            raise Cancelled("interrupted; finished steps are in the state, and running it again goes on from there")
        return self._result(run, started, 0.0)

    @contextmanager
    def _operation(self) -> Iterator[None]:
        """A cancellation that came before the operation did is not lost: it ends it here."""
        try:
            if self._cancelled.is_set():
                raise Cancelled("interrupted before anything was begun")
            yield
        finally:
            self._cancelled.clear()

    def _version(self, run: Run, type: str) -> str:
        """That of the package's default provider in the state, so that an import uses the same one."""
        for state in run.store.states():
            if state.type == urns.provider_type(urns.package_of(type)) and urns.is_default_provider(state.urn):
                return str(state.inputs.get("version", ""))
        return ""

    def _result(self, run: Run, started: float, program_seconds: float) -> Result:
        self.states, self.aliases = tuple(run.store.states()), run.aliases
        steps = _in_order(run)
        changes = {operation.value: 0 for operation in COUNTED}
        for step in steps:
            if step.operation is Operation.IMPORT:
                changes[Operation.CREATE] += 1
            elif step.operation in COUNTED and not urns.is_default_provider(step.urn):
                changes[step.operation.value] += 1
        return Result(changes, steps, run.outputs, time.monotonic() - started, run.seed, program_seconds,
                      run.diagnostics, run.violations)


def _in_order(run: Run) -> list[Step]:
    """References before what refers to them; deletions last, in reverse. The same whoever finished first."""
    by_urn = {state.urn: state for state in run.store.states() if not state.delete}
    kept = {key: step for key, step in run.steps.items() if not key.startswith("delete ")}
    order = topological(kept, lambda urn: by_urn[urn].references() if urn in by_urn else set())
    ranks = {key: rank for rank, key in enumerate(run.deletion_order)}
    deletions = sorted((key for key in run.steps if key.startswith("delete ")),
                       key=lambda key: (ranks.get(key, len(ranks)), key))
    return [kept[urn] for urn in order] + [run.steps[key] for key in deletions]
