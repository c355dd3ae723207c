"""The steps that change a custom resource: create, update, replace, or nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rehearsal.engine import paths
from rehearsal.engine.callbacks import Callbacks
from rehearsal.engine.diffing import Verdict, judge
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.policing import Policing
from rehearsal.engine.provider import NotFound, ProviderError
from rehearsal.engine.providers import Served
from rehearsal.engine.registration import Goal
from rehearsal.engine.replacing import Replacer
from rehearsal.engine.results import EventKind, Operation, Step
from rehearsal.engine.run import Run, refusing
from rehearsal.engine.state import State, now
from rehearsal.engine.store import Pending
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import contains_unknown, mark_secrets, plain, portable, secret

_HOOK_KEYS = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete",
              "on_error")


def secret_outputs(outputs: Properties, inputs: Properties, additional: Sequence[str]) -> Properties:
    """Outputs are secret where the input of that name is, and where the program says so."""
    marked = mark_secrets(outputs, inputs)
    return {key: secret(value) if key in additional else value for key, value in marked.items()}


def state_of(urn: str, goal: Goal, reference: str, inputs: Properties, **more: Any) -> State:
    """A resource's state as far as the registration determines it."""
    return State(urn=urn, type=goal.type, custom=goal.custom, inputs=inputs, **metadata_of(goal, reference), **more)


def metadata_of(goal: Goal, reference: str) -> dict[str, Any]:
    """What a registration says about a resource beside its inputs."""
    return {
        "parent": goal.parent, "provider": reference, "dependencies": sorted(goal.dependencies),
        "property_dependencies": {key: list(found) for key, found in goal.property_dependencies.items() if found},
        "protect": bool(goal.protect), "retain_on_delete": bool(goal.retain_on_delete),
        "deleted_with": goal.deleted_with, "additional_secret_outputs": list(goal.additional_secret_outputs),
        "custom_timeouts": dict(goal.timeouts), "ignore_changes": list(goal.ignore_changes),
        "replace_on_changes": list(goal.replace_on_changes), "replace_with": list(goal.replace_with),
        "replacement_trigger": goal.replacement_trigger,
        "hooks": {name.replace("_", "-"): list(goal.hooks[name]) for name in _HOOK_KEYS if name in goal.hooks},
        "import_id": goal.import_id,
    }


