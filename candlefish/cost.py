"""`candlefish cost`: the estimate, what-ifs, AWS's price list, and what was paid."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import boto3
import typer
from rich.console import Console
from rich.table import Table

from candlefish.exits import WrongUsage
from candlefish.options import Json, Stack
from candlefish.project import project_directory, settings_of, stacks
from candlefish.screen import Screen, emit
from infra.plans.prices import FILE, book, parse
from infra.plans.stack_costs import estimate as estimated
from infra.plans.usage import SIZES
from infra.settings.costs import BANDS
from infra.settings.operations import OffHours
from infra.settings.usage import Usage
from infra.settings.yaml import read_yaml
from operations.cost import comparison, explorer, price_list, what_if

app = typer.Typer(no_args_is_help=True)
ALL = "all"

Size = Annotated[str | None, typer.Option("--usage", help="small, medium or large, instead of the stack file's")]
Rows = Annotated[bool, typer.Option("--rows", help="every row, with its price and where that is from")]
SpotPercent = Annotated[float, typer.Option(help="what spot saves of the price on demand")]
ReservedPercent = Annotated[float, typer.Option(help="what reserved capacity saves")]
Down = Annotated[str, typer.Option(help="when a weekday's nodes go, such as 18:00")]
Up = Annotated[str, typer.Option(help="when they come back")]
Month = Annotated[str | None, typer.Option(help="2026-10; the current one otherwise")]
Write = Annotated[bool, typer.Option("--write", help="writes the price book, infra/plans/prices.yaml")]
Region = Annotated[list[str] | None, typer.Option(help="again and again; the stacks' own otherwise")]


@app.command()
def estimate(stack: Stack, usage: Size = None, rows: Rows = False, as_json: Json = False) -> None:
    """A month by list prices, from the settings, beside the band and the documents. `--stack all`: every stack."""
    if usage is not None and usage not in SIZES:
        raise WrongUsage(f"--usage is {usage!r}; one of {', '.join(SIZES)}")
    documents = {}
    for name in stacks() if stack == ALL else [stack]:
        settings = settings_of(name)
        wanted = settings.usage if usage is None else Usage.model_validate({"size": usage})
        found, band = estimated(settings, book(), wanted), BANDS[settings.environment]
        documents[name] = comparison.document(name, wanted.size, found, band)
        if not as_json:
            _show(name, documents[name], [*comparison.sentences(found, band)], rows)
    if as_json:
        emit({"stacks": documents} if stack == ALL else documents[stack])


@app.command(name="what-if")
def what_ifs(stack: Stack, spot_percent: SpotPercent = 70, reserved_percent: ReservedPercent = 40, down: Down = "18:00",
             up: Up = "08:00", as_json: Json = False) -> None:
    """What spot, reserved capacity, and nights and weekends off would save."""
    settings = settings_of(stack)
    try:
        hours = OffHours(enabled=True, stop_database=True, down=down, up=up)
    except ValueError:
        raise WrongUsage(f"--down is {down!r} and --up {up!r}; times such as 18:00 and 08:00") from None
    found = what_if.scenarios(settings, book(), spot_percent, reserved_percent, hours)
    platform = estimated(settings, book()).platform
    if as_json:
        emit({"stack": stack, "currency": "USD", "platform": platform,
              "scenarios": [{"name": each.name, "what": each.words, "usd": each.usd, "saved": each.saved,
                             "note": each.note} for each in found]})
        return
    table = _table(f"{stack}: {platform:,.0f} USD a month as it is", "what if", "USD a month", "saved", "but")
    for each in found:
        table.add_row(each.words, f"{each.usd:,.0f}", f"{each.saved:,.0f}", each.note)
    Console().print(table)


@app.command()
def report(stack: Stack, month: Month = None, as_json: Json = False) -> None:
    """What Cost Explorer says was spent and will be, beside the estimate. Needs credentials; asks for 0.02 USD."""
    settings = settings_of(stack)
    when = explorer.period(datetime.now(UTC).date(), month)
    paid = explorer.spent(boto3.client("ce", region_name="us-east-1"), settings.environment.value, when)
    document = explorer.document(stack, when, paid, estimated(settings, book()), settings.monthly_budget_usd)
    if as_json:
        emit(document)
        return
    table = _table(f"{stack}, {document['from']} until {document['until']}", "part", "spent", "estimate so far")
    for part in document["parts"]:
        table.add_row(part["part"], f"{part['actual']:,.2f}", f"{part['estimateSoFar']:,.2f}")
    table.add_row("all", f"{document['actual']:,.2f}", f"{document['estimateSoFar']:,.2f}")
    console = Console()
    console.print(table)
    forecast = document["forecast"]
    console.print(f"No forecast: {document['noForecast']}." if forecast is None else
                  f"Forecast of the month: {forecast:,.0f} USD; estimate {document['estimate']:,.0f}, "
                  f"budget {document['budget']:,.0f}.")
    if not document["actual"]:
        console.print("Nothing was counted: is the tag Environment activated for cost allocation? (docs/first-time.md)")


@app.command()
def refresh(region: Region = None, write: Write = False, as_json: Json = False) -> None:
    """Compares the price book with AWS's price list, and with --write takes its prices. Needs credentials."""
    screen = Screen(quiet=as_json)
    path = project_directory() / "infra" / "plans" / FILE.name
    old = parse(read_yaml(path), path.name)
    known = [settings_of(name) for name in stacks()]
    regions = region or sorted({place for each in known for place in (each.region, each.recovery_region)})
    names = {*old.names, *(row.line.price for each in known for row in estimated(each, old).rows)}
    found = price_list.refresh(boto3.client("pricing", region_name="us-east-1"), old, names, regions,
                               datetime.now(UTC).date())
    if write:
        path.write_text(price_list.render(found.book, price_list.header(path.read_text(encoding="utf-8"))),
                        encoding="utf-8")
    if as_json:
        emit({"written": write, "changes": [{"price": each.name, "region": each.region, "old": each.old,
                                             "new": each.new} for each in found.changes],
              "unread": [{"price": name, "region": place, "why": why} for name, place, why in found.unread],
              "unasked": list(found.unasked)})
        return
    table = _table(f"{len(found.changes)} prices differ", "price", "region", "in the book", "in the list")
    for each in found.changes:
        table.add_row(each.name, each.region, "none" if each.old is None else f"{each.old:g}", f"{each.new:g}")
    Console().print(table)
    for name, place, why in found.unread:
        screen.say(f"{name} in {place} stays as it is: {why}")
    screen.say(f"not asked: {', '.join(found.unasked)}" if found.unasked else "every price was asked for")
    screen.say(f"{path} is written" if write else "nothing is written; --write does", "bold")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        figures = column.startswith(("USD", "saved", "spent", "estimate", "quantity", "unit"))
        table.add_column(column, justify="right" if figures else "left", overflow="fold")
    return table


