"""Controllers in the cluster that are not EKS add-ons: load balancers and external secrets (K2, K8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.components.base import Component


@dataclass(frozen=True)
class AddonsArgs:
    """`secret_arns`: the secrets that pods of this environment may have; `secret_key_arn`: the key they are under."""

    cluster_name: pulumi.Input[str]
    region: str
    vpc_id: pulumi.Input[str]
    secret_arns: Sequence[pulumi.Input[str]]
    secret_key_arn: pulumi.Input[str]


class Addons(Component):
    """AWS Load Balancer Controller and External Secrets Operator with a `ClusterSecretStore`.

    Needs the providers `aws` and `kubernetes` (the cluster's) from its options.
    """

    module = "addons"

    secret_store_name: pulumi.Output[str]
    load_balancer_controller_role_arn: pulumi.Output[str]
    external_secrets_role_arn: pulumi.Output[str]
