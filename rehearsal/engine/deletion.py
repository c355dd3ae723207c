"""Deleting resources: one, or many in reverse order of their dependencies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from rehearsal.engine import urns
from rehearsal.engine.callbacks import Callbacks
from rehearsal.engine.errors import Halted, Protected, StepRefused
from rehearsal.engine.order import deletion_blockers, ordered
from rehearsal.engine.provider import NotFound, ProviderError
from rehearsal.engine.providers import ProviderResolver, Registry, Served
from rehearsal.engine.results import EventKind, Operation, Step
from rehearsal.engine.run import Run
from rehearsal.engine.state import State, now
from rehearsal.engine.store import Pending
from rehearsal.engine.wire import plain


class Deleter:
    def __init__(self, run: Run, registry: Registry, resolver: ProviderResolver, callbacks: Callbacks) -> None:
        self.run = run
        self.registry = registry
        self.resolver = resolver
        self.callbacks = callbacks

    def delete(self, state: State, *, keep_as_pending: bool = False, doomed: frozenset[str] = frozenset(),
               silent: bool = False) -> None:
        """Deletes one resource and drops it from the state. Raises StepRefused or Halted.

        keep_as_pending  the state keeps it as `pendingReplacement`
        doomed           URNs that this run deletes anyway, for `deleted_with`
        silent           not a step of its own: the second half of a replacement
        """
        run = self.run
        started = time.monotonic()
        if not run.preview:
            self._delete(state, keep_as_pending, doomed)
        elif keep_as_pending:
            state.revise(pending_replacement=True)
        else:
            run.store.change(remove=[state])
        if not keep_as_pending and not silent:
            run.record(Step(state.urn, state.type, state.name, Operation.DELETE, seconds=time.monotonic() - started),
                       key=_key(state))

    def _delete(self, state: State, keep_as_pending: bool, doomed: frozenset[str]) -> None:
        run = self.run
        in_cloud = state.custom and not state.external and not state.retain_on_delete \
            and not urns.is_provider(state.type) and state.deleted_with not in doomed
        if not in_cloud:
            self._forget(state, None, keep_as_pending)
            return
        served = self._served(state)
        hooks = {name.replace("-", "_"): tuple(names) for name, names in state.hooks.items()}
        known = {"old_inputs": state.inputs, "old_outputs": state.outputs}
        with run.mutating():
            self._hooks("before_delete", hooks, state)
            state.revise(modified=now())
            pending = Pending(state, "deleting")
            operation_id = pending.operation
            run.event(EventKind.STARTED, state.urn, Operation.DELETE)
            run.store.change(begin=pending)
            context = run.context(state.urn, served.config, operation=operation_id,
                                  timeout=state.custom_timeouts.get("delete"))
            while True:
                try:
                    served.provider.delete(context, state.id, plain(state.inputs, run.directory),
                                           plain(state.outputs, run.directory))
                except NotFound:
                    run.diagnose("info", "was already gone", state.urn)
                except ProviderError as error:
                    if hooks.get("on_error") and self.callbacks.should_retry(
                            hooks, state.urn, str(state.id), "delete", [str(error)], **known):
                        continue
                    if not error.in_doubt:
                        run.store.change(end=pending)
                    raise StepRefused(str(error)) from error
                break
            self._forget(state, pending, keep_as_pending)
            self._hooks("after_delete", hooks, state)

    def _hooks(self, moment: str, hooks: dict[str, tuple[str, ...]], state: State) -> None:
        names = {moment: tuple(name for name in hooks.get(moment, ()) if name in self.callbacks.hooks)}
        missing = set(hooks.get(moment, ())) - set(names[moment])
        if missing:
            self.run.diagnose("warning", f"its {moment} hooks {sorted(missing)} are not registered, so they don't run",
                              state.urn)
        for warning in self.callbacks.run_hooks(moment, names, state.urn, str(state.id), old_inputs=state.inputs,
                                                old_outputs=state.outputs):
            self.run.diagnose("warning", warning, state.urn)

    def _forget(self, state: State, pending: Pending | None, keep_as_pending: bool) -> None:
        if keep_as_pending:
            state.revise(pending_replacement=True)
            self.run.store.change(end=pending)
        else:
            self.run.store.change(remove=[state], end=pending)

    def _served(self, state: State) -> Served:
        """The provider as it was when the resource was made, unless this run has registered it anew."""
        urn, id = urns.split_reference(state.provider)
        for known in self.run.store.states():
            if known.urn == urn and known.id == id:
                return self.registry.served(known)
        return self.resolver.resolve(state.provider, state.type, "")

    # -- many ------------------------------------------------------------------------------------------------------

    def delete_all(self, states: Sequence[State], *, keep: Sequence[str] = ()) -> None:
        """Deletes in reverse order of dependencies, many at a time. What depends on a failed one stays. `keep`: URNs
        that live on under the same name, so that a deletion is the second half of a replacement.

        Raises Protected before anything is deleted; failures of single resources are recorded in the run."""
        protected = sorted(state.urn for state in states if state.protect and not state.delete
                           and not state.pending_replacement)
        if protected:
            raise Protected(protected)
        targets = ordered(states)
        self.run.deletion_order = [_key(state) for state in reversed(targets)]
        doomed = frozenset(state.urn for state in targets if state.urn not in keep)
        blockers = deletion_blockers(targets)
        waiting = {position: len(found) for position, found in blockers.items()}
        blocked: dict[int, list[int]] = {position: [] for position in blockers}
        for position, found in blockers.items():
            for blocker in found:
                blocked[blocker].append(position)
        ready = sorted((position for position, count in waiting.items() if count == 0), reverse=True)
        running: dict[Future[bool], int] = {}
        with ThreadPoolExecutor(max_workers=max(1, self.run.parallel), thread_name_prefix="delete") as pool:
            while (ready and not self.run.halted) or running:
                if not self.run.halted:
                    for position in ready:
                        running[pool.submit(self._one, targets[position], doomed, keep)] = position
                    ready = []
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    position = running.pop(future)
                    if future.result():
                        for freed in blocked[position]:
                            waiting[freed] -= 1
                            if waiting[freed] == 0:
                                ready.append(freed)

    def _one(self, state: State, doomed: frozenset[str], keep: Sequence[str]) -> bool:
        try:
            if state.pending_replacement:
                self.run.store.change(remove=[state])
                self.run.record(Step(state.urn, state.type, state.name, Operation.DELETE),
                                key=_key(state))
            else:
                self.delete(state, doomed=doomed, silent=state.delete and state.urn in keep)
        except StepRefused as refusal:
            self.run.fail(state.urn, str(refusal), Operation.DELETE)
            return False
        except Halted:
            return False
        return True


def _key(state: State) -> str:
    """Under which its deletion is recorded."""
    return f"delete {state.urn} {state.id}"
