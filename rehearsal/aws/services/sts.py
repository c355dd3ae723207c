"""Who and where: caller identity, region, partition, zones, and policy documents. No resource types."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.aws.handler import Call, data_source
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_DESCRIPTIONS = {  # botocore's endpoints.json
    "us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)", "eu-west-1": "Europe (Ireland)", "eu-central-1": "Europe (Frankfurt)",
}


@data_source("aws:index/getCallerIdentity:getCallerIdentity")
def caller_identity(call: Call, arguments: Properties) -> Properties:
    answer = call.client("sts").get_caller_identity()
    return {"accountId": answer["Account"], "arn": answer["Arn"], "userId": answer["UserId"], "id": answer["Account"]}


@data_source("aws:index/getRegion:getRegion")
def region(call: Call, arguments: Properties) -> Properties:
    """`name`, `endpoint` and `region` of an argument, or the provider's. An unknown region is refused."""
    name = str(arguments.get("region") or arguments.get("name") or call.region)
    regions = {entry["RegionName"] for entry in call.client("ec2").describe_regions(AllRegions=True)["Regions"]}
    if name not in regions:
        raise ProviderError(f"the region {name!r} does not exist; regions: {', '.join(sorted(regions))}")
    return {"name": name, "region": name, "id": name, "endpoint": f"ec2.{name}.amazonaws.com",
            "description": _DESCRIPTIONS.get(name, name)}


@data_source("aws:index/getPartition:getPartition")
def partition(call: Call, arguments: Properties) -> Properties:
    return {"partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws", "id": "aws"}


@data_source("aws:index/getAvailabilityZones:getAvailabilityZones")
def availability_zones(call: Call, arguments: Properties) -> Properties:
    """`state`, `filters`, `excludeNames`, `excludeZoneIds` narrow it; names and zoneIds are in the same order."""
    filters = [{"Name": entry["name"], "Values": entry["values"]} for entry in arguments.get("filters") or ()]
    zones = call.client("ec2").describe_availability_zones(**({"Filters": filters} if filters else {}))
    found = sorted((zone["ZoneName"], zone["ZoneId"]) for zone in zones["AvailabilityZones"]
                   if arguments.get("state") in (None, zone["State"])
                   and zone["ZoneName"] not in (arguments.get("excludeNames") or ())
                   and zone["ZoneId"] not in (arguments.get("excludeZoneIds") or ()))
    return {"names": [name for name, _ in found], "zoneIds": [id for _, id in found], "groupNames": [call.region],
            "id": call.region, "region": call.region,
            **{name: arguments[name] for name in ("state", "filters", "excludeNames", "excludeZoneIds",
                                                  "allAvailabilityZones") if name in arguments}}


@data_source("aws:iam/getPolicyDocument:getPolicyDocument")
def policy_document(call: Call, arguments: Properties) -> Properties:
    """The document as terraform-provider-aws writes it (internal/service/iam/policy_document_data_source.go):
    statements of the sources, then own ones, the overrides last; a statement replaces one of the same sid."""
    document: dict[str, Any] = {"Version": arguments.get("version") or "2012-10-17"}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    statements: list[dict[str, Any]] = []
    for source in arguments.get("sourcePolicyDocuments") or ():
        statements = _merged(statements, _statements_of(source))
    statements = _merged(statements, [_statement(entry) for entry in arguments.get("statements") or ()])
    for override in arguments.get("overridePolicyDocuments") or ():
        statements = _merged(statements, _statements_of(override))
    if statements:
        document["Statement"] = statements
    return {**arguments, "json": json.dumps(document, indent=2), "id": str(len(json.dumps(document))),
            "minifiedJson": json.dumps(document, separators=(",", ":"))}


def _statements_of(document: str) -> list[dict[str, Any]]:
    found = json.loads(document).get("Statement", []) if document else []
    return found if isinstance(found, list) else [found]


def _merged(first: list[dict[str, Any]], then: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = list(first)
    for statement in then:
        sid = statement.get("Sid")
        same = [index for index, other in enumerate(result) if sid and other.get("Sid") == sid]
        if same:
            result[same[0]] = statement
        else:
            result.append(statement)
    return result


def _statement(entry: Properties) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if entry.get("sid"):
        made["Sid"] = entry["sid"]
    made["Effect"] = entry.get("effect") or "Allow"
    for name, member in (("actions", "Action"), ("notActions", "NotAction"), ("resources", "Resource"),
                         ("notResources", "NotResource")):
        if entry.get(name):
            made[member] = _one_or_sorted(entry[name])
    for name, member in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if entry.get(name):
            made[member] = _principals(entry[name])
    if entry.get("conditions"):
        conditions: dict[str, dict[str, Any]] = {}
        for condition in entry["conditions"]:
            values = condition["values"]
            conditions.setdefault(condition["test"], {})[condition["variable"]] = (
                values[0] if len(values) == 1 else values)
        made["Condition"] = conditions
    return made


def _principals(entries: list[Properties]) -> Any:
    if any(entry["type"] == "*" for entry in entries):
        return "*"
    grouped: dict[str, list[str]] = {}
    for entry in entries:
        grouped.setdefault(entry["type"], []).extend(entry["identifiers"])
    return {type: _one_or_sorted(identifiers) for type, identifiers in sorted(grouped.items())}


def _one_or_sorted(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else sorted(values, reverse=True)
