"""What a restored database is asked, and what its answers must be: the one table of checks.

A table of the source that did not change between a look before the restored moment and one after it is the same at that
moment: its copy must be equal, row for row. What changed meanwhile can't be compared so, and is told as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# Bounds what a look costs the source: larger tables are counted, and not read for a checksum.
CHECKSUM_MIB = 256
# A table's first of these says how old its newest row is.
STAMPS = ("created_at", "inserted_at", "occurred_at", "recorded_at", "updated_at")
SHOWN = 5  # of what differs, by name

# Lines that say all of the schema that a restore could lose.
_SCHEMA = {
    "column": "select format('%s.%s.%s %s%s default %s', table_schema, table_name, column_name, data_type, "
              "case is_nullable when 'NO' then ' not null' else '' end, coalesce(column_default, 'none')) "
              "from information_schema.columns",
    "constraint": "select format('%s.%s %s', n.nspname, k.conname, pg_get_constraintdef(k.oid)) from pg_constraint k "
                  "join pg_namespace n on n.oid = k.connamespace",
    "index": "select indexdef from pg_indexes",
    "function": "select format('%s %s', p.oid::regprocedure, md5(p.prosrc)) from pg_proc p "
                "join pg_namespace n on n.oid = p.pronamespace",
    "trigger": "select pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid "
               "join pg_namespace n on n.oid = c.relnamespace where not t.tgisinternal",
    "extension": "select extname || ' ' || extversion from pg_extension",
}
_OURS = {  # what keeps PostgreSQL's own out of each
    "column": " where table_schema", "constraint": " where n.nspname", "index": " where schemaname",
    "function": " where n.nspname", "trigger": " and n.nspname"}
_FOREIGN = " not in ('pg_catalog', 'information_schema') and {0} not like 'pg\\_%'"


def measurement() -> str:
    """One query, one moment: a JSON object with `schema` (lines), `tables` and `takenAt`."""
    lines = " union all ".join(f"select '{kind} ' || line as line from ({query}{_ours(kind)}) as {kind}s(line)"
                               for kind, query in _SCHEMA.items())
    stamps = ", ".join(f"'{name}'" for name in STAMPS)
    return f"""
