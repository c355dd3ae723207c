"""The table of alarms (M2): CloudWatch's alarms, Prometheus' rules and the documentation all come from it."""

from __future__ import annotations

from dataclasses import dataclass

from infra.plans.observability.alarm import Alarm, Comparison, Composite, Each, Metric, Missing, Place, Watched
from infra.plans.observability.alarm import one as _one
from infra.plans.observability.alarm import over_members as _over
from infra.plans.observability.databases import connections, memory_bytes
from infra.plans.observability.emitted import ANIMATION, LOGS
from infra.plans.observability.severity import Severity
from infra.settings.observability import Thresholds

BELOW, ABOVE = Comparison.BELOW, Comparison.ABOVE
P0, P1, P2, P3 = Severity
JOBS = 'job=~"candlefish-.*"'
_ERRORS = (f'100 * sum(rate(http_requests_total{{{JOBS},status=~"5.."}}[5m]))'
           f' / sum(rate(http_requests_total{{{JOBS}}}[5m]))')
_P95 = f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{JOBS}}}[5m])))"
_MEAN = (f"sum(rate(http_request_duration_seconds_sum{{{JOBS}}}[5m]))"
         f" / sum(rate(http_request_duration_seconds_count{{{JOBS}}}[5m]))")

OUTAGE, SLOW, ANIMATION_DEGRADED, DATA = "outage", "slow", "animation-degraded", "data-stores"
COMPOSITES = (
    Composite(OUTAGE, P0, "A service is down or most requests fail", "incidents.md#service-down", scheduled=True),
    Composite(SLOW, P1, "Requests are slow", "performance.md#latency", unless=OUTAGE, scheduled=True),
    Composite(ANIMATION_DEGRADED, P1, "The animation stutters or eats memory", "performance.md#frame-rate",
              unless=OUTAGE),
    Composite(DATA, P1, "Database or cache is at its limit", "data.md#database-at-its-limit"),
)


@dataclass(frozen=True)
class Sizes:
    """What thresholds and periods depend on. check_minutes: between two checks from outside."""

    database_class: str
    database_storage_gib: int
    check_minutes: int = 5


def table(at: Thresholds, sizes: Sizes) -> tuple[Alarm, ...]:
    return (*_animation(at), *_requests(at, sizes), *_database(at, sizes), *_cache(at), *_platform(at), *_functions(at),
            *_edge(at))


def _animation(at: Thresholds) -> tuple[Alarm, ...]:
    def watched(name: str) -> Watched:
        return _one(ANIMATION, name, "Average", Environment=Place.ENVIRONMENT)

    def average(name: str) -> str:
        return f"avg({name}{{{JOBS}}})"

    return (
        Alarm("animation-fps", P1, "The animation runs below the frame rate that it needs",
              "Below 30 frames a second visitors see it stutter", BELOW, at.fps_minimum, 60, 5,
              "performance.md#frame-rate", watched("candlefish_animation_fps"), average("candlefish_animation_fps"),
              composite=ANIMATION_DEGRADED),
        Alarm("animation-frame-drops", P2, "Too many frames are dropped", "Stutter that the average rate hides",
              ABOVE, at.frame_drop_percent, 60, 5, "performance.md#frame-rate", watched("candlefish_frame_drop_rate"),
              average("candlefish_frame_drop_rate")),
        Alarm("animation-memory", P2, "The animation takes more memory than planned", "A leak shows early", ABOVE,
              at.memory_warning_mb, 300, 3, "performance.md#animation-memory",
              watched("candlefish_webgl_memory_usage"), average("candlefish_webgl_memory_usage")),
        Alarm("animation-memory-critical", P1, "The animation's memory endangers the browser's tab",
              "Weak devices kill the tab", ABOVE, at.memory_critical_mb, 60, 5, "performance.md#animation-memory",
              watched("candlefish_webgl_memory_usage"), average("candlefish_webgl_memory_usage"),
              composite=ANIMATION_DEGRADED),
        Alarm("animation-failures", P1, "The website logs critical failures of the animation",
              "Its fallback is on, or should be", ABOVE, 5, 60, 5, "performance.md#animation-failures",
              _one(LOGS, "animation_failures", "Sum"), composite=ANIMATION_DEGRADED),
        Alarm("trust-progression", P2, "Sessions gain less trust than expected",
              "Visitors leave before the animation has said what it is for", BELOW, at.trust_points_per_session,
              900, 4, "performance.md#trust-progression", watched("candlefish_trust_progression"),
              average("candlefish_trust_progression")),
    )


