"""`candlefish rehearse clock`: shows the rehearsal's time and what comes next, and moves it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from candlefish import runtime
from candlefish.exits import WrongUsage
from candlefish.options import STAGING, Json, Stack
from candlefish.runtime import Rehearsal, Servers
from candlefish.screen import Screen, emit
from kube.client import Client
from rehearsal.aws.clients import Clients
from rehearsal.aws.clock.clock import Backwards, Fired, Step, VirtualClock
from rehearsal.aws.clock.deliveries import Status, stamp
from rehearsal.aws.clock.occurrences import instant
from rehearsal.aws.clock.record import Record
from rehearsal.aws.clock.sources import Finder, Unmoved
from rehearsal.aws.kept import GatewayKept
from rehearsal.aws.servers import DEFAULT_ACCOUNT, LOOPBACK
from rehearsal.engine.errors import EngineError

MOST = timedelta(days=366)  # at once: a year with a schedule a minute is half a million calls
_FUNCTION_SECONDS = 930.0  # the longest that a function may run, and some
_DURATION = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?")
# What a stack's schedules are in its state: type → what a source is known by.
_OWNED = ("aws:scheduler/schedule:Schedule", "aws:cloudwatch/eventRule:EventRule",
          "aws:secretsmanager/secretRotation:SecretRotation")

Advance = Annotated[str | None, typer.Option("--advance", metavar="12h", help="how far: such as 90m, 12h, 3d or 1d12h")]
To = Annotated[str | None, typer.Option(
    "--to", metavar="TIME", help="until when: 2026-11-23T19:00-05:00; without an offset in the stack's time zone")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="show what would be called; call nothing")]


def clock(stack: Stack = STAGING, advance: Advance = None, to: To = None, dry_run: DryRun = False,
          as_json: Json = False) -> None:
    """Shows the rehearsal's time and what comes next, or moves it and calls what becomes due on the way."""
    screen = Screen(quiet=as_json)
    rehearsal = Rehearsal(stack)
    zone = ZoneInfo(rehearsal.settings.operations.off_hours.time_zone)
    wanted = _wanted(advance, to, zone)
    if dry_run and wanted is None:
        raise WrongUsage("--dry-run goes with --advance or --to")
    servers = rehearsal.running()
    if servers is None or servers.aws.incarnation != rehearsal.incarnation:
        raise EngineError(f"{stack} is not running; `candlefish rehearse up --stack {stack}` starts it")
    virtual, finder = _clock(rehearsal, servers)
    if wanted is None:
        _show(virtual, [*finder.find().unmoved, *finder.others(), *_cron_jobs(servers)], rehearsal, zone, as_json)
        return
    start = virtual.state().now
    end = start + wanted if isinstance(wanted, timedelta) else wanted
    if end - start > MOST:
        raise WrongUsage(f"{stamp(end)} is more than {MOST.days} days after {stamp(start)}; move in parts")
    try:
        if dry_run:
            _plan(list(virtual.rehearse(end)), stack, start, end, zone, as_json)
        else:
            _move(virtual, stack, start, end, zone, screen, as_json)
    except Backwards as error:
        raise WrongUsage(str(error)) from None


def _wanted(advance: str | None, to: str | None, zone: ZoneInfo) -> timedelta | datetime | None:
    """How far or until when; None: not at all."""
    if advance is not None and to is not None:
        raise WrongUsage("--advance and --to exclude each other")
    if advance is not None:
        return _duration(advance)
    return None if to is None else _moment(to, zone)


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0)
    far = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not timedelta() < far <= MOST:
        raise WrongUsage(f"--advance is {text!r}; allowed: 1m to {MOST.days}d, such as 90m, 12h, 3d or 1d12h")
    return far


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        given = datetime.fromisoformat(text)
        moment = instant(given, zone) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongUsage(f"--to is {text!r}; allowed: a time such as 2026-11-23T19:00-05:00, or without the offset in "
                         f"{zone.key}") from None
    if moment is None:
        raise WrongUsage(f"--to is {text!r}, which the clocks skip in {zone.key}; give an offset")
    return moment


def _clock(rehearsal: Rehearsal, servers: Servers) -> tuple[VirtualClock, Finder]:
    # A call that a function answers late is not made twice.
    shared = Clients(servers.aws.url, read_seconds=_FUNCTION_SECONDS, attempts=1).shared

    def clients(service: str, region: str) -> Any:
        return shared(service, region, DEFAULT_ACCOUNT)

    finder = Finder(clients, GatewayKept(LOOPBACK, servers.aws.port), DEFAULT_ACCOUNT, rehearsal.settings.region,
                    frozenset(_owned_elsewhere(rehearsal)))
    record = Record(rehearsal.home / "clock.json", servers.aws.incarnation)
    return VirtualClock(record, finder, clients, lambda: datetime.now(UTC)), finder


