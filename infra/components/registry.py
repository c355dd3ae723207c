"""The image repositories of a stack (K9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import policies


@dataclass(frozen=True)
class RegistryArgs:
    """`repositories`: service → physical name (`candlefish-website-staging`).

    `replicate_to`: region of the replicas. The replication configuration is a singleton of the account and region:
    only one stack of an account may set it.
    """

    repositories: Mapping[str, str]
    data_key_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    force_delete: bool
    kept_images: int = 100
    replicate_to: str | None = None


class Registry(Component):
    """One ECR repository a service: immutable tags, scanned on push, encrypted, with a lifecycle."""

    module = "registry"

    repository_urls: Mapping[str, pulumi.Output[str]]
    repository_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        repositories = {service: self._repository(f"{name}-{service}", physical, args)
                        for service, physical in args.repositories.items()}
        if args.replicate_to is not None:
            self._replication(name, args, args.replicate_to)
        self.repository_urls = {service: repository.repository_url for service, repository in repositories.items()}
        self.repository_arns = {service: repository.arn for service, repository in repositories.items()}
        self.register_outputs({"repositoryUrls": self.repository_urls, "repositoryArns": self.repository_arns})

    def _repository(self, name: str, physical: str, args: RegistryArgs) -> aws.ecr.Repository:
        repository = aws.ecr.Repository(
            name, name=physical, image_tag_mutability="IMMUTABLE", force_delete=args.force_delete,
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[aws.ecr.RepositoryEncryptionConfigurationArgs(
                encryption_type="KMS", kms_key=args.data_key_arn)],
            opts=self.child())
        aws.ecr.LifecyclePolicy(name, repository=repository.name,
                                policy=json.dumps(policies.image_lifecycle(args.kept_images)), opts=self.child())
        return repository

    def _replication(self, name: str, args: RegistryArgs, region: str) -> None:
        aws.ecr.ReplicationConfiguration(
            name, opts=self.child(),
            replication_configuration=aws.ecr.ReplicationConfigurationReplicationConfigurationArgs(
                rules=[aws.ecr.ReplicationConfigurationReplicationConfigurationRuleArgs(
                    destinations=[aws.ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArgs(
                        region=region, registry_id=args.account_id)],
                    repository_filters=[
                        aws.ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArgs(
                            filter=physical, filter_type="PREFIX_MATCH")
                        for physical in args.repositories.values()])]))
