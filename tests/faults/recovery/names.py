"""Public names of two stacks: a zone, a health check, four distributions; and where everything leads afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.plans.hosts import hosts
from infra.plans.places import EDGE_REGION
from operations.aws import pages
from operations.recovery.public_names import CLOUDFRONT_ZONE
from tests.faults.recovery.account import _DATABASE, AWAY, HOME, LOST, STANDING, Held
from tests.faults.recovery.calls import Calls

THEIRS, OWN = hosts(LOST.domain), hosts(STANDING.domain)
SILENT = "2026-01-01T00:00:00+00:00"  # since when the stack that stood in writes nothing
_BALANCERS = {"lost": ("lost.elb.amazonaws.com", "ZLOST"), "standing": ("standing.elb.amazonaws.com", "ZSTANDING")}


@dataclass
class Names:
    """hands: clients whose calls nothing befalls. doors: id of a distribution → what it is."""

    hands: Calls
    zone: str = ""
    check: str = ""
    doors: dict[str, str] = field(default_factory=dict)

    def fill(self) -> None:
        """Production's database is gone, the other stack's is there; a record that is nobody's of the two."""
        front, route53 = (self.hands.client(name, EDGE_REGION) for name in ("cloudfront", "route53"))
        self.zone = route53.create_hosted_zone(Name=LOST.domain.name, CallerReference="1")["HostedZone"]["Id"]
        self.check = route53.create_health_check(CallerReference="c", HealthCheckConfig={
            "Type": "HTTPS", "FullyQualifiedDomainName": THEIRS.direct, "Port": 443, "Inverted": False,
            "Disabled": False})["HealthCheck"]["Id"]
        changes: list[dict[str, Any]] = [{"Action": "CREATE", "ResourceRecordSet": {
            "Name": f"mail.{LOST.domain.name}", "Type": "MX", "TTL": 300, "ResourceRecords": [{"Value": "10 mx."}]}}]
        for whose, names in (("lost", THEIRS), ("standing", OWN)):
            for kind, public in (("site", names.site), ("static", names.static)):
                made = front.create_distribution(DistributionConfig=_distribution(f"{whose}-{kind}", public))
                made = made["Distribution"]
                self.doors[made["Id"]] = f"{whose} {kind}"
                changes += [_record(name, type, made["DomainName"], CLOUDFRONT_ZONE)
                            for name in public for type in ("A", "AAAA")]
            changes.append(_record(names.direct, "A", *_BALANCERS[whose]))
            for role in ("PRIMARY", "SECONDARY"):
                more = {"HealthCheckId": self.check} if role == "PRIMARY" else {}
                changes.append(_record(names.api, "A", *_BALANCERS[whose], SetIdentifier=role.lower(), Failover=role,
                                       **more))
        route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": changes})
        self._database(AWAY, "recovery-candlefish-db")

    def bring_home(self) -> None:
        """Production has a database again, made after the other stack fell silent."""
        self._database(HOME, "production-candlefish-db")

    def _database(self, region: str, name: str) -> None:
        self.hands.client("rds", region).create_db_instance(DBInstanceIdentifier=name, **_DATABASE)

    def held(self) -> Held:
        front, route53 = (self.hands.client(name, EDGE_REGION) for name in ("cloudfront", "route53"))
        domains = {}
        found: dict[str, Any] = {}
        for each in pages(front, "list_distributions", "DistributionList.Items"):
            domains[each["DomainName"]] = whose = self.doors.get(each["Id"], "nobody's")
            found[f"distribution {whose}"] = sorted(each["Aliases"].get("Items") or ())
        for each in self._records():
            lead = each.get("AliasTarget", {}).get("DNSName", "").rstrip(".")
            text = "".join(value["Value"] for value in each.get("ResourceRecords", ())).strip('"')
            found[f"record {each['Name']} {each['Type']} {each.get('Failover', '')}"] = (
                domains.get(lead, lead) or domains.get(text, text))
        check = route53.get_health_check(HealthCheckId=self.check)["HealthCheck"]["HealthCheckConfig"]
        found["check"] = f"inverted {check['Inverted']}, disabled {check['Disabled']}"
        found["checks"] = len(list(pages(route53, "list_health_checks", "HealthChecks")))
        found |= {f"parameter {each['Name']}": 1 for each in pages(
            self.hands.client("ssm", AWAY), "describe_parameters", "Parameters")}
        return {**found, **self.apart()}

    def apart(self) -> Held:
        """What a move has no business with: databases, records of other names."""
        found: dict[str, Any] = {
            f"{region} database {each['DBInstanceIdentifier']}": each["DBInstanceStatus"] for region in (HOME, AWAY)
            for each in pages(self.hands.client("rds", region), "describe_db_instances", "DBInstances")}
        own = {f"{name}." for name in (OWN.api, OWN.direct, THEIRS.direct, f"mail.{LOST.domain.name}", *OWN.site)}
        found |= {f"record of another {each['Name']} {each['Type']} {each.get('Failover', '')}": _lead(each)
                  for each in self._records() if each["Name"] in own and each["Type"] != "TXT"}
        return {name: "#" if "cloudfront" in str(lead) else lead for name, lead in found.items()}

    def _records(self) -> list[dict[str, Any]]:
        route53 = self.hands.client("route53", EDGE_REGION)
        return list(pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=self.zone))


def _lead(record: dict[str, Any]) -> str:
    return str(record.get("AliasTarget", {}).get("DNSName") or record.get("ResourceRecords"))


def _record(name: str, kind: str, domain: str, zone: str, **more: Any) -> dict[str, Any]:
    return {"Action": "CREATE", "ResourceRecordSet": {"Name": name, "Type": kind, **more, "AliasTarget": {
        "DNSName": domain, "HostedZoneId": zone, "EvaluateTargetHealth": False}}}


def _distribution(reference: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Disabled: nobody asks it for anything here."""
    return {"CallerReference": reference, "Comment": "", "Enabled": False,
            "Aliases": {"Quantity": len(names), "Items": list(names)},
            "Origins": {"Quantity": 1, "Items": [{
                "Id": "o", "DomainName": "origin.example.com", "CustomOriginConfig": {
                    "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}]},
            "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "redirect-to-https",
                                     "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}}
