"""Deployments, stages and the settings of their methods. API Gateway REST, by MiniStack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, iso, present, refused, unless
from rehearsal.aws.services.apigateway import GONE, arn, patch, rest_api, tag, tags, truth
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties


def invoke_url(call: Call, api: str, stage: str) -> str:
    return f"https://{api}.execute-api.{call.region}.amazonaws.com/{stage}"


@resource
class Deployment(Handler):
    """Id: the deployment's. MiniStack's methods take effect at once; only gateway responses wait for a deployment."""

    type = "aws:apigateway/deployment:Deployment"
    tags_property = None
    kept = ("triggers", "variables")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield rest_api("restApi", inputs["restApi"])

    def create(self, call: Call, inputs: Properties) -> str:
        client, api = call.client("apigateway"), inputs["restApi"]
        if not any(each.get("resourceMethods") for each in
                   client.get_resources(restApiId=api, limit=500, embed=["methods"])["items"]):
            raise refused("BadRequestException", "The REST API doesn't contain any methods", "CreateDeployment")
        return str(client.create_deployment(
            restApiId=api, **present(description=inputs.get("description"), variables=inputs.get("variables")))["id"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        api, _, deployment = id.rpartition("/")
        api = api or known["restApi"]
        got = found(lambda: call.client("apigateway").get_deployment(restApiId=api, deploymentId=deployment), GONE)
        if got is None:
            return None
        return {"restApi": api, "description": got.get("description") or None, "createdDate": iso(got["createdDate"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("apigateway").update_deployment(
            restApiId=new["restApi"], deploymentId=id, patchOperations=patch(
                {"/description": new.get("description") or ""}))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = call.client("apigateway")
        stages = found(lambda: client.get_stages(restApiId=known["restApi"]), GONE)
        used = [each["stageName"] for each in (stages or {}).get("item", ()) if each["deploymentId"] == id]
        if used:
            raise refused("BadRequestException", "Active stages pointing to this deployment must be moved or deleted: "
                          f"{', '.join(used)}", "DeleteDeployment")
        with unless(GONE):
            client.delete_deployment(restApiId=known["restApi"], deploymentId=id)


_LOGS = re.compile(r"arn:aws:(logs|firehose):")
_STAGE = {"deployment": "deploymentId", "description": "description", "xrayTracingEnabled": "tracingEnabled",
          "documentationVersion": "documentationVersion", "clientCertificateId": "clientCertificateId"}


@resource
class Stage(Handler):
    """Id: `ags-{API}-{stage}`."""

    type = "aws:apigateway/stage:Stage"
    defaults = {"xrayTracingEnabled": False}
    kept = ("cacheClusterEnabled", "cacheClusterSize", "canarySettings")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        api, deployment = inputs["restApi"], inputs["deployment"]
        yield rest_api("restApi", api)
        yield Reference("deployment", deployment, lambda call: found(lambda: call.client("apigateway").get_deployment(
            restApiId=api, deploymentId=deployment), GONE) is not None)
        target = (inputs.get("accessLogSettings") or {}).get("destinationArn", "")
        if ":logs:" in target:
            yield references.log_group("accessLogSettings.destinationArn", target)

    def create(self, call: Call, inputs: Properties) -> str:
        _check_stage(call, inputs)
        client, api, name = call.client("apigateway"), inputs["restApi"], inputs["stageName"]
        if _claims.is_taken(call, f"{api} {name}", lambda: bool(found(
                lambda: client.get_stage(restApiId=api, stageName=name), GONE))):
            raise refused("ConflictException", f"Stage already exists: {name} of {api}", "CreateStage", 409)
        client.create_stage(
            restApiId=api, stageName=name, deploymentId=inputs["deployment"],
            **present(description=inputs.get("description"), variables=inputs.get("variables"),
                      tracingEnabled=inputs.get("xrayTracingEnabled"),
                      documentationVersion=inputs.get("documentationVersion")))
        id = call.made(f"ags-{api}-{name}")
        later = {name: inputs[name] for name in ("accessLogSettings", "clientCertificateId") if inputs.get(name)}
        if later:
            self.update(call, id, {}, {**inputs, **later}, frozenset(later))
        tag(call, arn(call, f"/restapis/{api}/stages/{name}"))
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        api, name = (known["restApi"], known["stageName"]) if known else id.split("/")
        got = found(lambda: call.client("apigateway").get_stage(restApiId=api, stageName=name), GONE)
        if got is None:
            return None
        logs = got.get("accessLogSettings") or {}
        path = f"/restapis/{api}/stages/{name}"
        return {"restApi": api, "stageName": name, "deployment": got["deploymentId"], "arn": arn(call, path),
                "executionArn": call.arn("execute-api", f"{api}/{name}"), "invokeUrl": invoke_url(call, api, name),
                "description": got.get("description") or None, "variables": got.get("variables") or None,
                "xrayTracingEnabled": truth(got.get("tracingEnabled")),
                "documentationVersion": got.get("documentationVersion") or None,
                "clientCertificateId": got.get("clientCertificateId") or None, "webAclArn": got.get("webAclArn", ""),
                "accessLogSettings": {"destinationArn": logs["destinationArn"], "format": logs["format"]}
                if logs.get("destinationArn") else None, "tags": tags(call, arn(call, path))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_stage(call, new)
        api, name = new["restApi"], new["stageName"]
        changes: dict[str, Any] = {f"/{_STAGE[each]}": new.get(each, self.defaults.get(each, ""))
                                   for each in sorted(changed & _STAGE.keys())}
        if "accessLogSettings" in changed:
            logs = new.get("accessLogSettings")
            changes |= {"/accessLogSettings/destinationArn": logs["destinationArn"],
                        "/accessLogSettings/format": logs["format"]} if logs else {"/accessLogSettings": None}
        if "variables" in changed:
            before, after = old.get("variables") or {}, new.get("variables") or {}
            changes |= {f"/variables/{key}": after.get(key) for key in sorted(before | after)
                        if before.get(key) != after.get(key)}
        if changes:
            call.client("apigateway").update_stage(restApiId=api, stageName=name, patchOperations=patch(changes))
        if "tags" in changed:
            tag(call, arn(call, f"/restapis/{api}/stages/{name}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").delete_stage(restApiId=known["restApi"], stageName=known["stageName"])


def needs_logging_role(call: Call, operation: str) -> None:
    """API Gateway refuses logs while the account has no role for them."""
    if not call.client("apigateway").get_account().get("cloudwatchRoleArn"):
        raise refused("BadRequestException", "CloudWatch Logs role ARN must be set in account settings to enable "
                      "logging", operation)


def _check_stage(call: Call, inputs: Properties) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", inputs["stageName"]):
        raise refused("BadRequestException", f"Stage name only allows a-zA-Z0-9_-: {inputs['stageName']}",
                      "CreateStage")
    logs = inputs.get("accessLogSettings")
    if not logs:
        return
    if not _LOGS.match(logs["destinationArn"]):
        raise refused("BadRequestException", "Access Log destination must only contain characters a-z of a log group's "
                      f"or a delivery stream's ARN: {logs['destinationArn']}", "UpdateStage")
    if not re.search(r"\$context\.(requestId|extendedRequestId)\b", logs["format"]):
        raise refused("BadRequestException", "Access Log format must contain at least $context.requestId or "
                      "$context.extendedRequestId", "UpdateStage")
    if ":logs:" in logs["destinationArn"]:
        needs_logging_role(call, "UpdateStage")


# property of `settings` → path of the patch below the method's
_SETTINGS = {"metricsEnabled": "metrics/enabled", "loggingLevel": "logging/loglevel",
             "dataTraceEnabled": "logging/dataTrace", "throttlingBurstLimit": "throttling/burstLimit",
             "throttlingRateLimit": "throttling/rateLimit", "cachingEnabled": "caching/enabled",
             "cacheTtlInSeconds": "caching/ttlInSeconds", "cacheDataEncrypted": "caching/dataEncrypted",
             "requireAuthorizationForCacheControl": "caching/requireAuthorizationForCacheControl",
             "unauthorizedCacheControlHeaderStrategy": "caching/unauthorizedCacheControlHeaderStrategy"}


@resource
class MethodSettings(Handler):
    """Id: `{API}-{stage}-{method path}`."""

    type = "aws:apigateway/methodSettings:MethodSettings"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        api, name = inputs["restApi"], inputs["stageName"]
        yield rest_api("restApi", api)
        yield Reference("stageName", name, lambda call: found(
            lambda: call.client("apigateway").get_stage(restApiId=api, stageName=name), GONE) is not None)

    def create(self, call: Call, inputs: Properties) -> str:
        self.update(call, "", {}, inputs, frozenset({"settings"}))
        return f"{inputs['restApi']}-{inputs['stageName']}-{inputs['methodPath']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        api, stage, path = (known["restApi"], known["stageName"], known["methodPath"]) if known else id.split("/", 2)
        got = found(lambda: call.client("apigateway").get_stage(restApiId=api, stageName=stage), GONE)
        settings = (got or {}).get("methodSettings", {}).get(path)
        if settings is None:
            return None
        return {"restApi": api, "stageName": stage, "methodPath": path,
                "settings": {name: settings[name] for name in _SETTINGS if name in settings}}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        settings = new["settings"]
        _check_settings(settings)
        if settings.get("loggingLevel", "OFF") != "OFF":
            needs_logging_role(call, "UpdateStage")
        before = old.get("settings") or {}
        changes = {f"/{new['methodPath']}/{_SETTINGS[name]}": value for name, value in settings.items()
                   if value is not None and before.get(name) != value}
        if changes:
            call.client("apigateway").update_stage(restApiId=new["restApi"], stageName=new["stageName"],
                                                   patchOperations=patch(changes))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("apigateway").update_stage(
                restApiId=known["restApi"], stageName=known["stageName"],
                patchOperations=patch({f"/{known['methodPath']}": None}))


def _check_settings(settings: Mapping[str, Any]) -> None:
    if settings.get("loggingLevel") not in (None, "OFF", "ERROR", "INFO"):
        raise ProviderError(f"settings.loggingLevel {settings['loggingLevel']!r} is none of OFF, ERROR, INFO")
