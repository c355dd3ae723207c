"""Runs checks side by side, each with its time."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from kube.errors import ApiError
from kube.kubeconfig import KubeconfigError
from operations.errors import NotAcceptable, OperationError
from operations.verify.model import Check, Outcome, Skipped, State, Unfit
from operations.verify.scene import Scene

AT_ONCE = 8
# What services say when they can't be asked: the check failed, the others go on.
UNANSWERED = (ClientError, BotoCoreError, ApiError, KubeconfigError, OperationError, httpx.HTTPError, OSError)
_ASLEEP = "off-hours: scheduled scaling has taken the nodes down (operations.offHours)"


def chosen(checks: Sequence[Check], names: Collection[str]) -> tuple[Check, ...]:
    """All of them without names. Raises NotAcceptable for a name that no check has."""
    known = {check.name for check in checks}
    unknown = sorted(set(names) - known)
    if unknown:
        raise NotAcceptable(f"there is no check {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return tuple(check for check in checks if not names or check.name in names)


def verify(checks: Sequence[Check], scene: Scene, now: Callable[[], float] = time.monotonic) -> list[Outcome]:
    """In the table's order, whichever ended first."""
    asleep = any(check.awake for check in checks) and _asleep(scene)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda check: _run(check, scene, asleep, now), checks))


def _asleep(scene: Scene) -> bool:
    """An account that does not tell is asked again by each check, which says so."""
    try:
        return scene.asleep()
    except UNANSWERED:
        return False


def _run(check: Check, scene: Scene, asleep: bool, now: Callable[[], float]) -> Outcome:
    began = now()

    def outcome(state: State, said: str) -> Outcome:
        return Outcome(check, state, said, now() - began)

    if check.awake and asleep:
        return outcome(State.SKIPPED, _ASLEEP)
    try:
        return outcome(State.OK, check.run(scene))
    except Skipped as reason:
        return outcome(State.SKIPPED, str(reason))
    except Unfit as reason:
        return outcome(State.FAILED, str(reason))
    except (NoCredentialsError, PartialCredentialsError) as error:
        return outcome(State.FAILED, f"AWS can't be asked: {error}; sign in, or take a rehearsal's environment with "
                                     f'eval "$(candlefish rehearse env --stack {scene.stack})"')
    except UNANSWERED as error:
        return outcome(State.FAILED, f"can't be asked: {error}")
    except Exception as error:  # the other checks are wanted all the more
        where = traceback.extract_tb(error.__traceback__)[-1]
        return outcome(State.FAILED, f"the check itself broke: {type(error).__name__}: {error} "
                                     f"({Path(where.filename).name}:{where.lineno})")
