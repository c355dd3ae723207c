"""Whose account, which region, which default tags: what a provider resource's configuration says."""

from __future__ import annotations

import os
import re
from typing import Any

from rehearsal.aws.routing import DEFAULT_ACCOUNT
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import UNKNOWN, Properties

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/")


def account(config: Properties) -> str:
    """The account of the role that is assumed, else of a 12-digit access key, else the one that is allowed, else the
    emulators' default. Raises ProviderError when it is not among `allowedAccountIds` or is forbidden."""
    allowed = [str(entry) for entry in config.get("allowedAccountIds") or []]
    key = str(config.get("accessKey") or os.environ.get("AWS_ACCESS_KEY_ID", ""))
    found = _assumed(config) or (key if re.fullmatch(r"\d{12}", key) else None) or (
        allowed[0] if allowed else DEFAULT_ACCOUNT)
    if allowed and found not in allowed:
        raise ProviderError(f"AWS account {found} is not among allowedAccountIds of the provider: {', '.join(allowed)}")
    if found in [str(entry) for entry in config.get("forbiddenAccountIds") or []]:
        raise ProviderError(f"AWS account {found} is among forbiddenAccountIds of the provider")
    return found


def _assumed(config: Properties) -> str | None:
    """The account of the last role of the chain."""
    chain: list[Any] = list(config.get("assumeRoles") or [])
    for single in ("assumeRole", "assumeRoleWithWebIdentity"):
        if config.get(single):
            chain.append(config[single])
    if not chain or not isinstance(chain[-1], dict) or chain[-1].get("roleArn") in (None, UNKNOWN):
        return None
    arn = str(chain[-1]["roleArn"])
    match = _ROLE.match(arn)
    if match is None:
        raise ProviderError(f"the provider's assumeRole has roleArn {arn!r}, which is not the ARN of an IAM role")
    return match[1]


def region(config: Properties, inputs: Properties | None = None) -> str:
    """The resource's own `region` (v7), else the provider's, else AWS_REGION. Raises ProviderError without any."""
    for source in ((inputs or {}).get("region"), config.get("region"), os.environ.get("AWS_REGION"),
                   os.environ.get("AWS_DEFAULT_REGION")):
        if source is not None and source is not UNKNOWN and source != "":
            return str(source)
    raise ProviderError("no AWS region: set `aws:region` in the stack's configuration, or `region` of the provider")


def tags(config: Properties, inputs: Properties) -> dict[str, Any]:
    """Default tags and the resource's own, which win. Values may be UNKNOWN in a preview."""
    defaults = config.get("defaultTags")
    shared = defaults.get("tags") if isinstance(defaults, dict) else None
    own = inputs.get("tags")
    return {**(shared if isinstance(shared, dict) else {}), **(own if isinstance(own, dict) else {})}