with found as (
    select n.nspname as space, c.relname as name, pg_table_size(c.oid) <= {CHECKSUM_MIB}::bigint * 1024 * 1024 as small,
        (select a.attname from pg_attribute a where a.attrelid = c.oid and not a.attisdropped
         and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
         and a.attname in ({stamps}) order by array_position(array[{stamps}], a.attname::text) limit 1) as stamp
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname{_FOREIGN.format('n.nspname')}
), looked as (
    select space, name, query_to_xml(format('select count(*) as rows, %s as checksum, %s as newest from %I.%I t',
        case when small then 'md5(coalesce(string_agg(md5(t::text), '''' order by md5(t::text)), ''''))'
             else 'null::text' end,
        case when stamp is null then 'null::text' else format('to_json(max(%I)::timestamptz)#>>''{{}}''', stamp) end,
        space, name), true, false, '') as x
    from found
)
select json_build_object(
    'takenAt', now(),
    'schema', (select coalesce(json_agg(line order by line), '[]') from ({lines}) as all_lines),
    'tables', (select coalesce(json_object_agg(space || '.' || name, json_build_object(
        'rows', (xpath('//rows/text()', x))[1]::text::bigint,
        'checksum', (xpath('//checksum/text()', x))[1]::text,
        'newest', (xpath('//newest/text()', x))[1]::text)), '{{}}') from looked))"""


def _ours(kind: str) -> str:
    start = _OURS.get(kind)
    return "" if start is None else f"{start}{_FOREIGN.format(start.split()[-1])}"


@dataclass(frozen=True)
class Table:
    """checksum None: too large to be read, see CHECKSUM_MIB. newest: None without a column of STAMPS, or any row."""

    rows: int
    checksum: str | None
    newest: datetime | None


@dataclass(frozen=True)
class Measured:
    """A database at a moment."""

    at: datetime
    schema: frozenset[str]
    tables: Mapping[str, Table]

    @property
    def newest(self) -> datetime | None:
        return max((table.newest for table in self.tables.values() if table.newest), default=None)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def read(text: str) -> Measured:
    """Of what `measurement` answers. Raises ValueError."""
    held = json.loads(text)
    return Measured(datetime.fromisoformat(held["takenAt"]), frozenset(held["schema"]), {
        name: Table(table["rows"], table["checksum"],
                    datetime.fromisoformat(table["newest"]) if table["newest"] else None)
        for name, table in held["tables"].items()})


class Verdict(StrEnum):
    GOOD = "good"
    BAD = "bad"
    OPEN = "not compared"  # nothing to compare with, or it was in motion


@dataclass(frozen=True)
class Checked:
    name: str
    verdict: Verdict
    text: str


@dataclass(frozen=True)
class Evidence:
    """before, after: the source around the restored moment; None where it could not be asked then. at: that moment."""

    restored: Measured
    at: datetime
    before: Measured | None = None
    after: Measured | None = None

    def stood_still(self) -> frozenset[str]:
        """Tables of the source that were the same before and after, and so in between."""
        if self.before is None or self.after is None:
            return frozenset()
        return frozenset(name for name, table in self.before.tables.items() if self.after.tables.get(name) == table)


def _schema(seen: Evidence) -> Checked:
    if not seen.restored.tables:
        empty = seen.before is not None and not seen.before.tables
        return Checked("", Verdict.OPEN if empty else Verdict.BAD, "the source has no table either" if empty else
                       "there is no table in it")
    if seen.before is None or seen.after is None:
        return Checked("", Verdict.OPEN, f"{len(seen.restored.tables)} tables, without a source to compare with")
    if seen.before.schema != seen.after.schema:
        return Checked("", Verdict.OPEN, "the source's schema was changed meanwhile")
    missing, more = seen.before.schema - seen.restored.schema, seen.restored.schema - seen.before.schema
    if missing or more:
        return Checked("", Verdict.BAD, f"{len(missing)} missing ({_some(missing)}), {len(more)} more ({_some(more)})")
    return Checked("", Verdict.GOOD, f"{len(seen.restored.tables)} tables; all {len(seen.restored.schema)} "
                                     "definitions as in the source")


def _rows(seen: Evidence) -> Checked:
    still = seen.stood_still()
    wrong = {f"{name}: {_count(seen.restored, name)}, {seen.before.tables[name].rows} in the source"
             for name in still if seen.before and _count(seen.restored, name) != seen.before.tables[name].rows}
    text = f"{seen.restored.rows} rows in {len(seen.restored.tables)} tables"
    if wrong:
        return Checked("", Verdict.BAD, f"{text}; {_some(wrong)}")
    return Checked("", Verdict.GOOD if still else Verdict.OPEN, f"{text}; {_compared(seen, still)}")


def _checksums(seen: Evidence) -> Checked:
    still = {name for name in seen.stood_still() if seen.before and seen.before.tables[name].checksum}
    wrong = {name for name in still if seen.before and (
        name not in seen.restored.tables or seen.restored.tables[name].checksum != seen.before.tables[name].checksum)}
    if wrong:
        return Checked("", Verdict.BAD, f"other content than in the source: {_some(wrong)}")
    return Checked("", Verdict.GOOD if still else Verdict.OPEN, _compared(seen, still))


def _newest(seen: Evidence) -> Checked:
    newest = seen.restored.newest
    if newest is None:
        return Checked("", Verdict.OPEN, f"no row says when it was written (columns {', '.join(STAMPS)})")
    before = max(0, round((seen.at - newest).total_seconds()))
    return Checked("", Verdict.GOOD, f"written {newest.isoformat(timespec='seconds')}, {before} s before that moment")


CHECKS: Mapping[str, Callable[[Evidence], Checked]] = {
    "schema": _schema, "row counts": _rows, "checksums": _checksums, "newest row": _newest}


def check(seen: Evidence) -> list[Checked]:
    return [Checked(name, found.verdict, found.text) for name, of in CHECKS.items() for found in (of(seen),)]


def _count(measured: Measured, name: str) -> int | None:
    return measured.tables[name].rows if name in measured.tables else None


def _compared(seen: Evidence, still: frozenset[str] | set[str]) -> str:
    if seen.before is None or seen.after is None:
        return "no source around that moment to compare with"
    return f"{len(still)} of the source's {len(seen.before.tables)} tables could be compared and are equal"


def _some(names: frozenset[str] | set[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")