def _show(stack: str, document: dict[str, Any], sentences: list[str], rows: bool) -> None:
    console = Console(highlight=False)
    table = _table(f"{stack}, usage {document['usage']}", "part", "USD a month", "the documents", "")
    for part in document["parts"]:
        table.add_row(part["part"], f"{part['usd']:,.0f}", _range(part["documented"]), part["verdict"])
    console.print(table)
    by_component = _table("by component", "component", "USD a month")
    for component, usd in document["components"].items():
        by_component.add_row(component, f"{usd:,.2f}")
    console.print(by_component)
    if rows:
        console.print(_rows(document["rows"]))
    for sentence in sentences:
        console.print(sentence, soft_wrap=True)


def _rows(rows: list[dict[str, Any]]) -> Table:
    table = _table("rows", "component", "what", "quantity", "unit", "unit USD", "USD a month", "source")
    for row in sorted(rows, key=lambda each: -(each["usd"] or 0)):
        priced = row["usd"] is not None
        table.add_row(row["component"], row["what"], f"{row['quantity']:,.2f}", row["unit"] or "",
                      f"{row['unitUsd']:g}" if priced else "", f"{row['usd']:,.2f}" if priced else "",
                      row["source"])
    return table


def _range(documented: tuple[float, float] | None) -> str:
    if documented is None:
        return "no line"
    lowest, highest = documented
    return f"{lowest:,.0f}" if lowest == highest else f"{lowest:,.0f}–{highest:,.0f}"
