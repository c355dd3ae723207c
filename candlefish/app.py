"""The `candlefish` command: its verbs, and how every error leaves it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from candlefish.exits import Exit, WrongUsage
from infra.settings.errors import SettingsError
from operations.errors import NotAcceptable, OperationError
from rehearsal.errors import RehearsalError, Unusable

# Verb → what `--help` says of it, in its order. `candlefish.VERB` has an `app` with words of its own, or the function.
VERBS: Mapping[str, str] = {
    "rehearse": "Build, look at and take down an environment on this machine, offline.",
    "preview": "Compare the working copy with a version of it or with what is deployed, offline.",
    "policy": "Hold the security controls against what the program would make, offline.",
    "rollout": "Bring a release to a service, and take it back.",
    "site": "Bring a release to the static site, and take it back.",
    "switch": "Turn a service's switch on or off.",
    "scale": "Set how many pods of a service there are at least.",
    "maintenance": "Put the maintenance page up, and take it down.",
    "recovery": "See what a stack can be brought back from, and bring it back.",
    "verify": "Check that a stack is fit, as a table with an exit code.",
    "cache": "Have CloudFront forget what it keeps.",
    "secrets": "See how old secrets are, and rotate them.",
    "certificates": "See how long certificates last.",
    "connect": "Reach the database, the cache, Grafana or Prometheus from this machine.",
    "capacity": "See how full the cluster is, and bring nodes.",
    "report": "Put what operations know of a month into one document.",
    "calendar": "See what is done daily, weekly, monthly and quarterly.",
    "cost": "See what the platform costs, by estimate and by bill.",
}


class Verbs(TyperGroup):
    """Loads a verb's module when the verb is used: each pays for what it needs, and `--help` for none of them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and loaded(str(name)), rest


def loaded(verb: str) -> Any:
    module = import_module(f"candlefish.{verb}")
    if not hasattr(module, "app"):
        alone = typer.Typer(add_completion=False)
        alone.command(verb)(getattr(module, verb))
        return get_command(alone)
    group = get_group(module.app)
    group.help = VERBS[verb]
    return group


def _later() -> None:
    """Stands for a verb until it is used."""


app = typer.Typer(
    name="candlefish", cls=Verbs, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Build and operate the Candlefish platform.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 policy violated, 4 changes where none were "
           "expected, 5 rolled back or aborted, 6 held, 130 interrupted.")
for _name, _help in VERBS.items():
    app.command(_name, help=_help)(_later)


def main() -> None:
    """Runs the command. Errors that have a name are a sentence and an exit code; anything else is a bug and shows."""
    gc.set_threshold(200_000, 50, 100)  # a run makes many objects that stay; see rehearsal/engine/host.py
    try:
        app()
    except SystemExit as left:
        if left.code == Exit.INTERRUPTED:  # Typer's way of saying KeyboardInterrupt, without a word
            _leave("interrupted; run the command again to go on", Exit.INTERRUPTED)
        raise
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        _leave(str(error), code)


def _code(error: Exception) -> Exit | None:
    """None: a bug. What only some verbs raise is looked up here, where one of them has loaded it already."""
    if isinstance(error, (SettingsError, WrongUsage, NotAcceptable, Unusable)):
        return Exit.USAGE
    from botocore.exceptions import BotoCoreError, ClientError

    from infra.plans.prices import PriceBookError
    from kube.errors import ApiError
    from kube.kubeconfig import KubeconfigError
    from policy.waivers import WaiverError
    from rehearsal.engine.errors import Cancelled, PolicyViolated

    if isinstance(error, Cancelled):
        return Exit.INTERRUPTED
    if isinstance(error, PolicyViolated):
        return Exit.POLICY
    if isinstance(error, WaiverError):
        return Exit.USAGE
    known = (OperationError, RehearsalError, ApiError, KubeconfigError, PriceBookError, BotoCoreError, ClientError)
    return Exit.FAILED if isinstance(error, known) else None


def _leave(message: str, code: Exit) -> None:
    print(f"candlefish: {message}", file=sys.stderr)
    sys.exit(code)
