"""A monitor that records what a program registers, and one program that composes the components of an environment.

Computed outputs come from a table: a resource type that needs one and is not in it fails at the attribute. An invoke
fails always: the components make none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import cache as cached
from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi.runtime import mocks, rpc

from infra.components.access import ClusterAccess, ClusterAccessArgs
from infra.components.addons import Addons, AddonsArgs
from infra.components.boundary import Boundary, BoundaryArgs
from infra.components.cache import Cache, CacheArgs
from infra.components.cluster import Cluster, ClusterArgs
from infra.components.database import Database, DatabaseArgs
from infra.components.keys import Keys, KeysArgs
from infra.components.network import Network, NetworkArgs
from infra.components.registry import Registry, RegistryArgs
from infra.components.replication import Replica
from infra.components.roles import Roles, RolesArgs
from infra.components.storage import ServedBuckets, ServedBucketsArgs, Storage, StorageArgs
from infra.plans.charts import Facts
from infra.plans.names import Names
from infra.settings import model
from infra.settings.platform import Feature
from infra.settings.platform import Registry as RegistrySettings

ACCOUNT = "123456789012"
REGION = "us-east-1"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E2EXAMPLE"
REPLICA_KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/replica"
KEPT = model.Lifecycle(protect=True, deletion_protection=True, final_snapshot=True, force_destroy_buckets=False)
DISPOSABLE = model.Lifecycle(protect=False, deletion_protection=False, final_snapshot=False, force_destroy_buckets=True)

_COMPUTED: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "aws:rds/instance:Instance": lambda name: {
        "endpoint": f"{name}.rds.test:5432", "address": f"{name}.rds.test",
        "masterUserSecrets": [{"secretArn": f"arn:aws:secretsmanager:::secret:rds!{name}"}]},
    "aws:elasticache/replicationGroup:ReplicationGroup": lambda name: {"primaryEndpointAddress": f"{name}.cache.test"},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda name: {"latestVersion": 3},
    "aws:ec2/eip:Eip": lambda name: {"publicIp": "192.0.2.1"},
    "aws:kms/key:Key": lambda name: {"keyId": f"{name}-id"},
    "aws:s3/bucket:Bucket": lambda name: {
        "bucket": f"{name}-1a2b3c4", "bucketDomainName": f"{name}.s3.test",
        "bucketRegionalDomainName": f"{name}.s3.{REGION}.test"},
    "aws:ecr/repository:Repository": lambda name: {"repositoryUrl": f"registry.test/{name}"},
    "random:index/randomId:RandomId": lambda name: {"hex": "deadbeef"},
    "random:index/randomPassword:RandomPassword": lambda name: {"result": rpc.wrap_rpc_secret("not-a-secret")},
}


@dataclass(frozen=True)
class Registered:
    """A registration as the engine would see it, secrets unwrapped. Keys of inputs as on the wire (camelCase)."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    ignored: tuple[str, ...]
    dependencies: tuple[str, ...]
    secrets: frozenset[str]
    urn: str


class _Computed(mocks.Mocks):
    """Inputs as outputs, with what only the provider knows. `expanded`: outputs of packaged components by name."""

    def __init__(self) -> None:
        self.expanded: dict[str, dict[str, Any]] = {}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"unexpected call of {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.typ == "eks:index:Cluster":
            return "", self.expanded[args.name]
        service = args.typ.split(":")[1].partition("/")[0]
        state = {"arn": f"arn:aws:{service}:::{args.name}", "name": args.name}
        state |= _COMPUTED.get(args.typ, lambda name: {})(args.name)
        return f"{args.name}-id", state | dict(args.inputs)


