"""What the checks say of a restored database beside its source."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from operations.recovery.checks import CHECKS, Evidence, Measured, Table, Verdict, check

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
SCHEMA = frozenset({"column public.orders.id integer not null default none", "index orders_pkey"})


def measured(schema: frozenset[str] = SCHEMA, **tables: Table) -> Measured:
    return Measured(AT, schema, {f"public.{name}": table for name, table in tables.items()})


def orders(rows: int = 3, checksum: str | None = "aa") -> Table:
    return Table(rows, checksum, AT - timedelta(minutes=7))


def verdicts(restored: Measured, before: Measured | None, after: Measured | None) -> Mapping[str, Verdict]:
    found = check(Evidence(restored, AT, before, after))
    assert [each.name for each in found] == list(CHECKS)
    return {each.name: each.verdict for each in found}


def said(restored: Measured, before: Measured | None, after: Measured | None) -> str:
    return "; ".join(each.text for each in check(Evidence(restored, AT, before, after)))


def test_an_equal_copy_is_good_in_every_check() -> None:
    same = measured(orders=orders())
    assert set(verdicts(same, same, same).values()) == {Verdict.GOOD}
    assert "420 s before that moment" in said(same, same, same)


@pytest.mark.parametrize(("restored", "which", "word"), [
    (measured(orders=orders(rows=2, checksum="bb")), "row counts", "public.orders: 2, 3 in the source"),
    (measured(), "row counts", "public.orders: None, 3 in the source"),
    (measured(orders=orders(checksum="bb")), "checksums", "other content than in the source: public.orders"),
    (measured(frozenset({"index orders_pkey"}), orders=orders()), "schema", "1 missing (column public.orders.id"),
    (measured(SCHEMA | {"index more"}, orders=orders()), "schema", "1 more (index more)"),
    (measured(), "schema", "there is no table in it"),
])
def test_what_was_lost_of_a_source_that_stood_still_is_bad(restored: Measured, which: str, word: str) -> None:
    source = measured(orders=orders())
    assert verdicts(restored, source, source)[which] is Verdict.BAD
    assert word in said(restored, source, source)


def test_a_table_that_moved_meanwhile_is_not_held_against_the_copy() -> None:
    before, after = measured(orders=orders(), still=orders()), measured(orders=orders(rows=9), still=orders())
    restored = measured(orders=orders(rows=5, checksum="cc"), still=orders())
    found = verdicts(restored, before, after)
    assert found["row counts"] is found["checksums"] is Verdict.GOOD
    assert "1 of the source's 2 tables could be compared" in said(restored, before, after)
    assert verdicts(measured(orders=orders(5), still=orders(4)), before, after)["row counts"] is Verdict.BAD


def test_nothing_to_compare_with_is_told_and_is_not_good() -> None:
    found = verdicts(measured(orders=orders()), None, None)
    assert found == {"schema": Verdict.OPEN, "row counts": Verdict.OPEN, "checksums": Verdict.OPEN,
                     "newest row": Verdict.GOOD}


def test_a_table_too_large_for_a_checksum_is_counted_all_the_same() -> None:
    large = measured(orders=orders(checksum=None))
    found = verdicts(large, large, large)
    assert (found["row counts"], found["checksums"]) == (Verdict.GOOD, Verdict.OPEN)


def test_an_empty_source_makes_an_empty_copy_no_proof() -> None:
    empty = measured(frozenset())
    assert verdicts(empty, empty, empty)["schema"] is Verdict.OPEN
    assert verdicts(empty, None, None)["schema"] is Verdict.BAD
