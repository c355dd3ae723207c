"""All of the edge that does not need the load balancer to exist."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans.edge import Hosts
from infra.settings import model


@dataclass(frozen=True)
class EdgeArgs:
    """Values of the edge.

    web_acl_name: `candlefish-aesthetic-defense-{environment}`; the regional one gets `-regional` behind it.
    site_buckets: colour (`blue`, `green`) → regional domain name of the bucket (`bucket_regional_domain_name`).
    assets_bucket: regional domain name of the assets bucket.
    logs_bucket: domain name (`{bucket}.s3.amazonaws.com`) of a bucket with ownership BucketOwnerPreferred: CloudFront's
        standard logs are delivered by ACL.
    key_arn, global_key_arn: keys for log groups in the stack's region and in us-east-1; their policies must let
        `logs.{region}.amazonaws.com` use them.
    aws_global: provider in us-east-1, where CloudFront's certificate and web ACL must live (E2).
    """

    domain: model.Domain
    edge: model.Edge
    web_acl_name: str
    site_buckets: dict[str, pulumi.Input[str]]
    assets_bucket: pulumi.Input[str]
    logs_bucket: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    global_key_arn: pulumi.Input[str]
    aws_global: aws.Provider
    log_retention_days: int = 365


class Edge(Component):
    """Zone, certificates, both web ACLs, security headers and the CloudFront distribution.

    The distribution reaches the load balancer as `origin.{apex}`: `Records` points that name at it later, so nothing
    here waits for the cluster.
    """

    module = "edge"

    hosts: Hosts
    zone_id: pulumi.Output[str]
    certificate_arn: pulumi.Output[str]  # CloudFront's, in us-east-1, validated
    regional_certificate_arn: pulumi.Output[str]  # the load balancer's, validated
    web_acl_arn: pulumi.Output[str]  # scope CLOUDFRONT
    regional_web_acl_arn: pulumi.Output[str]  # scope REGIONAL, for the load balancer and the API
    distribution_id: pulumi.Output[str]
    distribution_domain: pulumi.Output[str]  # d….cloudfront.net
    distribution_arn: pulumi.Output[str]
    distribution_zone_id: pulumi.Output[str]  # CloudFront's own hosted zone, for aliases
    site_url: pulumi.Output[str]
    api_url: pulumi.Output[str]

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        raise NotImplementedError
