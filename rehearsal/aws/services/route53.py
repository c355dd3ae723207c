"""Route 53 zones and records, by moto. Health checks and DNSSEC are in `route53_health`."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, data_source, resource
from rehearsal.aws.services._convert import code_of, found, pairs, present, refused, retag, tag_map, unless
from rehearsal.engine.values import Properties

GONE = "NoSuchHostedZone"
_POLICIES = {
    "weightedRoutingPolicies": ("Weight", "weight"),
    "failoverRoutingPolicies": ("Failover", "type"),
    "latencyRoutingPolicies": ("Region", "region"),
}


def zone_exists(call: Call, id: str) -> bool:
    return found(lambda: call.client("route53").get_hosted_zone(Id=id), GONE) is not None


@resource
class Zone(Handler):
    type = "aws:route53/zone:Zone"
    defaults = {"comment": "Managed by Pulumi", "forceDestroy": False}
    kept = ("forceDestroy", "delegationSetId", "enableAcceleratedRecovery")
    global_region = "us-east-1"

    def create(self, call: Call, inputs: Properties) -> str:
        vpcs = inputs.get("vpcs") or []
        client = call.client("route53")
        answer = client.create_hosted_zone(
            Name=inputs["name"],
            CallerReference=call.context.operation[:128],
            HostedZoneConfig={"Comment": inputs.get("comment") or "", "PrivateZone": bool(vpcs)},
            **({"VPC": _vpc(call, vpcs[0])} if vpcs else {}),
        )
        id = bare(answer["HostedZone"]["Id"])
        call.made(id)
        for vpc in vpcs[1:]:
            client.associate_vpc_with_hosted_zone(HostedZoneId=id, VPC=_vpc(call, vpc))
        tag(call, id)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("route53")
        answer = found(lambda: client.get_hosted_zone(Id=id), GONE)
        if answer is None:
            return None
        zone = answer["HostedZone"]
        servers = sorted((answer.get("DelegationSet") or {}).get("NameServers") or ())
        return {
            "arn": f"arn:aws:route53:::hostedzone/{id}",
            "zoneId": id,
            "name": zone["Name"].rstrip("."),
            "comment": zone.get("Config", {}).get("Comment", ""),
            "nameServers": servers,
            "primaryNameServer": servers[0] if servers else "",
            "vpcs": [{"vpcId": each["VPCId"], "vpcRegion": each["VPCRegion"]} for each in answer.get("VPCs") or ()]
            or None,
            "tags": tags_of(call, id),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("route53")
        if "comment" in changed:
            client.update_hosted_zone_comment(Id=id, Comment=new.get("comment") or "")
        if "vpcs" in changed:
            before = {each["vpcId"]: each for each in old.get("vpcs") or ()}
            after = {each["vpcId"]: each for each in new.get("vpcs") or ()}
            for vpc in after.keys() - before.keys():
                client.associate_vpc_with_hosted_zone(HostedZoneId=id, VPC=_vpc(call, after[vpc]))
            for vpc in before.keys() - after.keys():
                client.disassociate_vpc_from_hosted_zone(HostedZoneId=id, VPC=_vpc(call, before[vpc]))
        if "tags" in changed:
            tag(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("route53")
        if not zone_exists(call, id):
            return
        own = [each for each in records(call, id) if each["Type"] not in ("NS", "SOA")]
        if own and not known.get("forceDestroy"):
            raise refused(
                "HostedZoneNotEmpty",
                f"The hosted zone {id} contains {len(own)} resource record sets "
                "besides "
                "SOA and NS; delete them or set forceDestroy",
                "DeleteHostedZone",
            )
        if own:
            client.change_resource_record_sets(
                HostedZoneId=id,
                ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": each} for each in own]},
            )
        with unless(GONE):
            client.delete_hosted_zone(Id=id)


def bare(id: str) -> str:
    return id.rsplit("/", 1)[-1]


def _vpc(call: Call, vpc: Properties) -> dict[str, str]:
    return {"VPCId": vpc["vpcId"], "VPCRegion": vpc.get("vpcRegion") or call.region}


def tags_of(call: Call, id: str, kind: str = "hostedzone") -> dict[str, str]:
    answer = call.client("route53").list_tags_for_resource(ResourceType=kind, ResourceId=id)
    return tag_map(answer["ResourceTagSet"]["Tags"])


def tag(call: Call, id: str, kind: str = "hostedzone") -> None:
    client = call.client("route53")
    retag(
        call,
        tags_of(call, id, kind),
        lambda tags: client.change_tags_for_resource(ResourceType=kind, ResourceId=id, AddTags=pairs(tags)),
        lambda keys: client.change_tags_for_resource(ResourceType=kind, ResourceId=id, RemoveTagKeys=keys),
    )


def records(call: Call, zone: str) -> list[dict[str, Any]]:
    pages = call.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [each for page in pages for each in page["ResourceRecordSets"]]


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
        action = "UPSERT" if inputs.get("allowOverwrite") else "CREATE"
        _change(call, zone, [(action, _record_set(fqdn, inputs))])
        identifier = inputs.get("setIdentifier")
        return "_".join(
            [zone, inputs["name"].rstrip(".").lower(), inputs["type"]] + ([identifier] if identifier else [])
        )

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


@data_source("aws:route53/getZone:getZone")
def get_zone(call: Call, arguments: Properties) -> Properties:
    """By zoneId or by name; a zone that the program does not make must exist: `rehearsal.aws.world.ensure_zone`."""
    client = call.client("route53", "us-east-1")
    id = arguments.get("zoneId")
    if not id:
        name = (arguments.get("name") or "").rstrip(".") + "."
        private = bool(arguments.get("privateZone"))
        zones = [each for page in client.get_paginator("list_hosted_zones").paginate() for each in page["HostedZones"]]
        named = [each for each in zones if each["Name"] == name and each["Config"].get("PrivateZone", False) == private]
        if len(named) != 1:
            problem = "no matching Route 53 hosted zone found" if not named else f"{len(named)} hosted zones match"
            raise refused(GONE, f"{problem}: {name} (private: {private})", "ListHostedZones", 404)
        id = bare(named[0]["Id"])
    answer = client.get_hosted_zone(Id=id)
    zone = answer["HostedZone"]
    servers = sorted((answer.get("DelegationSet") or {}).get("NameServers") or ())
    return {
        "id": id,
        "zoneId": id,
        "arn": f"arn:aws:route53:::hostedzone/{id}",
        "name": zone["Name"].rstrip("."),
        "callerReference": zone["CallerReference"],
        "comment": zone["Config"].get("Comment", ""),
        "privateZone": zone["Config"].get("PrivateZone", False),
        "nameServers": servers,
        "primaryNameServer": servers[0] if servers else "",
        "tags": tags_of(call, id),
        "resourceRecordSetCount": zone.get("ResourceRecordSetCount", 0),
        "linkedServicePrincipal": "",
        "linkedServiceDescription": "",
        "vpcId": arguments.get("vpcId") or "",
    }
