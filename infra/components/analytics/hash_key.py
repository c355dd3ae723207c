"""The key that visitors' identifiers are hashed with (F1)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from infra.components.base import Component

LENGTH = 64


@dataclass(frozen=True)
class HashKeyArgs:
    """prefix: what the secret's physical name starts with."""

    prefix: str
    data_key_arn: pulumi.Input[str]
    recovery_window_days: int = 30  # 0 or 7 to 30
    protect: bool = False


class HashKey(Component):
    """`{"current": …, "previous": …}`: whoever replaces `current` moves it to `previous`, so that a visitor's memory is
    found under the old hash and moved. The program never writes the value again."""

    module = "analytics"

    secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: HashKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        key = random.RandomPassword(name, length=LENGTH, special=False, opts=self.child())
        secret = aws.secretsmanager.Secret(
            name, name_prefix=f"{args.prefix}-", description="Key that visitors' identifiers are hashed with",
            kms_key_id=args.data_key_arn, recovery_window_in_days=args.recovery_window_days,
            opts=self.child(protect=args.protect))
        aws.secretsmanager.SecretVersion(
            name, secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps({"current": key.result, "previous": ""}),
            opts=self.child(ignore_changes=["secretString"]))
        self.secret_arn = secret.arn
        self.register_outputs({"secretArn": self.secret_arn})
