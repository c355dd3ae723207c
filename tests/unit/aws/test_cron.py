"""AWS's cron expressions, against a scan of every minute by rules of this file's own."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.aws.clock import cron
from rehearsal.aws.clock.cron import ExpressionError

pytestmark = pytest.mark.unit

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEK = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def number(text: str) -> int:
    return MONTHS.index(text) + 1 if text in MONTHS else WEEK.index(text) + 1 if text in WEEK else int(text)


def names(field: str, value: int) -> bool:
    """Whether a part of the field names the value, by arithmetic."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = None if span == "*" else number(first)
        end = number(last) if last else None if step or span == "*" else start
        if ((start is None or value >= start) and (end is None or value <= end)
                and (not step or (value - (start if start is not None else {"*": 0}[span])) % int(step) == 0)):
            return True
    return False


def on_day(days: str, weekdays: str, day: date) -> bool:
    last = (day + DAY).month != day.month
    weekday = day.isoweekday() % 7 + 1
    if weekdays == "?":
        if days == "L":
            return last
        if days.endswith("W"):
            of_month = [date(day.year, day.month, 1) + n * DAY for n in range(31)]
            work = [each for each in of_month if each.month == day.month and each.isoweekday() < 6]
            meant = [each for each in of_month if each.month == day.month and each.day == int(days[:-1])]
            return bool(meant) and day == min(work, key=lambda each: abs(each - meant[0]))
        return names(days, day.day)
    if weekdays == "L":
        return weekday == 7
    if weekdays.endswith("L"):
        return weekday == number(weekdays[:-1]) and (day + 7 * DAY).month != day.month
    if "#" in weekdays:
        wanted, _, which = weekdays.partition("#")
        before = [day - n * 7 * DAY for n in range(6)]
        return weekday == number(wanted) and sum(each.month == day.month for each in before) == int(which)
    return names(weekdays, weekday)


def matches(expression: str, moment: datetime) -> bool:
    minutes, hours, days, months, weekdays, years = expression[5:-1].split()
    return (names(minutes, moment.minute) and names(hours, moment.hour) and names(months, moment.month)
            and names(years, moment.year) and on_day(days, weekdays, moment.date()))


def values(least: int, most: int, words: list[str] | None = None, *, starred: bool = True) -> st.SearchStrategy[str]:
    """A field of `, - /`, and of `*` where it counts from 0, so that steps of it need no lower bound here."""
    one = st.integers(least, most)
    word = st.sampled_from(words) if words else one.map(str)
    spans = st.tuples(one, one).map(lambda ends: f"{min(ends)}-{max(ends)}")
    parts = st.one_of(one.map(str), word, spans, st.tuples(one, st.integers(1, 9)).map("{0[0]}/{0[1]}".format),
                      st.tuples(spans, st.integers(1, 5)).map("{0[0]}/{0[1]}".format))
    lists = st.lists(parts, min_size=1, max_size=3).map(",".join)
    steps = st.integers(2, 9).map("*/{}".format) if least == 0 else st.just("*")
    return st.one_of(st.just("*"), steps, lists) if starred else lists


days = st.one_of(values(1, 31), st.just("L"), st.integers(1, 31).map("{}W".format))
weekdays = st.one_of(values(1, 7, WEEK), st.sampled_from(("L", "6L", "SUNL", "MON-FRI")),
                     st.tuples(st.sampled_from([*WEEK, "3"]), st.integers(1, 5)).map("{0[0]}#{0[1]}".format))
dates = st.one_of(st.tuples(days, st.just("?")), st.tuples(st.just("?"), weekdays))
expressions = st.tuples(values(0, 59), values(0, 23), dates, values(1, 12, MONTHS),
                        st.sampled_from(("*", "2026-2028", "2027", "2024/2"))).map(
    lambda parts: f"cron({parts[0]} {parts[1]} {parts[2][0]} {parts[3]} {parts[2][1]} {parts[4]})")
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31))


