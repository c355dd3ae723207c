"""ElastiCache subnet groups, parameter groups, users and user groups, by MiniStack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, present, refused, tag_map, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.elasticache import retag_cache
from rehearsal.engine.values import Properties

_BATCH = 20  # parameters in one call, a limit of the API
_FAMILIES = ("valkey7", "valkey8", "redis5.0", "redis6.x", "redis7", "memcached1.5", "memcached1.6")


@resource
class SubnetGroup(KeptObject):
    """Kept: MiniStack looks the subnets up in its own network, moto can neither change nor delete a group."""

    type = "aws:elasticache/subnetGroup:SubnetGroup"
    naming = Naming("name", maximum=255, lower=True)
    defaults = {"description": "Managed by Pulumi"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"subnetIds": references.subnet})

    def identify(self, call: Call, inputs: Properties) -> str:
        if _claims.is_taken(call, inputs["name"], lambda: self.read(call, inputs["name"], {}) is not None):
            raise refused(
                "CacheSubnetGroupAlreadyExists",
                f"Cache subnet group {inputs['name']} already exists.",
                "CreateCacheSubnetGroup",
            )
        return str(inputs["name"])

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {
            "arn": call.arn("elasticache", f"subnetgroup:{id}"),
            "vpcId": _vpc(call, inputs["subnetIds"]),
            "subnetIds": sorted(inputs["subnetIds"]),
            "tags": dict(call.tags),
        }


def _vpc(call: Call, subnets: list[str]) -> str | None:
    if not subnets:
        return None
    answer = found(lambda: call.client("ec2").describe_subnets(SubnetIds=subnets[:1]), "InvalidSubnetID.NotFound")
    return str(answer["Subnets"][0]["VpcId"]) if answer else None


@resource
class ParameterGroup(Handler):
    type = "aws:elasticache/parameterGroup:ParameterGroup"
    naming = Naming("name", maximum=255, lower=True)
    defaults = {"description": "Managed by Pulumi"}

    def create(self, call: Call, inputs: Properties) -> str:
        if inputs["family"] not in _FAMILIES:
            raise refused(
                "InvalidParameterValue",
                f"CacheParameterGroupFamily {inputs['family']} is not a valid parameter group family.",
                "CreateCacheParameterGroup",
            )
        call.client("elasticache").create_cache_parameter_group(
            CacheParameterGroupName=inputs["name"],
            CacheParameterGroupFamily=inputs["family"],
            Tags=call.tag_list,
            Description=inputs.get("description") or "Managed by Pulumi",
        )
        call.made(str(inputs["name"]))
        _apply(call, inputs["name"], inputs.get("parameters") or [])
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("elasticache")
        answer = found(
            lambda: client.describe_cache_parameter_groups(CacheParameterGroupName=id),
            "CacheParameterGroupNotFound",
            "CacheParameterGroupNotFoundFault",
        )
        if not answer or not answer["CacheParameterGroups"]:
            return None
        group = answer["CacheParameterGroups"][0]
        arn = group.get("ARN") or call.arn("elasticache", f"parametergroup:{id}")
        values = {
            each["ParameterName"]: each.get("ParameterValue")
            for each in client.describe_cache_parameters(CacheParameterGroupName=id, Source="user").get("Parameters")
            or ()
            if each.get("Source", "user") == "user"
        }
        names = [each["name"] for each in known.get("parameters") or () if each["name"] in values]
        names += sorted(values.keys() - set(names))
        return {
            "arn": arn,
            "name": id,
            "family": group["CacheParameterGroupFamily"],
            "description": group["Description"],
            "parameters": [{"name": name, "value": values[name]} for name in names] or None,
            "tags": tag_map(client.list_tags_for_resource(ResourceName=arn)["TagList"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "parameters" in changed:
            before = {each["name"]: each["value"] for each in old.get("parameters") or ()}
            after = {each["name"]: each["value"] for each in new.get("parameters") or ()}
            gone = [
                {"ParameterName": name, "ParameterValue": before[name]} for name in sorted(before.keys() - after.keys())
            ]
            for start in range(0, len(gone), _BATCH):
                call.client("elasticache").reset_cache_parameter_group(
                    CacheParameterGroupName=id, ParameterNameValues=gone[start : start + _BATCH]
                )
            _apply(
                call, id, [each for each in new.get("parameters") or () if before.get(each["name"]) != each["value"]]
            )
        if "tags" in changed:
            retag_cache(call, call.arn("elasticache", f"parametergroup:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("CacheParameterGroupNotFound", "CacheParameterGroupNotFoundFault"):
            call.client("elasticache").delete_cache_parameter_group(CacheParameterGroupName=id)


def _apply(call: Call, name: str, parameters: list[dict[str, Any]]) -> None:
    sent = [{"ParameterName": each["name"], "ParameterValue": str(each["value"])} for each in parameters]
    for start in range(0, len(sent), _BATCH):
        call.client("elasticache").modify_cache_parameter_group(
            CacheParameterGroupName=name, ParameterNameValues=sent[start : start + _BATCH]
        )


@resource
class User(Handler):
    type = "aws:elasticache/user:User"
    kept = (
        "accessString",
        "authenticationMode",
        "noPasswordRequired",
        "passwords",
        "passwordsWo",
        "passwordsWoVersion",
    )

    def create(self, call: Call, inputs: Properties) -> str:
        mode = inputs.get("authenticationMode")
        call.client("elasticache").create_user(
            UserId=inputs["userId"],
            UserName=inputs["userName"],
            Engine=inputs["engine"],
            AccessString=inputs["accessString"],
            Tags=call.tag_list,
            **present(
                NoPasswordRequired=inputs.get("noPasswordRequired"),
                Passwords=inputs.get("passwords"),
                AuthenticationMode=present(Type=mode["type"], Passwords=mode.get("passwords")) if mode else None,
            ),
        )
        return str(inputs["userId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("elasticache")
        answer = found(lambda: client.describe_users(UserId=id), "UserNotFound", "UserNotFoundFault")
        if not answer or not answer["Users"]:
            return None
        user = answer["Users"][0]
        return {
            "arn": user["ARN"],
            "userId": id,
            "userName": user["UserName"],
            "engine": user["Engine"],
            "tags": tag_map(client.list_tags_for_resource(ResourceName=user["ARN"])["TagList"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        mode = new.get("authenticationMode")
        sent = present(
            AccessString=new.get("accessString") if "accessString" in changed else None,
            NoPasswordRequired=new.get("noPasswordRequired") if "noPasswordRequired" in changed else None,
            Passwords=new.get("passwords") if "passwords" in changed else None,
            AuthenticationMode=present(Type=mode["type"], Passwords=mode.get("passwords"))
            if mode and "authenticationMode" in changed
            else None,
        )
        if sent:
            call.client("elasticache").modify_user(UserId=id, **sent)
        if "tags" in changed:
            retag_cache(call, call.arn("elasticache", f"user:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("UserNotFound", "UserNotFoundFault"):
            call.client("elasticache").delete_user(UserId=id)


@resource
class UserGroup(Handler):
    type = "aws:elasticache/userGroup:UserGroup"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"userIds": user})

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("elasticache").create_user_group(
            UserGroupId=inputs["userGroupId"],
            Engine=inputs["engine"],
            UserIds=inputs.get("userIds") or [],
            Tags=call.tag_list,
        )
        return str(inputs["userGroupId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("elasticache")
        answer = found(
            lambda: client.describe_user_groups(UserGroupId=id), "UserGroupNotFound", "UserGroupNotFoundFault"
        )
        if not answer or not answer["UserGroups"]:
            return None
        group = answer["UserGroups"][0]
        return {
            "arn": group["ARN"],
            "userGroupId": id,
            "engine": group["Engine"],
            "userIds": sorted(group.get("UserIds") or ()),
            "tags": tag_map(client.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "userIds" in changed:
            before, after = set(old.get("userIds") or ()), set(new.get("userIds") or ())
            call.client("elasticache").modify_user_group(
                UserGroupId=id,
                **({"UserIdsToAdd": sorted(after - before)} if after - before else {}),
                **({"UserIdsToRemove": sorted(before - after)} if before - after else {}),
            )
        if "tags" in changed:
            retag_cache(call, call.arn("elasticache", f"usergroup:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("UserGroupNotFound", "UserGroupNotFoundFault"):
            call.client("elasticache").delete_user_group(UserGroupId=id)


def user(property: str, value: str) -> Reference:
    return Reference(
        property,
        value,
        lambda call: bool(
            (
                found(
                    lambda: call.client("elasticache").describe_users(UserId=value), "UserNotFound", "UserNotFoundFault"
                )
                or {"Users": []}
            )["Users"]
        ),
    )
