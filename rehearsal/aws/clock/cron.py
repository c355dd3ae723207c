"""AWS's cron expressions: which minutes they name, and the next of them. Pure; times are without a zone.

The syntax is "Cron-based schedules" of the EventBridge Scheduler user guide ("Schedule types in EventBridge
Scheduler"), the same as EventBridge's own ("Cron expressions reference", EventBridge user guide):

    minutes 0-59 , - * /   hours 0-23 , - * /   day of month 1-31 , - * ? / L W   month 1-12 or JAN-DEC , - * /
    day of week 1-7 or SUN-SAT , - * ? L #      year 1970-2199 , - * /

`a/n` counts from a on: 1/10 in the minutes is 1, 11, 21 … `L` is the month's last day or the week's last (Saturday),
`6L` the month's last Friday. `3W` is the weekday closest to the third, within the month. `3#2` is the second Tuesday,
and stands alone. Exactly one of the two day fields is `?`.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

YEARS = (1970, 2199)
_MONTHS = {name: number for number, name in enumerate(
    ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1)}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_SATURDAY, _SUNDAY = 7, 1
# (year, month) → days of that month
Days = Callable[[int, int], frozenset[int]]


class ExpressionError(Exception):
    """The expression is none of AWS's; the text says which part and what is allowed."""


@dataclass(frozen=True)
class Cron:
    """The minutes that an expression names: each field's values in order, `days` by month."""

    minutes: Sequence[int]
    hours: Sequence[int]
    days: Days
    months: Sequence[int]
    years: Sequence[int]

    def matches(self, moment: datetime) -> bool:
        return (moment.minute in self.minutes and moment.hour in self.hours and moment.month in self.months
                and moment.year in self.years and moment.day in self.days(moment.year, moment.month))

    def after(self, moment: datetime) -> datetime | None:
        """The first full minute later than `moment` that matches, None when there is none before 2200."""
        for year, month in self._months_from(moment):
            first_day = moment.day if (year, month) == (moment.year, moment.month) else 1
            for day in sorted(self.days(year, month)):
                if day < first_day:
                    continue
                for hour in self.hours:
                    for minute in self.minutes:
                        found = datetime(year, month, day, hour, minute)
                        if found > moment:
                            return found
        return None

    def _months_from(self, moment: datetime) -> Iterator[tuple[int, int]]:
        for year in self.years:
            for month in self.months:
                if (year, month) >= (moment.year, moment.month):
                    yield year, month


def parse(expression: str) -> Cron:
    """`cron(30 19 ? * MON-FRI *)`. Raises ExpressionError."""
    if not (expression.startswith("cron(") and expression.endswith(")")):
        raise ExpressionError(f"{expression!r} is not cron(…)")
    fields = expression[5:-1].split()
    if len(fields) != 6:
        raise ExpressionError(f"{expression!r} has {len(fields)} fields; minutes, hours, day of month, month, day of "
                              "week and year are needed")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ExpressionError(f"{expression!r}: exactly one of day of month and day of week is ?")
    return Cron(_values(minutes, "minutes", 0, 59), _values(hours, "hours", 0, 23),
                _days_of_month(days) if weekdays == "?" else _days_of_week(weekdays),
                _values(months, "month", 1, 12, _MONTHS), _values(years, "year", *YEARS))


def _values(field: str, what: str, least: int, most: int, names: Mapping[str, int] | None = None) -> list[int]:
    """All values of `, - * /` in order."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        if span == "*":
            first, last = least, most
        else:
            first = _number(start, what, least, most, names)
            last = _number(end, what, least, most, names) if dash else most if slash else first
        if first > last:
            raise ExpressionError(f"{what}: {part!r} begins after its end")
        width = _number(step, f"step of {what}", 1, YEARS[1], None) if slash else 1
        found.update(range(first, last + 1, width))
    return sorted(found)


def _number(text: str, what: str, least: int, most: int, names: Mapping[str, int] | None) -> int:
    number = (names or {}).get(text.upper())
    if number is None and text.isascii() and text.isdecimal():
        number = int(text)
    if number is None or not least <= number <= most:
        allowed = f"{least} to {most}" + (f" or {', '.join(names)}" if names else "")
        raise ExpressionError(f"{what}: {text!r}; {allowed} are allowed")
    return number


def _days_of_month(field: str) -> Days:
    plain = [part for part in field.split(",") if not part.endswith(("L", "W"))]
    fixed = _values(",".join(plain), "day of month", 1, 31) if plain else []
    last = "L" in field.split(",")
    near = [_number(part[:-1], "day of month", 1, 31, None) for part in field.split(",") if part.endswith("W")]
    if odd := [part for part in field.split(",") if part.endswith("L") and part != "L"]:
        raise ExpressionError(f"day of month: {odd[0]!r}; L stands alone")

    def days(year: int, month: int) -> frozenset[int]:
        length = calendar.monthrange(year, month)[1]
        return frozenset((*(day for day in fixed if day <= length), *([length] if last else []),
                          *(_nearest_weekday(year, month, day) for day in near if day <= length)))

    return days


def _days_of_week(field: str) -> Days:
    if "#" in field:
        day, _, ordinal = field.partition("#")
        wanted = _number(day, "day of week", 1, 7, _DAYS)
        which = _number(ordinal, "ordinal of the day of week", 1, 5, None)  # a list after # is no number: refused
        return lambda year, month: frozenset(
            day for day in _of_weekday(year, month, wanted) if (day - 1) // 7 + 1 == which)
    parts = field.split(",")
    lasts = [_number(part[:-1], "day of week", 1, 7, _DAYS) for part in parts if part.endswith("L") and part != "L"]
    plain = [part for part in parts if not part.endswith("L")]
    fixed = _values(",".join(plain), "day of week", 1, 7, _DAYS) if plain else []
    if "L" in parts:
        fixed = sorted({*fixed, _SATURDAY})
    return lambda year, month: frozenset(
        (*(day for weekday in fixed for day in _of_weekday(year, month, weekday)),
         *(_of_weekday(year, month, weekday)[-1] for weekday in lasts)))


def _of_weekday(year: int, month: int, weekday: int) -> list[int]:
    """`weekday`: AWS's, Sunday is 1."""
    return [day for day in range(1, calendar.monthrange(year, month)[1] + 1) if _weekday(year, month, day) == weekday]


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Monday to Friday, never in another month."""
    weekday = _weekday(year, month, day)
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < calendar.monthrange(year, month)[1] else day - 2
    return day


def _weekday(year: int, month: int, day: int) -> int:
    return (calendar.weekday(year, month, day) + 1) % 7 + 1
