"""CloudFront's side: which colour its behaviours lead to, the switch, invalidations."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.edge import LIVE_COLOUR, ORIGIN_GROUPS, Origin
from operations.aws import code, pages
from operations.errors import Contested, OperationError
from operations.site.content import SERVED

GROUPS = {"blue": Origin.SITE_BLUE_FIRST, "green": Origin.SITE_GREEN_FIRST}  # colour → the group with it in front
POLL_SECONDS = 2.0
# As long as botocore's own waiters: DistributionDeployed 35 × 60 s, InvalidationCompleted 30 × 20 s.
DEPLOYED_SECONDS, INVALIDATED_SECONDS = 2100.0, 600.0


class Distribution:
    """The one that serves `name`. cloudfront: boto3's client. Raises OperationError when there is none."""

    def __init__(self, cloudfront: Any, name: str, pause: Callable[[float], None] = time.sleep,
                 now: Callable[[], float] = time.monotonic) -> None:
        self._cloudfront, self.name, self._pause, self._now = cloudfront, name, pause, now
        found = [each["Id"] for each in pages(cloudfront, "list_distributions", "DistributionList.Items")
                 if name in (each.get("Aliases", {}).get("Items") or ())]
        if not found:
            raise OperationError(f"this account has no CloudFront distribution of {name}; `up` makes it, and the "
                                 "credentials must be the stack's account's")
        self.id = str(found[0])

    def buckets(self) -> dict[str, str]:
        """Colour → name of its bucket, as the distribution has it."""
        config, _ = self._config()
        domains = {origin["Id"]: origin["DomainName"] for origin in config["Origins"]["Items"]}
        return {colour: str(domains[ORIGIN_GROUPS[group][0]]).partition(".s3.")[0] for colour, group in GROUPS.items()}

    def live(self) -> str:
        """Raises OperationError when its behaviours lead to both colours."""
        config, _ = self._config()
        return self._live(config)

    def turn(self, colour: str) -> bool:
        """All behaviours of the static site lead to the colour; whether a write was needed. By compare and set."""
        while True:
            config, version = self._config()
            if self._live(config) == colour:
                return False
            for behaviour in config["CacheBehaviors"]["Items"]:
                if behaviour["TargetOriginId"] in LIVE_COLOUR:
                    behaviour["TargetOriginId"] = GROUPS[colour].value
            try:
                self._cloudfront.update_distribution(Id=self.id, IfMatch=version, DistributionConfig=config)
                return True
            except ClientError as error:
                if code(error) not in ("PreconditionFailed", "InvalidIfMatchVersion"):
                    raise
                # somebody else changed the distribution meanwhile: looked at again

    def expect_deployed(self, colour: str) -> None:
        """Waits until every edge has the configuration. Raises Contested when it leads elsewhere by then."""
        self._until("CloudFront has the switch everywhere", DEPLOYED_SECONDS, lambda: self._status() == "Deployed")
        found = self.live()
        if found != colour:
            raise Contested(f"distribution {self.id} leads to {found}, and this release turned it to {colour}: "
                            "somebody else changed it meanwhile")

    def invalidate(self, reference: str) -> None:
        """All of the static site, and waits for it. The same reference again asks for the same one."""
        self.expect_forgotten(self.forget(reference, [f"/{pattern}" for pattern in SERVED]))

    def forget(self, reference: str, paths: Sequence[str]) -> str:
        """Asks for an invalidation of the paths; its id."""
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
        made = self._cloudfront.create_invalidation(DistributionId=self.id, InvalidationBatch=batch)
        return str(made["Invalidation"]["Id"])

    def expect_forgotten(self, made: str) -> None:
        """Waits until every edge has done it."""
        self._until("the edges forget what they kept", INVALIDATED_SECONDS, lambda: self._cloudfront.get_invalidation(
            DistributionId=self.id, Id=made)["Invalidation"]["Status"] == "Completed")

    def _status(self) -> str:
        return str(self._cloudfront.get_distribution(Id=self.id)["Distribution"]["Status"])

    def _config(self) -> tuple[dict[str, Any], str]:
        answer = self._cloudfront.get_distribution_config(Id=self.id)
        return answer["DistributionConfig"], str(answer["ETag"])

    def _live(self, config: dict[str, Any]) -> str:
        targets = {each["TargetOriginId"] for each in config.get("CacheBehaviors", {}).get("Items") or ()
                   if each["TargetOriginId"] in LIVE_COLOUR}
        if len(targets) != 1:
            there = " and ".join(sorted(targets)) or "none of them"
            raise OperationError(f"the static site's behaviours of distribution {self.id} lead to {there}; they must "
                                 f"all lead to one of {', '.join(LIVE_COLOUR)}: set their targets alike")
        (target,) = targets
        return next(colour for colour, group in GROUPS.items() if group == target)

    def _until(self, what: str, seconds: float, met: Callable[[], bool]) -> None:
        end = self._now() + seconds
        while not met():
            if self._now() > end:
                raise OperationError(f"not within {seconds:.0f} s: {what}; run the command again to wait on")
            self._pause(POLL_SECONDS)
