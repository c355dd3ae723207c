"""Secrets that the stack makes for its services (K8). Values never appear in a manifest, nor in the state in plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.components.base import Component

JWT_KEY_LENGTH = 64
ACCOUNT_PASSWORD_LENGTH = 32


@dataclass(frozen=True)
class SecretsArgs:
    """`jwt_name`: prefix of the JWT key's physical name. `others`: further secrets, made with an empty document that
    an operator fills. `accounts`: secrets with a `username`, `admin`, and a generated `password`. `prefix`: what the
    physical names of both start with."""

    jwt_name: str
    prefix: str
    others: Sequence[str]
    data_key_arn: pulumi.Input[str]
    accounts: Sequence[str] = ()
    recovery_window_days: int = 30  # 0 or 7 to 30
    protect: bool = False


class Secrets(Component):
    """The JWT signing key, generated here and rotated elsewhere, and empty secrets for operators to fill.

    Physical names are prefixes with a suffix of AWS: a deleted secret keeps its name for its recovery window, and a
    fixed one would stop a rebuild. The program never writes a value again once it is there.
    """

    module = "secrets"

    arns: Mapping[str, pulumi.Output[str]]  # by the name that services use: "jwt", "sentry", …

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        key = random.RandomPassword(f"{name}-jwt", length=JWT_KEY_LENGTH, special=False, opts=self.child())
        arns = {"jwt": self._secret(f"{name}-jwt", args.jwt_name, "Keys that sign and verify tokens",
                                    pulumi.Output.json_dumps({"current": key.result, "previous": ""}), args)}
        for other in args.others:
            arns[other] = self._secret(f"{name}-{other}", f"{args.prefix}/{other}", f"Filled by operators: {other}",
                                       "{}", args)
        for account in args.accounts:
            password = random.RandomPassword(f"{name}-{account}", length=ACCOUNT_PASSWORD_LENGTH, special=False,
                                             opts=self.child())
            arns[account] = self._secret(
                f"{name}-{account}", f"{args.prefix}/{account}", f"Administrator: {account}",
                pulumi.Output.json_dumps({"username": "admin", "password": password.result}), args)
        self.arns = arns
        self.register_outputs({"arns": arns})

    def _secret(self, name: str, prefix: str, description: str, value: pulumi.Input[str],
                args: SecretsArgs) -> pulumi.Output[str]:
        secret = aws.secretsmanager.Secret(
            name, name_prefix=f"{prefix}-", description=description, kms_key_id=args.data_key_arn,
            recovery_window_in_days=args.recovery_window_days, opts=self.child(protect=args.protect))
        version = aws.secretsmanager.SecretVersion(name, secret_id=secret.id, secret_string=value,
                                                   opts=self.child(ignore_changes=["secretString"]))
        return version.arn  # the secret's; known once it has a value, without which it can't be rotated
