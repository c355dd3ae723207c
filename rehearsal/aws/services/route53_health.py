"""Route 53 health checks, DNSSEC and query logs, by moto; DNSSEC is kept."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, refused, select, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.route53 import bare, tag, tags_of, zone_exists
from rehearsal.engine.values import Properties

_UPDATABLE = {
    "childHealthThreshold": "HealthThreshold",
    "childHealthchecks": "ChildHealthChecks",
    "disabled": "Disabled",
    "enableSni": "EnableSNI",
    "failureThreshold": "FailureThreshold",
    "fqdn": "FullyQualifiedDomainName",
    "insufficientDataHealthStatus": "InsufficientDataHealthStatus",
    "invertHealthcheck": "Inverted",
    "ipAddress": "IPAddress",
    "port": "Port",
    "regions": "Regions",
    "resourcePath": "ResourcePath",
    "searchString": "SearchString",
}
_CREATION = {
    **_UPDATABLE,
    "type": "Type",
    "measureLatency": "MeasureLatency",
    "requestInterval": "RequestInterval",
    "routingControlArn": "RoutingControlArn",
}


def zone(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: zone_exists(call, value))


@resource
class HealthCheck(Handler):
    type = "aws:route53/healthCheck:HealthCheck"
    defaults = {"disabled": False}
    kept = ("referenceName", "triggers", "cloudwatchAlarmName", "cloudwatchAlarmRegion")
    global_region = "us-east-1"

    def create(self, call: Call, inputs: Properties) -> str:
        config: dict[str, Any] = select(inputs, _CREATION)
        if inputs.get("cloudwatchAlarmName"):
            config["AlarmIdentifier"] = {
                "Name": inputs["cloudwatchAlarmName"],
                "Region": inputs["cloudwatchAlarmRegion"],
            }
        if config.get("RequestInterval", 30) not in (10, 30):
            raise refused(
                "InvalidInput",
                f"RequestInterval must be 10 or 30 seconds, not {config['RequestInterval']}",
                "CreateHealthCheck",
            )
        reference = (inputs.get("referenceName") or "") + call.context.operation
        answer = call.client("route53").create_health_check(CallerReference=reference[:64], HealthCheckConfig=config)
        id = str(answer["HealthCheck"]["Id"])
        tag(call, call.made(id), "healthcheck")
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("route53").get_health_check(HealthCheckId=id), "NoSuchHealthCheck")
        if answer is None:
            return None
        config = answer["HealthCheck"]["HealthCheckConfig"]
        got = {property: config[member] for property, member in _CREATION.items() if config.get(member) is not None}
        return got | {"arn": f"arn:aws:route53:::healthcheck/{id}", "tags": tags_of(call, id, "healthcheck")}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        sent = select(new, _UPDATABLE, changed)
        if sent:
            call.client("route53").update_health_check(HealthCheckId=id, **sent)
        if "tags" in changed:
            tag(call, id, "healthcheck")

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("NoSuchHealthCheck"):
            call.client("route53").delete_health_check(HealthCheckId=id)


@resource
class HostedZoneDnsSec(KeptObject):
    type = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"
    tags_property = None
    defaults = {"signingStatus": "SIGNING"}
    global_region = "us-east-1"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield zone("hostedZoneId", inputs["hostedZoneId"])

    def identify(self, call: Call, inputs: Properties) -> str:
        id = bare(inputs["hostedZoneId"])
        keys = call.kept.list(call.account, call.region, KeySigningKey.type)
        if not any(key["hostedZoneId"] == id and key.get("status", "ACTIVE") == "ACTIVE" for _, key in keys):
            raise refused(
                "KeySigningKeyWithActiveStatusNotFound",
                f"the zone {id} has no active key-signing key",
                "EnableHostedZoneDNSSEC",
            )
        return id


@resource
class KeySigningKey(KeptObject):
    type = "aws:route53/keySigningKey:KeySigningKey"
    naming = Naming("name", maximum=128)
    tags_property = None
    defaults = {"status": "ACTIVE"}
    global_region = "us-east-1"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield zone("hostedZoneId", inputs["hostedZoneId"])
        yield from references.given(inputs, {"keyManagementServiceArn": references.kms_key})

    def identify(self, call: Call, inputs: Properties) -> str:
        if inputs["keyManagementServiceArn"].split(":")[3] != "us-east-1":
            raise refused(
                "InvalidKMSArn",
                f"the key of a key-signing key must be in us-east-1, and is {inputs['keyManagementServiceArn']}",
                "CreateKeySigningKey",
            )
        return f"{bare(inputs['hostedZoneId'])},{inputs['name']}"

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        digest = hashlib.sha256(id.encode()).hexdigest().upper()
        key_tag = int(digest[:4], 16)
        public = base64.b64encode(hashlib.sha512(id.encode()).digest()).decode()
        return {
            "digestAlgorithmMnemonic": "SHA-256",
            "digestAlgorithmType": 2,
            "digestValue": digest,
            "dnskeyRecord": f"257 3 13 {public}",
            "dsRecord": f"{key_tag} 13 2 {digest}",
            "flag": 257,
            "keyTag": key_tag,
            "publicKey": public,
            "signingAlgorithmMnemonic": "ECDSAP256SHA256",
            "signingAlgorithmType": 13,
        }


@resource
class QueryLog(KeptObject):
    """Kept: moto looks for the log group among its own, while CloudWatch Logs is emulated elsewhere."""

    type = "aws:route53/queryLog:QueryLog"
    tags_property = None
    global_region = "us-east-1"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield zone("zoneId", inputs["zoneId"])
        yield from references.given(inputs, {"cloudwatchLogGroupArn": references.log_group})

    def identify(self, call: Call, inputs: Properties) -> str:
        zone_id, group = bare(inputs["zoneId"]), inputs["cloudwatchLogGroupArn"]
        if group.split(":")[3] != "us-east-1":
            raise refused(
                "InvalidInput",
                f"the log group of a query log must be in us-east-1, and is {group}",
                "CreateQueryLoggingConfig",
            )
        if _claims.is_taken(call, zone_id, lambda: any(
                each["zoneId"] == zone_id for _, each in call.kept.list(call.account, call.region, self.type))):
            raise refused(
                "QueryLoggingConfigAlreadyExists",
                f"the zone {zone_id} has a query logging configuration",
                "CreateQueryLoggingConfig",
            )
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"query-log:{call.account}:{zone_id}"))

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": f"arn:aws:route53:::queryloggingconfig/{id}", "zoneId": bare(inputs["zoneId"])}
