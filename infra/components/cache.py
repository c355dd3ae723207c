"""The Valkey or Redis cache of a stack (D2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.components.base import Component
from infra.settings import model

PORT = 6379
_TOKEN_LENGTH = 64  # 16 to 128, printable; ElastiCache refuses most special characters
_SNAPSHOT_WINDOW = "03:00-04:00"
_MAINTENANCE_WINDOW = "sun:05:00-sun:06:00"


@dataclass(frozen=True)
class CacheArgs:
    """`name` is the replication group's id (40 characters at most); `clients`: name → security group.

    `secret_recovery_days`: 0, or 7 to 30.
    """

    name: str
    settings: model.Cache
    lifecycle: model.Lifecycle
    vpc_id: pulumi.Input[str]
    subnet_ids: pulumi.Input[Sequence[str]]
    clients: Mapping[str, pulumi.Input[str]]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    secret_recovery_days: int = 30


class Cache(Component):
    """An ElastiCache replication group with encryption at rest and in transit and an AUTH token.

    The secret's JSON has `host`, `port`, `auth_token` and `url` (`rediss://…`). `endpoint` is `host:port`.
    """

    module = "cache"

    replication_group_id: pulumi.Output[str]
    arn: pulumi.Output[str]
    node_ids: list[pulumi.Output[str]]  # `{group}-001`, …: what CloudWatch and the console call the nodes
    endpoint: pulumi.Output[str]
    primary_endpoint_address: pulumi.Output[str]
    port: pulumi.Output[int]
    secret_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name = name
        group = self._security_group(args)
        subnets = aws.elasticache.SubnetGroup(name, description="Isolated data subnets", subnet_ids=args.subnet_ids,
                                              opts=self.child())
        token = random.RandomPassword(f"{name}-token", length=_TOKEN_LENGTH, special=False, opts=self.child())
        failover = args.settings.replica_count > 0
        replication_group = aws.elasticache.ReplicationGroup(
            name, replication_group_id=args.name, description="Sessions and cached answers",
            engine=args.settings.engine, engine_version=args.settings.engine_version,
            node_type=args.settings.node_type, num_cache_clusters=1 + args.settings.replica_count,
            automatic_failover_enabled=failover, multi_az_enabled=failover, port=PORT,
            parameter_group_name=self._parameters(args).name, subnet_group_name=subnets.name,
            security_group_ids=[group.id], at_rest_encryption_enabled=True, kms_key_id=args.data_key_arn,
            transit_encryption_enabled=True, transit_encryption_mode="required", auth_token=token.result,
            # The rotation owns the token: it sets a new one beside the old one.
            auth_token_update_strategy="ROTATE",
            # ElastiCache tells a version with its minor number (RDS's can be told without). Were it raised beside the
            # program, the program would ask for a lower one, for which the provider makes a new cache.
            auto_minor_version_upgrade=False,
            snapshot_retention_limit=args.settings.snapshot_retention_days, snapshot_window=_SNAPSHOT_WINDOW,
            maintenance_window=_MAINTENANCE_WINDOW, apply_immediately=False,
            log_delivery_configurations=self._log_deliveries(args), **self._final_snapshot(args),
            opts=self.child(protect=args.lifecycle.protect, ignore_changes=["authToken"]))
        self.replication_group_id, self.arn = replication_group.replication_group_id, replication_group.arn
        self.node_ids = [pulumi.Output.concat(self.replication_group_id, f"-{number:03d}")
                         for number in range(1, 2 + args.settings.replica_count)]
        self.primary_endpoint_address = replication_group.primary_endpoint_address
        self.port = pulumi.Output.from_input(PORT)
        self.endpoint = pulumi.Output.concat(self.primary_endpoint_address, f":{PORT}")
        self.secret_arn = self._secret(args, token)
        self.security_group_id = group.id
        self.register_outputs({
            "replicationGroupId": self.replication_group_id, "arn": self.arn, "endpoint": self.endpoint,
            "primaryEndpointAddress": self.primary_endpoint_address, "port": self.port,
            "secretArn": self.secret_arn, "securityGroupId": self.security_group_id})

    def _security_group(self, args: CacheArgs) -> aws.ec2.SecurityGroup:
        group = aws.ec2.SecurityGroup(self._name, vpc_id=args.vpc_id, description="Cache", tags={"Name": self._name},
                                      opts=self.child())
        for client, source in args.clients.items():
            aws.vpc.SecurityGroupIngressRule(
                f"{self._name}-{client}", security_group_id=group.id, description=f"Cache from {client}",
                ip_protocol="tcp", from_port=PORT, to_port=PORT, referenced_security_group_id=source,
                opts=self.child())
        return group

    def _parameters(self, args: CacheArgs) -> aws.elasticache.ParameterGroup:
        """Families are `valkey7`, `valkey8`, `redis7`; the family is in the name for upgrades."""
        family = f"{args.settings.engine}{args.settings.engine_version.partition('.')[0]}"
        return aws.elasticache.ParameterGroup(
            f"{self._name}-{family}", family=family, description="Evicts the least recently used of what expires",
            parameters=[aws.elasticache.ParameterGroupParameterArgs(name="maxmemory-policy", value="volatile-lru")],
            opts=self.child())

    def _log_deliveries(self, args: CacheArgs) -> list[aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs]:
        deliveries = []
        for kind in ("slow-log", "engine-log"):
            group = aws.cloudwatch.LogGroup(
                f"{self._name}-{kind}", retention_in_days=args.log_retention_days, kms_key_id=args.logs_key_arn,
                opts=self.child())
            deliveries.append(aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs(
                destination=group.name, destination_type="cloudwatch-logs", log_format="json", log_type=kind))
        return deliveries

    def _final_snapshot(self, args: CacheArgs) -> dict[str, Any]:
        if not args.lifecycle.final_snapshot:
            return {}
        suffix = random.RandomId(f"{self._name}-final-snapshot", byte_length=4, opts=self.child())
        return {"final_snapshot_identifier": pulumi.Output.concat(args.name, "-final-", suffix.hex)}

    def _secret(self, args: CacheArgs, token: random.RandomPassword) -> pulumi.Output[str]:
        """Created with the token that the cache starts with; the rotation writes it afterwards."""
        secret = aws.secretsmanager.Secret(
            f"{self._name}-auth", description="Address and AUTH token of the cache", kms_key_id=args.data_key_arn,
            recovery_window_in_days=args.secret_recovery_days, opts=self.child(protect=args.lifecycle.protect))
        host = self.primary_endpoint_address
        aws.secretsmanager.SecretVersion(
            f"{self._name}-auth", secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps({
                "host": host, "port": PORT, "auth_token": token.result,
                "url": pulumi.Output.concat("rediss://:", token.result, "@", host, f":{PORT}/0")}),
            opts=self.child(ignore_changes=["secretString"]))
        return secret.arn
