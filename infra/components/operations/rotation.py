"""Rotation of the signing keys and of the cache's AUTH token (F6). The database's password is RDS's own."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.function import Function, FunctionArgs, Grant
from infra.settings.operations import Rotation as Settings

_VALUES = ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
           "secretsmanager:UpdateSecretVersionStage")
_SHARED = ("functions/rotation",)
_MEMORY_MIB = 256
_KEYS_TIMEOUT_SECONDS = 30
_CACHE_TIMEOUT_SECONDS = 900  # ElastiCache takes minutes to give a token to all nodes
_ONE_AT_A_TIME = 1  # two rotations of one secret at once would undo each other


@dataclass(frozen=True)
class RotationArgs:
    """`jwt_secret_arn`: known once the secret has a value. `logs_key_arn`: key of log groups and dead letters."""

    keys_function: str
    cache_function: str
    account_id: pulumi.Input[str]
    settings: Settings
    jwt_secret_arn: pulumi.Input[str]
    cache_secret_arn: pulumi.Input[str]
    replication_group_id: pulumi.Input[str]
    replication_group_arn: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int


class Rotation(Component):
    """Two functions outside the VPC: the keys are in the secret only, and the cache's control plane says what a login
    would show, without the network interfaces that make a teardown wait.

    `cache`: also to be called every day with `{"action": "settle"}`, which ends the former token's acceptance.
    """

    module = "operations"

    keys: Function
    cache: Function

    def __init__(self, name: str, args: RotationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        hours = args.settings
        self.keys = Function(f"{name}-keys", FunctionArgs(
            function_name=args.keys_function, description="Rotates the keys that sign tokens",
            code="functions/key_rotation", shared=_SHARED, data_key_arn=args.data_key_arn,
            logs_key_arn=args.logs_key_arn, memory_mib=_MEMORY_MIB, timeout_seconds=_KEYS_TIMEOUT_SECONDS,
            log_retention_days=args.log_retention_days, reserved_concurrency=_ONE_AT_A_TIME,
            environment={"OVERLAP_SECONDS": str(hours.token_hours * 3600)},
            grants={"Secret": Grant(_VALUES, [args.jwt_secret_arn])}), self.child())
        self.cache = Function(f"{name}-cache", FunctionArgs(
            function_name=args.cache_function, description="Rotates the cache's AUTH token",
            code="functions/cache_rotation", shared=_SHARED, data_key_arn=args.data_key_arn,
            logs_key_arn=args.logs_key_arn, memory_mib=_MEMORY_MIB, timeout_seconds=_CACHE_TIMEOUT_SECONDS,
            log_retention_days=args.log_retention_days, reserved_concurrency=_ONE_AT_A_TIME,
            environment={"OVERLAP_SECONDS": str(hours.cache_overlap_hours * 3600),
                         "REPLICATION_GROUP_ID": args.replication_group_id, "SECRET_ARN": args.cache_secret_arn},
            grants={"Secret": Grant(_VALUES, [args.cache_secret_arn]),
                    "Cache": Grant(["elasticache:DescribeReplicationGroups", "elasticache:ModifyReplicationGroup"],
                                   [args.replication_group_arn])}), self.child())
        # The first rotation of the keys only announces the next one. The cache's would modify what was just made.
        self._rotate(f"{name}-keys", self.keys, args.jwt_secret_arn, args, immediately=True)
        self._rotate(f"{name}-cache", self.cache, args.cache_secret_arn, args, immediately=False)
        self.register_outputs({"keysFunctionName": self.keys.function_name,
                               "cacheFunctionName": self.cache.function_name})

    def _rotate(self, name: str, function: Function, secret_arn: pulumi.Input[str], args: RotationArgs,
                immediately: bool) -> None:
        allowed = function.invoked_by("secret", "secretsmanager.amazonaws.com", secret_arn, args.account_id)
        aws.secretsmanager.SecretRotation(
            name, secret_id=secret_arn, rotation_lambda_arn=function.function_arn, rotate_immediately=immediately,
            rotation_rules={"automatically_after_days": args.settings.days}, opts=self.child(depends_on=[allowed]))
