"""Launch templates and machine images on the emulator."""

from __future__ import annotations

from typing import Any

import pytest

import rehearsal.aws.services.ec2_compute
import rehearsal.aws.services.ec2_network
import rehearsal.aws.services.ec2_security  # noqa: F401
from rehearsal.aws.handler import DATA_SOURCES
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import dangling, made, network

pytestmark = pytest.mark.rehearsal
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


def test_a_launch_template_gets_a_version_with_each_change_of_its_data(aws: Any) -> None:
    vpc, _ = network(aws, 0)
    group = made(aws, "aws:ec2/securityGroup:SecurityGroup", {"vpcId": vpc, "name": "n", "description": "d"}).id
    template = made(aws, TEMPLATE, {
        "name": "nodes", "vpcSecurityGroupIds": [group], "monitoring": {"enabled": True}, "updateDefaultVersion": True,
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {
            "volumeSize": 20, "volumeType": "gp3", "encrypted": "true", "deleteOnTermination": "true"}}],
        "tagSpecifications": [{"resourceType": "instance", "tags": {"Project": "x"}}]})
    assert (template.outputs["defaultVersion"], template.outputs["latestVersion"]) == (1, 1)
    template.change(instanceType="t3.large")
    assert (template.outputs["defaultVersion"], template.outputs["latestVersion"]) == (2, 2)
    template.change(tags={"a": "b"})
    assert template.outputs["latestVersion"] == 2
    template.delete_twice()


def test_a_launch_template_names_groups_subnets_and_keys_that_exist(aws: Any) -> None:
    assert dangling(aws, TEMPLATE, {
        "vpcSecurityGroupIds": ["sg-12"], "networkInterfaces": [{"subnetId": "subnet-12"}],
        "blockDeviceMappings": [{"deviceName": "a", "ebs": {
            "kmsKeyId": f"arn:aws:kms:us-east-1:{aws.account}:key/00000000-0000-0000-0000-000000000000"}}]}) == [
        "vpcSecurityGroupIds", "networkInterfaces[0].subnetId", "blockDeviceMappings[0].ebs.kmsKeyId"]


def test_the_newest_image_of_a_name_is_found(aws: Any) -> None:
    token = "aws:ec2/getAmi:getAmi"
    found = DATA_SOURCES[token](aws.call(token), {"owners": ["amazon"], "mostRecent": True, "filters": [
        {"name": "name", "values": ["amzn*"]}]})
    assert found["id"].startswith("ami-")
    with pytest.raises(ProviderError, match="no results"):
        DATA_SOURCES[token](aws.call(token), {"filters": [{"name": "name", "values": ["no-such-image"]}]})
