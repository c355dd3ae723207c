"""Prometheus, Alertmanager and Grafana: the values of kube-prometheus-stack, and what fences their namespace in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.plans.guards import MONITORING_NAMESPACE, OWNER, PRIVATE_RANGES
from infra.plans.kubernetes import PORT_NAME, Manifest, metadata
from infra.settings.platform import Monitoring

NAMESPACE = MONITORING_NAMESPACE
GRAFANA_SECRET = "grafana-admin"  # keys `username` and `password`
ALERTMANAGER_SECRET = "alertmanager-candlefish"  # key `alertmanager.yaml`; while it is missing, alerts go nowhere
GRAFANA_PORT = 3000
SERVICE_JOBS = "candlefish-"  # what the services' jobs begin with
ALERTMANAGER_GIB, GRAFANA_GIB = 2, 5  # of each replica; Prometheus' own is a setting
NODE_EXPORTER = "prometheus-node-exporter"  # the EKS add-on's name, namespace and label
_RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def values(settings: Monitoring, namespace: str, storage_class: str, replicas: int) -> Mapping[str, Any]:
    """`namespace`: of the services. Rules and monitors of every namespace count, whoever made them."""
    anybodys = {f"{kind}SelectorNilUsesHelmValues": False
                for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")}
    return {
        # EKS runs these itself and lets nobody scrape them; kube-proxy listens on the node's loopback only.
        **{part: {"enabled": False} for part in ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")},
        "nodeExporter": {"enabled": False, "forceDeployDashboards": True},
        "prometheusOperator": {"resources": _sizes(50, 128, 256)},
        "kube-state-metrics": {"resources": _sizes(25, 96, 192)},
        "prometheus": {
            "prometheusSpec": {
                **anybodys, "replicas": 1, "retention": f"{settings.retention_days}d",
                "retentionSize": f"{settings.storage_gib * 9 * 1024 // 10}MiB", "scrapeInterval": "30s",
                "resources": _sizes(250, 1024, 2048),
                "storageSpec": {"volumeClaimTemplate": {"spec": _claim(storage_class, settings.storage_gib)}}},
            "additionalPodMonitors": [_services(namespace)],
            "additionalServiceMonitors": [_nodes()]},
        "alertmanager": {"alertmanagerSpec": {
            "replicas": replicas, "useExistingSecret": True, "configSecret": ALERTMANAGER_SECRET,
            "resources": _sizes(25, 64, 128),
            "storage": {"volumeClaimTemplate": {"spec": _claim(storage_class, ALERTMANAGER_GIB)}}}},
        "grafana": {
            "fullnameOverride": "grafana", "service": {"port": GRAFANA_PORT},
            "admin": {"existingSecret": GRAFANA_SECRET, "userKey": "username", "passwordKey": "password"},
            "persistence": {"enabled": True, "type": "pvc", "storageClassName": storage_class,
                            "size": f"{GRAFANA_GIB}Gi"},
            "initChownData": {"enabled": False},  # it runs as root; the volume belongs to `fsGroup` anyway
            "deploymentStrategy": {"type": "Recreate"},  # one pod may have the volume
            "sidecar": {"dashboards": {"enabled": True, "label": "grafana_dashboard", "labelValue": "1",
                                       "folderAnnotation": "grafana_folder",
                                       "provider": {"foldersFromFilesStructure": True}}},
            "grafana.ini": {"users": {"allow_sign_up": False}, "auth.anonymous": {"enabled": False},
                            "analytics": {"check_for_updates": False, "reporting_enabled": False}},
            "containerSecurityContext": _RESTRICTED, "resources": _sizes(100, 256, 512),
            # It unpacks plugins there when it starts, and dies where it can't.
            "extraEmptyDirMounts": [{"name": "tmp", "mountPath": "/tmp"}]},
    }


def _services(namespace: str) -> Manifest:
    """Jobs `candlefish-{service}` (F1), a pod each, with its colour; the website's metrics are below /api."""
    label = "__meta_kubernetes_pod_label_"
    return {
        "name": "candlefish-services", "namespaceSelector": {"matchNames": [namespace]},
        "selector": {"matchLabels": OWNER, "matchExpressions": [
            {"key": "app.kubernetes.io/name", "operator": "Exists"}]},
        "podMetricsEndpoints": [{"port": PORT_NAME, "path": "/metrics", "relabelings": [
            {"sourceLabels": [f"{label}app_kubernetes_io_name"], "targetLabel": "job",
             "replacement": f"{SERVICE_JOBS}$1"},
            {"sourceLabels": [f"{label}app_kubernetes_io_name"], "targetLabel": "service"},
            {"sourceLabels": [f"{label}color"], "targetLabel": "color"},
            {"sourceLabels": [f"{label}app_kubernetes_io_name"], "regex": "website",
             "targetLabel": "__metrics_path__", "replacement": "/api/metrics"}]}],
    }


