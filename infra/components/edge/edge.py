"""Names, certificates and firewalls: all of the edge that nothing else of the stack is needed for."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.components.base import Component
from infra.components.edge.certificate import Certificates, CertificatesArgs
from infra.components.edge.web_acl import WebAcl, WebAclArgs
from infra.components.edge.zone import Zone, ZoneArgs
from infra.plans import firewall
from infra.plans.hosts import Hosts, also, hosts
from infra.settings import model


@dataclass(frozen=True)
class EdgeArgs:
    """Values of the edge.

    web_acl_name: `candlefish-aesthetic-defense-{environment}`; the regional one gets `-regional` behind it.
    key_arn, global_key_arn: keys for log groups in the stack's region and in us-east-1; their policies must let
        `logs.{region}.amazonaws.com` use them.
    aws_global: provider in us-east-1, where CloudFront's certificate and web ACL must live (E2).
    """

    domain: model.Domain
    edge: model.Edge
    web_acl_name: str
    key_arn: pulumi.Input[str]
    global_key_arn: pulumi.Input[str]
    aws_global: aws.Provider
    log_retention_days: int = 365


class Edge(Component):
    """Zone, certificates, and both web ACLs with what they agree on: CloudFront's secret, the operators' ranges."""

    module = "edge"

    hosts: Hosts
    also: Hosts | None  # of the stack that this one can stand in for
    zone_id: pulumi.Output[str]
    ds_record: pulumi.Output[str | None]  # for the registrar; None: the zone is not ours
    certificate_arn: pulumi.Output[str]  # CloudFront's, in us-east-1, validated
    regional_certificate_arn: pulumi.Output[str]  # the load balancer's and the APIs', validated
    front_door_certificate_arns: list[pulumi.Output[str]]  # all of the load balancer
    web_acl_arn: pulumi.Output[str]  # scope CLOUDFRONT
    regional_web_acl_arn: pulumi.Output[str]  # scope REGIONAL, for the load balancer and the REST API
    log_group_names: pulumi.Output[dict[str, str]]  # "cloudfront", "regional"
    origin_secret: pulumi.Output[str]  # what the regional web ACL expects in `x-origin-verify`

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.hosts, self.also = hosts(args.domain), also(args.domain)
        zone = Zone(f"{name}-zone", ZoneArgs(
            domain=args.domain, aws_global=args.aws_global, log_key_arn=args.global_key_arn,
            log_retention_days=args.log_retention_days), opts=self.child())
        certificates = Certificates(f"{name}-certificates", CertificatesArgs(
            hosts=self.hosts, zone_id=zone.zone_id, aws_global=args.aws_global, also=self.also),
            opts=self.child())
        # Letters and digits only: it travels as a header and is compared byte by byte.
        password = random.RandomPassword(f"{name}-origin-secret", length=40, special=False, opts=self.child())
        self.origin_secret = password.result.apply(pulumi.Output.secret)
        operators = aws.wafv2.IpSet(
            f"{name}-operators", scope=firewall.Scope.CLOUDFRONT.value, ip_address_version="IPV4",
            description="Where operators come from", addresses=[str(cidr) for cidr in args.edge.operator_cidrs],
            opts=self.child(provider=args.aws_global))
        cloudfront = WebAcl(f"{name}-cloudfront", WebAclArgs(
            name=args.web_acl_name, scope=firewall.Scope.CLOUDFRONT,
            rules=firewall.cloudfront_rules(args.edge, operators.arn), log_key_arn=args.global_key_arn,
            log_retention_days=args.log_retention_days, provider=args.aws_global), opts=self.child())
        regional = WebAcl(f"{name}-regional", WebAclArgs(
            name=f"{args.web_acl_name}-regional", scope=firewall.Scope.REGIONAL,
            rules=firewall.regional_rules(args.edge, self.hosts, self.origin_secret, self.also),
            log_key_arn=args.key_arn, log_retention_days=args.log_retention_days), opts=self.child())

        self.zone_id = zone.zone_id
        self.ds_record = zone.ds_record
        self.certificate_arn = certificates.certificate_arn
        self.regional_certificate_arn = certificates.regional_certificate_arn
        self.front_door_certificate_arns = certificates.front_door_arns
        self.web_acl_arn = cloudfront.arn
        self.regional_web_acl_arn = regional.arn
        self.log_group_names = pulumi.Output.all(cloudfront=cloudfront.log_group_name,
                                                 regional=regional.log_group_name)
        self.register_outputs({
            "zoneId": self.zone_id, "certificateArn": self.certificate_arn,
            "regionalCertificateArn": self.regional_certificate_arn, "webAclArn": self.web_acl_arn,
            "regionalWebAclArn": self.regional_web_acl_arn, "logGroupNames": self.log_group_names})
