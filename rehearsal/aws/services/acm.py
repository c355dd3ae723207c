"""ACM certificates, by moto.

moto never issues one by itself: `CertificateValidation` looks for the validation records in the emulated Route 53, as
ACM does, and what it finds is kept as the certificate's status.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, data_source, resource
from rehearsal.aws.services._convert import found, given_back, iso, pairs, present, refused, retag, tag_map, unless
from rehearsal.aws.services.route53 import records
from rehearsal.engine.values import Properties

_GONE = "ResourceNotFoundException"
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_ISSUED = "aws:acm/certificateValidation:CertificateValidation"


def describe(call: Call, arn: str) -> dict[str, Any] | None:
    answer = found(lambda: call.client("acm").describe_certificate(CertificateArn=arn), _GONE)
    return dict(answer["Certificate"]) if answer else None


def certificate(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        region = value.split(":")[3]
        return found(lambda: call.client("acm", region).describe_certificate(CertificateArn=value), _GONE) is not None
    return Reference(property, value, exists)


@resource
class Certificate(Handler):
    type = "aws:acm/certificate:Certificate"
    kept = ("privateKeyWo", "privateKeyWoVersion", "earlyRenewalDuration", "validationOptions",
            "certificateAuthorityArn", "options")
    _unshown = ("certificateBody", "certificateChain", "privateKey")

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("acm")
        if inputs.get("certificateBody"):
            answer = client.import_certificate(
                Certificate=inputs["certificateBody"].encode(), PrivateKey=inputs["privateKey"].encode(),
                Tags=call.tag_list,
                **({"CertificateChain": inputs["certificateChain"].encode()} if inputs.get("certificateChain") else {}))
            return str(answer["CertificateArn"])
        if not inputs.get("domainName"):
            raise refused("ValidationException", "give domainName, or certificateBody and privateKey",
                          "RequestCertificate")
        for name in (inputs["domainName"], *(inputs.get("subjectAlternativeNames") or ())):
            if not _DOMAIN.fullmatch(name):
                raise refused("ValidationException", f"{name!r} is not a domain name: lower-case labels with dots, a "
                              "wildcard only as the first label", "RequestCertificate")
        options = inputs.get("options") or {}
        names = [each for each in inputs.get("subjectAlternativeNames") or () if each != inputs["domainName"]]
        token = hashlib.sha256(call.context.operation.encode()).hexdigest()[:32]
        answer = client.request_certificate(
            DomainName=inputs["domainName"], IdempotencyToken=token, **present(
                ValidationMethod=inputs.get("validationMethod"), SubjectAlternativeNames=names or None,
                KeyAlgorithm=inputs.get("keyAlgorithm"), Tags=call.tag_list or None,
                CertificateAuthorityArn=inputs.get("certificateAuthorityArn"),
                Options=present(CertificateTransparencyLoggingPreference=options.get(
                    "certificateTransparencyLoggingPreference")) or None))
        return str(answer["CertificateArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = describe(call, id)
        if got is None:
            return None
        domain = got["DomainName"]
        names = sorted({domain, *(got.get("SubjectAlternativeNames") or ())})
        imported = got.get("Type") == "IMPORTED"
        issued = imported or call.kept.get(call.account, call.region, _ISSUED, id) is not None
        method = known.get("validationMethod") or ("NONE" if imported else "DNS")
        return {
            **given_back(known, self._unshown), "arn": id, "domainName": domain, "subjectAlternativeNames": names,
            "status": "ISSUED" if issued else "PENDING_VALIDATION", "type": got.get("Type", "AMAZON_ISSUED"),
            "validationMethod": method, "keyAlgorithm": known.get("keyAlgorithm") or "RSA_2048",
            "domainValidationOptions": [validation(call, id, name) for name in _distinct([domain, *names])]
            if method == "DNS" else [],
            "validationEmails": [], "pendingRenewal": False, "renewalSummaries": [],
            "renewalEligibility": got.get("RenewalEligibility", "INELIGIBLE"),
            "notBefore": iso(got.get("NotBefore")) or "", "notAfter": iso(got.get("NotAfter")) or "",
            "tags": tag_map(call.client("acm").list_tags_for_certificate(CertificateArn=id)["Tags"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("acm")
        if changed & {"certificateBody", "certificateChain", "privateKey"} and new.get("certificateBody"):
            client.import_certificate(
                CertificateArn=id, Certificate=new["certificateBody"].encode(), PrivateKey=new["privateKey"].encode(),
                **({"CertificateChain": new["certificateChain"].encode()} if new.get("certificateChain") else {}))
        if "tags" in changed:
            now = tag_map(client.list_tags_for_certificate(CertificateArn=id)["Tags"])
            retag(call, now, lambda tags: client.add_tags_to_certificate(CertificateArn=id, Tags=pairs(tags)),
                  lambda keys: client.remove_tags_from_certificate(
                      CertificateArn=id, Tags=[{"Key": key, "Value": now[key]} for key in keys]))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(_GONE):
            call.client("acm").delete_certificate(CertificateArn=id)
        call.kept.delete(call.account, call.region, _ISSUED, id)


def _distinct(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def validation(call: Call, arn: str, name: str) -> Properties:
    """The CNAME that proves control of a domain. A wildcard shares its parent's, and the record is the same for every
    certificate of the account, as ACM's are."""
    domain = name.removeprefix("*.")
    host = hashlib.md5(f"{call.account}:{domain}".encode(), usedforsecurity=False).hexdigest()
    value = hashlib.md5(f"{call.account}:{domain}:value".encode(), usedforsecurity=False).hexdigest()
    return {"domainName": name, "resourceRecordName": f"_{host}.{domain}.", "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{value}.acm-validations.aws."}


