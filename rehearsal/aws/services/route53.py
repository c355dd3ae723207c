"""Route 53 zones, by moto. Records are in `route53_records`, health checks and DNSSEC in `route53_health`."""

from __future__ import annotations

from typing import Any

from rehearsal.aws.handler import Call, Handler, data_source, resource
from rehearsal.aws.services._convert import found, pairs, refused, retag, tag_map, unless
from rehearsal.engine.values import Properties

GONE = "NoSuchHostedZone"


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
