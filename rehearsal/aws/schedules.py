"""EventBridge Scheduler on demand: calls the function of a schedule as the clock would."""

from __future__ import annotations

from typing import Any

from rehearsal.engine.provider import ProviderError


def call(schedules: Any, functions: Any, name: str, group: str = "default") -> Any:
    """What Lambda answers. `schedules`, `functions`: boto3's clients of Scheduler and Lambda. Raises ProviderError for
    a schedule that is switched off or whose target is no function."""
    schedule = schedules.get_schedule(Name=name, GroupName=group)
    if schedule["State"] != "ENABLED":
        raise ProviderError(f"the schedule {name} is {schedule['State']}")
    target = schedule["Target"]
    if ":lambda:" not in target["Arn"]:
        raise ProviderError(f"the schedule {name} calls {target['Arn']}, which is no function")
    return functions.invoke(FunctionName=target["Arn"], Payload=target.get("Input", "{}").encode())
