"""One stack's rehearsal: its settings, its home, the servers behind it and the engine that works on it."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from candlefish import overrides
from candlefish.project import home_directory, project_directory
from candlefish.urls import localise
from infra.plans.names import Names
from infra.settings.errors import Problem, SettingsError
from infra.settings.load import PREFIX, load
from infra.settings.model import Settings
from infra.settings.yaml import read_yaml
from rehearsal.aws.cdn import doors
from rehearsal.aws.cdn.names import FRONT_DOOR
from rehearsal.aws.clients import Clients
from rehearsal.aws.coverage import Observations, observed_file
from rehearsal.aws.kept import GatewayKept
from rehearsal.aws.provider import AwsProvider
from rehearsal.aws.servers import DEFAULT_ACCOUNT, LOOPBACK, Aws, AwsEndpoint
from rehearsal.aws.world import ensure_api_logging, ensure_zone
from rehearsal.engine.config import Project, StackConfig
from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import EngineError
from rehearsal.engine.lock import StateLock
from rehearsal.engine.provider import Provider
from rehearsal.engine.results import Event, Result
from rehearsal.engine.store import StateFile
from rehearsal.kubernetes.agent import Agent, RunningAgent, Wanted
from rehearsal.kubernetes.controlplane import ControlPlane, Running
from rehearsal.kubernetes.provider import KubernetesProvider
from rehearsal.kubernetes.tokens import webhook_url
from rehearsal.kubernetes.toolchain import ensure_tools
from rehearsal.random.provider import RandomProvider
from rehearsal.timing import graph

CONTROL_PLANE = "candlefish:kubernetes:ControlPlane"  # kept beside the emulators: where an EKS cluster finds its API
PASSPHRASE = "rehearsal"  # of states that hold no real secret; PULUMI_CONFIG_PASSPHRASE replaces it
_GENERATION = 1_000_003  # between the seeds of one stack's lives


@dataclass(frozen=True)
class Servers:
    aws: AwsEndpoint
    cluster: Running | None = None
    agent: RunningAgent | None = None

    def shown(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """A stack's outputs with the addresses that answer on this machine."""
        return localise(outputs, self.agent, self.aws.port, doors.read(self.aws.cdn_port))


