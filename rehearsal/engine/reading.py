"""Resources that exist already: `.get` (read, and never owned) and the `import_` option (read, then owned)."""

from __future__ import annotations

import time

from rehearsal.engine.diffing import judge
from rehearsal.engine.errors import StepRefused
from rehearsal.engine.providers import Served
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import Operation, Step
from rehearsal.engine.run import Run, refusing
from rehearsal.engine.state import State, now
from rehearsal.engine.steps import Stepper, secret_outputs, state_of
from rehearsal.engine.values import UNKNOWN, Properties
from rehearsal.engine.wire import contains_unknown, plain


class Reader:
    def __init__(self, run: Run, stepper: Stepper) -> None:
        self.run = run
        self.stepper = stepper

    def read(self, urn: str, goal: Goal, served: Served, id: str | object, old: State | None) -> State:
        """`.get`: an unknown id, or an unknown provider, gives unknown outputs. Raises StepRefused if there is no such
        resource. A resource that was owned under this URN is let go, or deleted when it is another one."""
        run = self.run
        started = time.monotonic()
        if id is UNKNOWN or not served.configured:
            new = state_of(urn, goal, served.reference, goal.inputs, id=UNKNOWN, external=True)
            run.store.change(add=[new], remove=[old] if old is not None else [])
            run.record(Step(urn, goal.type, goal.name, Operation.READ))
            return new
        with refusing():
            found = served.provider.read(run.context(urn, served.config, timeout=goal.timeouts.get("read")), str(id),
                                         plain(goal.inputs, run.directory) or None, None)
        if found is None:
            raise StepRefused(f"there is no {goal.type} with the id `{id}`")
        outputs = secret_outputs(found.outputs, goal.inputs, goal.additional_secret_outputs)
        run.masker.learn(outputs)
        new = state_of(urn, goal, served.reference, found.inputs, id=found.id, outputs=outputs, external=True,
                       modified=now())
        if old is not None and old.external and not _differs(old, new):
            run.store.adopt(old)
            new = old
        elif old is not None and not old.external and old.id != found.id:
            old.revise(delete=True)
            run.store.change(add=[new], first=[old])
        else:
            run.store.change(add=[new], remove=[old] if old is not None else [], wait=False)
        run.record(Step(urn, goal.type, goal.name, Operation.READ, seconds=time.monotonic() - started))
        return new

    def adopt(self, urn: str, goal: Goal, served: Served, old: State | None) -> State:
        """`import_`: the program must describe the resource as it is. Raises StepRefused with every difference."""
        run = self.run
        started = time.monotonic()
        with refusing():
            found = served.provider.read(run.context(urn, served.config, timeout=goal.timeouts.get("read")),
                                         goal.import_id, None, None)
        if found is None:
            raise StepRefused(f"there is no {goal.type} with the id `{goal.import_id}` to import")
        existing = state_of(urn, goal, served.reference, found.inputs, id=found.id, outputs=found.outputs)
        inputs = self.stepper.checked(urn, goal, served, existing)
        with refusing():
            diff = served.provider.diff(run.context(urn, served.config), found.id, found.inputs, found.outputs,
                                        plain(inputs, run.directory))
        verdict = judge(goal, existing, inputs, diff, served.reference, set())
        if diff.changed and not contains_unknown(inputs):
            lines = "; ".join(f"{change.path} is {change.before!r}, the program says {change.after!r}"
                              for change in verdict.changes)
            raise StepRefused(f"the program does not describe what is imported: {lines}")
        new = state_of(urn, goal, served.reference, inputs, id=found.id, created=now(), modified=now(),
                       outputs=secret_outputs(found.outputs, inputs, goal.additional_secret_outputs))
        run.masker.learn(new.outputs)
        if old is not None and old.id != found.id:
            old.revise(delete=True)
            run.store.change(add=[new], first=[old])
        else:
            run.store.change(add=[new], remove=[old] if old is not None else [])
        run.record(Step(urn, goal.type, goal.name, Operation.IMPORT, seconds=time.monotonic() - started))
        return new


def _differs(old: State, new: State) -> bool:
    """Whether a read brought anything new; the time of reading is nothing new."""
    return any(getattr(old, name) != getattr(new, name)
               for name in ("id", "inputs", "outputs", "parent", "provider", "dependencies", "property_dependencies",
                            "additional_secret_outputs"))


def reference_state(state: State) -> Properties:
    """The answer of `pulumi:pulumi:getResource`; the SDK waits for ever for a key that is missing."""
    id = "" if state.id is UNKNOWN or not state.custom else state.id
    return {"urn": state.urn, "id": id, "state": state.outputs}
