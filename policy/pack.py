"""The controls as a CrossGuard policy pack.

A control that asks for one resource only is judged before that resource is made; one that asks for what belongs to it
(a bucket's policy, a function's alarms) once the whole stack is known. Every control is mandatory, in every
environment: a written waiver is the one way round it. What is waived or can't be told yet is said at the end, as
advice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import serialize_properties

from policy.controls import CONTROLS
from policy.model import UNKNOWN, Control, Finding, Resource, Undecided, World
from policy.waivers import Waiver, apply, load

NAME = "candlefish"
WAIVED, UNDECIDED = "waived", "undecided"  # the names of the two policies that only advise
LATER = "only the deployment can tell"
# How the engine spells what it doesn't know yet, by kind: text, truth, number, list, asset, archive, mapping.
_UNKNOWNS = frozenset({
    UNKNOWN, "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"})


class Judge:
    """Judges the stack of one run, and remembers: a program's inputs are seen before a resource is made, and what
    belongs to what at the end."""

    def __init__(self, environment: Callable[[], str], waivers: Sequence[Waiver] | None = None,
                 today: Callable[[], date] = date.today) -> None:
        """Raises WaiverError."""
        self._environment = environment
        self._waivers = load() if waivers is None else waivers
        self._today = today
        self._seen: dict[str, Resource] = {}
        self._worlds: dict[tuple[str, ...], World] = {}
        self._advice: dict[str, dict[tuple[str, str], str]] = {WAIVED: {}, UNDECIDED: {}}

    def policies(self, controls: Sequence[Control] = CONTROLS) -> list[Policy]:
        """One for each control, and at the end the two that advise."""
        return [*map(self._policy, controls), self._adviser(WAIVED, "findings that a written waiver accepts"),
                self._adviser(UNDECIDED, f"controls of which {LATER}")]

    def _policy(self, control: Control) -> Policy:
        said: dict[str, Any] = {
            "name": control.name, "description": f"{'/'.join(control.ids)} {control.title}",
            "display_name": control.title, "remediation_steps": control.mend, "tags": list(control.ids)}
        if control.alone:
            return ResourceValidationPolicy(validate=self._alone(control), **said)
        return StackValidationPolicy(validate=self._among(control), **said)

    def _alone(self, control: Control) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            resource = self._take(args)
            if resource.type in control.types:
                self._judge(control, resource, World((resource,)), report)

        return validate

    def _among(self, control: Control) -> Callable[[StackValidationArgs, ReportViolation], None]:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            world = self._world(args)
            for resource in world.of(*control.types):
                self._judge(control, resource, world, report)

        return validate

    def _judge(self, control: Control, resource: Resource, world: World, report: ReportViolation) -> None:
        finding = Finding(control, resource)
        key = (control.name, resource.urn)
        try:
            if control.holds(resource, world):
                return
        except Undecided:
            self._advice[UNDECIDED][key] = str(finding)
            return
        verdict = apply([finding], self._waivers, self._environment(), self._today())
        for _, waiver in verdict.waived:
            self._advice[WAIVED][key] = f"{finding}\nwaived until {waiver.expires}: {waiver.reason}"
        for _ in verdict.open:
            ended = "".join(f"; its waiver ended on {waiver.expires}" for _, waiver in verdict.expired)
            report(f"{resource.type} {resource.name}: {control.mend}{ended}", resource.urn)

    def _adviser(self, name: str, description: str) -> Policy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for (_, urn), message in sorted(self._advice[name].items()):
                report(message, urn)

        return StackValidationPolicy(name=name, description=description, validate=validate,
                                     enforcement_level=EnforcementLevel.ADVISORY)

    # -- what the engine says --------------------------------------------------------------------------------------

    def _take(self, args: ResourceValidationArgs) -> Resource:
        if args.urn not in self._seen:
            self._seen[args.urn] = Resource(args.resource_type, args.urn, args.name, plain(args.props),
                                            delete_before_replace=bool(args.opts.delete_before_replace))
        return self._seen[args.urn]

    def _world(self, args: StackValidationArgs) -> World:
        """At the end the engine tells outputs; controls are about what was asked for, where that was seen."""
        key = tuple(resource.urn for resource in args.resources)
        if key not in self._worlds:
            self._worlds[key] = World(tuple(
                Resource(each.resource_type, each.urn, each.name,
                         seen.inputs if (seen := self._seen.get(each.urn)) else plain(each.props),
                         {name: [other.urn for other in others]
                          for name, others in each.property_dependencies.items()},
                         bool(each.opts.delete_before_replace)) for each in args.resources))
        return self._worlds[key]


def plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Without the SDK's guards, which end a policy at the first value that isn't known; whole numbers are ints."""
    found: dict[str, Any] = _settled(serialize_properties(properties))
    return found


def _settled(value: Any) -> Any:
    match value:
        case dict():
            return {key: _settled(item) for key, item in value.items()}
        case list():
            return [_settled(item) for item in value]
        case str() if value in _UNKNOWNS:
            return UNKNOWN
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def environment() -> str:
    """Of the stack that is deployed. A stack without the setting has the environment of its name, as in previews."""
    return pulumi.Config(NAME).get("environment") or pulumi.get_stack()


def serve() -> None:
    """Never returns."""
    PolicyPack(name=NAME, enforcement_level=EnforcementLevel.MANDATORY, policies=Judge(environment).policies())
