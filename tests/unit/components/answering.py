"""A monitor that records what edge, analytics and workloads register, and answers the data sources that they ask.

A data source that is not in the table fails, and so does a computed output that nothing here gives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from infra.plans import hosts, ingress
from infra.settings import model
from tests.unit.components.recording import holds_secret, plain

ACCOUNT = "123456789012"
KEPT = model.Lifecycle(protect=True, deletion_protection=True, final_snapshot=True, force_destroy_buckets=False)
DISPOSABLE = model.Lifecycle(protect=False, deletion_protection=False, final_snapshot=False, force_destroy_buckets=True)
ZONE = "Z0CANDLEFISH"
BALANCER = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:loadbalancer/app/k8s-candlefish/1"


def _certificate(inputs: Mapping[str, Any]) -> dict[str, Any]:
    names = [inputs["domainName"], *inputs["subjectAlternativeNames"]]
    return {"domainValidationOptions": [
        {"domainName": name, "resourceRecordName": f"_v.{name}", "resourceRecordType": "CNAME",
         "resourceRecordValue": f"_v.{name}.acm-validations.aws"} for name in names]}


behind: list[model.Service] = []  # whose rules the controller has made; set by the test


def _rule(priority: int) -> dict[str, Any]:
    """As the controller makes it of the services `behind` it."""
    group = ingress.members(behind, hosts.hosts(model.Domain(prefix="staging")))
    route = ingress.priorities(group)[priority]
    patterns = ["/*"] if route.path == "/" else [route.path, f"{route.path}/*"]
    return {"arn": f"arn:rule:{priority}", "conditions": [{"hostHeaders": [{"values": [route.host]}]},
                                                          {"pathPatterns": [{"values": patterns}]}]}


COMPUTED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:route53/record:Record": lambda inputs: {"fqdn": inputs["name"]},
    "aws:route53/zone:Zone": lambda inputs: {"zoneId": ZONE},
    "aws:route53/keySigningKey:KeySigningKey": lambda inputs: {"dsRecord": "12345 13 2 abc"},
    "aws:cloudfront/distribution:Distribution": lambda inputs: {
        "domainName": "d1.cloudfront.net", "hostedZoneId": "Z2FDTNDATAQYW2"},
    "random:index/randomPassword:RandomPassword": lambda inputs: {"result": "not-a-secret"},
    "aws:lambda/function:Function": lambda inputs: {
        "invokeArn": f"invoke:{inputs['name']}",
        "qualifiedArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{inputs['name']}:1"},
    "random:index/randomId:RandomId": lambda inputs: {"hex": "deadbeef"},
    "aws:apigateway/restApi:RestApi": lambda inputs: {"executionArn": "arn:aws:execute-api:::rest"},
    "aws:apigateway/apiKey:ApiKey": lambda inputs: {"value": "not-a-secret"},
    "aws:apigateway/domainName:DomainName": lambda inputs: {"regionalDomainName": "rest.test", "regionalZoneId": "Z1"},
    "aws:apigatewayv2/api:Api": lambda inputs: {"executionArn": "arn:aws:execute-api:::sockets"},
    "aws:apigatewayv2/stage:Stage": lambda inputs: {
        "invokeUrl": "wss://sockets.test/live", "executionArn": "arn:aws:execute-api:::sockets/live"},
    "aws:apigatewayv2/domainName:DomainName": lambda inputs: {"domainNameConfiguration": {
        **inputs["domainNameConfiguration"], "targetDomainName": "ws.test", "hostedZoneId": "Z2"}},
    "aws:dynamodb/table:Table": lambda inputs: {"streamArn": "arn:aws:dynamodb:::table/events/stream/1"},
}
ANSWERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "aws:route53/getZone:getZone": lambda asked: {"zoneId": ZONE, "name": asked["name"]},
    "aws:index/getCallerIdentity:getCallerIdentity": lambda asked: {"accountId": ACCOUNT},
    "aws:lb/getLoadBalancer:getLoadBalancer": lambda asked: {
        "arn": BALANCER, "dnsName": "k8s-candlefish.elb.test", "zoneId": "Z35SXDOTRQ7X7K"},
    "aws:lb/getListener:getListener": lambda asked: {
        "arn": f"{asked['loadBalancerArn']}/listener/{int(asked['port'])}"},
    "aws:lb/getListenerRule:getListenerRule": lambda asked: _rule(int(asked["priority"])),
    "aws:lb/getTargetGroup:getTargetGroup": lambda asked: {
        "arn": f"arn:target-group:{asked['tags']['ingress.k8s.aws/resource']}"},
}


@dataclass(frozen=True)
class Registered:
    """A registration as the engine would see it, secrets unwrapped; `secrets` are the inputs that hold one.

    Keys of inputs as on the wire (camelCase).
    """

    type: str
    name: str
    urn: str
    inputs: Mapping[str, Any]
    protect: bool
    ignored: tuple[str, ...]
    dependencies: tuple[str, ...]
    secrets: frozenset[str]
    secret_outputs: tuple[str, ...] = ()


class _Answers(mocks.Mocks):
    """Inputs as outputs, with what COMPUTED gives; data sources answer from ANSWERS."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        service = args.typ.split(":")[1].partition("/")[0]
        state = {"arn": f"arn:aws:{service}:::{args.name}", "name": args.name}
        return f"{args.name}-id", state | COMPUTED.get(args.typ, lambda inputs: {})(args.inputs) | dict(args.inputs)  # type: ignore[no-untyped-call]

    def call(self, args: mocks.MockCallArgs) -> Any:
        return ANSWERS[args.token](args.args)


