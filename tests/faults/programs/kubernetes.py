"""Objects of a cluster, without a node in it: nothing waits for pods."""

import json

import pulumi

from tests.faults.programs.raw import Raw, kept, step

cluster = pulumi.ProviderResource("kubernetes", "cluster", {
    "kubeconfig": json.loads(pulumi.Config("faults").require("kubeconfig"))})
NAMESPACE = "faults"
LABELS = {"app": "web"}


def add(token: str, name: str, body: dict, *after: object, namespaced: bool = True, named: bool = True,
        annotations: dict | None = None) -> Raw:
    """`named`: False leaves the name to the provider."""
    version = token.rsplit(":", 1)[0].removeprefix("core/")
    metadata = {"labels": {"step": step("first", "second")}, **({"name": name} if named else {}),
                **({"namespace": NAMESPACE} if namespaced else {}),
                **({"annotations": annotations} if annotations else {})}
    return Raw(f"kubernetes:{token}", name, {
        "apiVersion": version, "kind": token.rsplit(":", 1)[1], "metadata": metadata, **body},
        opts=pulumi.ResourceOptions(provider=cluster, depends_on=list(after)))


SKIP = {"pulumi.com/skipAwait": "true"}
space = add("core/v1:Namespace", NAMESPACE, {}, namespaced=False)
add("core/v1:LimitRange", "limits", {"spec": {"limits": [
    {"type": "Container", "default": {"cpu": step("500m", "1")}}]}}, space)
add("core/v1:ResourceQuota", "quota", {"spec": {"hard": {"pods": step("10", "20")}}}, space)
add("core/v1:ServiceAccount", "web", {"automountServiceAccountToken": step(False, True)}, space)
add("core/v1:Service", "web", {"spec": {"selector": LABELS, "ports": [{
    "name": "http", "port": step(80, 81), "targetPort": 8080, "protocol": "TCP"}]}}, space, annotations=SKIP)
add("core/v1:ConfigMap", "switch", {"data": {"READ_ONLY": step("false", "true")}}, space)
add("core/v1:PodTemplate", "web", {"template": {"metadata": {"labels": LABELS}, "spec": {"containers": [
    {"name": "web", "image": step("web:1", "web:2")}]}}}, space)
add("batch/v1:CronJob", "dump", {"spec": {
    "schedule": step("0 1 * * *", "0 2 * * *"), "suspend": True, "jobTemplate": {"spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "dump", "image": "dump:1"}]}}}}}}, space)
web = add("apps/v1:Deployment", "web", {"spec": {
    "replicas": 0, "selector": {"matchLabels": LABELS}, "template": {
        "metadata": {"labels": LABELS}, "spec": {"containers": [
            {"name": "web", "image": step("web:1", "web:2")}]}}}}, space, named=False)
add("autoscaling/v2:HorizontalPodAutoscaler", "web", {"spec": {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 1,
    "maxReplicas": step(2, 3), "metrics": [{"type": "Resource", "resource": {
        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}]}}, space)
add("policy/v1:PodDisruptionBudget", "web", {"spec": {
    "maxUnavailable": step(1, 2), "selector": {"matchLabels": LABELS}}}, space)
add("networking.k8s.io/v1:NetworkPolicy", "deny", {"spec": {
    "podSelector": {}, "policyTypes": step(["Ingress"], ["Ingress", "Egress"])}}, space)
reader = add("rbac.authorization.k8s.io/v1:Role", "reader", {"rules": [
    {"apiGroups": [""], "resources": ["pods"], "verbs": step(["get"], ["get", "list"])}]}, space)
viewer = add("rbac.authorization.k8s.io/v1:ClusterRole", "viewer", {"rules": [
    {"apiGroups": [""], "resources": ["nodes"], "verbs": step(["get"], ["get", "list"])}]}, namespaced=False)
add("rbac.authorization.k8s.io/v1:ClusterRoleBinding", "viewer", {
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "viewer"},
    "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": step("one", "two")}]}, viewer,
    namespaced=False)
if kept():
    add("rbac.authorization.k8s.io/v1:RoleBinding", "reader", {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": step("one", "two")}]}, reader)
    add("networking.k8s.io/v1:Ingress", "web", {"spec": {"rules": [{
        "host": step("one.example", "two.example"), "http": {"paths": [{
            "path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}, space, annotations=SKIP)
add("scheduling.k8s.io/v1:PriorityClass", "faults", {
    "value": 1000, "globalDefault": False, "description": step("first", "second")}, namespaced=False)
add("storage.k8s.io/v1:StorageClass", "faults", {
    "provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}, "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": step(False, True)}, namespaced=False)
add("networking.k8s.io/v1:IngressClass", "faults", {"spec": {"controller": "example.com/none"}}, namespaced=False)
balancers = Raw("kubernetes:helm.sh/v3:Release", "balancers", {
    "chart": "aws-load-balancer-controller", "version": "3.3.0", "name": "balancers", "namespace": NAMESPACE,
    "repositoryOpts": {"repo": "https://aws.github.io/eks-charts"}, "values": {"replicaCount": step(1, 2)}},
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[space]))
add("elbv2.k8s.aws/v1beta1:IngressClassParams", "faults", {"spec": {
    "scheme": step("internal", "internet-facing")}}, balancers, namespaced=False)
chart = Raw("kubernetes:helm.sh/v3:Release", "secrets", {
    "chart": "external-secrets", "version": "0.19.2", "name": "external-secrets", "namespace": NAMESPACE,
    "repositoryOpts": {"repo": "https://charts.external-secrets.io"}, "values": {"replicas": step(1, 2)}},
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[space]))
store = add("external-secrets.io/v1:ClusterSecretStore", "aws", {"spec": {"provider": {"aws": {
    "service": "SecretsManager", "region": step("us-east-1", "us-west-2")}}}}, chart, namespaced=False,
    annotations=SKIP)
if kept():
    add("external-secrets.io/v1:ExternalSecret", "web", {"spec": {
        "refreshInterval": step("1h", "2h"), "secretStoreRef": {"kind": "ClusterSecretStore", "name": "aws"},
        "target": {"name": "web"}, "dataFrom": [{"extract": {"key": "web"}}]}}, store, space, annotations=SKIP)
manager = Raw("kubernetes:helm.sh/v3:Release", "certificates", {
    "chart": "cert-manager", "version": "1.19.2", "name": "cert-manager", "namespace": NAMESPACE,
    "repositoryOpts": {"repo": "https://charts.jetstack.io"}, "values": {}},
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[space]))
issuer = add("cert-manager.io/v1:ClusterIssuer", "faults", {"spec": step(
    {"selfSigned": {}}, {"ca": {"secretName": "root"}})}, manager, namespaced=False)
monitoring = Raw("kubernetes:helm.sh/v3:Release", "monitoring", {
    "chart": "kube-prometheus-stack", "version": "82.4.0", "name": "monitoring", "namespace": NAMESPACE,
    "repositoryOpts": {"repo": "https://prometheus-community.github.io/helm-charts"}, "values": {}},
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[space]))
add("monitoring.coreos.com/v1:PrometheusRule", "faults", {"spec": {"groups": [{
    "name": "faults", "rules": [{"alert": "Down", "expr": step("up == 0", "up < 1"), "for": "5m"}]}]}}, monitoring)
if kept():
    add("cert-manager.io/v1:Certificate", "web", {"spec": {
        "secretName": "web", "dnsNames": [step("one.example", "two.example")],
        "issuerRef": {"kind": "ClusterIssuer", "name": "faults"}}}, issuer, space)
