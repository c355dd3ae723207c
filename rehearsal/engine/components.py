"""Resources without a provider call of their own: components, the stack, provider resources; and packaged components,
which a provider expands."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rehearsal.engine import urns
from rehearsal.engine.diffing import judge, shallow_diff
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.policing import Policing
from rehearsal.engine.provider import Diff, Registered, Registration
from rehearsal.engine.providers import ProviderResolver, provider_id
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import Operation, Step
from rehearsal.engine.run import Run, refusing
from rehearsal.engine.state import State, now
from rehearsal.engine.steps import metadata_of, secret_outputs, state_of
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import contains_unknown


class Components:
    """`register` is the way of every registration: a packaged component's children go through it too."""

    def __init__(self, run: Run, resolver: ProviderResolver, register: Callable[[Goal], State],
                 policing: Policing) -> None:
        self.run = run
        self.policing = policing
        self.resolver = resolver
        self.register = register

    def component(self, urn: str, goal: Goal, old: State | None) -> State:
        return self._keep(urn, goal, old, goal.inputs, "")

    def provider(self, urn: str, goal: Goal, old: State | None) -> State:
        """A provider resource. It is updated in place: a provider whose id changed would replace all it serves."""
        self.resolver.registry.implementation(urns.package_of(goal.type))
        inputs = {**goal.inputs, **({"version": goal.version} if goal.version else {})}
        state = self._keep(urn, goal, old, inputs, "")
        if old is None:
            generated = UNKNOWN if self.run.preview else provider_id(self.run.seed, urn)
            if state.revise(id=generated, outputs=inputs) and not self.run.preview:
                self.run.store.change(add=[state])
        elif state.outputs is not inputs and state.revise(outputs=inputs):
            self.run.store.change(add=[state], wait=False)
        self.run.masker.learn(inputs)
        return state

    def _keep(self, urn: str, goal: Goal, old: State | None, inputs: Properties, reference: str) -> State:
        """Brings a resource that lives only in the state up to date."""
        run = self.run
        if not run.preview and contains_unknown(inputs):
            raise StepRefused("its inputs depend on a resource that failed")
        self.policing.before(urn, goal, inputs, reference)
        if old is None:
            new = state_of(urn, goal, reference, inputs, created=now(), modified=now())
            # An id comes a moment later, and nobody can refer to the resource before that.
            run.store.change(add=[new], wait=False)
            run.record(Step(urn, goal.type, goal.name, Operation.CREATE))
            return new
        diff = shallow_diff(old.inputs, inputs) if not urns.is_default_provider(urn) else Diff()
        verdict = judge(goal, old, inputs, diff, "", set())
        changed = old.revise(urn=urn, inputs=inputs, **metadata_of(goal, reference))
        if diff.changed:
            old.revise(modified=now())
        if changed:
            run.store.change(add=[old], wait=False)
        else:
            run.store.adopt(old)
        operation = Operation.UPDATE if diff.changed else Operation.SAME
        run.record(Step(urn, goal.type, goal.name, operation, verdict.changes))
        return old

    def outputs(self, urn: str, outputs: Properties) -> None:
        """RegisterResourceOutputs: what a component, or the stack, exports."""
        run = self.run
        state = run.registered.get(urn)
        if state is None:
            raise StepRefused(f"outputs were registered for {urn}, which is not a resource of this run")
        run.masker.learn(outputs)
        if state.type == urns.STACK_TYPE:
            run.outputs = outputs
        if not run.preview and contains_unknown(outputs):
            return  # something failed: what the component exported before stays
        if state.revise(outputs=outputs) and not run.preview:
            run.store.change(add=[state], wait=False)

    # -- packaged components ---------------------------------------------------------------------------------------

    def packaged(self, urn: str, goal: Goal, old: State | None) -> State:
        """Keeps the component itself, has its provider expand it, and takes the outputs."""
        run = self.run
        started = time.monotonic()
        package = urns.package_of(goal.type)
        served = self.resolver.resolve(goal.providers.get(package, goal.provider), goal.type, goal.version)
        state = self._keep(urn, goal, old, goal.inputs, "")
        with run.lock:
            run.registered[urn] = state

        def register(child: Registration) -> Registered:
            return self._child(urn, goal, child)

        # A packaged component may come from another package than its children do: it sees the providers of all, and
        # for a package that it was given none of, what a default provider would be configured with.
        configurations = {each: run.config.of_package(each) for each in served.provider.packages if each != package}
        configurations |= {each: self.resolver.resolve(reference, f"{each}:", "").config
                           for each, reference in sorted(goal.providers.items())}
        with refusing():
            context = replace(run.context(urn, served.config), providers=configurations)
            outputs = served.provider.construct(context, goal.inputs, register)
        outputs = secret_outputs(outputs, {}, goal.additional_secret_outputs)
        run.masker.learn(outputs)
        if state.revise(outputs=outputs) and not run.preview:
            run.store.change(add=[state], wait=False)
        step = run.steps[urn]
        run.steps[urn] = Step(urn, goal.type, goal.name, step.operation, step.diff,
                              seconds=time.monotonic() - started)
        return state

    def _child(self, component: str, goal: Goal, child: Registration) -> Registered:
        package = urns.package_of(child.type)
        parent = child.parent or component
        inherited = self.run.registered.get(parent)
        state = self.register(Goal(
            type=child.type, name=child.name, custom=child.custom, inputs=child.inputs, parent=parent,
            provider=child.provider or goal.providers.get(package, ""), providers=goal.providers,
            dependencies=tuple(sorted(set(child.depends_on))), property_dependencies=_all_on(child),
            protect=inherited.protect if inherited is not None else None,
            delete_before_replace=child.delete_before_replace or None, ignore_changes=child.ignore_changes,
            import_id=child.import_id))
        return Registered(state.urn, state.id, state.outputs)


def _all_on(child: Registration) -> dict[str, tuple[str, ...]]:
    """A packaged child says what it depends on, but not which property does: each of them may."""
    if not child.depends_on:
        return {}
    return {key: tuple(sorted(set(child.depends_on))) for key in child.inputs}


