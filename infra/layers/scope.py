"""Where an environment is built: settings, names, tags, account and providers, which every layer needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.cluster import Cluster
from infra.plans.names import Names
from infra.plans.places import EDGE_REGION
from infra.plans.tags import default_tags
from infra.settings.model import Settings


@dataclass(frozen=True)
class Scope:
    """One stack's. Providers are made when they are first asked for, each once."""

    settings: Settings

    @cached_property
    def names(self) -> Names:
        return Names(self.settings.environment)

    @cached_property
    def tags(self) -> dict[str, str]:
        return default_tags(**self.settings.ownership.model_dump(), environment=self.settings.environment,
                            stack=pulumi.get_stack())

    @cached_property
    def provider(self) -> aws.Provider:
        """Of the environment's region."""
        return self._provider(self.settings.region)

    @cached_property
    def edge_provider(self) -> aws.Provider:
        """Of us-east-1, where CloudFront wants its certificates, functions, web ACLs and alarms."""
        return self.provider if self.settings.region == EDGE_REGION else self._provider(EDGE_REGION)

    @cached_property
    def recovery_provider(self) -> aws.Provider:
        """Of the region in which the copies are kept."""
        if self.settings.recovery_region == EDGE_REGION:
            return self.edge_provider
        return self._provider(self.settings.recovery_region)

    @cached_property
    def account(self) -> pulumi.Output[str]:
        """The account's id: 12 digits."""
        return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=self.provider)).account_id

    @property
    def here(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(providers=[self.provider])

    @property
    def recovery(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(providers=[self.recovery_provider])

    def inside(self, cluster: Cluster, **more: Any) -> pulumi.ResourceOptions:
        """For components that make objects in the cluster, and what AWS has beside them."""
        return pulumi.ResourceOptions(providers=[self.provider, cluster.provider], **more)

    @property
    def log_retention_days(self) -> int:
        return self.settings.storage.log_retention_days

    def _provider(self, region: str) -> aws.Provider:
        return aws.Provider(f"aws-{region}", region=region,
                            default_tags=aws.ProviderDefaultTagsArgs(tags=self.tags))
