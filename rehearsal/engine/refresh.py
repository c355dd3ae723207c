"""Reading back what is in the state; the state then says what is."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from rehearsal.engine import paths, urns
from rehearsal.engine.diffing import judge
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.provider import Change, Context, Diff, Found, ProviderError
from rehearsal.engine.providers import Registry, Served
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import Operation, Step
from rehearsal.engine.run import Run
from rehearsal.engine.state import State, now
from rehearsal.engine.steps import secret_outputs
from rehearsal.engine.wire import mark_secrets, plain


def refresh_all(run: Run, registry: Registry) -> None:
    """Failures are recorded in the run. A resource that is gone leaves the state."""
    states = run.store.states()
    providers = {state.reference: state for state in states if urns.is_provider(state.type)}

    def one(state: State) -> None:
        if run.halted:
            return
        try:
            _refresh(run, registry, providers, state)
        except StepRefused as refusal:
            run.fail(state.urn, str(refusal), Operation.REFRESH)

    with ThreadPoolExecutor(max_workers=max(1, run.parallel), thread_name_prefix="refresh") as pool:
        list(pool.map(one, states))
    _drop_dangling(run)


def _refresh(run: Run, registry: Registry, providers: dict[str, State], state: State) -> None:
    started = time.monotonic()
    if not state.custom or urns.is_provider(state.type) or state.delete or state.pending_replacement:
        run.record(Step(state.urn, state.type, state.name, Operation.SAME))  # there is nothing to read
        return
    provider = providers.get(state.provider)
    if provider is None:
        raise StepRefused(f"its provider {state.provider} is missing in the state")
    served = registry.served(provider)
    context = run.context(state.urn, served.config, timeout=state.custom_timeouts.get("read"))
    try:
        found = served.provider.read(context, state.id, plain(state.inputs, run.directory),
                                     plain(state.outputs, run.directory))
    except ProviderError as error:
        raise StepRefused(str(error)) from error
    if found is None:
        run.store.change(remove=[state])
        run.record(Step(state.urn, state.type, state.name, Operation.DELETE, seconds=time.monotonic() - started),
                   key=f"delete {state.urn} {state.id}")
        return
    inputs = mark_secrets(found.inputs, state.inputs)
    outputs = secret_outputs(mark_secrets(found.outputs, state.outputs), inputs, state.additional_secret_outputs)
    run.masker.learn([inputs, outputs])
    goal = Goal(type=state.type, name=state.name, custom=True, inputs=inputs)
    drift = _drift(run, served, context, state, found)
    shown = judge(goal, State(state.urn, state.type, True, inputs=state.inputs, outputs=state.outputs),
                  {**outputs, **inputs}, drift, "", set())
    changed = state.revise(id=found.id, inputs=inputs, outputs=outputs, init_errors=[])
    if changed:
        state.revise(modified=now())
        run.store.change(wait=False)
    operation = Operation.UPDATE if drift.changed else Operation.SAME
    run.record(Step(state.urn, state.type, state.name, operation, shown.changes, seconds=time.monotonic() - started))


def _drift(run: Run, served: Served, context: Context, state: State, found: Found) -> Diff:
    """What the next `up` of the same program would change back, seen from here: an addition there was a deletion.

    As Pulumi since 3.117 (step.go, `RefreshStep.Apply`): not every new output is drift, such as a time that goes on.
    """
    new = plain(found.inputs, run.directory)
    wanted = paths.ignore_changes(new, plain(state.inputs, run.directory), state.ignore_changes)
    back = served.provider.diff(context, found.id, new, plain(found.outputs, run.directory), wanted)
    return Diff(tuple(replace(change, change=_INVERSE[change.change], replaces=False) for change in back.properties))


_INVERSE = {Change.ADD: Change.DELETE, Change.DELETE: Change.ADD, Change.UPDATE: Change.UPDATE}


def _drop_dangling(run: Run) -> None:
    """References to resources that turned out to be gone."""
    alive = {state.urn for state in run.store.states()}
    for state in run.store.states():
        dependencies = [urn for urn in state.dependencies if urn in alive]
        named = {key: kept for key, found in state.property_dependencies.items()
                 if (kept := [urn for urn in found if urn in alive])}
        parent = state.parent if state.parent in alive else ""
        if state.revise(dependencies=dependencies, property_dependencies=named, parent=parent):
            run.store.change(wait=False)
