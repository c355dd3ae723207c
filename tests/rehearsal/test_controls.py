"""Every control of the policy pack on the recorded graph of each stack."""

from __future__ import annotations

from datetime import date

import pytest
from tests.graphs import resources

from policy.evaluate import Result, evaluate
from policy.waivers import apply, load
from tests.program import Programs
from tests.stacks import STACKS

pytestmark = pytest.mark.rehearsal

# Policies that name what only a deployment knows: the secret that RDS makes, a topic or a bucket that is told of late.
LATE = {"addons-external-secrets", "analytics-publisher-function-permissions",
        "storage-assets-replication", "storage-backups-replication",
        "operations-cost-function-permissions", "operations-scaling-function-permissions"}


@pytest.fixture(params=STACKS)
def evaluated(request: pytest.FixtureRequest, programs: Programs) -> tuple[str, Result]:
    return request.param, evaluate(resources(programs.preview(request.param)))


def test_every_control_holds_or_is_waived(evaluated: tuple[str, Result]) -> None:
    stack, result = evaluated
    verdict = apply(result.findings, load(), stack, date.today())
    assert [str(finding) for finding in verdict.open] == []


def test_no_waiver_is_left_over(evaluated: tuple[str, Result]) -> None:
    stack, result = evaluated
    assert [f"{waiver.control} {waiver.resource}"
            for waiver in apply(result.findings, load(), stack, date.today()).unused] == []


def test_only_late_policies_are_left_to_the_deployment(evaluated: tuple[str, Result]) -> None:
    _, result = evaluated
    assert {finding.resource.name for finding in result.undecided} <= LATE
