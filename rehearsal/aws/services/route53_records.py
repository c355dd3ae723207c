"""Route 53 records, by moto."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, resource
from rehearsal.aws.services._convert import code_of, present, refused
from rehearsal.aws.services.route53 import GONE, bare, zone_exists
from rehearsal.engine.values import Properties

_POLICIES = {
    "weightedRoutingPolicies": ("Weight", "weight"),
    "failoverRoutingPolicies": ("Failover", "type"),
    "latencyRoutingPolicies": ("Region", "region"),
}


@resource
class Record(Handler):
    """Id: `ZONE_name_TYPE`, with `_identifier` when there is a setIdentifier."""

    type = "aws:route53/record:Record"
    tags_property = None
    kept = ("allowOverwrite", "cidrRoutingPolicy", "geoproximityRoutingPolicy")
    global_region = "us-east-1"

    def create(self, call: Call, inputs: Properties) -> str:
        _check(inputs)
        zone = bare(inputs["zoneId"])
        fqdn = _fqdn(call, zone, inputs["name"])
        identifier = inputs.get("setIdentifier")
        id = "_".join([zone, inputs["name"].rstrip(".").lower(), inputs["type"]] + ([identifier] if identifier else []))
        _change(call, zone, [("UPSERT" if inputs.get("allowOverwrite") else "CREATE", _record_set(fqdn, inputs))])
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        set_ = self._find(call, id)
        if set_ is None:
            return None
        zone, name, type, identifier = _parts(id)
        fqdn = _unescaped(set_["Name"].rstrip("."))
        alias = set_.get("AliasTarget")
        values = [_shown(type, each["Value"]) for each in set_.get("ResourceRecords") or ()]
        got: Properties = {
            "zoneId": zone,
            "name": known.get("name") or name,
            "type": type,
            "fqdn": fqdn,
            "ttl": set_.get("TTL"),
            "records": values or None,
            "setIdentifier": identifier,
            "healthCheckId": set_.get("HealthCheckId"),
            "multivalueAnswerRoutingPolicy": set_.get("MultiValueAnswer"),
            "aliases": [
                {
                    "name": alias["DNSName"].rstrip("."),
                    "zoneId": alias["HostedZoneId"],
                    "evaluateTargetHealth": alias["EvaluateTargetHealth"],
                }
            ]
            if alias
            else None,
        }
        for property, (member, key) in _POLICIES.items():
            if member in set_:
                got[property] = [{key: set_[member]}]
        if geo := set_.get("GeoLocation"):
            got["geolocationRoutingPolicies"] = [
                present(
                    continent=geo.get("ContinentCode"),
                    country=geo.get("CountryCode"),
                    subdivision=geo.get("SubdivisionCode"),
                )
            ]
        return got

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check(new)
        zone = _parts(id)[0]
        _change(call, zone, [("UPSERT", _record_set(_fqdn(call, zone, new["name"]), new))])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        set_ = self._find(call, id)
        if set_ is not None:
            _change(call, _parts(id)[0], [("DELETE", set_)])

    def _find(self, call: Call, id: str) -> dict[str, Any] | None:
        zone, name, type, identifier = _parts(id)
        if not zone_exists(call, zone):
            return None
        fqdn = _fqdn(call, zone, name)
        answer = call.client("route53").list_resource_record_sets(
            HostedZoneId=zone, StartRecordName=fqdn, StartRecordType=type
        )
        return next(
            (
                each
                for each in answer["ResourceRecordSets"]
                if _unescaped(each["Name"]).rstrip(".").lower() == fqdn.rstrip(".").lower()
                and each["Type"] == type
                and each.get("SetIdentifier") == identifier
            ),
            None,
        )


def _parts(id: str) -> tuple[str, str, str, str | None]:
    match = re.fullmatch(
        r"([A-Z0-9]+)_(.*?)_(A|AAAA|CAA|CNAME|DS|HTTPS|MX|NAPTR|NS|PTR|SOA|SPF|SRV|SSHFP|SVCB|TLSA|TXT)"
        r"(?:_(.+))?",
        id,
    )
    if match is None:
        raise refused(
            "InvalidInput",
            f"{id!r} is not a record's id: ZONEID_name_TYPE or ZONEID_name_TYPE_identifier",
            "ListResourceRecordSets",
        )
    return match[1], match[2], match[3], match[4]


def _fqdn(call: Call, zone: str, name: str) -> str:
    """A name without the zone's is below it, as the provider reads it."""
    answer = call.client("route53").get_hosted_zone(Id=zone)
    apex = answer["HostedZone"]["Name"].rstrip(".")
    bare = name.rstrip(".").lower()
    if bare in ("", "@"):
        return f"{apex}."
    return f"{bare}." if bare == apex or bare.endswith("." + apex) else f"{bare}.{apex}."