@given(expressions, moments)
def test_the_next_time_is_later_matches_all_fields_and_skips_nothing(expression: str, moment: datetime) -> None:
    found = cron.parse(expression).after(moment)
    assert found is None or (found > moment and matches(expression, found))
    until = min(found or datetime.max, moment + timedelta(days=400))
    probe = moment.replace(second=0, microsecond=0) + MINUTE
    _, _, of_month, months, of_week, years = expression[5:-1].split()
    while probe < until:
        if names(months, probe.month) and names(years, probe.year) and on_day(of_month, of_week, probe.date()):
            assert not matches(expression, probe), f"{expression} skips {probe}"
            probe += MINUTE
        else:
            probe = datetime.combine(probe.date() + DAY, datetime.min.time())


@given(expressions, moments)
def test_a_minute_is_named_exactly_when_each_field_names_it(expression: str, moment: datetime) -> None:
    assert cron.parse(expression).matches(moment) == matches(expression, moment)


@pytest.mark.parametrize(("expression", "after", "next"), [
    # Examples of "Cron-based schedules", Scheduler user guide, and of the field table beside it.
    ("cron(0 8 1 * ? *)", "2026-11-21T18:00", "2026-12-01T08:00"),
    ("cron(15 10 ? * 6L 2022-2023)", "2022-01-01T00:00", "2022-01-28T10:15"),
    ("cron(30 19 ? * MON-FRI *)", "2026-11-20T19:30", "2026-11-23T19:30"),
    ("cron(1/10 0 * * ? *)", "2026-11-21T00:11", "2026-11-21T00:21"),
    ("cron(0 9 L 2 ? *)", "2027-03-01T00:00", "2028-02-29T09:00"),
    ("cron(0 9 1W * ? *)", "2026-07-30T00:00", "2026-08-03T09:00"),  # the first is a Saturday: not in July
    ("cron(0 9 31W * ? *)", "2026-05-05T00:00", "2026-05-29T09:00"),  # the last is a Sunday: not in June
    ("cron(0 9 ? * 3#2 *)", "2026-11-11T00:00", "2026-12-08T09:00"),
    ("cron(0 9 29 2 ? *)", "2096-03-01T00:00", "2104-02-29T09:00"),
    ("cron(59 23 31 12 ? 2199)", "2026-01-01T00:00", "2199-12-31T23:59")])
def test_documented_and_awkward_expressions(expression: str, after: str, next: str) -> None:
    assert cron.parse(expression).after(datetime.fromisoformat(after)) == datetime.fromisoformat(next)


def test_an_expression_of_the_past_has_no_next_time() -> None:
    assert cron.parse("cron(0 9 1 1 ? 2020)").after(datetime(2026, 1, 1)) is None
    assert cron.parse("cron(0 9 30 2 ? *)").after(datetime(2026, 1, 1)) is None


@pytest.mark.parametrize(("expression", "words"), [
    ("cron(0 9 * * * *)", "exactly one"), ("cron(0 9 ? * ? *)", "exactly one"), ("cron(0 9 * * ?)", "5 fields"),
    ("cron(60 9 * * ? *)", "minutes: '60'"), ("cron(0 9 0 * ? *)", "day of month: '0'"),
    ("cron(0 9 ? * 3#1,6#3 *)", "ordinal"), ("cron(0 9 ? * MON#6 *)", "ordinal"), ("cron(0 9 3L * ? *)", "L stands"),
    ("cron(0 9 ? FOO MON *)", "month: 'FOO'"), ("cron(0 20-8 * * ? *)", "begins after its end"),
    ("cron(0/0 9 * * ? *)", "step"), ("cron(0 ? * * ? *)", "hours: '?'"), ("cron(0 9 ² * ? *)", "day of month"),
    ("cron(0 9 * * ? 1969)", "year"), ("30 7 * * 0", "not cron"), ("cron(, 9 * * ? *)", "minutes: ''")])
def test_what_is_no_expression_is_told_with_its_field(expression: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words.replace("?", r"\?").replace("²", ".")):
        cron.parse(expression)
