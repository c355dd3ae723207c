"""Route 53, certificates, image repositories."""

from __future__ import annotations

from policy.model import control, has, listed, says

ZONE = "aws:route53/zone:Zone"
CERTIFICATE = "aws:acm/certificate:Certificate"
REPOSITORY = "aws:ecr/repository:Repository"

CONTROLS = (
    control("CKV2_AWS_38", "a public zone is signed", ZONE,
            lambda zone, world: zone.at("vpcs") or has(
                "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec", "hostedZoneId")(zone, world),
            "add an aws.route53.KeySigningKey and HostedZoneDnsSec"),
    control("CKV2_AWS_39 Route53.2", "a public zone's queries are logged", ZONE,
            lambda zone, world: zone.at("vpcs") or has("aws:route53/queryLog:QueryLog", "zoneId")(zone, world),
            "add an aws.route53.QueryLog"),
    control("CKV_AWS_233", "a certificate is replaced before it is deleted", CERTIFICATE,
            lambda certificate: not certificate.delete_before_replace, "leave delete_before_replace out"),
    control("CKV2_AWS_71", "no wildcard certificate", CERTIFICATE,
            lambda certificate: not any("*" in str(name) for name in (
                certificate.at("domainName"), *listed(certificate.at("subjectAlternativeNames")))),
            "name each host"),
    control("CKV_AWS_51", "tags are immutable", REPOSITORY,
            lambda repository: str(repository.at("imageTagMutability")).startswith("IMMUTABLE"),
            "set image_tag_mutability='IMMUTABLE'"),
    control("CKV_AWS_163", "scanned when pushed", REPOSITORY, says("imageScanningConfiguration.scanOnPush"),
            "set image_scanning_configuration.scan_on_push=True"),
    control("CKV_AWS_136", "images under a key of our own", REPOSITORY,
            lambda repository: any(each.get("encryptionType") == "KMS"
                                          for each in listed(repository.at("encryptionConfigurations"))),
            "set encryption_type='KMS'"),
)
