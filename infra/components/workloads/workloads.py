"""Everything of ours in the namespace: the services in two colours and the front door (K3–K8, N7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from infra.components.base import Component
from infra.components.workloads.database_jobs import BackupsPlace, DatabaseJobs, DatabaseJobsArgs
from infra.components.workloads.ingress import FrontDoor, FrontDoorArgs
from infra.components.workloads.maintenance import Maintenance, MaintenanceArgs
from infra.components.workloads.namespace import Namespace, NamespaceArgs
from infra.components.workloads.service import BlueGreenService, BlueGreenServiceArgs
from infra.plans import external_secrets, kubernetes
from infra.plans.hosts import Hosts
from infra.settings import model
from infra.settings.workloads import Workloads as WorkloadSettings


@dataclass(frozen=True)
class WorkloadsArgs:
    """Values of the workloads. The component takes providers for `kubernetes` and `aws` through its options.

    secrets: `SecretReference.secret` → name or ARN in Secrets Manager; every reference of a service must be here.
    secret_store: ClusterSecretStore of the External Secrets Operator that reads them.
    front_door_cidrs: public subnets, where the load balancer's addresses are; data_cidrs: the isolated data subnets.
    public_subnet_ids: subnets of the load balancer.
    certificate_arns: all of the load balancer; web_acl_arn: the regional one.
    also: names of the stack that this one can stand in for.
    identity_provider: of the operators' sign-in (`Login.identity_provider`).
    access_logs_bucket: name of a bucket whose policy lets the load balancer's log delivery write; None: no access logs.
    settings: of what runs beside the services. storage_class: for pod volumes.
    tags: E5's, for what the load balancer controller makes.
    database: where the database is whose secret is `secrets["database"]`; None: no service gets its URL.
    backups: where the database's dumps go; None, or no database: it has no jobs.
    environment: further variables by service whose values only a deployment knows.
    """

    namespace: str
    services: tuple[model.Service, ...]
    settings: WorkloadSettings
    hosts: Hosts
    cluster_name: str
    secrets: Mapping[str, pulumi.Input[str]]
    front_door_cidrs: tuple[str, ...]
    data_cidrs: tuple[str, ...]
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    certificate_arns: Sequence[pulumi.Input[str]]
    web_acl_arn: pulumi.Input[str]
    identity_provider: pulumi.Input[str]
    tags: Mapping[str, str]
    database: external_secrets.DatabasePlace | None = None
    backups: BackupsPlace | None = None
    also: Hosts | None = None
    access_logs_bucket: pulumi.Input[str] | None = None
    secret_store: str = "candlefish"
    storage_class: str = "gp3"
    environment: Mapping[str, Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)


class Workloads(Component):
    """Namespace with its guards, a `BlueGreenService` for each service, maintenance page, jobs, front door."""

    module = "workloads"

    namespace: pulumi.Output[str]
    load_balancer_arn: pulumi.Output[str]
    load_balancer_domain: pulumi.Output[str]
    load_balancer_zone_id: pulumi.Output[str]
    listener_arn: pulumi.Output[str]  # HTTPS
    target_groups: pulumi.Output[dict[str, dict[str, str]]]  # service → colour → ARN
    listener_rules: pulumi.Output[dict[str, dict[str, str]]]  # service → host and path → ARN

    def __init__(self, name: str, args: WorkloadsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        namespace = Namespace(f"{name}-namespace", NamespaceArgs(
            namespace=args.namespace, services=args.services, data_cidrs=args.data_cidrs,
            database_secret=_database_secret(args), pull_secret=_pull_secret(args)), opts=self.child())
        services = tuple(
            BlueGreenService(f"{name}-{service.name}", BlueGreenServiceArgs(
                service=service, services=args.services, namespace=args.namespace, secrets=args.secrets,
                front_door_cidrs=args.front_door_cidrs, data_cidrs=args.data_cidrs, secret_store=args.secret_store,
                storage_class=args.storage_class, pull_secrets=args.settings.pull_secrets,
                environment=args.environment.get(service.name, {}),
                guards=namespace.guards, database_template=_url(args, "database_username", "database_password")),
                opts=self.child())
            for service in args.services)
        maintenance = Maintenance(f"{name}-maintenance", MaintenanceArgs(
            namespace=args.namespace, settings=args.settings, front_door_cidrs=args.front_door_cidrs,
            guards=namespace.guards), opts=self.child())
        if args.database is not None and args.backups is not None:
            DatabaseJobs(f"{name}-jobs", DatabaseJobsArgs(
                namespace=args.namespace, services=args.services, settings=args.settings, data_cidrs=args.data_cidrs,
                cluster_name=args.cluster_name, backups=args.backups, storage_class=args.storage_class,
                guards=namespace.guards), opts=self.child())
        front_door = FrontDoor(f"{name}-front-door", FrontDoorArgs(
            namespace=args.namespace, services=args.services, hosts=args.hosts, cluster_name=args.cluster_name,
            public_subnet_ids=args.public_subnet_ids, certificate_arns=args.certificate_arns,
            web_acl_arn=args.web_acl_arn, identity_provider=args.identity_provider, tags=args.tags,
            access_logs_bucket=args.access_logs_bucket, also=args.also,
            behind=(maintenance.service, *(found for service in services for found in service.services))),
            opts=self.child())

        self.namespace = namespace.namespace
        self.load_balancer_arn = front_door.load_balancer_arn
        self.load_balancer_domain = front_door.load_balancer_domain
        self.load_balancer_zone_id = front_door.load_balancer_zone_id
        self.listener_arn = front_door.listener_arn
        self.target_groups = front_door.target_groups
        self.listener_rules = front_door.listener_rules
        self.register_outputs({
            "namespace": self.namespace, "loadBalancerArn": self.load_balancer_arn,
            "loadBalancerDomain": self.load_balancer_domain, "loadBalancerZoneId": self.load_balancer_zone_id,
            "listenerArn": self.listener_arn, "targetGroups": self.target_groups,
            "listenerRules": self.listener_rules})


def _database_secret(args: WorkloadsArgs) -> kubernetes.Manifest | None:
    if args.database is None:
        return None
    return external_secrets.database_secret(
        args.namespace, args.secret_store, args.secrets["database"], args.database, _url(args, "username", "password"))


def _pull_secret(args: WorkloadsArgs) -> kubernetes.Manifest | None:
    secret = args.secrets.get(external_secrets.REGISTRY_SECRET)
    return None if secret is None else external_secrets.pull_secret(args.namespace, args.secret_store, secret)


def _url(args: WorkloadsArgs, user: str, password: str) -> pulumi.Output[str] | None:
    if args.database is None:
        return None
    return pulumi.Output.all(host=args.database.host, port=args.database.port, name=args.database.name).apply(
        lambda place: external_secrets.database_url(user, password, place))
