"""Data, animation analytics, observability: ids D, F and M."""

from __future__ import annotations

from collections.abc import Mapping

from tests.requirements.row import ALWAYS_ON, AUDITED, MINIMAL, ONE_REGION, SMALL, Row, Where, all_of, holds, says

_DATABASE, _CACHE = "aws:rds/instance:Instance", "aws:elasticache/replicationGroup:ReplicationGroup"
_TABLE, _FUNCTION = "aws:dynamodb/table:Table", "aws:lambda/function:Function"


def _alarm(id: str, clause: str, name: str, least: int = 1, but: Mapping[str, str] | None = None) -> Row:
    return Row(id, clause, "aws:cloudwatch/metricAlarm:MetricAlarm", f"observability-alarms-{name}",
               least=least, but=but or {})


def _bucket(part: str, where: Where = lambda resource: True, least: int = 5) -> Row:
    return Row("D3", {"PublicAccessBlock": "public access blocked", "Policy": "TLS only", "Versioning": "versions",
                      "ServerSideEncryptionConfiguration": "encrypted"}[part],
               f"aws:s3/bucket{part}:Bucket{part}", "*", where, least)


DATA = (
    Row("D1", "PostgreSQL: encrypted, managed password, point-in-time recovery", _DATABASE, where=all_of(
        says("engine", "postgres"), says("storageEncrypted", True), says("manageMasterUserPassword", True),
        lambda each: int(each.at("backupRetentionPeriod")) >= 7, says("performanceInsightsEnabled", True))),
    Row("D1", "Multi-AZ", _DATABASE, where=says("multiAz", True), but={"development": "D1: not asked for there"}),
    Row("D1", "deletion protection and final snapshot", _DATABASE, where=all_of(
        says("deletionProtection", True), says("skipFinalSnapshot", False)), but={
            "development": "D1: outside development"}),
    Row("D1", "TLS forced, slow queries logged", "aws:rds/parameterGroup:ParameterGroup", where=holds(
        "parameters", "rds.force_ssl", "log_min_duration_statement")),
    Row("D1", "`candlefish-database-secret`", "kubernetes:external-secrets.io/v1:ExternalSecret",
        "*candlefish-database-secret"),
    Row("D1", "weekly upkeep", "kubernetes:batch/v1:CronJob", "*upkeep"),
    Row("D1", "migrations as a job", "kubernetes:batch/v1:CronJob", "*migration"),
    Row("D2", "encrypted at rest and in transit, with a token and snapshots", _CACHE, where=all_of(
        says("atRestEncryptionEnabled", True), says("transitEncryptionEnabled", True), says("authToken"),
        says("snapshotRetentionLimit"))),
    Row("D2", "Multi-AZ with failover", _CACHE, where=all_of(says("multiAzEnabled", True), says(
        "automaticFailoverEnabled", True)), but={"development": "D2: in production"}),
    Row("D2", "token in Secrets Manager", "aws:secretsmanager/secret:Secret", "cache-auth"),
    *(Row("D3", f"bucket of {purpose}", "aws:s3/bucket:Bucket", f"storage-{purpose}")
      for purpose in ("assets", "backups", "logs", "site-blue", "site-green")),
    Row("D3", "assets: intelligent tiering", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "storage-assets", holds("rules", "INTELLIGENT_TIERING")),
    Row("D3", "backups: to Glacier", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "storage-backups", holds("rules", "GLACIER")),
    Row("D3", "backups: object lock", "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "storage-backups"),
    Row("D3", "assets and backups replicated", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", least=2,
        but=ONE_REGION),
    _bucket("PublicAccessBlock"),
    _bucket("Policy", holds("policy", "aws:SecureTransport")),
    _bucket("Versioning", says("versioningConfiguration.status", "Enabled")),
    _bucket("ServerSideEncryptionConfiguration"),
    Row("D3", "dumps encrypted before they are stored", "kubernetes:batch/v1:CronJob", "*dump"),
    *(Row("D4", f"table {table}", _TABLE, f"*{table}", all_of(
        holds("name", f"-candlefish-{table}"), says("billingMode", "PAY_PER_REQUEST"), says("ttl.enabled", True),
        says("pointInTimeRecovery.enabled", True), says("serverSideEncryption.kmsKeyArn")))
      for table in ("analytics-events", "visitor-memory", "experiments", "websocket-connections")),
    Row("D4", "stream of the events", _TABLE, "*analytics-events", says("streamEnabled", True)),
    Row("D5", "daily plan", "aws:backup/plan:Plan", where=holds("rules", "daily")),
    Row("D5", "copies to the recovery region's vault", "aws:backup/plan:Plan",
        where=holds("rules", "destinationVaultArn"), but=ONE_REGION),
    Row("D5", "encrypted vaults", "aws:backup/vault:Vault", where=says("kmsKeyArn")),
    Row("D5", "vault lock", "aws:backup/vaultLockConfiguration:VaultLockConfiguration", but=SMALL),
    Row("D5", "monthly restore test", "aws:backup/restoreTestingPlan:RestoreTestingPlan", but=SMALL),
    Row("D6", "replicated backups of the database",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication", but=ONE_REGION),
    Row("D6", "tables can go back to any second", _TABLE, where=says("pointInTimeRecovery.enabled", True), least=4),
    Row("D6", "assets within 15 minutes", "aws:s3/bucketReplicationConfig:BucketReplicationConfig", "storage-assets",
        holds("rules", "replicationTime"), but=ONE_REGION),
)
ANALYTICS = (
    Row("F1", "function analytics-processor", _FUNCTION, where=holds("name", "-candlefish-analytics-processor")),
    Row("F1", "keyed hash", "aws:secretsmanager/secret:Secret", "analytics-hash-key"),
    Row("F2", "visitor memory", _FUNCTION, "*visitor-memory*"),
    Row("F2", "erasures that are finished", "aws:scheduler/schedule:Schedule", "*erasures"),
    Row("F3", "REST API", "aws:apigateway/restApi:RestApi", where=holds(
        "body", "/api/analytics", "/memory", "/experiments", "/health", "Access-Control-Allow-Origin")),
    Row("F3", "request validation", "aws:apigateway/restApi:RestApi", where=holds("body", "request-validator")),
    Row("F3", "usage plan", "aws:apigateway/usagePlan:UsagePlan"),
    Row("F3", "throttling", "aws:apigateway/methodSettings:MethodSettings", where=says("settings.throttlingRateLimit")),
    Row("F3", "access logs", "aws:apigateway/stage:Stage", where=says("accessLogSettings.destinationArn")),
    Row("F3", "WAF", "aws:wafv2/webAclAssociation:WebAclAssociation"),
    Row("F4", "WebSocket API", "aws:apigatewayv2/api:Api", where=says("protocolType", "WEBSOCKET")),
    *(Row("F4", f"route {key}", "aws:apigatewayv2/route:Route", where=says("routeKey", key))
      for key in ("$connect", "$disconnect", "ping", "subscribe")),
    Row("F4", "live metrics from the table's stream", "aws:lambda/eventSourceMapping:EventSourceMapping"),
    Row("F5", "experiments", _FUNCTION, "*experiments*", holds(
        "environment.variables", "complexity", "trust", "richness", "memory")),
    Row("F6", "keys, cache and database rotate every 30 days", "aws:secretsmanager/secretRotation:SecretRotation",
        where=says("rotationRules.automaticallyAfterDays", 30), least=3),
    Row("F7", "cost optimiser", _FUNCTION, where=holds("name", "cost-optimizer")),
    Row("F7", "its schedule", "aws:scheduler/schedule:Schedule", "*cost*"),
    Row("F8", "down and up by schedule", "aws:scheduler/schedule:Schedule", "operations-schedules-[du]*", least=2,
        but=ALWAYS_ON),
    Row("F8", "function that does it", _FUNCTION, "*scaling*", but=ALWAYS_ON),
)
OBSERVABILITY = (
    Row("M1", "dashboard `…-candlefish-animation`", "aws:cloudwatch/dashboard:Dashboard", where=holds(
        "dashboardName", "-candlefish-animation")),
    *(Row("M1", f"log group `{name}`", "aws:cloudwatch/logGroup:LogGroup", where=all_of(
        holds("name", name), says("kmsKeyId"), says("retentionInDays")))
      for name in ("-candlefish-website/animation", "/performance", "/application")),
    Row("M2", "topics", "aws:sns/topic:Topic", "notifications-*", least=2),
    Row("M2", "to Slack and PagerDuty", _FUNCTION, "notifications-*", holds(
        "environment.variables", "SLACK_SECRET_ARN", "PAGERDUTY_SECRET_ARN", "#ops-alerts", "#incident-response")),
    _alarm("M2", "frame rate", "animation-fps"),
    _alarm("M2", "frame drops", "animation-frame-drops", but=MINIMAL),
    _alarm("M2", "memory, critical", "animation-memory-critical"),
    _alarm("M2", "memory, warning", "animation-memory", but=MINIMAL),
    _alarm("M2", "error rate, critical", "error-rate"),
    _alarm("M2", "error rate, P0", "error-rate-abort"),
    _alarm("M2", "latency", "latency*", 2),
    _alarm("M2", "trust progression", "trust-progression", but=MINIMAL),
    _alarm("M2", "service down", "service-down-*", 4),
    _alarm("M2", "database connections", "database-connection*"),
    _alarm("M2", "pool exhaustion", "database-pool", but=MINIMAL),
    _alarm("M2", "disk space", "database-storage"),
    _alarm("M2", "cache hit rate", "cache-hit-rate", but=MINIMAL),
    _alarm("M2", "CPU or memory", "*-cpu", 2),
    _alarm("M2", "replication lag", "*replication-lag", but=MINIMAL),
    _alarm("M2", "certificate expiry", "*certificate", but=MINIMAL),
    Row("M3", "Prometheus rules", "kubernetes:monitoring.coreos.com/v1:PrometheusRule", but=MINIMAL),
    Row("M3", "Alertmanager's routes", "kubernetes:external-secrets.io/v1:ExternalSecret", "*alertmanager",
        but=MINIMAL),
    Row("M3", "Grafana dashboards", "kubernetes:core/v1:ConfigMap", "*dashboards", holds(
        "data", "System Overview", "Application Overview", "Infrastructure", "Business Metrics", "Cost Optimization",
        "Animation", "Alert Management"), but=MINIMAL),
    Row("M4", "burn-rate alerts", "kubernetes:monitoring.coreos.com/v1:PrometheusRule", where=holds(
        "spec", "Burn"), but=MINIMAL),
    _alarm("M4", "CDN hits", "cdn-hit-rate", but=MINIMAL),
    Row("M5", "CloudTrail", "aws:cloudtrail/trail:Trail", but=AUDITED),
    Row("M5", "GuardDuty", "aws:guardduty/detector:Detector", but=AUDITED),
    Row("M5", "Config", "aws:cfg/recorder:Recorder", but=AUDITED),
    Row("M5", "Config rules", "aws:cfg/rule:Rule", but=AUDITED),
    Row("M5", "Access Analyzer", "aws:accessanalyzer/analyzer:Analyzer", but=AUDITED),
    Row("M5", "Security Hub", "aws:securityhub/account:Account",
        but=dict.fromkeys(("development", "staging", "recovery"), "M5: in production")),
    Row("M5", "budget", "aws:budgets/budget:Budget"),
    Row("M5", "cost anomalies", "aws:costexplorer/anomalyMonitor:AnomalyMonitor"),
    Row("M6", "tracing of the functions", _FUNCTION, where=says("tracingConfig.mode", "Active"), least=5),
    Row("M6", "synthetic checks", "aws:synthetics/canary:Canary", but=MINIMAL),
)