class Recorder(mocks.MockMonitor):
    """Records, and gives `eks:index:Cluster` the outputs that the packaged component returns."""

    def __init__(self) -> None:
        self.computed = _Computed()
        super().__init__(self.computed)
        self.registered: list[Registered] = []
        self.with_outputs: set[str] = set()

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.with_outputs.add(request.urn)
        return super().RegisterResourceOutputs(request)

    def RegisterResource(self, request: Any) -> Any:
        if request.type == "eks:index:Cluster":
            self._expand(request)
        response = super().RegisterResource(request)
        raw = rpc.deserialize_properties(request.object)
        self.registered.append(Registered(
            request.type, request.name, {key: plain(value) for key, value in raw.items()}, bool(request.protect),
            tuple(request.ignoreChanges), tuple(request.dependencies),
            frozenset(key for key, value in raw.items() if holds_secret(value)), response.urn))
        return response

    def _expand(self, request: Any) -> None:
        name = str(rpc.deserialize_properties(request.object)["name"])
        arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}"
        urn = self.make_urn("", "aws:eks/cluster:Cluster", f"{request.name}-eksCluster")
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, name, {
            "name": name, "arn": arn, "endpoint": "https://eks.test", "certificateAuthority": {"data": "Y2E="}})
        self.computed.expanded[request.name] = {
            "eksCluster": {rpc._special_sig_key: rpc._special_resource_sig, "urn": urn, "id": name},
            "kubeconfigJson": "{}", "oidcProviderArn": f"{arn}/oidc", "oidcProviderUrl": "https://oidc.test",
            "clusterSecurityGroupId": "sg-eks", "nodeSecurityGroupId": "sg-eks"}


def holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return rpc.is_rpc_secret(value) or any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


def plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


class Registrations:
    """What a program registered, by type and name. `with_outputs`: URNs of components that registered outputs."""

    def __init__(self, registered: list[Registered], built: SimpleNamespace,
                 with_outputs: Set[str] = frozenset()) -> None:
        self.all = registered
        self.built = built
        self.with_outputs = with_outputs

    def of(self, type_: str) -> list[Registered]:
        return [resource for resource in self.all if resource.type == type_]

    def one(self, type_: str, name: str) -> Registered:
        found = [resource for resource in self.of(type_) if resource.name == name]
        assert len(found) == 1, f"{type_} {name}: {len(found)} of {[resource.name for resource in self.of(type_)]}"
        return found[0]


def record(program: Callable[[], SimpleNamespace | None]) -> Registrations:
    """Runs the program and waits for all its registrations."""
    recorder = Recorder()
    asyncio.set_event_loop(asyncio.new_event_loop())  # the SDK wants one; another test may have closed it
    pulumi.runtime.set_mocks(recorder.mocks, project="candlefish", stack="test", monitor=recorder)
    built: list[SimpleNamespace] = []

    @pulumi.runtime.test
    def run() -> None:
        built.append(program() or SimpleNamespace())

    run()
    return Registrations(recorder.registered, built[0], recorder.with_outputs)


def network_settings(**changes: Any) -> model.Network:
    return model.Network(cidr=IPv4Network("10.20.0.0/16"), zone_count=3, nat_gateway_count=3,
                         interface_endpoints=("ecr.api", "sts"), **changes)


def database_args(**changes: Any) -> DatabaseArgs:
    values: dict[str, Any] = {
        "name": "test-candlefish-db", "settings": model.Database(instance_class="db.t4g.medium"), "lifecycle": KEPT,
        "vpc_id": "vpc", "subnet_ids": ["a", "b"], "clients": {"cluster": "sg-eks"}, "data_key_arn": "data-key",
        "logs_key_arn": "logs-key", "log_retention_days": 365}
    return DatabaseArgs(**(values | changes))


def cache_args(**changes: Any) -> CacheArgs:
    values: dict[str, Any] = {
        "name": "test-candlefish-cache", "settings": model.Cache(node_type="cache.t4g.small"), "lifecycle": KEPT,
        "vpc_id": "vpc", "subnet_ids": ["a", "b"], "clients": {"cluster": "sg-eks"}, "data_key_arn": "data-key",
        "logs_key_arn": "logs-key", "log_retention_days": 365}
    return CacheArgs(**(values | changes))


