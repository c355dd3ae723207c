"""The `candlefish` command: its verbs, and how every error leaves it."""

from __future__ import annotations

import gc
import sys

import typer
from botocore.exceptions import BotoCoreError, ClientError

from candlefish import cost, maintenance, preview, recovery, rehearse, rollout, scale, site, switch, timing
from candlefish.exits import Exit, WrongUsage
from infra.settings.errors import SettingsError

app = typer.Typer(
    name="candlefish", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Build and operate the Candlefish platform.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 policy violated, 4 changes where none were "
           "expected, 5 rolled back or aborted, 6 held, 130 interrupted.")
app.add_typer(rehearse.app, name="rehearse")
app.add_typer(rollout.app, name="rollout")
app.add_typer(cost.app, name="cost")
app.add_typer(recovery.app, name="recovery")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(site.app, name="site")
app.command()(preview.preview)
app.command()(switch.switch)
app.command()(scale.scale)
_MISUSE: tuple[type[Exception], ...] = (SettingsError, WrongUsage, *rollout.WRONG, *cost.WRONG, *timing.WRONG,
                                        *preview.WRONG)


def main() -> None:
    """Runs the command. Errors that have a name are a sentence and an exit code; anything else is a bug and shows."""
    gc.set_threshold(200_000, 50, 100)  # a run makes many objects that stay; see rehearsal/engine/host.py
    try:
        app()
    except _MISUSE as error:
        _leave(str(error), Exit.USAGE)
    except SystemExit as left:
        if left.code == Exit.INTERRUPTED:  # Typer's way of saying KeyboardInterrupt, without a word
            _leave("interrupted; run the command again to go on", Exit.INTERRUPTED)
        raise
    except (*rehearse.errors(), *rollout.ERRORS, *cost.ERRORS, BotoCoreError, ClientError, *recovery.ERRORS) as error:
        interrupted = type(error).__name__ == "Cancelled"
        _leave(str(error), Exit.INTERRUPTED if interrupted else Exit.FAILED)


def _leave(message: str, code: Exit) -> None:
    print(f"candlefish: {message}", file=sys.stderr)
    sys.exit(code)
