"""All of the edge that does not need the load balancer to exist."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.components.base import Component
from infra.components.edge.certificate import Certificates, CertificatesArgs
from infra.components.edge.dns import Zone, ZoneArgs
from infra.components.edge.headers import SecurityHeaders, SecurityHeadersArgs
from infra.components.edge.site import Site, SiteArgs
from infra.components.edge.web_acl import WebAcl, WebAclArgs
from infra.plans.edge import Hosts, Scope, hosts
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
        self.hosts = hosts(args.domain)
        zone = Zone(f"{name}-zone", ZoneArgs(
            domain=args.domain, aws_global=args.aws_global, log_key_arn=args.global_key_arn,
            log_retention_days=args.log_retention_days), opts=self.child())
        certificates = Certificates(f"{name}-certificates", CertificatesArgs(
            hosts=self.hosts, zone_id=zone.zone_id, aws_global=args.aws_global), opts=self.child())
        # Letters and digits only: it travels as a header and is compared byte by byte.
        password = random.RandomPassword(f"{name}-origin-secret", length=40, special=False, opts=self.child())
        secret: pulumi.Output[str] = password.result.apply(pulumi.Output.secret)
        firewall = WebAcl(f"{name}-cloudfront", WebAclArgs(
            name=args.web_acl_name, scope=Scope.CLOUDFRONT, settings=args.edge, hosts=self.hosts,
            log_key_arn=args.global_key_arn, log_retention_days=args.log_retention_days,
            provider=args.aws_global), opts=self.child())
        regional = WebAcl(f"{name}-regional", WebAclArgs(
            name=f"{args.web_acl_name}-regional", scope=Scope.REGIONAL, settings=args.edge, hosts=self.hosts,
            log_key_arn=args.key_arn, log_retention_days=args.log_retention_days,
            origin_secret=secret), opts=self.child())
        headers = SecurityHeaders(f"{name}-headers", SecurityHeadersArgs(
            hosts=self.hosts, csp_report_uri=args.edge.csp_report_uri), opts=self.child())
        site = Site(f"{name}-site", SiteArgs(
            hosts=self.hosts, site_buckets=args.site_buckets, assets_bucket=args.assets_bucket,
            logs_bucket=args.logs_bucket, price_class=args.edge.price_class,
            certificate_arn=certificates.certificate_arn, web_acl_arn=firewall.arn,
            headers_policy_id=headers.policy_id, origin_secret=secret), opts=self.child())

        self.zone_id = zone.zone_id
        self.certificate_arn = certificates.certificate_arn
        self.regional_certificate_arn = certificates.regional_certificate_arn
        self.web_acl_arn = firewall.arn
        self.regional_web_acl_arn = regional.arn
        self.distribution_id = site.distribution_id
        self.distribution_domain = site.distribution_domain
        self.distribution_arn = site.distribution_arn
        self.distribution_zone_id = site.distribution_zone_id
        self.site_url = pulumi.Output.from_input(f"https://{self.hosts.apex}")
        self.api_url = pulumi.Output.from_input(f"https://{self.hosts.api}")
        self.register_outputs({
            "zoneId": self.zone_id, "certificateArn": self.certificate_arn,
            "regionalCertificateArn": self.regional_certificate_arn, "webAclArn": self.web_acl_arn,
            "regionalWebAclArn": self.regional_web_acl_arn, "distributionId": self.distribution_id,
            "distributionDomain": self.distribution_domain, "distributionArn": self.distribution_arn,
            "siteUrl": self.site_url, "apiUrl": self.api_url})
