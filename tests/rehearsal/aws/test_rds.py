"""RDS through the provider, on the embedded AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import Inputs, World, lives, made, refused, world

pytestmark = pytest.mark.rehearsal

INSTANCE = "aws:rds/instance:Instance"
SUBNETS = "aws:rds/subnetGroup:SubnetGroup"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
SSL = {"name": "rds.force_ssl", "value": "1", "applyMethod": "pending-reboot"}
SLOW = {"name": "log_min_duration_statement", "value": "1000", "applyMethod": "immediate"}


def _groups(aws: Any) -> World:
    place = world(aws)
    made(aws, SUBNETS, {"name": "g", "subnetIds": place.subnets})
    made(aws, PARAMETERS, {"name": "p", "family": "postgres17", "parameters": [SSL]})
    return place


def _database(place: World, **more: Any) -> Inputs:
    return {
        "identifier": "db",
        "instanceClass": "db.t4g.medium",
        "engine": "postgres",
        "engineVersion": "17",
        "allocatedStorage": 20,
        "maxAllocatedStorage": 100,
        "username": "candlefish",
        "dbName": "candlefish",
        "manageMasterUserPassword": True,
        "masterUserSecretKmsKeyId": place.key,
        "dbSubnetGroupName": "g",
        "parameterGroupName": "p",
        "multiAz": True,
        "storageEncrypted": True,
        "kmsKeyId": place.key,
        "iamDatabaseAuthenticationEnabled": True,
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": place.key,
        "performanceInsightsRetentionPeriod": 7,
        "monitoringInterval": 60,
        "monitoringRoleArn": place.role,
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "backupRetentionPeriod": 7,
        "backupWindow": "03:00-04:00",
        "maintenanceWindow": "sun:05:00-sun:06:00",
        "copyTagsToSnapshot": True,
        "storageType": "gp3",
        "vpcSecurityGroupIds": [place.security_group],
        "port": 5433,
        "finalSnapshotIdentifier": "final",
        **more,
    }


def _small(**more: Any) -> Inputs:
    return {
        "instanceClass": "db.t4g.medium",
        "dbSubnetGroupName": "g",
        "parameterGroupName": "p",
        "skipFinalSnapshot": True,
        **more,
    }


def test_a_database_lives_and_leaves_its_final_snapshot(aws: Any) -> None:
    place = _groups(aws)
    outputs = lives(
        aws,
        INSTANCE,
        _database(place),
        {"instanceClass": "db.m6g.large"},
        {"allocatedStorage": 40},
        {"backupRetentionPeriod": 14, "backupWindow": "01:00-02:00"},
        {"multiAz": False},
        {"enabledCloudwatchLogsExports": ["postgresql"]},
        {"maxAllocatedStorage": 200},
        {"engineVersion": "17.7"},
        {"monitoringInterval": 30},
        {"iamDatabaseAuthenticationEnabled": False},
        {"storageType": "io1", "iops": 3000},
        {"autoMinorVersionUpgrade": False},
        {"caCertIdentifier": "rds-ca-ecc384-g1"},
        {"maintenanceWindow": "mon:05:00-mon:06:00"},
        {"copyTagsToSnapshot": False},
        {"deletionProtection": True},
        {"deletionProtection": False},
    )
    assert outputs["engineVersionActual"] == "17.6"
    assert outputs["endpoint"] == f"{outputs['address']}:5433"
    snapshots = aws.client("rds").describe_db_snapshots()["DBSnapshots"]
    assert [each["DBSnapshotIdentifier"] for each in snapshots] == ["final"]


def test_a_managed_password_is_a_secret_that_can_be_read(aws: Any) -> None:
    _, outputs = made(aws, INSTANCE, _database(_groups(aws)))
    secret = outputs["masterUserSecrets"][0]["secretArn"]
    found = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert found["username"] == "candlefish"
    assert len(found["password"]) == 28


def test_a_database_keeps_its_id_under_a_new_identifier(aws: Any) -> None:
    context, first = aws.context(INSTANCE), _database(_groups(aws))
    id, outputs = aws.provider.create(context, first)
    changed = aws.provider.update(aws.context(INSTANCE), id, first, outputs, {**first, "identifier": "other"}, ())
    assert (changed["identifier"], changed["resourceId"]) == ("other", id)


def test_a_database_comes_from_a_snapshot_a_point_in_time_or_another(aws: Any) -> None:
    place = _groups(aws)
    _, source = made(aws, INSTANCE, _database(place))
    lives(aws, "aws:rds/snapshot:Snapshot", {"dbInstanceIdentifier": "db", "dbSnapshotIdentifier": "other"})
    made(aws, "aws:rds/snapshot:Snapshot", {"dbInstanceIdentifier": "db", "dbSnapshotIdentifier": "s"})
    refused(aws, "aws:rds/snapshot:Snapshot", {"dbInstanceIdentifier": "no", "dbSnapshotIdentifier": "t"}, "not found")
    lives(aws, INSTANCE, _small(identifier="copy", snapshotIdentifier="s", backupRetentionPeriod=3))
    lives(
        aws,
        INSTANCE,
        _small(
            identifier="past",
            multiAz=True,
            restoreToPointInTime={"sourceDbiResourceId": source["resourceId"], "useLatestRestorableTime": True},
        ),
    )
    replica = _small(identifier="replica", replicateSourceDb="db")
    del replica["dbSubnetGroupName"]
    lives(aws, INSTANCE, replica)


def test_a_taken_final_snapshot_and_protection_keep_a_database(aws: Any) -> None:
    place = _groups(aws)
    inputs = _database(place, deletionProtection=True)
    context = aws.context(INSTANCE)
    id, outputs = aws.provider.create(context, inputs)
    with pytest.raises(ProviderError, match="protect"):
        aws.provider.delete(aws.context(INSTANCE), id, inputs, outputs)
    free = {**inputs, "deletionProtection": False}
    outputs = aws.provider.update(aws.context(INSTANCE), id, inputs, outputs, free, ())
    aws.client("rds").create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier="final")
    with pytest.raises(ProviderError, match="DBSnapshotAlreadyExists"):
        aws.provider.delete(aws.context(INSTANCE), id, free, outputs)
    nameless = {name: value for name, value in free.items() if name != "finalSnapshotIdentifier"}
    with pytest.raises(ProviderError, match="skipFinalSnapshot"):
        aws.provider.delete(aws.context(INSTANCE), id, nameless, {**outputs, "finalSnapshotIdentifier": None})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"instanceClass": "db.t9.medium"}, "Invalid DB Instance class"),
        ({"engineVersion": "12.1"}, "Cannot find version 12.1"),
        ({"password": "hunter22"}, "ManageMasterUserPassword"),
        ({"kmsKeyId": "00000000-0000-0000-0000-000000000000"}, "`kmsKeyId`.*does not exist"),
        ({"vpcSecurityGroupIds": ["sg-00000000"]}, "does not exist"),
        ({"dbSubnetGroupName": "nope"}, "DBSubnetGroupNotFound"),
        ({"parameterGroupName": "nope"}, "DBParameterGroupNotFound"),
        ({"maxAllocatedStorage": 10}, "must be greater"),
        ({"monitoringRoleArn": None}, "MonitoringRoleARN"),
    ],
)
def test_a_database_that_rds_refuses_is_refused(aws: Any, wrong: Inputs, message: str) -> None:
    refused(aws, INSTANCE, _database(_groups(aws), **wrong), message)


def test_a_subnet_group_lives_in_one_vpc(aws: Any) -> None:
    place = world(aws)
    outputs = lives(
        aws,
        SUBNETS,
        {"name": "g", "subnetIds": place.subnets},
        {"description": "new"},
        {"subnetIds": place.subnets[:1]},
    )
    assert outputs["vpcId"] == place.vpc
    refused(aws, SUBNETS, {"name": "h", "subnetIds": ["subnet-00000000"]}, r"subnetIds\[0\].*does not exist")


def test_a_parameter_group_changes_adds_and_resets_parameters(aws: Any) -> None:
    lives(
        aws,
        PARAMETERS,
        {"name": "p", "family": "postgres17", "parameters": [SSL, SLOW]},
        {"parameters": [{**SSL, "value": "0"}]},
        {"parameters": [SSL, SLOW]},
    )
    refused(aws, PARAMETERS, {"name": "q", "family": "postgres99"}, "not a valid parameter group family")


def test_backups_are_replicated_from_another_region(aws: Any) -> None:
    kind = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
    _, database = made(aws, INSTANCE, _database(_groups(aws)))
    there = aws.client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]
    first = {"sourceDbInstanceArn": database["arn"], "kmsKeyId": there}
    lives(aws, kind, first, region="us-west-2")
    refused(aws, kind, {"sourceDbInstanceArn": database["arn"]}, "another region")
    refused(aws, kind, {**first, "sourceDbInstanceArn": database["arn"] + "x"}, "does not exist", region="us-west-2")
    refused(aws, kind, {"sourceDbInstanceArn": database["arn"]}, "must name a key of us-west-2", region="us-west-2")
    refused(aws, kind, {**first, "kmsKeyId": database["kmsKeyId"]}, "is not a key of us-west-2", region="us-west-2")
    _, bare = made(aws, INSTANCE, _small(identifier="bare", engine="postgres", allocatedStorage=20, username="u",
                                         manageMasterUserPassword=True, backupRetentionPeriod=0))
    refused(aws, kind, {"sourceDbInstanceArn": bare["arn"]}, "backupRetentionPeriod is 0", region="us-west-2")


def test_a_database_comes_back_in_the_other_region_from_its_replicated_backups(aws: Any) -> None:
    kind = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
    _, source = made(aws, INSTANCE, _database(_groups(aws)))
    there = aws.client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]
    backups, _ = made(aws, kind, {"sourceDbInstanceArn": source["arn"], "kmsKeyId": there}, region="us-west-2")
    restore = {
        "identifier": "back", "instanceClass": "db.t4g.medium", "manageMasterUserPassword": True,
        "backupRetentionPeriod": 7, "skipFinalSnapshot": True,
        "restoreToPointInTime": {"sourceDbInstanceAutomatedBackupsArn": backups, "useLatestRestorableTime": True}}
    _, back = made(aws, INSTANCE, restore, region="us-west-2")
    assert {key: back[key] for key in ("username", "dbName", "engine", "allocatedStorage", "kmsKeyId")} == {
        "username": "candlefish", "dbName": "candlefish", "engine": "postgres", "allocatedStorage": 20,
        "kmsKeyId": there}
    assert back["masterUserSecrets"]
    refused(aws, INSTANCE, restore, "restore in the region that the backups are replicated to")


def test_events_are_sent_to_a_topic(aws: Any) -> None:
    kind, place = "aws:rds/eventSubscription:EventSubscription", world(aws)
    first = {"name": "e", "snsTopic": place.topic, "sourceType": "db-instance", "eventCategories": ["failure"]}
    lives(aws, kind, first, {"eventCategories": ["availability", "failure"]})
    refused(aws, kind, {**first, "snsTopic": place.topic + "x"}, "`snsTopic`.*does not exist")
    refused(aws, kind, {**first, "eventCategories": ["disaster"]}, "no event category of db-instance")
    refused(aws, kind, {"name": "e", "snsTopic": place.topic, "sourceIds": ["db"]}, "sourceIds needs sourceType")


def test_data_sources_find_an_instance_and_a_version(aws: Any) -> None:
    made(aws, INSTANCE, _database(_groups(aws)))
    provider, context = aws.provider, aws.context("")
    assert (
        provider.invoke(context, "aws:rds/getInstance:getInstance", {"dbInstanceIdentifier": "db"})["engine"]
        == "postgres"
    )
    found = provider.invoke(
        context, "aws:rds/getEngineVersion:getEngineVersion", {"engine": "postgres", "version": "16"}
    )
    assert (found["versionActual"], found["parameterGroupFamily"]) == ("16.10", "postgres16")
    with pytest.raises(ProviderError, match="not found"):
        provider.invoke(context, "aws:rds/getInstance:getInstance", {"dbInstanceIdentifier": "no"})