def _owned_elsewhere(rehearsal: Rehearsal) -> Iterable[str]:
    """What other stacks of the account made: moving this one's time does not call it."""
    for path in sorted((rehearsal.root / "stacks").glob("*/state.json")):
        if path.parent != rehearsal.home:
            for resource in runtime.read_state(path)["deployment"].get("resources", []):
                if resource["type"] in _OWNED:
                    yield from (str(resource.get("id")), str((resource.get("outputs") or {}).get("arn")))


def _cron_jobs(servers: Servers) -> list[Unmoved]:
    if servers.cluster is None:
        return []
    with closing(Client.from_kubeconfig(servers.cluster.kubeconfig)) as client:
        jobs = client.list("batch/v1", "CronJob")
    return [Unmoved(f"{job['metadata']['namespace']}/{job['metadata']['name']}", "CronJob",
                    f"{job['spec']['schedule']} {job['spec'].get('timeZone', '')}".strip(),
                    "suspended" if job["spec"].get("suspend") else "by the cluster's own clock") for job in jobs]


def _show(virtual: VirtualClock, unmoved: Sequence[Unmoved], rehearsal: Rehearsal, zone: ZoneInfo,
          as_json: bool) -> None:
    now, steps = virtual.state().now, virtual.upcoming()
    if as_json:
        emit({"stack": rehearsal.stack, **_times(now, zone), "timeZone": zone.key,
              "next": [_step(step, zone) for step in steps],
              "notMoved": [{"name": each.name, "kind": each.kind, "expression": each.expression, "why": each.why}
                           for each in unmoved]})
        return
    print(f"{stamp(now)}  {_local(now, zone)}  ({zone.key})")
    print("\nnext")
    _columns([("at", "UTC", "what", "kind", "expression", "calls"), *(_row(step, zone) for step in steps)])
    print("\nnot moved")
    _columns([("what", "kind", "expression", "why"), *((each.name, each.kind, each.expression, each.why)
                                                       for each in unmoved)])
    print(f"\ncandlefish rehearse clock --stack {rehearsal.stack} --advance 12h moves the time")


def _plan(steps: Sequence[Step], stack: str, start: datetime, end: datetime, zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        emit({"stack": stack, "dryRun": True, "from": stamp(start), "to": stamp(end),
              "calls": [_step(step, zone) for step in steps]})
        return
    _columns([("at", "UTC", "what", "kind", "expression", "calls"), *(_row(step, zone) for step in steps)])
    print(f"{len(steps)} calls until {stamp(end)}  {_local(end, zone)}; nothing was called")


def _move(virtual: VirtualClock, stack: str, start: datetime, end: datetime, zone: ZoneInfo, screen: Screen,
          as_json: bool) -> None:
    calls: list[Fired] = []
    width = max((len(step.name) for step in virtual.upcoming()), default=0)
    try:
        for fired in virtual.advance(end):
            calls.append(fired)
            if not as_json:
                print("  ".join(_told(fired, zone, width)), flush=True)
    except KeyboardInterrupt:
        screen.say(f"the time stands at {stamp(virtual.state().now)}; --to {stamp(end)} goes on")
        raise
    counts = {status.value: sum(fired.status is status for fired in calls) for status in Status}
    if as_json:
        emit({"stack": stack, "from": stamp(start), **_times(end, zone), "counts": counts,
              "calls": [{**_step(fired.step, zone), "outcome": fired.status.value, "said": fired.said,
                         "again": stamp(fired.again) if fired.again else None} for fired in calls]})
        return
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    print(f"{stamp(end)}  {_local(end, zone)}: {len(calls)} calls{': ' if told else ''}{told}")


def _times(moment: datetime, zone: ZoneInfo) -> dict[str, str]:
    return {"now": stamp(moment), "local": moment.astimezone(zone).isoformat(timespec="seconds")}


def _step(step: Step, zone: ZoneInfo) -> dict[str, Any]:
    return {"at": stamp(step.at), "local": step.at.astimezone(zone).isoformat(timespec="seconds"),
            "due": stamp(step.due), "name": step.name, "kind": step.kind, "expression": step.expression,
            "target": step.target, "attempt": step.number}


def _row(step: Step, zone: ZoneInfo) -> tuple[str, ...]:
    return (_local(step.at, zone), stamp(step.at), step.name, step.kind, step.expression, _short(step.target))


def _told(fired: Fired, zone: ZoneInfo, width: int) -> tuple[str, ...]:
    step = fired.step
    again = f"; again at {stamp(fired.again)}" if fired.again else ""
    said = f": {fired.said}" if fired.said and fired.status is not Status.DONE else ""
    return (_local(step.at, zone), stamp(step.at), step.name.ljust(width), step.kind, _short(step.target),
            f"{fired.status}{said}{again}")


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%a %Y-%m-%d %H:%M %Z")


def _short(arn: str) -> str:
    """Service and name: `lambda staging-candlefish-cost-optimizer`."""
    return f"{arn.split(':')[2]} {arn.split(':')[-1]}"


def _columns(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