def cluster_settings(**changes: Any) -> model.Cluster:
    return model.Cluster(namespace="candlefish-test", node_groups={
        "base": model.NodeGroup(instance_types=("t3.large",), labels={"tier": "base"}),
        "spot": model.NodeGroup(instance_types=("t3.large", "t3a.large"), capacity=model.Capacity.SPOT),
    }, **changes)


@cached
def foundation() -> Registrations:
    """All components of this folder composed as in an environment that keeps its data."""

    def program() -> SimpleNamespace:
        here = pulumi.ResourceOptions(providers=[aws.Provider("aws", region=REGION)])
        keys = Keys("keys", KeysArgs(account_id=ACCOUNT, region=REGION, protect=True), here)
        network = Network("network", NetworkArgs(network_settings(), REGION, ZONES, keys.logs_key_arn), here)
        cluster = Cluster("cluster", ClusterArgs(
            name="candlefish-test", vpc_id=network.vpc_id, private_subnet_ids=network.private_subnet_ids,
            control_plane_subnet_ids=network.bare_private_subnet_ids,
            settings=cluster_settings(administrators=(f"arn:aws:iam::{ACCOUNT}:role/operators",)),
            cluster_key_arn=keys.cluster_key_arn, logs_key_arn=keys.logs_key_arn,
            instance_tags={"Project": "candlefish"}, features=tuple(Feature), deletion_protection=True), here)
        clients = {"cluster": cluster.cluster_security_group_id}
        stores = {"vpc_id": network.vpc_id, "subnet_ids": network.data_subnet_ids, "clients": clients,
                  "data_key_arn": keys.data_key_arn, "logs_key_arn": keys.logs_key_arn}
        database = Database("database", database_args(**stores), here)
        cache = Cache("cache", cache_args(**stores), here)
        storage = Storage("storage", StorageArgs(
            model.Storage(), KEPT, ACCOUNT, keys.data_key_arn,
            {"assets": Replica("arn:aws:s3:::replica", REPLICA_KEY, "us-west-2", REGION)}), here)
        served = {"assets": storage.assets, **{f"site-{colour}": bucket for colour, bucket in storage.site.items()}}
        ServedBuckets("served", ServedBucketsArgs(served, [DISTRIBUTION]), here)
        registry = Registry("registry", RegistryArgs(
            {"website": "candlefish-website-test"}, keys.data_key_arn, ACCOUNT, False, "candlefish-deploy-test",
            "us-west-2", RegistrySettings(account_settings=True)), here)
        addons = Addons("addons", AddonsArgs(
            Facts(cluster_name=cluster.name, kubernetes_version="1.34", account_id=ACCOUNT, region=REGION,
                  vpc_id=network.vpc_id, namespace="candlefish-test",
                  secret_arns=[database.secret_arn, cache.secret_arn], secret_key_arn=keys.data_key_arn,
                  default_tags={"Project": "candlefish", "Component": "addons"}, log_groups={
                      "application": "/app", "animation": "/web/animation", "performance": "/web/performance"}),
            features=tuple(Feature), door_cidrs=["10.20.0.0/20"], vpc_cidr="10.20.0.0/16",
            service_cidr="172.20.0.0/16", grafana_secret_arn="arn:grafana"),
            pulumi.ResourceOptions(providers=[here.providers[0], cluster.provider]))  # type: ignore[index]
        Boundary("boundary", BoundaryArgs("candlefish-boundary-test", ACCOUNT, "test"), here)
        roles = Roles("roles", RolesArgs(
            names=Names("test").roles, account_id=ACCOUNT, regions=[REGION, "us-west-2"], environment="test",
            github_repository="candlefish-ai/platform", cluster_arn=cluster.arn,
            boundary_name="candlefish-boundary-test"), here)
        ClusterAccess("access", ClusterAccessArgs(
            cluster.name, roles.arns, {"candlefish-test": "candlefish-test", **addons.namespaces}),
            pulumi.ResourceOptions(providers=[here.providers[0], cluster.provider]))  # type: ignore[index]
        return SimpleNamespace(keys=keys, network=network, cluster=cluster, database=database, cache=cache,
                               storage=storage, registry=registry, addons=addons, roles=roles)

    return record(program)
