"""The price book: what AWS asks for, by region, each figure with its source and its date (prices.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from infra.settings.yaml import read_yaml

FILE = Path(__file__).with_name("prices.yaml")
EVERYWHERE = "all"  # in the place of a region


@dataclass(frozen=True)
class Source:
    """read: when somebody looked. of: the day that the source itself names. quoted: public material quotes the page."""

    name: str
    url: str
    read: date
    of: date | None = None
    quoted: bool = False


@dataclass(frozen=True)
class Price:
    """usd: for one `unit`, such as `hour`, `GB-month`, `million requests`. region: `us-east-1`, or `all`."""

    name: str
    unit: str
    region: str
    usd: float
    source: Source


@dataclass(frozen=True)
class Book:
    """prices: by name and region."""

    sources: Mapping[str, Source]
    prices: Mapping[tuple[str, str], Price]

    def find(self, name: str, region: str) -> Price | None:
        """None: not priced there. Another region's price never stands in."""
        return self.prices.get((name, region)) or self.prices.get((name, EVERYWHERE))

    def find_elsewhere(self, name: str) -> Price | None:
        """The dearest of all regions' prices of that name: a hint, for where a region has none."""
        return max((price for price in self.prices.values() if price.name == name), key=lambda price: price.usd,
                   default=None)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.prices)


class PriceBookError(ValueError):
    """What is wrong with the price book's file, and where."""


@cache
def book(path: Path = FILE) -> Book:
    """Raises PriceBookError with the entry that can't be read."""
    return parse(read_yaml(path), path.name)


def parse(document: Mapping[str, Any], where: str) -> Book:
    """`document`: `{"sources": {name: {url, read, of?, quoted?}}, "prices": [{price, unit, region, usd, source}]}`."""
    sources = {name: _source(name, entry, where) for name, entry in (document.get("sources") or {}).items()}
    prices: dict[tuple[str, str], Price] = {}
    for entry in document.get("prices") or []:
        price = _price(entry, sources, where)
        other = EVERYWHERE if price.region != EVERYWHERE else None
        if (price.name, price.region) in prices or (other and (price.name, other) in prices):
            raise PriceBookError(f"{where}: {price.name} has two prices in {price.region}; one is enough")
        prices[price.name, price.region] = price
    return Book(sources, prices)


def _source(name: str, entry: Any, where: str) -> Source:
    _complete(entry, ("url", "read"), ("of", "quoted"), f"{where}, source {name}")
    if not str(entry["url"]).startswith("https://"):
        raise PriceBookError(f"{where}, source {name}: url is {entry['url']!r}; an address that begins with https://")
    for day in ("read", "of"):
        if day in entry and not isinstance(entry[day], date):
            raise PriceBookError(f"{where}, source {name}: {day} is {entry[day]!r}; a day such as 2026-11-21")
    return Source(name, entry["url"], entry["read"], entry.get("of"), bool(entry.get("quoted", False)))


def _price(entry: Any, sources: Mapping[str, Source], where: str) -> Price:
    name = entry.get("price") if isinstance(entry, Mapping) else entry
    fields = ("price", "unit", "region", "usd", "source")
    _complete(entry, fields, (), f"{where}, price {name}")
    place = f"{where}, price {entry['price']} in {entry['region']}"
    usd = entry["usd"]
    if isinstance(usd, bool) or not isinstance(usd, int | float) or usd <= 0:
        raise PriceBookError(f"{place}: usd is {usd!r}; dollars, more than 0: what is free is in priced_types.py")
    if entry["source"] not in sources:
        raise PriceBookError(f"{place}: source is {entry['source']!r}; one of {', '.join(sources)}")
    return Price(entry["price"], entry["unit"], entry["region"], float(usd), sources[entry["source"]])


def _complete(entry: Any, needed: Sequence[str], possible: Sequence[str], place: str) -> None:
    if not isinstance(entry, Mapping):
        raise PriceBookError(f"{place}: {entry!r}; a map with {', '.join(needed)}")
    for field in needed:
        if field not in entry:
            raise PriceBookError(f"{place}: {field} is missing")
    for field in entry:
        if field not in (*needed, *possible):
            raise PriceBookError(f"{place}: {field!r} is not known; there are {', '.join((*needed, *possible))}")
