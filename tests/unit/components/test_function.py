"""A function: what it is packaged of, what it may do, and who may invoke it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from infra.components.function import Function, FunctionArgs, Grant, Vpc, package
from tests.unit.components.answering import Registrations, record

pytestmark = pytest.mark.unit

FUNCTION = "aws:lambda/function:Function"


def function(**changes: Any) -> Registrations:
    values: dict[str, Any] = {
        "function_name": "test-candlefish-sweeper", "description": "Sweeps", "code": "functions/analytics_processor",
        "data_key_arn": "data-key", "logs_key_arn": "logs-key", "memory_mib": 256, "timeout_seconds": 10,
        "log_retention_days": 365}

    def program() -> SimpleNamespace:
        made = Function("sweeper", FunctionArgs(**(values | changes)))
        made.invoked_by("topic", "sns.amazonaws.com", "arn:aws:sns:::topic")
        return SimpleNamespace(queue=made.dead_letter_queue_name)

    return record(program)


def test_a_function_takes_no_more_than_it_needs() -> None:
    found = function()
    inputs = found.of(FUNCTION)[0].inputs
    assert inputs["handler"] == "analytics_processor.handler.handle"
    assert not {"environment", "reservedConcurrentExecutions", "vpcConfig"} & inputs.keys()
    assert "name" not in found.of("aws:iam/role:Role")[0].inputs
    assert not found.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")


def test_one_resource_of_a_service_may_invoke_it() -> None:
    permission = function().of("aws:lambda/permission:Permission")[0].inputs
    assert permission == {"action": "lambda:InvokeFunction", "function": "test-candlefish-sweeper",
                          "principal": "sns.amazonaws.com", "sourceArn": "arn:aws:sns:::topic"}


def test_grants_become_statements_with_their_condition() -> None:
    condition = {"StringEquals": {"aws:ResourceTag/Environment": "test"}}
    found = function(grants={"Stop": Grant(["ec2:StopInstances"], [pulumi.Output.from_input("arn:one"), "arn:two"],
                                           condition)})
    policy = json.loads(found.of("aws:iam/rolePolicy:RolePolicy")[0].inputs["policy"])
    assert policy["Statement"][-1] == {"Sid": "Stop", "Effect": "Allow", "Action": ["ec2:StopInstances"],
                                       "Resource": ["arn:one", "arn:two"], "Condition": condition}


def test_a_function_in_the_network_may_manage_its_interfaces() -> None:
    found = function(vpc=Vpc(["subnet-1"], ["sg-1"]))
    assert found.of(FUNCTION)[0].inputs["vpcConfig"] == {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    attached = found.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")[0].inputs
    assert attached["policyArn"].endswith("/AWSLambdaENIManagementAccess")


def test_the_package_has_the_functions_python_files_and_no_compiled_ones(tmp_path: Path) -> None:
    for folder in ("processor", "common"):
        (tmp_path / folder / "__pycache__").mkdir(parents=True)
        (tmp_path / folder / "handler.py").write_text("")
        (tmp_path / folder / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"")
    archive = package(str(tmp_path / "processor"), str(tmp_path / "common"))
    assert isinstance(archive, pulumi.AssetArchive)
    assert set(archive.assets) == {"processor/handler.py", "common/handler.py"}


def test_a_folder_without_code_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no Python file"):
        package(str(tmp_path))