class Monitor(mocks.MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Answers())
        self.registered: list[Registered] = []
        self.with_outputs: set[str] = set()

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.with_outputs.add(request.urn)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        raw = rpc.deserialize_properties(request.object)
        self.registered.append(Registered(
            request.type, request.name, response.urn, {key: plain(value) for key, value in raw.items()},
            bool(request.protect), tuple(request.ignoreChanges), tuple(request.dependencies),
            frozenset(key for key, value in raw.items() if holds_secret(value)),
            tuple(request.additionalSecretOutputs)))
        return response


@dataclass(frozen=True)
class Registrations:
    """What a program registered. `built`: the outputs that it returned, resolved."""

    all: list[Registered]
    with_outputs: set[str]  # URNs of components that registered their outputs
    built: SimpleNamespace

    def of(self, type: str) -> list[Registered]:
        return [found for found in self.all if found.type == type]

    def one(self, type: str, name: str) -> Registered:
        (found,) = [found for found in self.of(type) if found.name == name]
        return found


def record(program: Callable[[], SimpleNamespace]) -> Registrations:
    """Runs the program, waits for its registrations and for the outputs in the namespace that it returns."""
    monitor = Monitor()
    asyncio.set_event_loop(asyncio.new_event_loop())  # the SDK wants one; another test may have closed it
    pulumi.runtime.set_mocks(monitor.mocks, project="candlefish", stack="test", monitor=monitor)
    built = SimpleNamespace()

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> pulumi.Output[None]:
        outputs = vars(program())
        return pulumi.Output.all(**outputs).apply(lambda values: vars(built).update(values))

    run()
    return Registrations(monitor.registered, monitor.with_outputs, built)


def service(name: str = "website", **changes: Any) -> model.Service:
    values: dict[str, Any] = {
        "name": name, "port": 3000, "image": "ghcr.io/candlefish-ai/website:1.0.0@sha256:0f",
        "resources": model.Resources(cpu_millis=250, memory_mib=768, cpu_limit_millis=1000, memory_limit_mib=2048),
        "replicas": model.Replicas(minimum=2, maximum=6)}
    return model.Service(**(values | changes))


def six_services() -> tuple[model.Service, ...]:
    """The services as the stack files have them (K3), as far as the components are concerned."""
    database = model.SecretReference(variable="DATABASE_URL", secret="database", key="url")
    jwt = model.SecretReference(variable="JWT_KEY", secret="jwt")
    door = "front-door"
    return (
        service("website", callers=(door,), paths=("/", "/ws"), hosts=("apex", "www"),
                switches={"ANIMATION_FALLBACK": "false"}, environment={"NODE_OPTIONS": "--max-old-space-size=1536"},
                volume=model.Volume(mount_path="/data", size_gib=20)),
        service("backend-api", port=8000, callers=("api-gateway", "website"), calls=("database", "cache"),
                switches={"READ_ONLY": "false"}, migration=("alembic", "upgrade", "head"), secrets=(database, jwt)),
        service("analytics-dashboard", port=8080, service_port=80, callers=(door,), paths=("/dashboard",)),
        service("paintbox", callers=("api-gateway",), aliases=("paintbox-service",)),
        service("brand-portal", port=8080, service_port=80, callers=(door,), paths=("/brand",)),
        service("api-gateway", port=8080, callers=(door,), paths=("/",), hosts=("api",), calls=("internet",)),
    )
