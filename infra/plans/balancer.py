"""The load balancer as a whole, as the AWS Load Balancer Controller makes it: its class, settings, tags (N7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.plans.ingress import CLASS, PREFIX
from infra.settings.model import Service

GROUP = "candlefish"  # the Ingresses that share the load balancer
CONTROLLER = "ingress.k8s.aws/alb"
PARAMETERS_API = "elbv2.k8s.aws/v1beta1"
# CloudFront cuts a WebSocket after 10 minutes without data; the load balancer must not be the first.
IDLE_TIMEOUT_SECONDS = 600
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
TAG_CLUSTER = "elbv2.k8s.aws/cluster"
TAG_STACK = "ingress.k8s.aws/stack"
TAG_RESOURCE = "ingress.k8s.aws/resource"


def class_parameters(certificate_arns: Sequence[Any]) -> dict[str, Any]:
    """What every Ingress of the class has, whatever its annotations say."""
    return {"group": {"name": GROUP}, "scheme": "internet-facing", "certificateArn": list(certificate_arns)}


def ingress_class(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": CLASS, "labels": dict(labels)}, "spec": {
        "controller": CONTROLLER, "parameters": {
            "apiGroup": PARAMETERS_API.partition("/")[0], "kind": "IngressClassParams", "name": CLASS}}}


def door_annotations(*, web_acl_arn: Any, subnets: Any, tags: Mapping[str, str],
                     load_balancer_attributes: Any) -> dict[str, Any]:
    """Of the load balancer as a whole. `subnets` and `load_balancer_attributes` as strings of the controller: `a,b`
    and `k=v,k=v`."""
    return {
        f"{PREFIX}/ip-address-type": "ipv4",
        f"{PREFIX}/subnets": subnets,
        f"{PREFIX}/listen-ports": json.dumps([{"HTTP": 80}, {"HTTPS": 443}]),
        f"{PREFIX}/ssl-redirect": "443",
        f"{PREFIX}/ssl-policy": TLS_POLICY,
        f"{PREFIX}/wafv2-acl-arn": web_acl_arn,
        f"{PREFIX}/load-balancer-attributes": load_balancer_attributes,
        f"{PREFIX}/tags": string_map(tags),
    }


def attributes(access_logs_bucket: str | None, prefix: str) -> str:
    """Load balancer attributes. Deletion protection stays off: the controller must be able to take it down."""
    found = {
        "idle_timeout.timeout_seconds": str(IDLE_TIMEOUT_SECONDS),
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http2.enabled": "true",
        "deletion_protection.enabled": "false",
    }
    if access_logs_bucket:
        found |= {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": access_logs_bucket,
                  "access_logs.s3.prefix": prefix}
    return string_map(found)


def string_map(values: Mapping[str, str]) -> str:
    """The controller's `stringMap`. It knows no escape for its separators, so a value with one is an error."""
    for key, value in values.items():
        if set("=,") & set(key) or "," in value:
            raise ValueError(f"{key}={value!r} cannot be written in an annotation of the load balancer controller: "
                             "`,` separates its pairs; use another value")
    return ",".join(f"{key}={value}" for key, value in values.items())


def load_balancer_tags(cluster: str) -> dict[str, str]:
    """How the controller tags the load balancer of the group."""
    return {TAG_CLUSTER: cluster, TAG_STACK: GROUP, TAG_RESOURCE: "LoadBalancer"}


def target_group_tags(cluster: str, namespace: str, service: Service, colour: str) -> dict[str, str]:
    """How the controller tags the target group of a colour: `{namespace}/{ingress}-{service}:{port}`."""
    port = service.service_port or service.port
    return {TAG_CLUSTER: cluster, TAG_STACK: GROUP,
            TAG_RESOURCE: f"{namespace}/{service.name}-{service.name}-{colour}:{port}"}
