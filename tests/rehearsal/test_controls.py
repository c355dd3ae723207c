"""Every control of the policy pack on the recorded graph of each stack."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from candlefish.policies import MANDATORY, UNDECIDED, WAIVED, judge, resources
from policy.controls import BY_ID
from policy.evaluate import Result, evaluate
from policy.waivers import apply, load
from rehearsal.engine.analyzers import PolicyPack
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.registration import Goal
from tests.program import ROOT, Programs
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


# Controls of one resource and of several, with findings that development waives and that nothing waives elsewhere.
ASKED = ("CKV_AWS_157", "CKV_AWS_272", "CKV_AWS_355", "CKV2_AWS_62", "CKV_AWS_67", "CKV2_K8S_6")


def test_the_pack_as_the_cli_runs_it_finds_what_this_process_finds(programs: Programs) -> None:
    """On development's graph, as if it were staging's."""
    graph, environment = programs.preview("development"), "staging"
    expected = Counter((each.name if each.level == MANDATORY else each.level, each.resource)
                       for each in judge(graph, environment, date.today()).found if {*each.ids} & {*ASKED})
    asked = {BY_ID[id].name: "mandatory" for id in ASKED}
    config = {"all": "disabled", **asked, WAIVED: "advisory", UNDECIDED: "advisory"}
    settings = StackConfig({"candlefish:environment": environment})
    pack = PolicyPack(ROOT / "policy", Project.load(ROOT), "development", settings, preview=True, config=config,
                      address="127.0.0.1:9", on_line=lambda stream, line: None)
    try:
        pack.connect()
        goals = {state.urn: Goal(state.type, state.name, state.custom, state.inputs) for state in graph.resources}
        found = [violation for state in graph.resources
                 for violation in pack.analyze(state.urn, goals[state.urn], state.inputs, None)]
        found += pack.analyze_stack((state, goals[state.urn], None) for state in graph.resources)
    finally:
        pack.close()
    assert Counter((each.policy, each.urn) for each in found) == expected
    assert {each.level for each in found} == {"mandatory", "advisory"}
