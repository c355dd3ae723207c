"""The way of a registration: transforms, the resource's past, its provider, the step."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

from rehearsal.engine import urns
from rehearsal.engine.aliases import candidates
from rehearsal.engine.callbacks import Callbacks
from rehearsal.engine.components import Components
from rehearsal.engine.deletion import Deleter
from rehearsal.engine.errors import Halted, StepRefused
from rehearsal.engine.policing import Analyzer, Policing
from rehearsal.engine.provider import Provider
from rehearsal.engine.providers import ProviderResolver, Registry, default_name
from rehearsal.engine.reading import Reader
from rehearsal.engine.registration import Goal
from rehearsal.engine.replacing import Replacer
from rehearsal.engine.run import Run
from rehearsal.engine.state import State
from rehearsal.engine.steps import Stepper


class Registrar:
    def __init__(self, run: Run, providers: Sequence[Provider], analyzers: Sequence[Analyzer] = ()) -> None:
        self.run = run
        self.registry = Registry(providers)
        self.callbacks = Callbacks(run.directory, run.preview)
        self.resolver = ProviderResolver(self.registry, run.registered, self.default_provider)
        self.deleter = Deleter(run, self.registry, self.resolver, self.callbacks)
        self.policing = Policing(run, analyzers)
        self.stepper = Stepper(run, self.callbacks, Replacer(run, self.resolver, self.deleter), self.policing)
        self.reader = Reader(run, self.stepper)
        self.components = Components(run, self.resolver, self.register, self.policing)
        self.claimed: set[str] = set()
        self._defaults: dict[str, Future[State]] = {}
        self._lock = threading.Lock()
        self._olds: dict[str, State] | None = None

    # -- the registration ------------------------------------------------------------------------------------------

    def register(self, goal: Goal) -> State:
        """Raises StepRefused, which is recorded as a failure, or Halted."""
        self._check_halt()
        urn = urns.make(self.run.stack, self.run.project, goal.parent, goal.type, goal.name)
        with self.run.failing(urn):
            if goal.transforms or goal.remote or not goal.custom:
                self.callbacks.remember(urn, goal)
            transformed = self.callbacks.transform(goal)
            state = self._take(urn, transformed)
        with self.run.lock:
            self.run.registered[urn] = state
        return state

    def _take(self, urn: str, goal: Goal) -> State:
        self._claim(urn)
        old = self._past(urn, goal)
        if goal.remote:
            return self.components.packaged(urn, goal, old)
        if not goal.custom:
            return self.components.component(urn, goal, old)
        if urns.is_provider(goal.type):
            return self.components.provider(urn, goal, old)
        served = self.resolver.resolve(goal.provider, goal.type, goal.version)
        if goal.import_id and (old is None or (old.id != goal.import_id and old.import_id != goal.import_id)):
            return self.reader.adopt(urn, goal, served, old)
        return self.stepper.take(urn, goal, served, old)

    def read(self, goal: Goal, id: str | object) -> State:
        """ReadResource, to which transforms do not apply. Raises like `register`."""
        self._check_halt()
        urn = urns.make(self.run.stack, self.run.project, goal.parent, goal.type, goal.name)
        with self.run.failing(urn):
            self._claim(urn)
            served = self.resolver.resolve(goal.provider, goal.type, goal.version)
            state = self.reader.read(urn, goal, served, id, self._past(urn, goal))
        with self.run.lock:
            self.run.registered[urn] = state
        return state

    def _check_halt(self) -> None:
        if self.run.halted:
            raise Halted

    def _claim(self, urn: str) -> None:
        with self._lock:
            if urn in self.claimed:
                raise StepRefused("two resources of the program have this type, parent and name; rename one")
            self.claimed.add(urn)

    # -- its past --------------------------------------------------------------------------------------------------

    def _past(self, urn: str, goal: Goal) -> State | None:
        """The resource in the state: under its URN, or else under the first alias that is there and not taken."""
        with self._lock:
            if self._olds is None:
                self._olds = {state.urn: state for state in self.run.store.states() if not state.delete}
            if urn in self._olds:
                return self._olds[urn]
            names = candidates(self.run.stack, self.run.project, goal.parent, goal.type, goal.name, goal.aliases,
                               self.run.moved)
            found = next((name for name in names if name in self._olds and name not in self.claimed), None)
            if found is None:
                self.run.aliases[urn] = names
                return None
            old = self._olds.pop(found)
            self._olds[urn] = old
            self.claimed.add(found)
            self.run.moved[urn] = found
        self._move(old, found, urn, names)
        return old

    def _move(self, old: State, found: str, urn: str, names: list[str]) -> None:
        """What refers to the resource refers to it by its new URN from now on."""
        old.revise(urn=urn, type=urns.type_of(urn), aliases=names)
        for state in self.run.store.states():
            state.rename({found: urn})
        self.run.store.change(wait=False)

    # -- default providers -----------------------------------------------------------------------------------------

    def default_provider(self, package: str, version: str) -> State:
        """Comes into being with the first resource that needs it; its inputs are the stack's configuration."""
        name = default_name(version)
        key = f"{package}\0{name}"
        with self._lock:
            known = self._defaults.get(key)
            mine = known is None
            if known is None:
                known = self._defaults[key] = Future()
        if mine:
            try:
                known.set_result(self._make_default(package, name, version))
            except (StepRefused, Halted) as error:
                known.set_exception(error)
        return known.result()

    def _make_default(self, package: str, name: str, version: str) -> State:
        self.registry.implementation(package)
        type = urns.provider_type(package)
        goal = Goal(type=type, name=name, custom=True, inputs=self.run.config.of_package(package),
                    version=version)
        urn = urns.make(self.run.stack, self.run.project, "", type, name)
        self._claim(urn)
        state = self.components.provider(urn, goal, self._past(urn, goal))
        with self.run.lock:
            self.run.registered[urn] = state
        return state
