"""RDS, ElastiCache and DynamoDB."""

from __future__ import annotations

from fnmatch import fnmatchcase

from policy.model import DEVELOPMENT, Resource, World, control, given, listed, says

DATABASE = "aws:rds/instance:Instance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
TABLE = "aws:dynamodb/table:Table"
SELECTION = "aws:backup/selection:Selection"
_ARNS = {DATABASE: "arn:aws:rds:region:account:db:name", TABLE: "arn:aws:dynamodb:region:account:table/name"}


def _tls_forced(database: Resource, world: World) -> object:
    """RDS for PostgreSQL 15 and later forces TLS by default, but says so only in the parameter group."""
    return any(parameter["name"] == "rds.force_ssl" and str(parameter["value"]) == "1"
               for group in world.named(database, "parameterGroupName", "aws:rds/parameterGroup:ParameterGroup")
               for parameter in listed(group.at("parameters")))


def _in_a_backup_plan(resource: Resource, world: World) -> object:
    """A selection names its kind, or the resource itself; conditions on tags are the provider's default tags."""
    return any(resource.urn in selection.references.get("resources", ())
               or any(fnmatchcase(_ARNS[resource.type], pattern) for pattern in listed(selection.at("resources")))
               for selection in world.of(SELECTION))


def _retention(resource: Resource) -> object:
    return int(resource.at("backupRetentionPeriod") or 0) >= 7


CONTROLS = (
    control("CKV_AWS_16 RDS.3", "encrypted at rest", DATABASE, says("storageEncrypted"), "set storage_encrypted=True"),
    control("CKV_AWS_17 RDS.2", "not reachable from outside", DATABASE, says("publiclyAccessible", False),
            "set publicly_accessible=False", frozenset()),
    control("CKV_AWS_157 RDS.5", "in more than one zone", DATABASE, says("multiAz"), "set multi_az=True", DEVELOPMENT),
    control("CKV_AWS_133 RDS.11", "backups for at least 7 days", DATABASE, _retention, "set backup_retention_period"),
    control("CKV_AWS_293 RDS.8", "deletion protection", DATABASE, says("deletionProtection"),
            "set lifecycle.deletionProtection", DEVELOPMENT),
    control("CKV2_AWS_69 RDS.38", "TLS forced", DATABASE, _tls_forced, "set rds.force_ssl=1 in its parameter group"),
    control("CKV_AWS_129 RDS.36", "logs sent to CloudWatch", DATABASE,
            lambda database: "postgresql" in listed(database.at("enabledCloudwatchLogsExports")),
            "export the log 'postgresql'"),
    control("CKV_AWS_226", "minor upgrades by themselves", DATABASE, says("autoMinorVersionUpgrade"),
            "set auto_minor_version_upgrade=True"),
    control("CKV_AWS_161", "IAM authentication possible", DATABASE, says("iamDatabaseAuthenticationEnabled"),
            "set iam_database_authentication_enabled=True"),
    control("CKV_AWS_353", "Performance Insights", DATABASE, says("performanceInsightsEnabled"),
            "set performance_insights_enabled=True"),
    control("CKV_AWS_354", "Performance Insights under a key of our own", DATABASE,
            given("performanceInsightsKmsKeyId"),
            "give performance_insights_kms_key_id"),
    control("CKV_AWS_118 RDS.6", "enhanced monitoring", DATABASE,
            lambda database: int(database.at("monitoringInterval") or 0) > 0,
            "set database.monitoringIntervalSeconds", DEVELOPMENT),
    control("RDS.26", "in a backup plan", DATABASE, _in_a_backup_plan, "add it to a backup selection"),
    control("CKV_AWS_245", "replicated backups under a key of our own",
            "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", given("kmsKeyId"),
            "give kms_key_id of the recovery region"),
    control("CKV_AWS_29 ElastiCache.4", "encrypted at rest", CACHE, says("atRestEncryptionEnabled"),
            "set at_rest_encryption_enabled=True"),
    control("CKV_AWS_30 ElastiCache.5", "encrypted in transit", CACHE, says("transitEncryptionEnabled"),
            "set transit_encryption_enabled=True"),
    control("CKV_AWS_31 ElastiCache.6", "authentication", CACHE, given("authToken"), "give auth_token"),
    control("CKV2_AWS_50 ElastiCache.3", "failover by itself", CACHE, says("automaticFailoverEnabled"),
            "set cache.replicaCount to at least 1", DEVELOPMENT),
    control("CKV_AWS_191", "a key of our own", CACHE, given("kmsKeyId"), "give kms_key_id"),
    control("ElastiCache.1", "snapshots", CACHE, lambda cache: int(cache.at("snapshotRetentionLimit") or 0) >= 1,
            "set cache.snapshotRetentionDays"),
    control("CKV_AWS_28 DynamoDB.2", "point-in-time recovery", TABLE, says("pointInTimeRecovery.enabled"),
            "enable point_in_time_recovery"),
    control("CKV_AWS_119", "a key of our own", TABLE,
            given("serverSideEncryption.kmsKeyArn"),
            "give server_side_encryption with kms_key_arn"),
    control("DynamoDB.6", "deletion protection", TABLE, says("deletionProtectionEnabled"),
            "set lifecycle.deletionProtection", DEVELOPMENT),
    control("DynamoDB.4", "in a backup plan", TABLE, _in_a_backup_plan, "add it to a backup selection"),
)
