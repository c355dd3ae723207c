"""`candlefish certificates`: what a stack's certificates are like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from candlefish.account import client
from candlefish.connected import kubernetes
from candlefish.exits import Exit
from candlefish.options import Context, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import emit, rows
from infra.plans.hosts import hosts
from operations.errors import NotAcceptable
from operations.upkeep.certificates import Certificate, faults, in_account, in_cluster

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(stack: Stack, days: Annotated[float | None, typer.Option(
              help="the least that may be left; otherwise observability.thresholds.certificateDays")] = None,
          kubeconfig: Kubeconfig = None, context: Context = None, as_json: Json = False) -> None:
    """ACM's, and cert-manager's in the cluster: days left, use, renewal. Exit code 1 for one that has a fault."""
    settings = settings_of(stack)
    least = settings.observability.thresholds.certificate_days if days is None else days
    if least < 0:
        raise NotAcceptable(f"--days {least:g} is negative; 0 and more are allowed")
    found = in_account(client, settings.region, hosts(settings.domain))
    if "certificates" in settings.addons.features:
        with kubernetes(kubeconfig, context) as cluster:
            found += in_cluster(cluster)
    now = datetime.now(UTC)
    wrong = {each.identity: faults(each, now, least) for each in found}
    if as_json:
        emit({"stack": stack, "leastDays": least, "certificates": [
            _document(each, now, wrong[each.identity]) for each in found]})
    else:
        rows(("", "name", "where", "days", "used", "renewal"),
             [_row(each, now, wrong[each.identity]) for each in found])
        for each in found:
            for fault in wrong[each.identity]:
                print(f"{each.name}, {each.identity}: {fault}")
    if not found or any(wrong.values()):
        raise typer.Exit(Exit.FAILED)


def _document(each: Certificate, now: datetime, wrong: list[str]) -> dict[str, Any]:
    return {"name": each.name, "where": each.where, "id": each.identity, "status": each.status,
            "ends": each.ends.isoformat() if each.ends else None, "days": each.days(now), "used": each.used,
            "renewal": each.renewal or None, "faults": wrong}


def _row(each: Certificate, now: datetime, wrong: list[str]) -> tuple[str, ...]:
    days = each.days(now)
    return ("bad" if wrong else "good", each.name, each.where, "" if days is None else str(days),
            {True: "yes", False: "no", None: ""}[each.used], each.renewal)
