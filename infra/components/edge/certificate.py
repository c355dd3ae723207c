"""Certificates that ACM issues and renews on its own, by records in our zone (N2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans.hosts import Hosts


@dataclass(frozen=True)
class CertificatesArgs:
    """aws_global: provider in us-east-1, where CloudFront's certificate must live.
    also: names of the stack that this one can stand in for."""

    hosts: Hosts
    zone_id: pulumi.Input[str]
    aws_global: aws.Provider
    also: Hosts | None = None


class Certificates(Component):
    """CloudFront's certificate, and that of the load balancer and the APIs: no wildcard (CKV2_AWS_71).

    Names of another stack that this one stands in for are on CloudFront's too, and on one of their own for the load
    balancer: ACM's quota is ten names a certificate.

    ACM asks for the same record for a name in all regions of an account, so each name has one record for both.
    """

    module = "edge"

    certificate_arn: pulumi.Output[str]  # CloudFront's; known only once it is issued
    regional_certificate_arn: pulumi.Output[str]
    front_door_arns: list[pulumi.Output[str]]  # of the load balancer, the regional one first

    def __init__(self, name: str, args: CertificatesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        hosts, also = args.hosts, args.also
        edge_names = (*hosts.site, *hosts.static, *((*also.site, *also.static) if also else ()))
        roles = {host: role for role, host in hosts.by_role.items()}
        roles |= {host: f"also-{role}" for role, host in also.by_role.items()} if also else {}
        own = set(hosts.by_role)
        wanted: dict[str, tuple[tuple[str, ...], aws.Provider | None]] = {
            "regional": (hosts.regional, None), "cloudfront": (edge_names, args.aws_global)}
        if also:
            wanted["also"] = (also.moving, None)
        made = {key: self._certificate(f"{name}-{key}", *of) for key, of in wanted.items()}
        records: dict[str, aws.route53.Record] = {}
        for key, (domains, _) in wanted.items():
            records |= {host: self._record(f"{name}-{roles[host]}", host, made[key], args.zone_id, roles[host] in own)
                        for host in domains if host not in records}
        issued = {key: self._validated(f"{name}-{key}", made[key], [records[host] for host in domains], provider)
                  for key, (domains, provider) in wanted.items()}
        self.regional_certificate_arn, self.certificate_arn = issued["regional"], issued["cloudfront"]
        self.front_door_arns = [issued[key] for key in ("regional", "also") if key in issued]
        self.register_outputs({"certificateArn": self.certificate_arn,
                               "regionalCertificateArn": self.regional_certificate_arn})

    def _certificate(self, name: str, domains: Sequence[str], provider: aws.Provider | None) -> aws.acm.Certificate:
        # Pulumi creates the new one before it deletes the old (CKV_AWS_233); in use it could not be deleted anyway.
        return aws.acm.Certificate(
            # ACM counts the name itself among the alternative ones and answers with a sorted list.
            f"{name}-certificate", domain_name=domains[0], subject_alternative_names=sorted(domains),
            validation_method="DNS", key_algorithm="RSA_2048",
            options={"certificate_transparency_logging_preference": "ENABLED"}, opts=self._with(provider))

    def _record(self, name: str, domain: str, certificate: aws.acm.Certificate,
                zone_id: pulumi.Input[str], own: bool) -> aws.route53.Record:
        """own: False for a name of another stack, whose renewals need the record when this stack is gone."""
        def asked(field: str) -> pulumi.Output[str]:
            return certificate.domain_validation_options.apply(lambda options: _option(options, domain, field))

        # allow_overwrite: another stack of this account may serve the same name and have made the same record.
        return aws.route53.Record(
            f"{name}-validation", zone_id=zone_id, name=asked("resource_record_name"),
            type=asked("resource_record_type"), records=[asked("resource_record_value")], ttl=300,
            allow_overwrite=True, opts=self.child(retain_on_delete=not own))

    def _validated(self, name: str, certificate: aws.acm.Certificate, records: Sequence[aws.route53.Record],
                   provider: aws.Provider | None) -> pulumi.Output[str]:
        validation = aws.acm.CertificateValidation(
            f"{name}-validation", certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records], opts=self._with(provider))
        return validation.certificate_arn

    def _with(self, provider: aws.Provider | None) -> pulumi.ResourceOptions:
        return self.child(provider=provider) if provider else self.child()


def _option(options: Sequence[Any], domain: str, field: str) -> str:
    """The field of the domain's validation option; ACM gives one for each name of the certificate."""
    for option in options:
        if option.domain_name == domain:
            return str(getattr(option, field))
    raise ValueError(f"ACM gave no validation record for {domain}, only for "
                     f"{', '.join(str(option.domain_name) for option in options) or 'none'}")
