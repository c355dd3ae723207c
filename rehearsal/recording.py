"""A program's graph: every resource that it registers, from one preview without servers, credentials or network.

    graph = record(Project.load(folder), "staging", config)
    graph.of("aws:s3/bucket:Bucket")

A preview makes nothing, so nothing needs to exist; what the program looks up is answered here. An ARN that AWS would
give later is one that is made up, so that the policies that name it can be read. A password that pulumi-random would
draw later is `MARKER`, so that it can be followed through the whole graph.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.aws import provider_account
from rehearsal.aws.provider import AwsProvider
from rehearsal.aws.servers import DEFAULT_ACCOUNT, LOOPBACK, AwsEndpoint
from rehearsal.aws.services.sts import partition, policy_document
from rehearsal.engine import urns
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import Violation
from rehearsal.engine.provider import Checked, Context, Diff, ProviderError
from rehearsal.engine.registration import Goal
from rehearsal.engine.results import Result
from rehearsal.engine.state import State
from rehearsal.engine.store import StateFile
from rehearsal.engine.values import UNKNOWN, Properties, Secret
from rehearsal.kubernetes.provider import KubernetesProvider
from rehearsal.random.provider import RandomProvider

MARKER = "drawn-by-pulumi-random"
ZONE_ID = "Z00000000000000000000"  # of every hosted zone that a program looks up, unless the caller knows it
_NOWHERE = AwsEndpoint(f"http://{LOOPBACK}:9", 9, "", 9)  # the discard port: no recording reaches a server
LOOKED_UP = "looked-up"  # in every part of a name of what a controller makes in its own time
# Answers of the load balancer's data sources, which are asked once its Ingress exists.
_CONTROLLERS: Mapping[str, tuple[str, ...]] = {
    "aws:lb/getLoadBalancer:getLoadBalancer": ("arn", "dnsName", "id", "name", "zoneId"),
    "aws:lb/getListener:getListener": ("arn", "id"),
    "aws:lb/getTargetGroup:getTargetGroup": ("arn", "id", "name")}
ARNS = ("arn", "executionArn", "invokeArn", "qualifiedArn")
_DRAWN = {"random:index/randomPassword:RandomPassword": ("result", "bcryptHash")}


@dataclass(frozen=True)
class Graph:
    """given: by URN, what the program said of a custom resource, before the provider filled anything in. aliases: by
    URN of a new resource, the other URNs that it may have had. deleted_first: URNs that say delete_before_replace."""

    stack: str
    result: Result
    resources: tuple[State, ...]
    given: Mapping[str, Properties]
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    deleted_first: frozenset[str] = frozenset()

    def of(self, *types: str) -> tuple[State, ...]:
        return tuple(state for state in self.resources if state.type in types)

    @property
    def by_urn(self) -> dict[str, State]:
        return {state.urn: state for state in self.resources}

    @property
    def components(self) -> tuple[State, ...]:
        return tuple(state for state in self.resources if not state.custom and state.type != urns.STACK_TYPE)

    @property
    def counts(self) -> Counter[str]:
        return Counter(step.type for step in self.result.steps if not urns.is_default_provider(step.urn))


def record(project: Project, stack: str, config: StackConfig, *, seed: int = 0, state: StateFile | None = None,
           zones: Mapping[str, str] | None = None, account: str = "") -> Graph:
    """A preview against `state`, or from nothing. `zones`: ids of hosted zones by name. `account`: whose the
    platform is said to be. Raises EngineError."""
    providers: list[Any] = [
        _Recording(each) for each in (_Offline(zones or {}, account), KubernetesProvider(), _DrawnAlready())]
    with tempfile.TemporaryDirectory(prefix="candlefish-recording-") as folder:
        watching = _Watching()
        made = Engine(project, stack, config, providers, state or StateFile(Path(folder) / "state.json", "unused"),
                      seed=seed, analyzers=[watching])
        result = made.preview()
    given = {urn: found for each in providers for urn, found in each.given.items()}
    return Graph(stack, result, made.states, given, made.aliases, frozenset(watching.deleted_first))


class _Watching:
    """Where a policy pack would sit: what a registration says that the state does not keep."""

    def __init__(self) -> None:
        self.deleted_first: set[str] = set()

    def analyze(self, urn: str, goal: Goal, inputs: Properties, provider: State | None) -> list[Violation]:
        if goal.delete_before_replace:
            self.deleted_first.add(urn)
        return []

    def analyze_stack(self, states: object) -> list[Violation]:
        return []


class _DrawnAlready(RandomProvider):
    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        outputs = super().preview(context, inputs, old_outputs)
        if old_outputs is not None:
            return outputs
        return {**outputs, **{key: Secret(MARKER) for key in _DRAWN.get(context.type, ())}}


class _Offline(AwsProvider):
    """ARNs are named already, and data sources answered without AWS."""

    def __init__(self, zones: Mapping[str, str], account: str) -> None:
        super().__init__(_NOWHERE)
        self._zones, self._account = zones, account

    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        outputs = super().preview(context, inputs, old_outputs)
        if old_outputs is not None:
            return outputs
        arn = imagined_arn(context.type, context.name, str(outputs.get("region")))
        return {**outputs, **{key: arn for key in ARNS if outputs.get(key) is UNKNOWN}}

    def invoke(self, context: Context, token: str, arguments: Properties) -> Properties:
        match token:
            case "aws:index/getCallerIdentity:getCallerIdentity":
                account = self._account or provider_account.account(context.config)
                return {"accountId": account, "id": account, "arn": f"arn:aws:iam::{account}:root", "userId": account}
            case "aws:route53/getZone:getZone":
                return self._zone(arguments)
            case "aws:index/getPartition:getPartition":
                return partition(self._call(context, arguments, "us-east-1"), arguments)
            case "aws:iam/getPolicyDocument:getPolicyDocument":
                return policy_document(self._call(context, arguments, "us-east-1"), arguments)
            case _ if token in _CONTROLLERS:
                later = "/".join(["arn:aws:elasticloadbalancing:us-east-1:000000000000:looked-up", *[LOOKED_UP] * 4])
                return {key: f"{later}/{key}-{LOOKED_UP}" for key in _CONTROLLERS[token]}
            case _:
                raise ProviderError(f"the data source {token} asks AWS, which a recording without credentials does "
                                    "not reach; add its answer to rehearsal/recording.py")

    def _zone(self, arguments: Properties) -> Properties:
        name = str(arguments.get("name") or "").rstrip(".")
        id = str(arguments.get("zoneId") or self._zones.get(name, ZONE_ID))
        servers = [f"ns-{number}.example" for number in range(4)]
        return {"id": id, "zoneId": id, "arn": f"arn:aws:route53:::hostedzone/{id}", "name": name,
                "privateZone": bool(arguments.get("privateZone")), "comment": "", "callerReference": "",
                "nameServers": servers, "primaryNameServer": servers[0]}


def imagined_arn(type: str, name: str, region: str) -> str:
    """`arn:aws:kms:us-east-1:000000000000:key/keys-data`, of a resource that is not there yet."""
    service, kind = type.split(":")[1].split("/")
    if service == "s3":
        return f"arn:aws:s3:::{name}"
    return f"arn:aws:{service}:{'' if service == 'iam' else region}:{DEFAULT_ACCOUNT}:{kind}/{name}"


class _Recording:
    """A provider that keeps the inputs as they come in."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self.packages: tuple[str, ...] = tuple(provider.packages)
        self.identifies: bool = provider.identifies
        self.given: dict[str, Properties] = {}

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked:
        self.given[context.urn] = new
        checked: Checked = self._provider.check(context, old, new)
        return checked

    def diff(self, context: Context, id: str, old_inputs: Properties, old_outputs: Properties,
             new_inputs: Properties) -> Diff:
        """What was looked up is taken to be as it is deployed."""
        found: Diff = self._provider.diff(context, id, old_inputs, old_outputs, settled(new_inputs, old_inputs))
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


def settled(new: Any, old: Any) -> Any:
    """`new` with the texts of `old` where it has one that names something looked up. A document that names such a thing
    counts as the deployed one as a whole."""
    if isinstance(new, str):
        return old if LOOKED_UP in new and isinstance(old, str) else new
    if isinstance(new, dict):
        return {key: settled(item, old.get(key) if isinstance(old, dict) else None) for key, item in new.items()}
    if isinstance(new, list):
        return [settled(item, old[index] if isinstance(old, list) and index < len(old) else None)
                for index, item in enumerate(new)]
    return new