@resource
class CertificateValidation(Handler):
    """Waits for the certificate: here, fails at once when a record is not in a public zone of the account."""

    type = _ISSUED
    tags_property = None
    kept = ("validationRecordFqdns",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield certificate("certificateArn", inputs["certificateArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        arn = inputs["certificateArn"]
        got = Certificate().read(call, arn, {})
        options = got["domainValidationOptions"] if got else []
        expected = {each["resourceRecordName"].rstrip(".") for each in options}
        named = {each.rstrip(".") for each in inputs.get("validationRecordFqdns") or ()}
        if named and named < expected:
            raise refused("ValidationException", f"the certificate needs validation records that are not in "
                          f"validationRecordFqdns: {', '.join(sorted(expected - named))}", "DescribeCertificate")
        absent = [each["resourceRecordName"] for each in options if not _published(call, each)]
        if absent:
            raise refused("RequestTimedOut", f"the certificate {arn} stays PENDING_VALIDATION: Route 53 has no record "
                          f"{', '.join(sorted(set(absent)))}", "DescribeCertificate")
        call.kept.put(call.account, call.region, _ISSUED, arn, {"certificateArn": arn})
        return str(arn)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        issued = call.kept.get(call.account, call.region, _ISSUED, id)
        return {"certificateArn": id} if issued is not None and describe(call, id) is not None else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Every property replaces."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """Nothing: a certificate stays issued without it, as in AWS."""


def _published(call: Call, option: Properties) -> bool:
    """Whether a public zone of the account answers for the record."""
    wanted = option["resourceRecordName"].rstrip(".")
    client = call.client("route53", "us-east-1")
    for page in client.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            if zone["Config"].get("PrivateZone") or not f".{wanted}".endswith("." + zone["Name"].rstrip(".")):
                continue
            for each in records(call, zone["Id"]):
                values = [record["Value"].rstrip(".") for record in each.get("ResourceRecords") or ()]
                if each["Name"].rstrip(".") == wanted and option["resourceRecordValue"].rstrip(".") in values:
                    return True
    return False


@data_source("aws:acm/getCertificate:getCertificate")
def get_certificate(call: Call, arguments: Properties) -> Properties:
    domain = arguments.get("domain")
    statuses = arguments.get("statuses") or ["ISSUED"]
    for page in call.client("acm").get_paginator("list_certificates").paginate():
        for each in page["CertificateSummaryList"]:
            got = Certificate().read(call, each["CertificateArn"], {}) if each["DomainName"] == domain else None
            if got and got["status"] in statuses:
                return {**arguments, "id": got["arn"], "arn": got["arn"], "domain": domain, "status": got["status"],
                        "tags": got["tags"], "certificate": "", "certificateChain": ""}
    raise refused(_GONE, f"no certificate of {domain} with status {' or '.join(statuses)} in {call.region}",
                  "ListCertificates")