def _requests(at: Thresholds, sizes: Sizes) -> tuple[Alarm, ...]:
    def balancer(name: str, statistic: str) -> Metric:
        return Metric("AWS/ApplicationELB", name, statistic, {"LoadBalancer": Place.LOAD_BALANCER})

    def hosts(colour: Place) -> Metric:
        return Metric("AWS/ApplicationELB", "HealthyHostCount", "Maximum",
                      {"LoadBalancer": Place.LOAD_BALANCER, "TargetGroup": colour})

    # The counts of errors have no data while there are none.
    ratio = Watched({"targets": balancer("HTTPCode_Target_5XX_Count", "Sum"),
                     "own": balancer("HTTPCode_ELB_5XX_Count", "Sum"), "all": balancer("RequestCount", "Sum")},
                    "100 * (FILL(targets, 0) + FILL(own, 0)) / all")
    # A colour at rest has no targets and no data; a service whose colours both have none is down.
    healthy = Watched({"blue": hosts(Place.BLUE), "green": hosts(Place.GREEN)}, "FILL(blue, 0) + FILL(green, 0)")
    available = "sum by (service) (label_replace(kube_deployment_status_replicas_available{namespace=~" \
                '"candlefish-.*"}, "service", "$1", "deployment", "(.+)-(blue|green)"))'
    slow = {"runbook": "performance.md#latency", "scheduled": True, "composite": SLOW}
    return (
        Alarm("error-rate", P1, "Too many requests fail", "50 times the objective of 0.1 %", ABOVE,
              at.error_percent_critical, 60, 5, "incidents.md#error-rate", ratio, _ERRORS, scheduled=True),
        Alarm("error-rate-abort", P0, "So many requests fail that a rollout is undone at once",
              "100 times the objective: no statistics are needed", ABOVE, at.error_percent_abort, 60, 5,
              "incidents.md#error-rate", ratio, _ERRORS, scheduled=True, composite=OUTAGE),
        Alarm("latency", P1, "Answers take too long on average", "Visitors give up after 3 s", ABOVE,
              at.latency_seconds, 60, 5, watched=Watched({"m": balancer("TargetResponseTime", "Average")}),
              prometheus=_MEAN, **slow),  # type: ignore[arg-type]
        Alarm("latency-p95", P1, "One answer in 20 takes too long", "The objective of M4", ABOVE,
              at.latency_p95_seconds, 60, 10, watched=Watched({"m": balancer("TargetResponseTime", "p95")}),
              prometheus=_P95, **slow),  # type: ignore[arg-type]
        Alarm("service-down", P0, "No healthy pod answers for the service", "Nothing behind the front door", BELOW, 1,
              60, 5, "incidents.md#service-down", healthy, available, missing=Missing.BREACHING, each=Each.SERVICE,
              scheduled=True, composite=OUTAGE),
        Alarm("synthetic-checks", P0, "The checks from outside fail", "Sees what no inner metric sees: DNS, TLS, CDN",
              BELOW, 50, 60 * sizes.check_minutes, 2, "incidents.md#service-down",
              _over("MIN(METRICS())", "CloudWatchSynthetics", "SuccessPercent", "Average", CanaryName=Place.CANARY),
              missing=Missing.BREACHING, scheduled=True, composite=OUTAGE),
        Alarm("critical-errors", P2, "The services log critical errors", "Trouble that answers may hide", ABOVE, 10,
              300, 1, "incidents.md#critical-errors", _one(LOGS, "critical_errors", "Sum")),
    )


