"""Which metrics exist, and who emits them: a dashboard or an alarm on a name that nobody emits is found by a test.

CloudWatch: the documented metrics of each service that is looked at here (its user guide, "metrics" page). Prometheus:
the website's /api/metrics, and of the exporters in kube-prometheus-stack the metrics that are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

ANIMATION = "Candlefish/Animation"  # functions/analytics_processor/metrics.py: embedded metric format
LOGS = "Candlefish/Logs"  # metric filters, `log_filters`

# Names of F1, in CloudWatch and in Prometheus alike.
ANIMATION_METRICS: Mapping[str, str] = {
    "candlefish_animation_fps": "Frames a second",
    "candlefish_frame_drop_rate": "Share of dropped frames, percent",
    "candlefish_webgl_memory_usage": "Memory of the animation, MB",
    "candlefish_render_time": "Time to render a frame, ms",
    "candlefish_load_time": "Time to load the animation, ms",
    "candlefish_active_connections": "Open WebSocket connections",
    "candlefish_api_response_time": "Response time of the API as browsers see it, ms",
    "candlefish_error_rate": "Share of events that are errors, percent",
    "candlefish_trust_progression": "Trust gained in a session, points",
    "candlefish_session_duration": "Length of a session, s",
    "candlefish_interaction_rate": "Interactions a minute",
    "candlefish_return_rate": "Share of sessions of returning visitors, percent",
    "candlefish_largest_contentful_paint": "LCP, ms",
    "candlefish_first_input_delay": "FID, ms",
    "candlefish_cumulative_layout_shift": "CLS",
    "candlefish_events_accepted": "Events kept",
    "candlefish_events_rejected": "Events refused",
}

CLOUDWATCH: Mapping[str, frozenset[str]] = {
    ANIMATION: frozenset(ANIMATION_METRICS),
    LOGS: frozenset({"critical_errors", "animation_failures", "database_connection_failures",
                     "database_pool_exhausted"}),
    "AWS/ApplicationELB": frozenset({
        "RequestCount", "TargetResponseTime", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count",
        "HTTPCode_Target_4XX_Count", "HealthyHostCount", "UnHealthyHostCount", "ActiveConnectionCount",
        "NewConnectionCount", "RejectedConnectionCount"}),
    "AWS/RDS": frozenset({
        "CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "FreeableMemory", "ReadLatency", "WriteLatency",
        "ReadIOPS", "WriteIOPS", "ReplicaLag", "MaximumUsedTransactionIDs"}),
    "AWS/ElastiCache": frozenset({
        "EngineCPUUtilization", "DatabaseMemoryUsagePercentage", "CacheHitRate", "ReplicationLag", "Evictions",
        "CurrConnections"}),
    "AWS/Lambda": frozenset({"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions",
                             "DeadLetterErrors", "IteratorAge"}),
    "AWS/SQS": frozenset({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}),
    "AWS/ApiGateway": frozenset({"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"}),
    "AWS/CloudFront": frozenset({"Requests", "BytesDownloaded", "4xxErrorRate", "5xxErrorRate", "TotalErrorRate",
                                 "CacheHitRate", "OriginLatency"}),
    "AWS/CertificateManager": frozenset({"DaysToExpiry"}),
    "AWS/DynamoDB": frozenset({"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ThrottledRequests",
                               "SuccessfulRequestLatency", "SystemErrors"}),
    "CloudWatchSynthetics": frozenset({"SuccessPercent", "Duration", "Failed"}),
}

# Exporter → its metrics, without the suffixes of histograms.
PROMETHEUS: Mapping[str, frozenset[str]] = {
    "the services' /metrics (job candlefish-*)": frozenset({
        *(name for name in ANIMATION_METRICS if not name.startswith("candlefish_events")),
        "candlefish_api_response_time_bucket", "candlefish_api_response_time_sum",
        "candlefish_api_response_time_count", "http_requests_total", "http_request_duration_seconds_bucket",
        "http_request_duration_seconds_sum", "http_request_duration_seconds_count", "process_resident_memory_bytes",
        "up"}),
    "kube-state-metrics": frozenset({
        "kube_deployment_status_replicas_available", "kube_deployment_spec_replicas",
        "kube_pod_container_status_restarts_total", "kube_pod_status_phase",
        "kube_horizontalpodautoscaler_status_current_replicas", "kube_horizontalpodautoscaler_spec_max_replicas",
        "kube_pod_container_resource_requests", "kube_node_status_allocatable", "kube_node_status_condition",
        "kube_node_info"}),
    "node-exporter": frozenset({
        "node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes",
        "node_filesystem_avail_bytes", "node_filesystem_size_bytes", "node_network_receive_bytes_total",
        "node_network_transmit_bytes_total", "node_load5"}),
    "kubelet (cAdvisor and volumes)": frozenset({
        "container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
        "kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"}),
    "cert-manager": frozenset({"certmanager_certificate_expiration_timestamp_seconds"}),
    "Prometheus": frozenset({"ALERTS", "ALERTS_FOR_STATE", "prometheus_notifications_dropped_total",
                             "prometheus_tsdb_head_series", "prometheus_rule_evaluation_failures_total"}),
    "Alertmanager": frozenset({"alertmanager_alerts", "alertmanager_notifications_total",
                               "alertmanager_notifications_failed_total"}),
}


def prometheus_names() -> frozenset[str]:
    return frozenset().union(*PROMETHEUS.values())
