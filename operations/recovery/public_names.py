"""Where the public names lead: aliases of CloudFront's distributions, records and health checks of Route 53.

Every write is preceded by a look, says what it found there, and is seen to have taken effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import code, pages
from operations.errors import Contested, OperationError
from operations.recovery.waiting import until

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"  # of all distributions ("Route 53 template snippets", CloudFormation user guide)
TEXT_SECONDS = 300  # of the record by which CloudFront knows whose a name is
POLL_SECONDS = 2.0
IN_SYNC_SECONDS = 600.0  # "within 60 seconds" under normal conditions (ChangeResourceRecordSets), and some
# As long as botocore's own waiter DistributionDeployed: 35 × 60 s.
DEPLOYED_SECONDS = 2100.0
PRIMARY, SECONDARY = "PRIMARY", "SECONDARY"


@dataclass(frozen=True)
class Door:
    """A distribution."""

    id: str
    domain: str


class PublicNames:
    """Of one hosted zone. cloudfront, route53: boto3's clients in us-east-1."""

    def __init__(self, cloudfront: Any, route53: Any, zone_id: str, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._cloudfront, self._route53, self.zone_id = cloudfront, route53, zone_id
        self._pause, self._now = pause, now

    # CloudFront

    def door_of(self, name: str) -> Door | None:
        """The distribution that has the alias."""
        for each in pages(self._cloudfront, "list_distributions", "DistributionList.Items"):
            if name in (each.get("Aliases", {}).get("Items") or ()):
                return Door(str(each["Id"]), str(each["DomainName"]))
        return None

    def move_alias(self, name: str, door: Door) -> bool:
        """The alias is the distribution's; whether a write was needed.

        AssociateAlias, not UpdateDomainAssociation: of the latter the API reference says that the source is to be
        disabled first. CloudFront asks for a TXT record beforehand ("Set up the target distribution").
        """
        if self._has(name, door):
            return False
        self._put_text(f"_{name}", door.domain)
        self._cloudfront.associate_alias(TargetDistributionId=door.id, Alias=name)
        self._until(f"{name} is an alias of {door.id}", lambda: self._has(name, door), IN_SYNC_SECONDS)
        return True

    def expect_deployed(self, door: Door) -> None:
        self._until(f"every edge has {door.id}", lambda: bool(
            self._cloudfront.get_distribution(Id=door.id)["Distribution"]["Status"] == "Deployed"), DEPLOYED_SECONDS)

    def _has(self, name: str, door: Door) -> bool:
        found = self._cloudfront.get_distribution_config(Id=door.id)["DistributionConfig"]
        return name in (found.get("Aliases", {}).get("Items") or ())

    # Route 53

    def point(self, name: str, domain: str, zone_id: str = CLOUDFRONT_ZONE, *, role: str = "") -> bool:
        """All alias records of the name (of a failover pair the one of `role`) lead to the domain; whether a write
        was needed. Raises OperationError for a name without records, Contested when they changed meanwhile."""
        found = self._records(name, role)
        if not found:
            raise OperationError(f"the zone {self.zone_id} has no {role.lower() + ' ' if role else ''}record {name}; "
                                 "`up` of the stack whose name it is makes it")
        wrong = [each for each in found if not _leads(each, domain)]
        if not wrong:
            return False
        self._change([{"Action": "UPSERT", "ResourceRecordSet": {
            **each, "AliasTarget": {**each["AliasTarget"], "DNSName": domain, "HostedZoneId": zone_id}}}
            for each in wrong], name)  # both or none
        if not self.leads(name, domain, role):
            raise Contested(f"{name} was led to {domain} and leads elsewhere again: somebody else changes it; when "
                            "nobody does, run the command again")
        return True

    def target(self, name: str, role: str = "") -> Mapping[str, Any] | None:
        """The alias target of the name's record; None without one."""
        found = self._records(name, role)
        return found[0]["AliasTarget"] if found else None

    def leads(self, name: str, domain: str, role: str = "") -> bool:
        found = self._records(name, role)
        return bool(found) and all(_leads(each, domain) for each in found)

    def check_of(self, name: str) -> str:
        """Id of the health check of the name's primary record. Raises OperationError without one."""
        found = [each.get("HealthCheckId") for each in self._records(name, PRIMARY)]
        if not found or not found[0]:
            raise OperationError(f"the primary record of {name} has no health check, by which it would be taken out of "
                                 "use; `up` of its stack makes it")
        return str(found[0])

    def is_out(self, check: str) -> bool:
        config = self._route53.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
        return bool(config.get("Inverted") and config.get("Disabled"))

    def take_out(self, check: str, out: bool) -> bool:
        """Out: the check counts as failed whatever it asks says, as one that is disabled counts as passed and is
        inverted ("Values that you specify when you create or update health checks"). Otherwise it is asked again.
        Whether a write was needed."""
        found = self._route53.get_health_check(HealthCheckId=check)["HealthCheck"]
        config = found["HealthCheckConfig"]
        if bool(config.get("Inverted")) == bool(config.get("Disabled")) == out:
            return False
        try:
            self._route53.update_health_check(HealthCheckId=check, HealthCheckVersion=found["HealthCheckVersion"],
                                              Inverted=out, Disabled=out)
        except ClientError as error:
            if code(error) != "HealthCheckVersionMismatch":
                raise
            if self.is_out(check) is out:  # by this very call, whose answer was lost before it was sent again
                return True
            raise Contested(f"somebody else changed the health check {check} meanwhile; run this again") from None
        return True

    def _records(self, name: str, role: str) -> list[dict[str, Any]]:
        """Alias records of exactly the name, in the form in which Route 53 takes them back."""
        found: list[dict[str, Any]] = []
        for page in self._route53.get_paginator("list_resource_record_sets").paginate(
                HostedZoneId=self.zone_id, StartRecordName=name, StartRecordType="A"):
            for each in page["ResourceRecordSets"]:
                if each["Name"].rstrip(".") != name:
                    return found
                if "AliasTarget" in each and (not role or each.get("Failover") == role):
                    found.append(each)
        return found

    def _put_text(self, name: str, value: str) -> None:
        self._change([{"Action": "UPSERT", "ResourceRecordSet": {
            "Name": name, "Type": "TXT", "TTL": TEXT_SECONDS, "ResourceRecords": [{"Value": f'"{value}"'}]}}], name)

    def _change(self, changes: list[dict[str, Any]], name: str) -> None:
        made = self._route53.change_resource_record_sets(
            HostedZoneId=self.zone_id, ChangeBatch={"Changes": changes})["ChangeInfo"]
        if made["Status"] != "INSYNC":
            self._until(f"all of Route 53's name servers have {name}", lambda: bool(
                self._route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC"), IN_SYNC_SECONDS)

    def _until(self, what: str, met: Callable[[], bool], seconds: float) -> None:
        until(what, met, seconds, POLL_SECONDS, self._pause, self._now)


def zone_of(route53: Any, domain: str) -> str:
    """Id of the public hosted zone of a domain. Raises OperationError."""
    found = route53.list_hosted_zones_by_name(DNSName=domain)["HostedZones"]
    ids = [str(each["Id"]).rpartition("/")[2] for each in found
           if each["Name"].rstrip(".") == domain and not each.get("Config", {}).get("PrivateZone")]
    if len(ids) != 1:
        raise OperationError(f"this account has {len(ids)} public hosted zones {domain}, not one; sign in to the "
                             "account that has it")
    return ids[0]


def _leads(record: Mapping[str, Any], domain: str) -> bool:
    return bool(record["AliasTarget"]["DNSName"].rstrip(".").lower() == domain.rstrip(".").lower())
