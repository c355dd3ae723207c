"""A vault of AWS Backup with its lock."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.settings import model
from infra.settings.backup import Backup


@dataclass(frozen=True)
class VaultArgs:
    """`key_arn`: of the vault's region."""

    settings: Backup
    lifecycle: model.Lifecycle
    key_arn: pulumi.Input[str]


class Vault(Component):
    """Encrypted recovery points that are not deleted before their time. The physical name is Pulumi's."""

    module = "backup"

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        vault = aws.backup.Vault(name, kms_key_arn=args.key_arn, force_destroy=args.lifecycle.force_destroy_buckets,
                                 opts=self.child(protect=args.lifecycle.protect))
        self.arn = vault.arn
        if args.settings.lock == "none":
            self.name = vault.name
        else:
            compliance = args.settings.lock == "compliance"
            lock = aws.backup.VaultLockConfiguration(
                name, backup_vault_name=vault.name, min_retention_days=args.settings.lock_minimum_days,
                changeable_for_days=args.settings.compliance_grace_days if compliance else None, opts=self.child())
            self.name = lock.backup_vault_name  # nothing is put into it before it is locked
        self.register_outputs({"name": self.name, "arn": self.arn})
