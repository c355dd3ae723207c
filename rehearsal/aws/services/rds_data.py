"""RDS data sources: an instance, and the engine versions that are for sale."""

from __future__ import annotations

from rehearsal.aws.handler import Call, data_source
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._rds_identity import describe
from rehearsal.aws.services._rds_values import family, resolve_version, versions
from rehearsal.aws.services.rds import outputs
from rehearsal.engine.values import Properties


@data_source("aws:rds/getInstance:getInstance")
def get_instance(call: Call, arguments: Properties) -> Properties:
    instance = describe(call, arguments["dbInstanceIdentifier"])
    if instance is None:
        raise refused(
            "DBInstanceNotFound",
            f"DBInstance {arguments['dbInstanceIdentifier']} not found.",
            "DescribeDBInstances",
            404,
        )
    got = outputs(call, instance, {})
    return got | {
        "id": got["identifier"],
        "dbInstanceArn": got["arn"],
        "dbInstanceIdentifier": got["identifier"],
        "dbInstanceClass": got["instanceClass"],
        "dbInstancePort": got["port"],
        "dbSubnetGroup": got["dbSubnetGroupName"],
        "dbParameterGroups": [got["parameterGroupName"]],
        "engineVersion": got["engineVersionActual"],
        "masterUsername": got["username"],
        "masterUserSecrets": got["masterUserSecrets"],
        "vpcSecurityGroups": got["vpcSecurityGroupIds"],
        "preferredBackupWindow": got.get("backupWindow"),
        "preferredMaintenanceWindow": got.get("maintenanceWindow"),
        "enabledCloudwatchLogsExports": got["enabledCloudwatchLogsExports"],
    }


@data_source("aws:rds/getEngineVersion:getEngineVersion")
def get_engine_version(call: Call, arguments: Properties) -> Properties:
    engine = arguments["engine"]
    wanted = [arguments["version"]] if arguments.get("version") else list(arguments.get("preferredVersions") or ())
    candidates = wanted or versions(engine)[-1:]
    actual = next((full for full in (resolve_version(engine, each) for each in candidates) if full), None)
    if actual is None:
        raise refused(
            "InvalidParameterValue",
            f"no RDS engine version of {engine} matches {candidates}",
            "DescribeDBEngineVersions",
        )
    return {
        **arguments,
        "id": actual,
        "version": actual,
        "versionActual": actual,
        "engine": engine,
        "parameterGroupFamily": family(engine, actual),
        "status": "available",
    }