class Stepper:
    """Takes the step that a registration asks for."""

    def __init__(self, run: Run, callbacks: Callbacks, replacer: Replacer, policing: Policing) -> None:
        self.run = run
        self.callbacks = callbacks
        self.replacer = replacer
        self.policing = policing

    def take(self, urn: str, goal: Goal, served: Served, old: State | None) -> State:
        """Returns the resource's new state. Raises StepRefused or Halted."""
        anew = old is None or old.external or old.pending_replacement
        inputs = self.checked(urn, goal, served, None if anew else old)
        self.policing.before(urn, goal, inputs, served.reference)
        if old is None:
            return self._create(urn, goal, served, inputs)
        if anew:
            return self._create(urn, goal, served, inputs, replaces=old,
                                causes=("pending",) if old.pending_replacement else ())
        context = self.run.context(urn, served.config)
        with refusing():
            diff = served.provider.diff(context, old.id, plain(old.inputs, self.run.directory),
                                        plain(old.outputs, self.run.directory), plain(inputs, self.run.directory))
        verdict = judge(goal, old, inputs, diff, served.reference, self.run.replaced)
        if verdict.causes:
            return self._replace(urn, goal, served, old, verdict)
        if verdict.changed:
            return self._update(urn, goal, served, old, inputs, verdict)
        return self.same(urn, goal, served.reference, old, inputs)

    def checked(self, urn: str, goal: Goal, served: Served, old: State | None, generation: str = "") -> Properties:
        """The inputs with defaults, after `ignore_changes`. Raises StepRefused with every failure."""
        wanted = goal.inputs
        if old is not None and goal.ignore_changes:
            wanted = paths.ignore_changes(old.inputs, wanted, goal.ignore_changes)
        if not self.run.preview and contains_unknown(wanted):
            raise StepRefused("its inputs depend on a resource that failed")
        directory = self.run.directory
        context = self.run.context(urn, served.config, generation=generation)
        with refusing():
            answer = served.provider.check(context, plain(old.inputs, directory) if old is not None else None,
                                           plain(wanted, directory))
        if answer.failures:
            raise StepRefused("; ".join(f"{failure.property}: {failure.reason}" if failure.property else failure.reason
                                        for failure in answer.failures))
        inputs = mark_secrets(portable(answer.inputs, directory), wanted)
        self.run.masker.learn(inputs)
        return inputs

    # -- nothing to do ---------------------------------------------------------------------------------------------

    def same(self, urn: str, goal: Goal, reference: str, old: State, inputs: Properties) -> State:
        outputs = secret_outputs(old.outputs, inputs, goal.additional_secret_outputs)
        if old.revise(urn=urn, inputs=inputs, outputs=outputs, **metadata_of(goal, reference)):
            self.run.store.change(add=[old], wait=False)
        else:
            self.run.store.adopt(old)
        self.run.record(Step(urn, goal.type, goal.name, Operation.SAME))
        return old

    # -- create and replace ----------------------------------------------------------------------------------------

    def _create(self, urn: str, goal: Goal, served: Served, inputs: Properties, *, replaces: State | None = None,
                causes: tuple[str, ...] = (), verdict: Verdict | None = None, keep_old: bool = False) -> State:
        """`replaces`: the resource whose place it takes; it goes at once, or with `keep_old` at the end of the run."""
        run = self.run
        operation = Operation.REPLACE if causes else Operation.CREATE
        verdict = verdict or Verdict()
        new = state_of(urn, goal, served.reference, inputs, created=now(), modified=now())
        started = time.monotonic()
        self._hooks("before_create", goal, new, new_inputs=inputs)
        if run.preview:
            with refusing():
                outputs = served.provider.preview(run.context(urn, served.config), plain(inputs, run.directory), None)
            new.revise(id=UNKNOWN, outputs=secret_outputs(outputs, inputs, goal.additional_secret_outputs))
            with run.lock:
                run.created.add(urn)
        else:
            self._mutate(new, "creating", goal, operation, lambda operation_id: served.provider.create(
                run.context(urn, served.config, operation=operation_id, timeout=goal.timeouts.get("create")),
                plain(inputs, run.directory)), replaces, keep_old)
            if keep_old and replaces is not None and new.id == replaces.id and served.provider.identifies:
                self._spare_twin(urn, replaces)
        if causes:
            with run.lock:
                run.replaced.add(urn)
        if run.preview:
            if keep_old and replaces is not None:
                replaces.revise(delete=True)
            run.store.change(add=[new], remove=[replaces] if replaces is not None and not keep_old else [])
        self._hooks("after_create", goal, new, new_inputs=inputs, new_outputs=new.outputs)
        run.record(Step(urn, goal.type, goal.name, operation, verdict.changes, causes, verdict.assumed,
                        time.monotonic() - started))
        return new

    def _spare_twin(self, urn: str, replaced: State) -> None:
        """The real engine would go on, and at the end of the run delete what has just been made."""
        self.run.store.change(remove=[replaced])
        self.run.fail(urn, f"its replacement has the same id, {replaced.id}: deleting the old one would take the new "
                           "one with it. Give it delete_before_replace=True in its ResourceOptions")

    def _replace(self, urn: str, goal: Goal, served: Served, old: State, verdict: Verdict) -> State:
        if old.protect:
            raise StepRefused(f"it is protected and would be replaced because of {', '.join(verdict.causes)}; undo the "
                              "change, or set `protect` to false and run `up` first")
        if not verdict.delete_before_replace:
            # Auto-names and defaults are drawn anew: the old resource still holds its own.
            inputs = self.checked(urn, goal, served, None, generation=str(old.id))
            return self._create(urn, goal, served, inputs, replaces=old, causes=verdict.causes, verdict=verdict,
                                keep_old=True)
        inputs = self.checked(urn, goal, served, None)
        with self.run.lock:
            self.run.replaced.add(urn)
        self.replacer.delete_first(old)
        return self._create(urn, goal, served, inputs, replaces=old, causes=verdict.causes, verdict=verdict)

    # -- update ----------------------------------------------------------------------------------------------------

    def _update(self, urn: str, goal: Goal, served: Served, old: State, inputs: Properties, verdict: Verdict) -> State:
        run = self.run
        new = state_of(urn, goal, served.reference, inputs, id=old.id, outputs=old.outputs, created=old.created,
                       modified=now())
        started = time.monotonic()
        known = {"old_inputs": old.inputs, "new_inputs": inputs, "old_outputs": old.outputs}
        self._hooks("before_update", goal, new, **known)
        directory = run.directory
        before_in, before_out = plain(old.inputs, directory), plain(old.outputs, directory)
        if run.preview:
            with refusing():
                outputs = served.provider.preview(run.context(urn, served.config), plain(inputs, directory), before_out)
            new.revise(outputs=secret_outputs(outputs, inputs, goal.additional_secret_outputs))
            run.store.change(add=[new], remove=[old])
        else:
            self._mutate(new, "updating", goal, Operation.UPDATE, lambda operation_id: (old.id, served.provider.update(
                run.context(urn, served.config, operation=operation_id, timeout=goal.timeouts.get("update")), old.id,
                before_in, before_out, plain(inputs, directory), goal.ignore_changes)), old, keep_old=False)
        self._hooks("after_update", goal, new, **known, new_outputs=new.outputs)
        run.record(Step(urn, goal.type, goal.name, Operation.UPDATE, verdict.changes, (), verdict.assumed,
                        time.monotonic() - started))
        return new

    # -- what create and update share ------------------------------------------------------------------------------

    def _mutate(self, new: State, kind: str, goal: Goal, operation: Operation,
                call: Callable[[str], tuple[str, Properties]], replaces: State | None, keep_old: bool) -> None:
        """Writes the intention, calls the provider, writes the outcome. An error that leaves it open whether the call
        took effect keeps the pending operation, which the next run takes again."""
        run = self.run
        if run.store.is_pending(new.urn):
            raise StepRefused("its interrupted step could not be finished, so no other is begun; run `up` again")
        pending = Pending(new, kind)
        operation_id = pending.operation
        with run.mutating():
            run.event(EventKind.STARTED, new.urn, operation)
            run.store.change(begin=pending)
            while True:
                try:
                    id, outputs = call(operation_id)
                    break
                except ProviderError as error:
                    if self._retries(goal, new, kind, str(error)):
                        continue
                    self._failed(error, pending, replaces, keep_old, goal)
                    raise StepRefused(str(error)) from error
                except NotFound as error:
                    run.store.change(end=pending)
                    raise StepRefused(f"{error or 'it no longer exists'}; run `refresh` to drop it from the state, "
                                      "then `up`") from error
            self._settle(new, id, outputs, goal)
            self._commit(new, pending, replaces, keep_old)

    def _settle(self, new: State, id: str, outputs: Properties, goal: Goal) -> None:
        marked = secret_outputs(portable(outputs, self.run.directory), new.inputs, goal.additional_secret_outputs)
        self.run.masker.learn(marked)
        new.revise(id=id, outputs=marked, modified=now())

    def _commit(self, new: State, pending: Pending, replaces: State | None, keep_old: bool) -> None:
        if replaces is not None and keep_old:
            replaces.revise(delete=True)
            self.run.store.change(add=[new], first=[replaces], end=pending)
        else:
            self.run.store.change(add=[new], remove=[replaces] if replaces is not None else [], end=pending)

    def _failed(self, error: ProviderError, pending: Pending, replaces: State | None, keep_old: bool,
                goal: Goal) -> None:
        if error.in_doubt:
            return
        if error.partial is None:
            self.run.store.change(end=pending)
            return
        id, outputs = error.partial
        self._settle(pending.state, id, outputs, goal)
        pending.state.revise(init_errors=[self.run.masker.mask(str(error))])
        self._commit(pending.state, pending, replaces, keep_old)

    def _retries(self, goal: Goal, new: State, kind: str, error: str) -> bool:
        if not goal.hooks.get("on_error") or self.run.cancelled.is_set():
            return False
        operation = {"creating": "create", "updating": "update"}[kind]
        return self.callbacks.should_retry(goal.hooks, new.urn, str(new.id), operation, [error],
                                           new_inputs=new.inputs)

    def _hooks(self, moment: str, goal: Goal, state: State, **properties: Properties | None) -> None:
        if not goal.hooks:
            return
        id = "" if state.id is UNKNOWN else str(state.id)
        for warning in self.callbacks.run_hooks(moment, goal.hooks, state.urn, id, **properties):
            self.run.diagnose("warning", warning, state.urn)


