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
    """aws_global: provider in us-east-1, where CloudFront's certificate must live."""

    hosts: Hosts
    zone_id: pulumi.Input[str]
    aws_global: aws.Provider


class Certificates(Component):
    """CloudFront's certificate, and that of the load balancer and the WebSocket API: no wildcard (CKV2_AWS_71).

    ACM asks for the same record for a name in all regions of an account, so each name has one record for both.
    """

    module = "edge"

    certificate_arn: pulumi.Output[str]  # CloudFront's; known only once it is issued
    regional_certificate_arn: pulumi.Output[str]

    def __init__(self, name: str, args: CertificatesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        hosts = args.hosts
        edge_names = (*hosts.site, *hosts.static)
        regional = self._certificate(f"{name}-regional", hosts.regional, None)
        edge = self._certificate(f"{name}-cloudfront", edge_names, args.aws_global)
        roles = {host: role for role, host in hosts.by_role.items()}
        records = {host: self._record(f"{name}-{roles[host]}", host, certificate, args.zone_id)
                   for certificate, names in ((regional, hosts.regional), (edge, hosts.static)) for host in names}
        self.regional_certificate_arn = self._validated(
            f"{name}-regional", regional, [records[host] for host in hosts.regional], None)
        self.certificate_arn = self._validated(
            f"{name}-cloudfront", edge, [records[host] for host in edge_names], args.aws_global)
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
                zone_id: pulumi.Input[str]) -> aws.route53.Record:
        def asked(field: str) -> pulumi.Output[str]:
            return certificate.domain_validation_options.apply(lambda options: _option(options, domain, field))

        # allow_overwrite: another stack of this account may serve the same name and have made the same record.
        return aws.route53.Record(
            f"{name}-validation", zone_id=zone_id, name=asked("resource_record_name"),
            type=asked("resource_record_type"), records=[asked("resource_record_value")], ttl=300,
            allow_overwrite=True, opts=self.child())

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
