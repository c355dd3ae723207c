"""Certificates of a stack: ACM's of its public names, and cert-manager's inside the cluster (N2, K2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.plans.hosts import Hosts
from infra.plans.places import EDGE_REGION
from kube.client import Client, UnknownKind
from operations.aws import pages

# ListCertificates leaves out what is not RSA of 1024 or 2048 bits unless it is asked for (ACM's API reference).
KEY_TYPES = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
ISSUED = "ISSUED"
READY = "Ready"
# ACM's RenewalStatus of a renewal that does not go on by itself ("Check a certificate's renewal status").
STUCK = {"PENDING_VALIDATION": "waits for its DNS validation record", "FAILED": "failed"}


@dataclass(frozen=True)
class Certificate:
    """ends: None for one that is not issued. used: None where nobody tells. renewal: in the issuer's words."""

    name: str
    where: str  # region, or namespace of the cluster
    identity: str  # ARN, or namespace/name
    status: str
    ends: datetime | None
    used: bool | None
    renewal: str = ""

    def days(self, now: datetime) -> int | None:
        """Whole days left."""
        return None if self.ends is None else (self.ends - now).days


def in_account(aws: Callable[[str, str], Any], region: str, hosts: Hosts) -> list[Certificate]:
    """ACM's for the stack's site. aws: service, region → boto3's client."""
    found = []
    for where in dict.fromkeys((region, EDGE_REGION)):
        acm = aws("acm", where)
        for entry in pages(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": list(KEY_TYPES)}):
            if entry["DomainName"] == hosts.apex:
                found.append(_acm(acm.describe_certificate(CertificateArn=entry["CertificateArn"])["Certificate"],
                                  where))
    return found


def in_cluster(client: Client) -> list[Certificate]:
    """cert-manager's; none where it is not installed."""
    try:
        return [_kubernetes(item) for item in client.list("cert-manager.io/v1", "Certificate")]
    except UnknownKind:
        return []


def faults(certificate: Certificate, now: datetime, least_days: float) -> list[str]:
    """What is wrong with it, in words."""
    found = [] if certificate.status in (ISSUED, READY) else [f"is {certificate.status}"]
    days = certificate.days(now)
    if days is not None and days < least_days:
        found.append(f"ends in {days} days; {least_days:.0f} is the least")
    if certificate.renewal in STUCK:
        found.append(f"its renewal {STUCK[certificate.renewal]}")
    return found


def _acm(entry: Mapping[str, Any], region: str) -> Certificate:
    return Certificate(entry["DomainName"], region, entry["CertificateArn"], entry["Status"], entry.get("NotAfter"),
                       bool(entry.get("InUseBy")),
                       entry.get("RenewalSummary", {}).get("RenewalStatus") or entry.get("RenewalEligibility", ""))


def _kubernetes(item: Mapping[str, Any]) -> Certificate:
    metadata, status = item["metadata"], item.get("status") or {}
    ready: Mapping[str, Any] = next((each for each in status.get("conditions") or () if each["type"] == READY), {})
    ends = status.get("notAfter")
    return Certificate(
        ", ".join(item["spec"].get("dnsNames") or ()) or metadata["name"], metadata["namespace"],
        f"{metadata['namespace']}/{metadata['name']}",
        READY if ready.get("status") == "True" else f"not ready ({ready.get('message') or 'no condition yet'})",
        None if ends is None else datetime.fromisoformat(ends).astimezone(UTC), None,
        f"from {status['renewalTime']}" if "renewalTime" in status else "")
