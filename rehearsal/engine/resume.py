"""What an interrupted run left behind: each pending operation is taken again, with its own id and recorded inputs.

A provider answers a repeated call of the same operation with what the first one got, so that nothing comes into being
twice. After that the state tells the truth, and the program's wishes are compared with it as usual.
"""

from __future__ import annotations

from rehearsal.engine import urns
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.order import ordered
from rehearsal.engine.provider import NotFound, ProviderError
from rehearsal.engine.providers import Registry, Served
from rehearsal.engine.results import EventKind, Operation
from rehearsal.engine.run import Run
from rehearsal.engine.state import State, now
from rehearsal.engine.steps import secret_outputs
from rehearsal.engine.store import Pending
from rehearsal.engine.values import Properties
from rehearsal.engine.wire import plain, portable


class Resumer:
    def __init__(self, run: Run, registry: Registry) -> None:
        self.run = run
        self.registry = registry

    def resume(self) -> None:
        """Failures are recorded in the run; an operation that the provider refuses for good is dropped."""
        by_state = {id(pending.state): pending for pending in self.run.store.pending.values()}
        for state in ordered([pending.state for pending in by_state.values()]):
            pending = by_state[id(state)]
            self.run.diagnose("info", f"was interrupted while {pending.kind}; the step is taken again", state.urn)
            try:
                self._again(pending)
            except StepRefused as refusal:
                self.run.fail(state.urn, str(refusal))

    def _again(self, pending: Pending) -> None:
        state, run = pending.state, self.run
        old = next((known for known in run.store.states()
                    if known.urn == state.urn and not known.delete and (not state.id or known.id == state.id)), None)
        if pending.kind not in ("creating", "updating", "deleting"):
            run.store.change(end=pending)
            return
        served = self._served(state)
        directory = run.directory
        inputs = plain(state.inputs, directory)
        context = run.context(state.urn, served.config, operation=pending.operation)
        try:
            if pending.kind == "creating":
                run.event(EventKind.STARTED, state.urn, Operation.CREATE)
                id, outputs = served.provider.create(context, inputs)
                self._commit(pending, id, outputs, self._replaced(state))
            elif pending.kind == "updating" and old is not None:
                run.event(EventKind.STARTED, state.urn, Operation.UPDATE)
                outputs = served.provider.update(context, old.id, plain(old.inputs, directory),
                                                 plain(old.outputs, directory), inputs, tuple(state.ignore_changes))
                self._commit(pending, old.id, outputs, old, keep=False)
            elif pending.kind == "deleting":
                run.event(EventKind.STARTED, state.urn, Operation.DELETE)
                served.provider.delete(context, state.id, inputs, plain(state.outputs, directory))
                self._deleted(pending)
            else:
                run.store.change(end=pending)
        except NotFound:
            self._gone(pending, old)
        except ProviderError as error:
            if error.in_doubt:
                raise StepRefused(str(error)) from error
            self._refused(pending, error, old)

    def _served(self, state: State) -> Served:
        urn, id = urns.split_reference(state.provider)
        for known in self.run.store.states():
            if known.urn == urn and (known.id == id or not id):
                return self.registry.served(known)
        raise StepRefused(f"its provider {urn} is missing in the state")

    def _replaced(self, state: State) -> State | None:
        """What an interrupted creation was to replace."""
        return next((known for known in self.run.store.states() if known.urn == state.urn and not known.delete), None)

    def _commit(self, pending: Pending, id: str, outputs: Properties, old: State | None, keep: bool = True) -> None:
        state = pending.state
        marked = secret_outputs(portable(outputs, self.run.directory), state.inputs,
                                state.additional_secret_outputs)
        self.run.masker.learn(marked)
        state.revise(id=id, outputs=marked, modified=now())
        remove = [] if old is None else [old]
        if old is not None and keep and not old.pending_replacement and not old.external:
            old.revise(delete=True)
            self.run.store.change(first=[state, old], end=pending)
        else:
            self.run.store.change(first=[state], remove=remove, end=pending)

    def _deleted(self, pending: Pending) -> None:
        """The deletion may have been that of a resource about to be replaced, whose dependents are still there."""
        same = [known for known in self.run.store.states()
                if known.urn == pending.state.urn and known.id == pending.state.id]
        needed = {urn for known in self.run.store.states() if known not in same for urn in known.references()}
        if pending.state.urn in needed and not any(known.delete for known in same):
            for known in same:
                known.revise(pending_replacement=True)
            self.run.store.change(end=pending)
        else:
            self.run.store.change(remove=same, end=pending)

    def _gone(self, pending: Pending, old: State | None) -> None:
        if pending.kind == "deleting":
            self._deleted(pending)
            return
        self.run.diagnose("warning", "was to be updated but no longer exists; it will be created again",
                          pending.state.urn)
        if old is not None:
            old.revise(pending_replacement=True)
        self.run.store.change(end=pending)

    def _refused(self, pending: Pending, error: ProviderError, old: State | None) -> None:
        self.run.diagnose("warning", f"{pending.kind} was refused: {error}", pending.state.urn)
        if error.partial is not None:
            id, outputs = error.partial
            pending.state.revise(init_errors=[self.run.masker.mask(str(error))])
            self._commit(pending, id, outputs, old, keep=pending.kind == "creating")
        else:
            self.run.store.change(end=pending)