def _database(at: Thresholds, sizes: Sizes) -> tuple[Alarm, ...]:
    def watched(name: str, statistic: str) -> Watched:
        return _one("AWS/RDS", name, statistic, DBInstanceIdentifier=Place.DATABASE)

    limit, memory = connections(sizes.database_class), memory_bytes(sizes.database_class)
    full = "data.md#database-at-its-limit"
    return (
        Alarm("database-connections", P1, "The database is about to run out of connections",
              f"It takes about {limit} (its class's memory decides)", ABOVE,
              round(limit * at.connections_percent / 100), 60, 5, "data.md#connections",
              watched("DatabaseConnections", "Average"), composite=DATA),
        Alarm("database-connection-failures", P1, "Services cannot connect to the database",
              "What the services' logs say", ABOVE, 5, 60, 5, "data.md#connections",
              _one(LOGS, "database_connection_failures", "Sum"), composite=DATA),
        Alarm("database-pool", P2, "A service's connection pool is exhausted", "Requests wait for a connection", ABOVE,
              0, 60, 5, "data.md#connections", _one(LOGS, "database_pool_exhausted", "Sum"), datapoints=3),
        Alarm("database-storage", P1, "The database's disk is almost full",
              "A full disk stops it; it grows by itself up to its maximum", BELOW,
              round(sizes.database_storage_gib * 1024 ** 3 * at.storage_free_percent / 100), 300, 3,
              "data.md#disk-space", watched("FreeStorageSpace", "Minimum"), composite=DATA),
        Alarm("database-cpu", P1, "The database's CPU is at its limit", "Queries queue", ABOVE,
              at.utilisation_percent, 60, 15, full, watched("CPUUtilization", "Average"), composite=DATA),
        Alarm("database-memory", P2, "The database's memory is almost used up", "It swaps next", BELOW,
              round(memory * (100 - at.utilisation_percent) / 100), 300, 3, full,
              watched("FreeableMemory", "Average")),
    )


def _cache(at: Thresholds) -> tuple[Alarm, ...]:
    def over(expression: str, name: str, statistic: str = "Average") -> Watched:
        return _over(expression, "AWS/ElastiCache", name, statistic, CacheClusterId=Place.CACHE_NODE)

    return (
        Alarm("cache-hit-rate", P2, "The cache misses too often", "The database does its work", BELOW,
              at.cache_hit_percent, 300, 6, "data.md#cache", over("AVG(METRICS())", "CacheHitRate")),
        Alarm("cache-cpu", P1, "The cache's CPU is at its limit", "Its engine has one thread", ABOVE,
              at.utilisation_percent, 60, 10, "data.md#cache", over("MAX(METRICS())", "EngineCPUUtilization"),
              composite=DATA),
        Alarm("cache-memory", P1, "The cache's memory is almost used up", "It evicts what is still wanted", ABOVE,
              at.utilisation_percent, 60, 10, "data.md#cache",
              over("MAX(METRICS())", "DatabaseMemoryUsagePercentage", "Maximum"), composite=DATA),
        Alarm("cache-replication-lag", P2, "A replica of the cache is behind its primary",
              "A failover would lose what it lacks", ABOVE, at.replication_lag_seconds, 60, 5,
              "data.md#replication", over("MAX(METRICS())", "ReplicationLag", "Maximum")),
    )


