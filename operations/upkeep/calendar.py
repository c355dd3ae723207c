"""The maintenance calendar (O9): what is done how often, and with which command. docs/calendar.md is made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

STACK = "{stack}"  # in a command: the stack that it is asked for


class Every(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True)
class Task:
    """command: its exit code says whether there is something to do. why: what is found by it, or what follows."""

    every: Every
    what: str
    command: str
    why: str


TASKS = (
    Task(Every.DAILY, "Verify the stack", f"candlefish verify --stack {STACK}",
         "answers, alarms, findings, pods, backups, the CDN's hit rate"),
    Task(Every.DAILY, "Recovery points against D6", f"candlefish recovery points --stack {STACK}",
         "a copy that has stopped is seen the day after"),
    Task(Every.WEEKLY, "Rotations are in time", f"candlefish secrets list --stack {STACK}",
         "one that is overdue, or has begun and not ended"),
    Task(Every.WEEKLY, "Room in the cluster", f"candlefish capacity --stack {STACK}",
         "requests that grow before pods find no node"),
    Task(Every.WEEKLY, "Certificates", f"candlefish certificates check --stack {STACK}",
         "a validation record that is gone, 30 days before it hurts"),
    Task(Every.WEEKLY, "Switches that somebody left on", f"candlefish switch --stack {STACK}",
         "read-only and the animation's fallback are for emergencies"),
    Task(Every.MONTHLY, "The bill against the estimate and the band", f"candlefish cost report --stack {STACK}",
         "what grows, and the month's forecast"),
    Task(Every.MONTHLY, "The month in one report", f"candlefish report monthly --stack {STACK}",
         "what needs attention: costs, objectives, recovery, certificates, secrets, waivers, room"),
    Task(Every.MONTHLY, "A restored database holds what it should", f"candlefish recovery validate --stack {STACK}",
         "a backup that can be restored, with its rows"),
    Task(Every.MONTHLY, "Everything that is rotated, rotated by hand",
         f"candlefish secrets rotate --all --stack {STACK}", "a rotation that works is one that was seen to work"),
    Task(Every.QUARTERLY, "Rehearse the environment from nothing", f"candlefish rehearse up --stack {STACK}",
         "the program still builds it, and it verifies"),
    Task(Every.QUARTERLY, "Certificates of the quarter to come",
         f"candlefish certificates check --stack {STACK} --days 60",
         "ACM renews 60 days before the end: fewer means that it did not"),
)


def tasks(stack: str, every: Every | None = None) -> list[Task]:
    """With the commands for one stack."""
    return [Task(each.every, each.what, each.command.replace(STACK, stack), each.why)
            for each in TASKS if every in (None, each.every)]


def page(stack: str = "production") -> str:
    """docs/calendar.md."""
    return "\n".join(_lines(stack))


def _lines(stack: str) -> Iterator[str]:
    yield from ("# Maintenance calendar", "",
                "Made by `candlefish calendar --markdown` from `operations/upkeep/calendar.py`. Each command says what",
                "it finds; one that checks ends with 1 when there is something to do.", "")
    for every in Every:
        yield from (f"## {every.capitalize()}", "", "| what | command | why |", "|---|---|---|")
        yield from (f"| {each.what} | `{each.command}` | {each.why} |" for each in tasks(stack, every))
        yield ""
