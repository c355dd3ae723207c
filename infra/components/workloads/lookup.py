"""Looking up what a controller makes in its own time after an object of the cluster has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

TIMEOUT_SECONDS = 180
INTERVAL_SECONDS = 2  # the services have nothing to watch

Answer = Mapping[str, Any]


def eventually(token: str, arguments: Mapping[str, pulumi.Input[Any]], pick: Callable[[Answer], Any], *,
               after: pulumi.CustomResource, parent: pulumi.Resource) -> pulumi.Output[Any]:
    """What `pick` takes from the data source's answer, once there is one that it accepts.

    token: such as `aws:lb/getTargetGroup:getTargetGroup`; arguments and answer as on the wire (camelCase).
    pick: raises LookupError for an answer that is not the one yet.
    after: nothing is looked up before it exists. Pulumi waits for an Ingress's address, and an Ingress that only
    changes has one already; its new rules and target groups follow within seconds. So a preview in which they are
    missing shows an unknown value, and `up` asks again for 3 minutes before it fails.
    """
    async def ask(known: Mapping[str, Any]) -> Any:
        given = {key: value for key, value in known.items() if key != _AFTER}
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                return pick(await _answer(token, given, parent))
            except (LookupError, _Refused) as error:
                if pulumi.runtime.is_dry_run():
                    return UNKNOWN
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{token} {given}: the load balancer controller has not made it in "
                                       f"{TIMEOUT_SECONDS} s ({error}); look at its log") from error
                await asyncio.sleep(INTERVAL_SECONDS)

    return pulumi.Output.all(**{**arguments, _AFTER: after.id}).apply(ask)


_AFTER = "__after"


class _Refused(Exception):
    """The data source failed. The SDK has one type of exception for every reason."""


def _answer(token: str, arguments: Mapping[str, Any], parent: pulumi.Resource) -> Awaitable[Answer]:
    async def ask() -> Answer:
        try:
            answer: Answer = await pulumi.runtime.invoke_async(token, dict(arguments),
                                                               pulumi.InvokeOptions(parent=parent))
        except Exception as error:
            raise _Refused(str(error)) from error
        return answer

    return ask()
