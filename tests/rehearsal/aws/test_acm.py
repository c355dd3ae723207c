"""ACM through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import Inputs, lives, made, refused

pytestmark = pytest.mark.rehearsal

CERTIFICATE = "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
REQUEST: Inputs = {"domainName": "candlefish.ai", "validationMethod": "DNS",
                   "subjectAlternativeNames": ["www.candlefish.ai", "candlefish.ai"]}


def test_a_certificate_waits_for_its_validation(aws: Any) -> None:
    outputs = lives(aws, CERTIFICATE, REQUEST,
                    {"options": {"certificateTransparencyLoggingPreference": "DISABLED"}})
    assert outputs["status"] == "PENDING_VALIDATION"
    assert [each["domainName"] for each in outputs["domainValidationOptions"]] == ["candlefish.ai", "www.candlefish.ai"]


@pytest.mark.parametrize("wrong", [{"domainName": "bad domain"}, {"subjectAlternativeNames": ["a.*.b"]}])
def test_a_bad_domain_is_refused(aws: Any, wrong: Inputs) -> None:
    refused(aws, CERTIFICATE, {**REQUEST, **wrong}, "not a domain name")


def test_a_certificate_is_issued_only_with_its_records(aws: Any) -> None:
    zone, _ = made(aws, "aws:route53/zone:Zone", {"name": "candlefish.ai"})
    arn, outputs = made(aws, CERTIFICATE, REQUEST)
    options = outputs["domainValidationOptions"]
    inputs = {"certificateArn": arn, "validationRecordFqdns": [each["resourceRecordName"] for each in options]}
    refused(aws, VALIDATION, inputs, "PENDING_VALIDATION")
    refused(aws, VALIDATION, {**inputs, "certificateArn": arn[:-4] + "0000"}, "does not exist")
    refused(aws, VALIDATION, {**inputs, "validationRecordFqdns": inputs["validationRecordFqdns"][:1]}, "not in")
    for each in options:
        made(aws, "aws:route53/record:Record", {
            "zoneId": zone, "name": each["resourceRecordName"], "type": each["resourceRecordType"], "ttl": 60,
            "records": [each["resourceRecordValue"]]})
    lives(aws, VALIDATION, inputs, stays=True)
    found = aws.provider.read(aws.context(CERTIFICATE), arn, REQUEST, outputs)
    assert found.outputs["status"] == "ISSUED"
    token = "aws:acm/getCertificate:getCertificate"
    assert aws.provider.invoke(aws.context(""), token, {"domain": "candlefish.ai"})["arn"] == arn
