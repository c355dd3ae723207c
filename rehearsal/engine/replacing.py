"""Delete before replace: a resource goes, and before it whatever depends on it and has to be replaced with it."""

from __future__ import annotations

from rehearsal.engine.deletion import Deleter
from rehearsal.engine.errors import Protected, StepRefused
from rehearsal.engine.order import ordered
from rehearsal.engine.providers import ProviderResolver
from rehearsal.engine.run import Run, refusing
from rehearsal.engine.state import State
from rehearsal.engine.values import UNKNOWN
from rehearsal.engine.wire import plain


class Replacer:
    """Deletes in the middle of a run. What it deletes stays in the state as `pendingReplacement` until it has been
    created again, so that nothing in the file refers to something that isn't there."""

    def __init__(self, run: Run, resolver: ProviderResolver, deleter: Deleter) -> None:
        self.run = run
        self.resolver = resolver
        self.deleter = deleter

    def delete_first(self, root: State) -> None:
        """Raises StepRefused when something on the way is protected, or can't be deleted."""
        doomed = [*self._dependents(root), root]
        protected = [state.urn for state in doomed if state.protect]
        if protected:
            raise StepRefused(str(Protected(protected)))
        for state in doomed:
            if state is not root:
                with self.run.lock:
                    self.run.replaced.add(state.urn)
            self.deleter.delete(state, keep_as_pending=True)

    def _dependents(self, root: State) -> list[State]:
        """Those that must be replaced because what they are made from is, dependents first."""
        gone = {root.urn}
        found: list[State] = []
        with self.run.store.lock:
            rest = ordered([state for state in self.run.store.rest.values() if not state.delete])
        for state in rest:
            if state is root or not state.custom or state.external or state.pending_replacement:
                continue
            touched = [key for key, named in state.property_dependencies.items() if gone & set(named)]
            if touched and self._must_be_replaced(state, touched):
                gone.add(state.urn)
                found.append(state)
        return found[::-1]

    def _must_be_replaced(self, state: State, touched: list[str]) -> bool:
        """Asks the provider, with the inputs that come from the replaced resource unknown."""
        served = self.resolver.resolve(state.provider, state.type, "")
        inputs = plain(state.inputs, self.run.directory)
        changed = {**inputs, **dict.fromkeys(touched, UNKNOWN)}
        with refusing():
            diff = served.provider.diff(self.run.context(state.urn, served.config), state.id, inputs,
                                        plain(state.outputs, self.run.directory), changed)
        return diff.replaces


