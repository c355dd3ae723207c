"""All controls over one stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policy.controls import CONTROLS
from policy.model import Control, Finding, Resource, Undecided, World


@dataclass(frozen=True)
class Result:
    """held: by control, how many resources meet it. undecided: what only the deployment can tell."""

    findings: tuple[Finding, ...]
    undecided: tuple[Finding, ...]
    held: dict[str, int]


def evaluate(resources: Iterable[Resource], controls: Iterable[Control] = CONTROLS) -> Result:
    world = World(tuple(resources))
    findings, undecided, held = [], [], {}
    for control in controls:
        held[control.id] = 0
        for resource in world.of(*control.types):
            try:
                if control.holds(resource, world):
                    held[control.id] += 1
                else:
                    findings.append(Finding(control, resource))
            except Undecided:
                undecided.append(Finding(control, resource))
    return Result(tuple(findings), tuple(undecided), held)
