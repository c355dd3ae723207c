"""RDS subnet groups and parameter groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, refused, tag_map, unless
from rehearsal.aws.services._rds_values import is_family
from rehearsal.aws.services.rds import retag_rds
from rehearsal.engine.values import Properties

_BATCH = 20  # parameters in one call, a limit of the API


@resource
class SubnetGroup(Handler):
    type = "aws:rds/subnetGroup:SubnetGroup"
    naming = Naming("name", maximum=255, lower=True)
    defaults = {"description": "Managed by Pulumi"}
    kept = ("namePrefix",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"subnetIds": references.subnet})

    def create(self, call: Call, inputs: Properties) -> str:
        answer = call.client("rds").create_db_subnet_group(
            DBSubnetGroupName=inputs["name"], DBSubnetGroupDescription=inputs.get("description") or "Managed by Pulumi",
            SubnetIds=inputs["subnetIds"], Tags=call.tag_list)
        return str(answer["DBSubnetGroup"]["DBSubnetGroupName"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        rds = call.client("rds")
        answer = found(lambda: rds.describe_db_subnet_groups(DBSubnetGroupName=id), "DBSubnetGroupNotFoundFault")
        if answer is None:
            return None
        group = answer["DBSubnetGroups"][0]
        return {"arn": group["DBSubnetGroupArn"], "name": group["DBSubnetGroupName"], "vpcId": group["VpcId"],
                "description": group["DBSubnetGroupDescription"],
                "supportedNetworkTypes": group.get("SupportedNetworkTypes") or ["IPV4"],
                "subnetIds": sorted(subnet["SubnetIdentifier"] for subnet in group["Subnets"]),
                "tags": tag_map(rds.list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])["TagList"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed & {"description", "subnetIds"}:
            rds = call.client("rds")
            wanted = {"DBSubnetGroupName": id, "SubnetIds": new["subnetIds"],
                      "DBSubnetGroupDescription": new.get("description") or "Managed by Pulumi"}
            rds.modify_db_subnet_group(**wanted)
            if self.read(call, id, new) is None:  # moto 5.2.5 drops the group that it modifies
                rds.create_db_subnet_group(**wanted, Tags=call.tag_list)
        if "tags" in changed:
            retag_rds(call, call.arn("rds", f"subgrp:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("DBSubnetGroupNotFoundFault"):
            call.client("rds").delete_db_subnet_group(DBSubnetGroupName=id)


@resource
class ParameterGroup(Handler):
    """Parameters are those that differ from the family's defaults, which is what the provider shows too."""

    type = "aws:rds/parameterGroup:ParameterGroup"
    naming = Naming("name", maximum=255, lower=True)
    defaults = {"description": "Managed by Pulumi", "skipDestroy": False}
    kept = ("namePrefix", "skipDestroy")

    def create(self, call: Call, inputs: Properties) -> str:
        if not is_family(inputs["family"]):
            raise refused("InvalidParameterValue", f"ParameterGroupFamily {inputs['family']} is not a valid parameter "
                          "group family", "CreateDBParameterGroup")
        call.client("rds").create_db_parameter_group(
            DBParameterGroupName=inputs["name"], DBParameterGroupFamily=inputs["family"],
            Description=inputs.get("description") or "Managed by Pulumi", Tags=call.tag_list)
        call.made(str(inputs["name"]))
        _apply(call, inputs["name"], inputs.get("parameters") or [])
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        rds = call.client("rds")
        answer = found(lambda: rds.describe_db_parameter_groups(DBParameterGroupName=id),
                       "DBParameterGroupNotFound", "DBParameterGroupNotFoundFault")
        if not answer or not answer["DBParameterGroups"]:
            return None
        group = answer["DBParameterGroups"][0]
        parameters = [
            {"name": each["ParameterName"], "value": each["ParameterValue"],
             "applyMethod": each.get("ApplyMethod", "immediate")}
            for page in rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=id)
            for each in page["Parameters"] if each.get("ParameterValue") not in (None, "") and _ours(each)]
        return {"arn": group["DBParameterGroupArn"], "name": group["DBParameterGroupName"],
                "family": group["DBParameterGroupFamily"], "description": group["Description"],
                "parameters": _in_order(parameters, known.get("parameters") or []),
                "tags": tag_map(rds.list_tags_for_resource(ResourceName=group["DBParameterGroupArn"])["TagList"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "parameters" in changed:
            before = {each["name"]: each for each in old.get("parameters") or ()}
            after = {each["name"]: each for each in new.get("parameters") or ()}
            _apply(call, id, [each for name, each in after.items() if before.get(name) != each])
            # ResetDBParameterGroup is not in moto: an empty value is a parameter that read leaves out.
            _apply(call, id, [{**before[name], "value": ""} for name in sorted(before.keys() - after.keys())])
        if "tags" in changed:
            retag_rds(call, call.arn("rds", f"pg:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if known.get("skipDestroy"):
            return
        with unless("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault"):
            call.client("rds").delete_db_parameter_group(DBParameterGroupName=id)


def _ours(parameter: dict[str, Any]) -> bool:
    return str(parameter.get("Source", "user")) == "user"


def _in_order(parameters: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The set in the order in which the program gave it: a set has no order, a diff has."""
    order = {each["name"]: index for index, each in enumerate(known)}
    return sorted(parameters, key=lambda each: (order.get(each["name"], len(order)), each["name"]))


def _apply(call: Call, name: str, parameters: list[dict[str, Any]]) -> None:
    sent = [{"ParameterName": each["name"], "ParameterValue": str(each["value"]),
             "ApplyMethod": each.get("applyMethod") or "immediate"} for each in parameters]
    for start in range(0, len(sent), _BATCH):
        call.client("rds").modify_db_parameter_group(DBParameterGroupName=name, Parameters=sent[start:start + _BATCH])
