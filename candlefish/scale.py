"""`candlefish scale`: the least number of pods of a service."""

from __future__ import annotations

from typing import Annotated, Any

import boto3
import typer

from candlefish.connected import kubernetes, planned, shown
from candlefish.options import Context, DryRun, Json, Kubeconfig, Stack
from candlefish.project import settings_of
from candlefish.screen import Screen
from infra.plans.names import Names
from operations.cluster import expect_namespace
from operations.rollout.model import Target
from operations.switches.scale import Scaling, node_pools


def scale(service: Annotated[str, typer.Argument(help="website, backend-api, …")], stack: Stack,
          least: Annotated[int | None, typer.Option("--min", help="pods; none: it is shown")] = None,
          dry_run: DryRun = False, kubeconfig: Kubeconfig = None, context: Context = None,
          as_json: Json = False) -> None:
    """Sets the autoscaler's minimum of the live colour, and waits for the pods. `up` and rollouts keep it."""
    screen = Screen(quiet=as_json)
    settings = settings_of(stack)
    target = Target.of(stack, settings, service)
    client = kubernetes(kubeconfig, context)
    expect_namespace(client, stack, target.namespace)
    eks = boto3.client("eks", region_name=settings.region)
    work = Scaling(client, target, lambda: node_pools(eks, Names(settings.environment).cluster), screen.say)
    if least is not None and dry_run:
        planned(screen, as_json, work.planned(least))
        return
    shown(screen, as_json, work.status() if least is None else work.to(least), _sentence)


def _sentence(found: dict[str, Any]) -> str:
    return (f"{found['service']}: {found['minimum']} to {found['maximum']} pods of {found['live']} (the settings' "
            f"least is {found['settings']}); {found['ready']} of {found['pods']} ready")