def _platform(at: Thresholds) -> tuple[Alarm, ...]:
    """Of the nodes and what is inside the cluster only Prometheus knows."""
    left = 100 - at.utilisation_percent
    return (
        Alarm("node-cpu", P2, "A node's CPU is at its limit", "Its pods slow each other down", ABOVE,
              at.utilisation_percent, 60, 15, "cluster.md#nodes",
              prometheus='100 - 100 * avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))'),
        Alarm("node-memory", P1, "A node's memory is almost used up", "The kernel kills pods next", BELOW, left, 60,
              10, "cluster.md#nodes",
              prometheus="100 * node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"),
        Alarm("node-disk", P1, "A node's disk is almost full", "The kubelet evicts pods from 10 % on", BELOW,
              at.storage_free_percent, 60, 15, "cluster.md#nodes",
              prometheus='100 * node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"}'
                         ' / node_filesystem_size_bytes{fstype!~"tmpfs|overlay"}'),
        Alarm("volume-space", P2, "A volume is almost full", "Writes fail next", BELOW, at.storage_free_percent, 60,
              15, "cluster.md#volumes",
              prometheus="100 * kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes"),
        Alarm("pod-restarts", P2, "A container restarts again and again", "It hides behind its replicas", ABOVE, 3,
              60, 5, "cluster.md#restarts", prometheus="sum by (namespace, pod) "
                                                       "(increase(kube_pod_container_status_restarts_total[15m]))"),
        Alarm("cluster-certificate", P2, "A certificate inside the cluster expires soon",
              "cert-manager renews 30 days before; less means that it fails", BELOW, 21, 3600, 1,
              "cluster.md#certificates", prometheus="(certmanager_certificate_expiration_timestamp_seconds - time())"
                                                    " / 86400"),
    )


def _functions(at: Thresholds) -> tuple[Alarm, ...]:
    def functions(name: str) -> Watched:
        return _over("SUM(METRICS())", "AWS/Lambda", name, "Sum", FunctionName=Place.FUNCTION)

    return (
        Alarm("functions-errors", P2, "Functions fail", "Events are retried, then kept in the dead-letter queue",
              ABOVE, 5, 300, 1, "functions.md#errors", functions("Errors")),
        Alarm("functions-throttles", P2, "Functions are throttled", "Their reserved concurrency is used up", ABOVE, 0,
              300, 3, "functions.md#throttles", functions("Throttles")),
        Alarm("dead-letters", P2, "Events failed for good", "Somebody has to look at each of them", ABOVE, 0, 300, 1,
              "functions.md#dead-letters",
              _over("SUM(METRICS())", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum",
                    QueueName=Place.QUEUE)),
        Alarm("api-errors", P1, "The REST API fails", "Analytics, memory and experiments are lost meanwhile", ABOVE,
              at.error_percent_critical / 100, 60, 5, "functions.md#api",
              _one("AWS/ApiGateway", "5XXError", "Average", ApiName=Place.API, Stage=Place.STAGE)),
    )


def _edge(at: Thresholds) -> tuple[Alarm, ...]:
    def distribution(name: str) -> Watched:
        return _one("AWS/CloudFront", name, "Average", DistributionId=Place.DISTRIBUTION, Region="Global")

    return (
        Alarm("cdn-errors", P1, "CloudFront answers with errors", "What visitors see, whoever caused it", ABOVE,
              at.error_percent_critical, 60, 5, "edge.md#errors", distribution("5xxErrorRate"), edge=True,
              scheduled=True),
        Alarm("cdn-hit-rate", P3, "CloudFront asks the origins too often",
              "The objective of M4; a cache key has grown", BELOW, at.cdn_hit_percent, 3600, 3, "edge.md#hit-rate",
              distribution("CacheHitRate"), edge=True),
        *(Alarm(name, P2, summary, "ACM renews 60 days before; less means that its validation record is gone", BELOW,
                at.certificate_days, 86400, 1, "edge.md#certificates",
                _one("AWS/CertificateManager", "DaysToExpiry", "Minimum", CertificateArn=place),
                missing=Missing.KEEP, edge=edge)
          for name, summary, place, edge in (
              ("certificate", "The load balancer's certificate expires soon", Place.CERTIFICATE, False),
              ("cdn-certificate", "CloudFront's certificate expires soon", Place.CDN_CERTIFICATE, True))),
    )
