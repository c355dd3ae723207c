"""When schedules are due in time zones that change their clocks, and rates, one-time schedules and rotations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.aws.clock import cron, occurrences
from rehearsal.aws.clock.cron import ExpressionError
from rehearsal.aws.clock.occurrences import Occurrences, Seen, of_rotation, of_rule, of_schedule

pytestmark = pytest.mark.unit

MINUTE = timedelta(minutes=1)
# Days on which the clocks change: by an hour, by an hour in the other hemisphere, by half an hour, at midnight, never.
CHANGES = {"America/New_York": ((2026, 3, 8), (2026, 11, 1)), "Europe/Berlin": ((2026, 3, 29), (2026, 10, 25)),
           "Australia/Lord_Howe": ((2026, 4, 5), (2026, 10, 4)), "America/Santiago": ((2026, 4, 5), (2026, 9, 6)),
           "Asia/Kolkata": ((2026, 3, 8),)}
places = st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(found: Occurrences, since: datetime) -> Iterator[datetime]:
    """What is due from a schedule that came to be at `since`, each dealt with when it is due."""
    seen = Seen(since)
    while (due := found.due(seen)) is not None:
        yield due
        seen = Seen(since, due, due)


@settings(max_examples=60)
@given(places, st.sampled_from(("*", "0", "30", "0/20", "15,45")), st.sampled_from(("*", "1", "2", "1-3", "0,23")))
def test_a_skipped_time_is_left_out_and_a_repeated_one_counts_once(
        place: tuple[str, tuple[int, int, int]], minutes: str, hours: str) -> None:
    """Every minute of the hours around a change: due when its local time matches and is the first of its kind."""
    zone = ZoneInfo(place[0])
    begin = datetime(*place[1], tzinfo=zone).astimezone(UTC) - timedelta(hours=4)
    end = begin + timedelta(hours=10)
    expression = f"cron({minutes} {hours} * * ? *)"
    wanted, probe, seen = [], begin + MINUTE, set()
    while probe <= end:
        local = probe.astimezone(zone).replace(tzinfo=None)
        if cron.parse(expression).matches(local) and local not in seen:
            wanted.append(probe)
        seen.add(local)
        probe += MINUTE
    found = []
    for due in times(of_schedule(expression, place[0]), begin):
        if due > end:
            break
        found.append(due)
    assert found == wanted


def test_evenings_stay_at_the_same_local_time_through_both_changes() -> None:
    evening = of_schedule("cron(0 18 ? * MON-FRI *)", "America/New_York")
    assert list(islice(times(evening, utc("2026-03-06T12:00")), 2)) == [
        utc("2026-03-06T23:00"), utc("2026-03-09T22:00")]
    assert list(islice(times(evening, utc("2026-10-30T12:00")), 2)) == [
        utc("2026-10-30T22:00"), utc("2026-11-02T23:00")]


@given(st.integers(1, 90), st.sampled_from(("minute", "hour", "day")), st.integers(0, 10_000), st.integers(0, 10_000))
def test_rates_keep_their_grid_wherever_the_time_is_moved_to(count: int, unit: str, start: int, skipped: int) -> None:
    every = count * timedelta(**{f"{unit}s": 1})
    since = utc("2026-03-01T00:00") + start * MINUTE
    scheduled, ruled = of_schedule(f"rate({count} {unit}s)", "America/New_York"), of_rule(f"rate({count} {unit}s)")
    first, *later = islice(times(scheduled, since), 5)
    assert first == since
    assert next(times(ruled, since)) == since + every
    assert all(after - before == every for before, after in pairwise([first, *later]))
    done = since + skipped * MINUTE
    for each in (scheduled, ruled):
        due = each.due(Seen(since, done))
        assert due is not None
        assert timedelta() < due - done <= every or due == since + every
        assert (due - since) % every == timedelta()


@given(st.integers(1, 500), st.integers(-5_000, 5_000))
def test_a_rate_with_a_start_counts_from_it(minutes: int, offset: int) -> None:
    since = utc("2026-03-01T00:00")
    start = since + offset * MINUTE
    due = of_schedule(f"rate({minutes} minutes)", "UTC", start).due(Seen(since))
    assert due is not None
    assert due >= max(since, start)
    assert (due - start) % (minutes * MINUTE) == timedelta()
    assert due - minutes * MINUTE < since or due == start


def test_start_and_end_bound_a_recurring_schedule_and_count_themselves() -> None:
    found = of_schedule("cron(0 9 * * ? *)", "UTC", utc("2026-03-03T09:00"), utc("2026-03-05T09:00"))
    assert [each.day for each in times(found, utc("2026-03-01T00:00"))] == [3, 4, 5]
    ended = of_schedule("rate(1 hour)", "UTC", None, utc("2026-03-01T02:00"))
    assert [each.hour for each in times(ended, utc("2026-03-01T00:00"))] == [0, 1, 2]


def test_a_one_time_schedule_is_due_once_in_its_zone_and_never_when_the_clocks_skip_it() -> None:
    found = of_schedule("at(2026-11-23T19:00:00)", "America/New_York", utc("2027-01-01T00:00"))  # the start is ignored
    assert list(times(found, utc("2026-11-01T00:00"))) == [utc("2026-11-24T00:00")]
    assert found.due(Seen(utc("2026-11-24T00:00"))) is None
    assert list(times(of_schedule("at(2026-03-08T02:30:00)", "America/New_York"), utc("2026-01-01T00:00"))) == []


def test_secrets_rotate_at_midnight_so_many_days_after_the_last_time() -> None:
    since = utc("2026-11-21T18:30")
    waits, at_once = of_rotation("rate(30 days)", False), of_rotation("rate(30 days)", True)
    assert list(islice(times(waits, since), 2)) == [utc("2026-12-21T00:00"), utc("2027-01-20T00:00")]
    assert list(islice(times(at_once, since), 2)) == [since, utc("2026-12-21T00:00")]
    # The time was moved past without a rotation being due: the days still count from the last one.
    assert waits.due(Seen(since, utc("2026-12-20T23:59"))) == utc("2026-12-21T00:00")
    assert list(islice(times(of_rotation("rate(4 hours)", False), since), 2)) == [
        utc("2026-11-21T20:00"), utc("2026-11-22T00:00")]
    assert list(islice(times(of_rotation("cron(0 8 1 * ? *)", True), since), 2)) == [since, utc("2026-12-01T08:00")]


@pytest.mark.parametrize(("expression", "zone"), [
    ("rate(0 minutes)", "UTC"), ("rate(5 weeks)", "UTC"), ("rate(-1 hours)", "UTC"), ("at(2026-02-30T00:00:00)", "UTC"),
    ("at(tomorrow)", "UTC"), ("every day", "UTC"), ("cron(0 9 * * ? *)", "America/Candlefish"),
    ("cron(0 9 * * ? *)", "../etc/passwd")])
def test_what_cannot_be_read_is_told(expression: str, zone: str) -> None:
    with pytest.raises(ExpressionError):
        occurrences.of_schedule(expression, zone)
