"""`candlefish maintenance`: the maintenance page of a stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import boto3
import typer

from candlefish.connected import kubernetes, planned, shown
from candlefish.options import Context, DryRun, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen
from infra.plans.names import Names
from operations.cluster import expect_namespace
from operations.switches.maintenance import BalancerDoor, Maintenance

app = typer.Typer(no_args_is_help=True)
Whatever = Annotated[bool, typer.Option("--whatever", help="also when a service has no ready pod")]


def _maintenance(stack: str, kubeconfig: Path | None, context: str | None, screen: Screen) -> Maintenance:
    settings = settings_of(stack)
    client, namespace = kubernetes(kubeconfig, context), settings.cluster.namespace
    expect_namespace(client, stack, namespace)
    elb = boto3.client("elbv2", region_name=settings.region)
    door = BalancerDoor(elb, Names(settings.environment).cluster, namespace)
    return Maintenance(client, settings, door, screen.say)


def _sentence(found: dict[str, Any]) -> str:
    pods = f"{found['ready']} of {found['pods']} pods ready"
    return f"maintenance is on: 503, Retry-After {found['retryAfterSeconds']} s; {pods}" \
        if found["maintenance"] == "on" else f"maintenance is off; {pods}"


@app.command()
def on(stack: Stack, dry_run: DryRun = False, kubeconfig: Kubeconfig = None, context: Context = None,
       as_json: Json = False) -> None:
    """Every request gets the page (503, Retry-After); health checks keep their answers. No request is lost on the
    way."""
    screen = Screen(quiet=as_json)
    work = _maintenance(stack, kubeconfig, context, screen)
    if dry_run:
        planned(screen, as_json, work.planned(True))
        return
    shown(screen, as_json, work.on(), _sentence)


@app.command()
def off(stack: Stack, whatever: Whatever = False, dry_run: DryRun = False, kubeconfig: Kubeconfig = None,
        context: Context = None, as_json: Json = False) -> None:
    """Requests go to the services again; then the page's pods go."""
    screen = Screen(quiet=as_json)
    work = _maintenance(stack, kubeconfig, context, screen)
    if dry_run:
        planned(screen, as_json, work.planned(False))
        return
    shown(screen, as_json, work.off(whatever), _sentence)


@app.command()
def status(stack: Stack, kubeconfig: Kubeconfig = None, context: Context = None, as_json: Json = False) -> None:
    """Whether it is up, and its pods."""
    screen = Screen(quiet=as_json)
    shown(screen, as_json, _maintenance(stack, kubeconfig, context, screen).status(), _sentence)