class Rehearsal:
    """Everything of one stack. Nothing is started before `start`."""

    def __init__(self, stack: str, *, seed: int = 0, changes: Sequence[str] = (),
                 report: Callable[[str], None] = lambda message: None) -> None:
        self.stack = stack
        self.seed = seed
        self.project = project_directory()
        self.root = home_directory(self.project)
        self.home = self.root / "stacks" / stack
        self.file = self.project / f"Pulumi.{stack}.yaml"
        self.report = report
        self.observations = Observations()
        self._changes = tuple(changes)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The stack file's configuration with the run's overrides, keys with their prefixes."""
        document = read_yaml(self.file) if self.file.exists() else {}
        config = document.get("config") or {}
        return overrides.apply(config if isinstance(config, dict) else {}, self._changes, self.file.name)

    @cached_property
    def settings(self) -> Settings:
        """Raises SettingsError before anything is started."""
        if not self.file.exists():
            known = ", ".join(sorted(p.name.split(".")[1] for p in self.project.glob("Pulumi.*.yaml")))
            raise SettingsError("--stack", [Problem("stack", self.stack, f"one of {known}")])
        values = {key.removeprefix(PREFIX): value for key, value in self.config.items() if key.startswith(PREFIX)}
        return load(values, self.file.name)

    @property
    def state(self) -> StateFile:
        return StateFile(self.home / "state.json", os.environ.get("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE))

    @property
    def aws(self) -> Aws:
        return Aws(self.root / "aws")

    @property
    def control_plane(self) -> ControlPlane:
        return ControlPlane(self.home / "kubernetes", self.cluster_name, report=self.report)

    @property
    def agent(self) -> Agent:
        return Agent(self.home / "agent")

    @property
    def cluster_name(self) -> str:
        return Names(self.settings.environment).cluster

    def start(self, kubernetes: bool = True) -> Servers:
        """Finds the servers running or starts them, Kubernetes beside AWS."""
        endpoint = self.start_aws()
        return self.start_kubernetes(endpoint) if kubernetes else Servers(endpoint)

    def start_aws(self) -> AwsEndpoint:
        endpoint = self.aws.ensure()
        _sign_in(endpoint, self.settings.region)
        if self.forget_lost_world(endpoint):
            self.report("the embedded AWS was started anew since the last run and is empty: starting from nothing")
        self._prepare_world(endpoint)
        return endpoint

    def start_kubernetes(self, endpoint: AwsEndpoint) -> Servers:
        """An engine may run meanwhile: the EKS cluster waits for its control plane, and is ready once that answers."""
        region, kept = self.settings.region, GatewayKept(LOOPBACK, endpoint.port)
        cluster = self.control_plane.ensure(webhook_url(endpoint.url, self.cluster_name))
        kept.put(DEFAULT_ACCOUNT, region, CONTROL_PLANE, self.cluster_name,
                 {"endpoint": cluster.endpoint,
                  "certificateAuthority": base64.b64encode(cluster.ca_pem.encode()).decode()})
        agent = self.agent.ensure(Wanted(
            kubeconfig=cluster.kubeconfig, cluster=self.cluster_name, account=DEFAULT_ACCOUNT, region=region,
            aws_endpoint=endpoint.url, authority=cluster.home / "pki",
            database_connections=self.aws.databases))
        kept.put(DEFAULT_ACCOUNT, region, FRONT_DOOR, self.cluster_name, {"url": agent.front_door_url})
        return Servers(endpoint, cluster, agent)

    def build(self, engine: Engine, endpoint: AwsEndpoint) -> tuple[Result, Servers]:
        """`up`. Where there is no cluster yet, Kubernetes starts meanwhile; when it can't, the engine is stopped."""
        known = GatewayKept(LOOPBACK, endpoint.port).get(
            DEFAULT_ACCOUNT, self.settings.region, CONTROL_PLANE, self.cluster_name)
        if known is not None:
            servers = self.start_kubernetes(endpoint)
            return engine.up(), servers
        ensure_tools(self.report)  # before the engine begins: a build takes longer than a cluster waits
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(self.start_kubernetes, endpoint)
            starting.add_done_callback(lambda done: engine.cancel() if done.exception() else None)
            try:
                result = engine.up()
            except EngineError:
                if starting.done() and (failure := starting.exception()) is not None:
                    raise failure from None
                raise
            return result, starting.result()

    def _prepare_world(self, endpoint: AwsEndpoint) -> None:
        """What exists before the platform does: the domain's hosted zone, where the stack looks it up, and what
        another stack of the account owns."""
        client = Clients(endpoint.url).shared
        if not self.settings.domain.create_zone:
            ensure_zone(client, DEFAULT_ACCOUNT, self.settings.domain.name)
        if not self.settings.governance.owns_account_singletons:
            ensure_api_logging(client, DEFAULT_ACCOUNT, self.settings.region)

    def running(self) -> Servers | None:
        """What runs now, or None when the embedded AWS does not."""
        endpoint = self.aws.running()
        return None if endpoint is None else Servers(endpoint, self.control_plane.running(), self.agent.running())

    def engine(self, endpoint: AwsEndpoint, on_event: Callable[[Event], None]) -> Engine:
        given = StackConfig.load(self.project, self.stack, self.state.passphrase)
        changed = {key: overrides.as_text(self.config[key]) for key in overrides.keys(self._changes)}
        providers: list[Provider] = [
            AwsProvider(endpoint, observations=self.observations), KubernetesProvider(), RandomProvider()]
        return Engine(Project.load(self.project), self.stack, replace(given, values={**given.values, **changed}),
                      providers, self.state, seed=self.seed + _GENERATION * self._world.get("generation", 0),
                      on_event=on_event)

    def put_back(self, file: Path) -> None:
        """The state is what the file holds from now on. Raises StateUnreadable for what is none."""
        graph.recorded(file)
        self.home.mkdir(parents=True, exist_ok=True)
        with StateLock(self.state.path):
            temporary = self.state.path.with_suffix(".new")
            temporary.write_bytes(file.read_bytes())
            temporary.replace(self.state.path)

    def note_coverage(self) -> None:
        """Adds what this run read back to the coverage report."""
        self.observations.save(observed_file())

    @property
    def _world(self) -> dict[str, Any]:
        """`incarnation` of the emulators that the state speaks of, `generation`: how often the stack was destroyed."""
        path = self.home / "world.json"
        return read_state(path) if path.exists() else {}

    @property
    def incarnation(self) -> str:
        """Empty when there is no state."""
        return str(self._world.get("incarnation", ""))

    def forget_lost_world(self, endpoint: AwsEndpoint) -> bool:
        """Whether the emulators have started anew since the state was written. Then all that the state speaks of is
        gone, the EKS cluster included: the cluster's data goes too, and the state is put aside, not deleted."""
        if self.incarnation in ("", endpoint.incarnation):
            return False
        stop_cluster(self.root, self.stack)
        for part in ("kubernetes", "agent"):
            shutil.rmtree(self.home / part, ignore_errors=True)
        if self.state.path.exists():
            self.state.path.replace(self.state.path.with_suffix(f".{self.incarnation}.json"))
        (self.home / "world.json").unlink()
        return True

    def remember(self, endpoint: AwsEndpoint, *, destroyed: bool = False) -> None:
        """Says which emulators the state speaks of, and that the stack was destroyed: names drawn after that differ,
        as those of before may live on (a secret in its recovery window)."""
        world = {"incarnation": endpoint.incarnation, "generation": self._world.get("generation", 0) + destroyed}
        self.home.mkdir(parents=True, exist_ok=True)
        temporary = self.home / "world.json.new"
        temporary.write_text(json.dumps(world))
        temporary.replace(self.home / "world.json")


def credentials(endpoint: AwsEndpoint, region: str) -> dict[str, str]:
    """Environment variables with which every AWS tool reaches the embedded AWS, and no other."""
    return {"AWS_ENDPOINT_URL": endpoint.url, "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": DEFAULT_ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}


def _sign_in(endpoint: AwsEndpoint, region: str) -> None:
    """This process and its children forget the user's real AWS: nothing of a rehearsal can reach it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(credentials(endpoint, region))


def stop_cluster(root: Path, stack: str) -> None:
    """Ends a stack's control plane, nodes and load balancer. Their data stays."""
    home = root / "stacks" / stack
    Agent(home / "agent").stop()
    ControlPlane(home / "kubernetes", stack).stop()


def stop_aws(root: Path) -> None:
    """Ends the embedded AWS, which forgets everything."""
    Aws(root / "aws").stop()


def read_state(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


