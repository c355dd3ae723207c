"""ElastiCache through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
SUBNETS = "aws:elasticache/subnetGroup:SubnetGroup"
PARAMETERS = "aws:elasticache/parameterGroup:ParameterGroup"
USER = "aws:elasticache/user:User"


def _cache(aws: Any, **more: Any) -> Inputs:
    place = world(aws)
    made(aws, SUBNETS, {"name": "g", "subnetIds": place.subnets})
    made(aws, PARAMETERS, {"name": "p", "family": "valkey8"})
    return {
        "replicationGroupId": "cache", "description": "d", "engine": "valkey", "engineVersion": "8.0",
        "nodeType": "cache.t4g.small", "numCacheClusters": 2, "automaticFailoverEnabled": True, "multiAzEnabled": True,
        "atRestEncryptionEnabled": True, "transitEncryptionEnabled": True, "authToken": "abcdefghijklmnopq",
        "kmsKeyId": place.key, "subnetGroupName": "g", "parameterGroupName": "p", "port": 6380,
        "securityGroupIds": [place.security_group], "snapshotRetentionLimit": 5, "snapshotWindow": "03:00-04:00",
        "maintenanceWindow": "sun:05:00-sun:06:00", "logDeliveryConfigurations": [{
            "destination": place.log_group, "destinationType": "cloudwatch-logs", "logFormat": "json",
            "logType": "slow-log"}], **more}


def test_a_replication_group_scales_and_changes(aws: Any) -> None:
    outputs = lives(
        aws, GROUP, _cache(aws), {"description": "e"}, {"nodeType": "cache.m7g.large"}, {"numCacheClusters": 3},
        {"numCacheClusters": 2}, {"snapshotRetentionLimit": 7}, {"snapshotWindow": "01:00-02:00"},
        {"authToken": "bbbbbbbbbbbbbbbbbbbb"}, {"multiAzEnabled": False}, {"automaticFailoverEnabled": False},
        {"engineVersion": "8.1"}, {"parameterGroupName": "default.valkey8"}, {"logDeliveryConfigurations": None},
        {"maintenanceWindow": "mon:05:00-mon:06:00"})
    assert outputs["primaryEndpointAddress"].startswith("master.cache.")
    assert outputs["primaryEndpointAddress"].endswith(".use1.cache.amazonaws.com")
    assert len(outputs["memberClusters"]) == 2


def test_a_sharded_group_has_a_configuration_endpoint(aws: Any) -> None:
    inputs = _cache(aws, numNodeGroups=3, replicasPerNodeGroup=1)
    del inputs["numCacheClusters"]
    outputs = lives(aws, GROUP, inputs)
    assert outputs["configurationEndpointAddress"].startswith("clustercfg.cache.")
    assert "primaryEndpointAddress" not in outputs


@pytest.mark.parametrize(("wrong", "message"), [
    ({"engineVersion": "5"}, "Cannot find version 5"), ({"nodeType": "cache.x"}, "node type cache.x"),
    ({"transitEncryptionEnabled": False}, "AUTH token"), ({"authToken": "short"}, "16 to 128"),
    ({"subnetGroupName": "no"}, "does not exist"), ({"parameterGroupName": "no"}, "does not exist"),
    ({"numCacheClusters": 1}, "at least two")])
def test_a_group_that_aws_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, GROUP, _cache(aws, **wrong), message)


def test_subnet_and_parameter_groups_change(aws: Any) -> None:
    place = world(aws)
    outputs = lives(aws, SUBNETS, {"name": "g", "subnetIds": place.subnets}, {"description": "x"},
                    {"subnetIds": place.subnets[:1]})
    assert outputs["vpcId"] == place.vpc
    refused(aws, SUBNETS, {"name": "g", "subnetIds": ["subnet-00000000"]}, "does not exist")
    policy, timeout = {"name": "maxmemory-policy", "value": "allkeys-lru"}, {"name": "timeout", "value": "30"}
    lives(aws, PARAMETERS, {"name": "p", "family": "valkey8", "parameters": [policy, timeout]},
          {"parameters": [{**policy, "value": "volatile-lru"}]})
    refused(aws, PARAMETERS, {"name": "q", "family": "valkey99"}, "not a valid parameter group family")


def test_users_come_in_groups(aws: Any) -> None:
    user = {"userId": "u1", "userName": "default", "engine": "valkey", "accessString": "on ~* +@all",
            "noPasswordRequired": True}
    lives(aws, USER, user, {"accessString": "off ~* +@all"})
    made(aws, USER, user)
    refused(aws, USER, user, "UserAlreadyExists|already")
    group = {"userGroupId": "g", "engine": "valkey", "userIds": ["u1"]}
    lives(aws, "aws:elasticache/userGroup:UserGroup", group)
    refused(aws, "aws:elasticache/userGroup:UserGroup", {**group, "userIds": ["u2"]}, "does not exist")


def test_a_store_holds_its_subnets_and_its_security_group(aws: Any) -> None:
    place = world(aws)
    group = "aws:ec2/securityGroup:SecurityGroup"
    guard, outputs = made(aws, group, {"vpcId": place.vpc, "description": "stores", "name": "stores"})
    for service in ("rds", "elasticache"):
        made(aws, f"aws:{service}/subnetGroup:SubnetGroup", {"name": "g", "subnetIds": place.subnets})
    stores = (
        ("aws:elasticache/replicationGroup:ReplicationGroup", {
            "replicationGroupId": "cache", "description": "c", "nodeType": "cache.t4g.micro", "engine": "valkey",
            "subnetGroupName": "g", "securityGroupIds": [guard]}),
        ("aws:rds/instance:Instance", {
            "identifier": "db", "instanceClass": "db.t4g.medium", "engine": "postgres", "allocatedStorage": 20,
            "username": "u", "manageMasterUserPassword": True, "dbSubnetGroupName": "g", "skipFinalSnapshot": True,
            "vpcSecurityGroupIds": [guard]}))
    for type, inputs in stores:
        id, made_outputs = made(aws, type, inputs)
        for kind, held in ((group, guard), ("aws:ec2/subnet:Subnet", place.subnets[0])):
            with pytest.raises(ProviderError, match="DependencyViolation"):
                aws.provider.delete(aws.context(kind), held, {}, outputs)
        aws.provider.delete(aws.context(type), id, inputs, made_outputs)
    aws.provider.delete(aws.context(group), guard, {}, outputs)
