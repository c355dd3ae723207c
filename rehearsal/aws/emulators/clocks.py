"""Nothing happens by the wall clock: MiniStack would call what schedules and rules name, hours in UTC whatever their
time zone, and a rehearsal at six in the evening would lose its nodes. `rehearsal.aws.clock` calls them when the user
moves the time.
"""

from __future__ import annotations

from ministack.services import eventbridge, scheduler


def install() -> None:
    for service in (eventbridge, scheduler):
        setattr(service, "start_scheduler", _stays_off)  # noqa: B010 (mypy knows no assignment to a function)


def _stays_off() -> None:
    """In place of the thread that looks at the clock."""