def _nodes() -> Manifest:
    """The job that the chart's rules and dashboards know."""
    return {
        "name": "node-exporter", "namespaceSelector": {"matchNames": [NODE_EXPORTER]},
        "selector": {"matchLabels": {"app.kubernetes.io/name": NODE_EXPORTER}},
        "endpoints": [{"port": "metrics", "relabelings": [
            {"targetLabel": "job", "replacement": "node-exporter"},
            {"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "nodename"}]}],
    }


def _sizes(cpu_millis: int, memory_mib: int, limit_mib: int) -> Manifest:
    """No CPU limit: a throttled Prometheus loses scrapes when they matter most."""
    return {"requests": {"cpu": f"{cpu_millis}m", "memory": f"{memory_mib}Mi"}, "limits": {"memory": f"{limit_mib}Mi"}}


def _claim(storage_class: str, gib: int) -> Manifest:
    return {"storageClassName": storage_class, "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": f"{gib}Gi"}}}


def grafana_secret(store: str, secret: Any) -> Manifest:
    """The ExternalSecret of Grafana's administrator. `secret`: name or ARN in Secrets Manager."""
    return {"metadata": metadata(GRAFANA_SECRET, NAMESPACE, OWNER), "spec": {
        "refreshInterval": "1h", "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
        "target": {"name": GRAFANA_SECRET, "creationPolicy": "Owner"},
        "data": [{"secretKey": key, "remoteRef": {"key": secret, "property": key}} for key in ("username", "password")],
    }}


def quota() -> Manifest:
    """What the charts here need, a second time for their updates, and no door to the outside."""
    return {"metadata": metadata("monitoring", NAMESPACE, OWNER), "spec": {"hard": {
        "pods": "40", "persistentvolumeclaims": "10", "services.loadbalancers": "0", "services.nodeports": "0"}}}


def network_policies(namespace: str, door_cidrs: Sequence[str], vpc_cidr: str,
                     service_cidr: str) -> dict[str, Manifest]:
    """Nothing in, but the pods here among themselves, traces of the services, people through the load balancer, and the
    API server's calls of the operator's webhook; out to the VPC (scraping), the API server, and AWS or the receivers
    of alerts by HTTPS.

    `door_cidrs`: of the load balancers. The API server comes from its interfaces in the VPC's private subnets.
    """
    def policy(name: str, spec: Manifest) -> Manifest:
        return {"metadata": metadata(name, NAMESPACE, OWNER), "spec": spec}

    def ingress(pods: Manifest, sources: list[Manifest], *ports: int) -> Manifest:
        return {"podSelector": pods, "policyTypes": ["Ingress"],
                "ingress": [{"from": sources, "ports": [{"protocol": "TCP", "port": port} for port in ports]}]}

    def named(name: str) -> Manifest:
        return {"matchLabels": {"app.kubernetes.io/name": name}}

    doors = [{"ipBlock": {"cidr": cidr}} for cidr in door_cidrs]
    services = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]
    return {
        "default-deny": policy("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
        "paths": policy("paths", {
            "podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}]}],
            "egress": [{"to": [{"ipBlock": {"cidr": vpc_cidr}}, {"ipBlock": {"cidr": service_cidr}}]},
                       {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": list(PRIVATE_RANGES)}}],
                        "ports": [{"protocol": "TCP", "port": 443}]}]}),
        "grafana": policy("grafana", ingress(named("grafana"), doors, GRAFANA_PORT)),
        "prometheus": policy("prometheus", ingress(named("prometheus"), doors, 9090)),
        "traces": policy("traces", ingress(named("jaeger"), services, 4317, 4318)),
        "webhook": policy("webhook", ingress({}, [{"ipBlock": {"cidr": vpc_cidr}}], 10250)),
    }