def _unescaped(name: str) -> str:
    return name.replace("\\052", "*")


def _shown(type: str, value: str) -> str:
    return value.removeprefix('"').removesuffix('"') if type in ("TXT", "SPF") else value


def _check(inputs: Properties) -> None:
    if bool(inputs.get("records")) == bool(inputs.get("aliases")):
        raise refused(
            "InvalidChangeBatch",
            f"record {inputs['name']!r}: give either records with a ttl or one alias",
            "ChangeResourceRecordSets",
        )
    if inputs.get("records") and inputs.get("ttl") is None:
        raise refused("InvalidInput", f"record {inputs['name']!r}: records need a ttl", "ChangeResourceRecordSets")
    versions = {"A": 4, "AAAA": 6}
    for each in inputs.get("records") or () if inputs["type"] in versions else ():
        try:
            valid = ipaddress.ip_address(each).version == versions[inputs["type"]]
        except ValueError:
            valid = False
        if not valid:
            raise refused(
                "InvalidChangeBatch",
                f"record {inputs['name']!r}: {each!r} is not an IPv{versions[inputs['type']]} address",
                "ChangeResourceRecordSets",
            )
    routed = [each for each in (*_POLICIES, "geolocationRoutingPolicies") if inputs.get(each)]
    if routed and not inputs.get("setIdentifier"):
        raise refused(
            "InvalidInput", f"record {inputs['name']!r}: {routed[0]} needs a setIdentifier", "ChangeResourceRecordSets"
        )


def _record_set(fqdn: str, inputs: Properties) -> dict[str, Any]:
    type = inputs["type"]
    set_: dict[str, Any] = present(
        Name=fqdn,
        Type=type,
        TTL=inputs.get("ttl") if inputs.get("records") else None,
        SetIdentifier=inputs.get("setIdentifier"),
        HealthCheckId=inputs.get("healthCheckId"),
        MultiValueAnswer=inputs.get("multivalueAnswerRoutingPolicy") or None,
    )
    if inputs.get("records"):
        quote = type in ("TXT", "SPF")
        set_["ResourceRecords"] = [
            {"Value": f'"{each}"' if quote and not each.startswith('"') else each} for each in inputs["records"]
        ]
    if inputs.get("aliases"):
        alias = inputs["aliases"][0]
        set_["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": bool(alias["evaluateTargetHealth"]),
        }
    for property, (member, key) in _POLICIES.items():
        if inputs.get(property):
            set_[member] = inputs[property][0][key]
    if geo := (inputs.get("geolocationRoutingPolicies") or [None])[0]:
        set_["GeoLocation"] = present(
            ContinentCode=geo.get("continent"), CountryCode=geo.get("country"), SubdivisionCode=geo.get("subdivision")
        )
    return set_


def _change(call: Call, zone: str, changes: list[tuple[str, dict[str, Any]]]) -> None:
    try:
        call.client("route53").change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": each} for action, each in changes]},
        )
    except ClientError as error:
        gone = changes[0][0] == "DELETE" and code_of(error) in ("InvalidChangeBatch", GONE)
        if not gone:
            raise
