"""The program as the engine sees it: one preview from nothing, with every resource that it registered.

    graph = Programs(endpoint, home).preview("staging")
    graph.of("aws:s3/bucket:Bucket")

A password that pulumi-random would draw later is `MARKER` here, so that a test can follow it through the whole graph.
An ARN that AWS would give later is one that is made up, so that a test can read the policies that name it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infra.settings.load import PREFIX
from infra.settings.yaml import read_yaml
from rehearsal.aws.clients import Clients
from rehearsal.aws.provider import AwsProvider
from rehearsal.aws.servers import DEFAULT_ACCOUNT, AwsEndpoint
from rehearsal.aws.world import ensure_zone
from rehearsal.engine import urns
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.provider import Checked, Context
from rehearsal.engine.results import Result
from rehearsal.engine.state import State
from rehearsal.engine.store import StateFile
from rehearsal.engine.values import UNKNOWN, Archive, Properties, Secret
from rehearsal.kubernetes.provider import KubernetesProvider
from rehearsal.random.provider import RandomProvider

ROOT = Path(__file__).parents[1]
MARKER = "drawn-by-pulumi-random"
_ARNS = ("arn", "executionArn", "invokeArn", "qualifiedArn")
_DRAWN = {"random:index/randomPassword:RandomPassword": ("result", "bcryptHash")}


@dataclass(frozen=True)
class Graph:
    """given: by URN, what the program said of a custom resource, before the provider filled anything in."""

    stack: str
    result: Result
    resources: tuple[State, ...]
    given: Mapping[str, Properties]

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


class _DrawnAlready(RandomProvider):
    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        outputs = super().preview(context, inputs, old_outputs)
        return {**outputs, **{key: Secret(MARKER) for key in _DRAWN.get(context.type, ())}}


class _NamedAlready(AwsProvider):
    def preview(self, context: Context, inputs: Properties, old_outputs: Properties | None) -> Properties:
        outputs = super().preview(context, inputs, old_outputs)
        arn = imagined_arn(context.type, context.name, str(outputs.get("region")))
        return {**outputs, **{key: arn for key in _ARNS if outputs.get(key) is UNKNOWN}}


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
        self.given: dict[str, Properties] = {}

    def check(self, context: Context, old: Properties | None, new: Properties) -> Checked:
        self.given[context.urn] = new
        checked: Checked = self._provider.check(context, old, new)
        return checked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


@dataclass
class Programs:
    """Previews of the project's stacks against one embedded AWS, each done once."""

    endpoint: AwsEndpoint
    home: Path
    _done: dict[str, Graph] = field(default_factory=dict)

    def preview(self, stack: str, *, seed: int = 0, services: Mapping[str, Any] | None = None,
                environment: str | None = None) -> Graph:
        """`services`: entries on top of the stack file's `candlefish:services`. `environment`: instead of its own."""
        key = json.dumps([stack, seed, services, environment], sort_keys=True)
        if key not in self._done:
            self._done[key] = self._preview(stack, seed, services or {}, environment or stack)
        return self._done[key]

    def _preview(self, stack: str, seed: int, services: Mapping[str, Any], environment: str) -> Graph:
        config = StackConfig.load(ROOT, stack, "unused")
        config = replace(config, values={**config.values, f"{PREFIX}environment": environment})
        if services:
            text = json.dumps({**json.loads(config.values[f"{PREFIX}services"]), **services})
            config = replace(config, values={**config.values, f"{PREFIX}services": text})
        ensure_zone(Clients(self.endpoint.url).shared, DEFAULT_ACCOUNT, domain(stack))
        providers = [_Recording(each) for each in (_NamedAlready(self.endpoint), KubernetesProvider(), _DrawnAlready())]
        engine = Engine(Project.load(ROOT), stack, config, providers, StateFile(self.home / f"{stack}.json", "unused"),
                         seed=seed)
        result = engine.preview()
        given = {urn: found for each in providers for urn, found in each.given.items()}
        return Graph(stack, result, engine.states, given)


def domain(stack: str) -> str:
    document: Any = read_yaml(ROOT / f"Pulumi.{stack}.yaml")
    return str(document["config"][f"{PREFIX}domain"]["name"])


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in plain sight with its path: nothing that is inside a `Secret`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Archive):
        yield from texts(value.assets or {}, path)
    elif isinstance(value, Sequence):
        for index, inner in enumerate(value):
            yield from texts(inner, f"{path}[{index}]")
