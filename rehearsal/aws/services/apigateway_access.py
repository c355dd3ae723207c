"""How REST APIs are reached: keys, usage plans, custom domains. API Gateway, by MiniStack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services._convert import found, iso, present, refused, unless
from rehearsal.aws.services.acm import certificate
from rehearsal.aws.services.apigateway import GONE, arn, patch, rest_api, tag, tags, truth
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_PERIODS = ("DAY", "WEEK", "MONTH")


@resource
class ApiKey(Handler):
    """Id: the key's, which is not its value."""

    type = "aws:apigateway/apiKey:ApiKey"
    naming = Naming("name", maximum=1024)
    defaults = {"enabled": True, "description": "Managed by Pulumi"}

    def create(self, call: Call, inputs: Properties) -> str:
        value = inputs.get("value")
        if value is not None and not re.fullmatch(r"[A-Za-z0-9]{20,128}", value):
            raise ProviderError("value: 20 to 128 letters and digits")
        id = str(call.client("apigateway").create_api_key(
            name=inputs["name"], enabled=inputs.get("enabled", True),
            description=inputs.get("description", self.defaults["description"]),
            **present(value=value, customerId=inputs.get("customerId")))["id"])
        tag(call, arn(call, f"/apikeys/{call.made(id)}"))
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = found(lambda: call.client("apigateway").get_api_key(apiKey=id, includeValue=True), GONE)
        if got is None:
            return None
        return {"arn": arn(call, f"/apikeys/{id}"), "name": got["name"], "description": got.get("description") or None,
                "enabled": truth(got["enabled"]), "value": got["value"], "customerId": got.get("customerId"),
                "createdDate": iso(got["createdDate"]), "lastUpdatedDate": iso(got["lastUpdatedDate"]),
                "tags": tags(call, arn(call, f"/apikeys/{id}"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        changes = {f"/{name}": new.get(name, self.defaults.get(name, ""))
                   for name in sorted(changed & {"name", "description", "enabled", "customerId"})}
        if changes:
            call.client("apigateway").update_api_key(apiKey=id, patchOperations=patch(changes))
        if "tags" in changed:
            tag(call, arn(call, f"/apikeys/{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").delete_api_key(apiKey=id)


@resource
class UsagePlan(Handler):
    """MiniStack has no patches of a plan's stages: an update of them is kept beside it."""

    type = "aws:apigateway/usagePlan:UsagePlan"
    naming = Naming("name", maximum=1024)
    kept = ("apiStages", "productCode")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, each in enumerate(inputs.get("apiStages") or ()):
            yield rest_api(f"apiStages[{index}].apiId", each["apiId"])
            yield Reference(f"apiStages[{index}].stage", each["stage"], lambda call, each=each: found(  # type: ignore[misc]
                lambda: call.client("apigateway").get_stage(restApiId=each["apiId"], stageName=each["stage"]),
                GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        _check_quota(inputs.get("quotaSettings"))
        stages = [{"apiId": each["apiId"], "stage": each["stage"],
                   "throttle": {one["path"]: present(rateLimit=one.get("rateLimit"), burstLimit=one.get("burstLimit"))
                                for one in each.get("throttles") or ()}} for each in inputs.get("apiStages") or ()]
        id = str(call.client("apigateway").create_usage_plan(
            name=inputs["name"], apiStages=stages, **present(
                description=inputs.get("description"), quota=_quota(inputs.get("quotaSettings")),
                throttle=inputs.get("throttleSettings")))["id"])
        tag(call, arn(call, f"/usageplans/{call.made(id)}"))
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = found(lambda: call.client("apigateway").get_usage_plan(usagePlanId=id), GONE)
        if got is None:
            return None
        throttle, quota = got.get("throttle") or {}, got.get("quota") or {}
        return {"arn": arn(call, f"/usageplans/{id}"), "name": got["name"],
                "description": got.get("description") or None,
                "throttleSettings": {"burstLimit": int(throttle.get("burstLimit", 0)),
                                     "rateLimit": float(throttle.get("rateLimit", 0))} if throttle else None,
                "quotaSettings": {"limit": int(quota["limit"]), "offset": int(quota.get("offset", 0)),
                                  "period": quota["period"]} if quota else None,
                "tags": tags(call, arn(call, f"/usageplans/{id}"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_quota(new.get("quotaSettings"))
        changes: dict[str, Any] = {f"/{name}": new.get(name, "") for name in sorted(changed & {"name", "description"})}
        for property, path in (("throttleSettings", "/throttle"), ("quotaSettings", "/quota")):
            if property in changed:
                value = new.get(property)
                changes |= {f"{path}/{key}": each for key, each in value.items()} if value else {path: None}
        if changes:
            call.client("apigateway").update_usage_plan(usagePlanId=id, patchOperations=patch(changes))
        if "tags" in changed:
            tag(call, arn(call, f"/usageplans/{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").delete_usage_plan(usagePlanId=id)


def _quota(settings: Properties | None) -> dict[str, Any] | None:
    return present(limit=settings["limit"], offset=settings.get("offset"), period=settings["period"]) \
        if settings else None


def _check_quota(settings: Properties | None) -> None:
    if settings and settings["period"] not in _PERIODS:
        raise refused("BadRequestException", f"Usage Plan quota period must be one of {', '.join(_PERIODS)}, not "
                      f"{settings['period']}", "CreateUsagePlan")


@resource
class UsagePlanKey(Handler):
    """Id: the key's. Every property replaces."""

    type = "aws:apigateway/usagePlanKey:UsagePlanKey"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        plan, key = inputs["usagePlanId"], inputs["keyId"]
        yield Reference("usagePlanId", plan, lambda call: found(
            lambda: call.client("apigateway").get_usage_plan(usagePlanId=plan), GONE) is not None)
        yield Reference("keyId", key, lambda call: found(
            lambda: call.client("apigateway").get_api_key(apiKey=key), GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        if inputs["keyType"] != "API_KEY":
            raise refused("BadRequestException", f"keyType must be API_KEY, not {inputs['keyType']}",
                          "CreateUsagePlanKey")
        return str(call.client("apigateway").create_usage_plan_key(
            usagePlanId=inputs["usagePlanId"], keyId=inputs["keyId"], keyType=inputs["keyType"])["id"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        plan, _, key = id.rpartition("/")
        plan = plan or known["usagePlanId"]
        got = found(lambda: call.client("apigateway").get_usage_plan_key(usagePlanId=plan, keyId=key), GONE)
        if got is None:
            return None
        return {"usagePlanId": plan, "keyId": key, "keyType": got["type"], "name": got.get("name"),
                "value": got.get("value")}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Every property replaces."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").delete_usage_plan_key(usagePlanId=known["usagePlanId"], keyId=id)


@resource
class DomainName(Handler):
    """Id: the domain. MiniStack has no updates of a domain: they are kept beside it."""

    type = "aws:apigateway/domainName:DomainName"
    kept = ("regionalCertificateArn", "certificateArn", "securityPolicy", "endpointConfiguration", "endpointAccessMode",
            "mutualTlsAuthentication", "ownershipVerificationCertificateArn", "routingMode", "policy",
            "regionalCertificateName", "certificateName")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        if inputs.get("regionalCertificateArn"):
            yield certificate("regionalCertificateArn", inputs["regionalCertificateArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        client, name = call.client("apigateway"), str(inputs["domainName"])
        if _claims.is_taken(call, name, lambda: bool(found(lambda: client.get_domain_name(domainName=name), GONE))):
            raise refused("BadRequestException", f"The domain name you provided already exists: {name}",
                          "CreateDomainName")
        endpoint = inputs.get("endpointConfiguration") or {"types": "EDGE"}
        if endpoint["types"] == "REGIONAL" and not inputs.get("regionalCertificateArn"):
            raise refused("BadRequestException", "a regional domain name needs regionalCertificateArn",
                          "CreateDomainName")
        client.create_domain_name(
            domainName=name, endpointConfiguration={"types": [endpoint["types"]]},
            **present(regionalCertificateArn=inputs.get("regionalCertificateArn"),
                      certificateArn=inputs.get("certificateArn"), securityPolicy=inputs.get("securityPolicy")))
        tag(call, arn(call, f"/domainnames/{call.made(name)}"))
        return name

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = found(lambda: call.client("apigateway").get_domain_name(domainName=id), GONE)
        if got is None:
            return None
        return {"domainName": id, "arn": arn(call, f"/domainnames/{id}"),
                "regionalDomainName": got.get("regionalDomainName"),
                "regionalZoneId": got.get("regionalHostedZoneId"),
                "cloudfrontDomainName": got.get("distributionDomainName"),
                "cloudfrontZoneId": got.get("distributionHostedZoneId"),
                "tags": tags(call, arn(call, f"/domainnames/{id}"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "tags" in changed:
            tag(call, arn(call, f"/domainnames/{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").delete_domain_name(domainName=id)


@resource
class BasePathMapping(Handler):
    """Id: `{domain}/{base path}`; nothing behind the slash is the root. MiniStack has no updates of a mapping: it is
    made anew."""

    type = "aws:apigateway/basePathMapping:BasePathMapping"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        domain = inputs["domainName"]
        yield Reference("domainName", domain, lambda call: found(
            lambda: call.client("apigateway").get_domain_name(domainName=domain), GONE) is not None)
        yield rest_api("restApi", inputs["restApi"])

    def create(self, call: Call, inputs: Properties) -> str:
        base = inputs.get("basePath")
        call.client("apigateway").create_base_path_mapping(
            domainName=inputs["domainName"], restApiId=inputs["restApi"],
            **present(basePath=base or None, stage=inputs.get("stageName")))
        return f"{inputs['domainName']}/{base or ''}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        domain, _, base = id.partition("/")
        got = found(lambda: call.client("apigateway").get_base_path_mapping(
            domainName=domain, basePath=base or "(none)"), GONE)
        if got is None:
            return None
        return {"domainName": domain, "restApi": got["restApiId"], "basePath": base or None,
                "stageName": got.get("stage") or None}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if new.get("basePath") != old.get("basePath"):
            raise ProviderError("the rehearsal cannot rename a base path in place: its id would change")
        self.delete(call, id, old)
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        domain, _, base = id.partition("/")
        with unless(GONE):
            call.client("apigateway").delete_base_path_mapping(domainName=domain, basePath=base or "(none)")
