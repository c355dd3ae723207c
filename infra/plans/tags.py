"""Tags that every resource carries (E5)."""

from __future__ import annotations

import importlib
from functools import cache

MANAGED_BY = "pulumi"


def default_tags(*, project: str, environment: str, owner: str, cost_center: str, stack: str) -> dict[str, str]:
    """The provider's default tags. `Component` is missing here: each component adds its own."""
    return {
        "Project": project,
        "Environment": environment,
        "ManagedBy": MANAGED_BY,
        "CostCenter": cost_center,
        "Owner": owner,
        "Stack": stack,
    }


# Property `tags` exists, but as something else than a map of key to value.
_OTHER_TAGS = frozenset({"aws:autoscaling/group:Group"})


@cache
def is_taggable(token: str) -> bool:
    """Whether the resource type takes `tags` as a map, by the SDK's own arguments class.

    `token` is a type such as `aws:ec2/vpc:Vpc`. Types of other packages have no AWS tags.
    """
    package, module, name = token.split(":")
    if package != "aws" or "/" not in module or token in _OTHER_TAGS:
        return False
    namespace = module.split("/")[0]
    python_module = {"lambda": "lambda_"}.get(namespace, namespace)
    arguments = getattr(importlib.import_module(f"pulumi_aws.{python_module}"), f"{name}Args")
    return hasattr(arguments, "tags")
