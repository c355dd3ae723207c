"""The database's jobs in the cluster, and what the dump may do in AWS (D1, D3)."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_kubernetes import batch, core, networking

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import jobs, policies
from infra.settings import model
from infra.settings.workloads import Workloads


@dataclass(frozen=True)
class BackupsPlace:
    """Where dumps go: a bucket, the key they are encrypted with, its region; room_gib: for one encrypted dump."""

    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    region: str
    room_gib: int


@dataclass(frozen=True)
class DatabaseJobsArgs:
    """As in `WorkloadsArgs`. guards: resources that must be there before the first pod."""

    namespace: str
    services: tuple[model.Service, ...]
    settings: Workloads
    data_cidrs: tuple[str, ...]
    cluster_name: str
    backups: BackupsPlace
    storage_class: str = "gp3"
    priority_class: str = "candlefish-jobs"
    guards: tuple[pulumi.Resource, ...] = ()


class DatabaseJobs(Component):
    """A CronJob each: migrations (suspended; a rollout makes a Job of it first), weekly upkeep, nightly dump."""

    module = "workloads"

    dump_role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseJobsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        inside = self.child(depends_on=list(args.guards))
        place = args.backups
        for job in jobs.jobs(args.services, args.settings, bucket=place.bucket_name, key=place.key_arn,
                             dump_gib=place.room_gib):
            manifest = jobs.account(job, args.namespace)
            account = core.v1.ServiceAccount(
                f"{name}-{job.name}", metadata=manifest["metadata"],
                automount_service_account_token=manifest["automountServiceAccountToken"], opts=inside)
            manifest = jobs.network_policy(job, args.namespace, args.data_cidrs)
            network = networking.v1.NetworkPolicy(f"{name}-{job.name}", metadata=manifest["metadata"],
                                                  spec=manifest["spec"], opts=inside)
            manifest = jobs.cron_job(job, args.namespace, priority_class=args.priority_class,
                                     storage_class=args.storage_class, pull_secrets=args.settings.pull_secrets)
            batch.v1.CronJob(f"{name}-{job.name}", metadata=manifest["metadata"], spec=manifest["spec"],
                             opts=self.child(depends_on=[account, network]))
        role = aws.iam.Role(f"{name}-dump", description="Pods that store the database's dumps",
                            assume_role_policy=json.dumps(policies.pod_identity_trust()), opts=self.child())
        permission = aws.iam.RolePolicy(f"{name}-dump", role=role.id, opts=self.child(), policy=rendered(
            policies.database_dump, bucket_arn=place.bucket_arn, prefix=jobs.DUMP_PREFIX, key_arn=place.key_arn,
            region=place.region))
        aws.eks.PodIdentityAssociation(f"{name}-dump", cluster_name=args.cluster_name, namespace=args.namespace,
                                       service_account=jobs.DUMP, role_arn=role.arn,
                                       opts=self.child(depends_on=[permission]))
        self.dump_role_arn = role.arn
        self.register_outputs({"dumpRoleArn": self.dump_role_arn})
