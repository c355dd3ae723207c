"""The pack under pulumi-policy: the same controls, with the same findings as in this process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from policy.controls import BY_ID, CONTROLS
from policy.evaluate import evaluate
from policy.model import Control, Resource
from policy.pack import UNDECIDED, WAIVED, Judge
from policy.waivers import Waiver, apply
from rehearsal.engine.wire import UNKNOWN_TEXT, encode
from tests.good_world import good
from tests.unit.controls.test_controls import SPOILED, spoiled

pytestmark = pytest.mark.unit
TODAY = date(2026, 6, 1)
SINGLE = BY_ID["CKV_AWS_51"]
Said = set[tuple[str, str, str]]  # policy, level, URN
LEVELS = {analyzer_pb2.MANDATORY: "mandatory", analyzer_pb2.ADVISORY: "advisory"}


def asked(resources: Sequence[Resource], controls: Sequence[Control], waivers: Sequence[Waiver] = (),
          environment: str = "staging") -> tuple[Said, list[str]]:
    """What the SDK's own server answers: to each resource, then to the stack, of which it is told no inputs."""
    judge = Judge(lambda: environment, waivers, lambda: TODAY)
    # Every pack has a policy for single resources, by which it learns the inputs of all.
    policies = judge.policies([*controls, *({SINGLE} - {*controls})])
    server = _PolicyAnalyzerServicer("candlefish", "1", policies, EnforcementLevel.MANDATORY)
    found = [(each, diagnostic) for each in resources for diagnostic in server.Analyze(analyzer_pb2.AnalyzeRequest(
        type=each.type, urn=each.urn, name=each.name, properties=encode(dict(each.inputs)),
        options=options(each)), None).diagnostics]
    said = {(diagnostic.policyName, LEVELS[diagnostic.enforcementLevel], each.urn) for each, diagnostic in found}
    last = server.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=[analyzer_pb2.AnalyzerResource(
        type=each.type, urn=each.urn, name=each.name, options=options(each), propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns) for key, urns in each.references.items()})
        for each in resources]), None).diagnostics
    said |= {(diagnostic.policyName, LEVELS[diagnostic.enforcementLevel], diagnostic.urn) for diagnostic in last}
    return said, [diagnostic.message for _, diagnostic in found] + [diagnostic.message for diagnostic in last]


def options(resource: Resource) -> Any:
    return analyzer_pb2.AnalyzerResourceOptions(
        deleteBeforeReplace=resource.delete_before_replace, deleteBeforeReplaceDefined=resource.delete_before_replace)


@pytest.mark.parametrize("id", SPOILED)
def test_a_violated_control_is_found_as_in_this_process(id: str) -> None:
    control, resources = BY_ID[id], spoiled(*SPOILED[id])
    found = evaluate(resources, [control]).findings
    assert found
    said, messages = asked(resources, [control])
    assert said == {(control.name, "mandatory", each.resource.urn) for each in found}
    assert all(control.mend in message and control.title in message for message in messages)


def test_nothing_is_said_of_a_good_stack() -> None:
    assert asked([*good().values()], CONTROLS)[0] == set()


def test_a_control_of_one_resource_is_asked_before_it_is_made() -> None:
    policies = {policy.name: policy for policy in Judge(lambda: "staging", ()).policies()}
    assert {*policies} == {*(control.name for control in CONTROLS), WAIVED, UNDECIDED}
    for control in CONTROLS:
        assert isinstance(policies[control.name], ResourceValidationPolicy) is control.alone
    assert BY_ID["CKV_AWS_17"].alone
    assert not BY_ID["CKV2_AWS_6"].alone


def test_what_is_not_known_yet_is_advice_at_the_end() -> None:
    policy = "aws:iam/rolePolicy:RolePolicy"
    said, messages = asked(spoiled(policy, "policy", UNKNOWN_TEXT), [BY_ID["CKV_AWS_62"]])
    assert said == {(UNDECIDED, "advisory", good()[policy].urn)}
    assert "only the deployment can tell" in messages[0]


def test_a_waiver_makes_advice_of_a_violation_until_it_ends() -> None:
    control = BY_ID["CKV_AWS_272"]
    for ends, expected in ((TODAY, (WAIVED, "advisory")), (date(2026, 5, 31), (control.name, "mandatory"))):
        waiver = Waiver("CKV_AWS_272", "aws:lambda/function:Function *", frozenset({"staging"}), "argued", ends)
        resources = spoiled(*SPOILED["CKV_AWS_272"])
        said, messages = asked(resources, [control], [waiver])
        assert {(policy, level) for policy, level, _ in said} == {expected}
        assert ends.isoformat() in messages[0]
        assert bool(apply(evaluate(resources, [control]).findings, [waiver], "staging", TODAY).open) \
            is (expected[1] == "mandatory")
        assert {level for _, level, _ in asked(resources, [control], [waiver], "production")[0]} == {"mandatory"}
