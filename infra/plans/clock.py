"""Times of day as EventBridge Scheduler writes them."""

from __future__ import annotations


def weekdays_at(time: str) -> str:
    """`18:30` → `cron(30 18 ? * MON-FRI *)`, in the schedule's own time zone."""
    hour, minute = map(int, time.split(":"))
    return f"cron({minute} {hour} ? * MON-FRI *)"
