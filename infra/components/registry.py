"""The image repositories of a stack (K9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.components.documents import rendered
from infra.plans import policies
from infra.settings import platform


@dataclass(frozen=True)
class RegistryArgs:
    """`repositories`: service → physical name (`candlefish-website-staging`). `deploy_role`: name of the only role that
    may push.

    `replicate_to`: region of the replicas. With `settings.account_settings`, which one stack of an account and region
    may have, the component sets what are singletons there.
    """

    repositories: Mapping[str, str]
    data_key_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    force_delete: bool
    deploy_role: str
    replicate_to: str
    settings: platform.Registry = field(default_factory=platform.Registry)


class Registry(Component):
    """One ECR repository a service: immutable tags, scanned on push, encrypted, with a lifecycle."""

    module = "registry"

    repository_urls: Mapping[str, pulumi.Output[str]]
    repository_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        repositories = {service: self._repository(f"{name}-{service}", physical, args)
                        for service, physical in args.repositories.items()}
        if args.settings.account_settings:
            self._scanning(name, args)
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
        aws.ecr.LifecyclePolicy(name, repository=repository.name, opts=self.child(),
                                policy=json.dumps(policies.image_lifecycle(args.settings.kept_images)))
        aws.ecr.RepositoryPolicy(name, repository=repository.name, opts=self.child(), policy=rendered(
            policies.image_pushes, account_id=args.account_id, deploy_role=args.deploy_role))
        return repository

    def _scanning(self, name: str, args: RegistryArgs) -> None:
        """Basic scans look once, on push; enhanced ones again whenever a new weakness becomes known."""
        enhanced = args.settings.enhanced_scanning
        frequency = "CONTINUOUS_SCAN" if enhanced else "SCAN_ON_PUSH"
        aws.ecr.RegistryScanningConfiguration(
            name, scan_type="ENHANCED" if enhanced else "BASIC", opts=self.child(),
            rules=[aws.ecr.RegistryScanningConfigurationRuleArgs(
                scan_frequency=frequency, repository_filters=[
                    aws.ecr.RegistryScanningConfigurationRuleRepositoryFilterArgs(
                        filter="candlefish-*", filter_type="WILDCARD")])])

    def _replication(self, name: str, args: RegistryArgs, region: str) -> None:
        # ECR makes the replicas' repositories, and would make them with tags that can move, unencrypted by KMS. ROOT:
        # of all names without a slash. The key is ECR's own there; with any key it asks for a role.
        role = aws.iam.Role(f"{name}-replicas", description="ECR makes the repositories of replicas", opts=self.child(),
                            assume_role_policy=json.dumps(policies.service_trust("ecr.amazonaws.com")))
        permission = aws.iam.RolePolicy(f"{name}-replicas", role=role.id, opts=self.child(), policy=rendered(
            lambda account: policies.replica_repositories(account, region, list(args.repositories.values())),
            account=args.account_id))
        template = aws.ecr.RepositoryCreationTemplate(
            name, region=region, prefix="ROOT", applied_fors=["REPLICATION"], image_tag_mutability="IMMUTABLE",
            description="Replicas of another region",
            lifecycle_policy=json.dumps(policies.image_lifecycle(args.settings.kept_images)),
            encryption_configurations=[aws.ecr.RepositoryCreationTemplateEncryptionConfigurationArgs(
                encryption_type="KMS")],
            custom_role_arn=role.arn, opts=self.child(depends_on=[permission]))
        aws.ecr.ReplicationConfiguration(
            name, opts=self.child(depends_on=[template]),
            replication_configuration=aws.ecr.ReplicationConfigurationReplicationConfigurationArgs(
                rules=[aws.ecr.ReplicationConfigurationReplicationConfigurationRuleArgs(
                    destinations=[aws.ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArgs(
                        region=region, registry_id=args.account_id)],
                    repository_filters=[
                        aws.ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArgs(
                            filter=physical, filter_type="PREFIX_MATCH")
                        for physical in args.repositories.values()])]))
