"""A life of a command: its account, one trouble at one position, and the same command again until it is through."""

from __future__ import annotations

import os
import random
import time
import traceback
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from kube.client import ApiError
from operations.errors import OperationError
from tests.faults.lives import Life, NotConverged
from tests.faults.recovery.account import Held
from tests.faults.recovery.calls import Killed, Position, Trouble, applies, hurried
from tests.faults.recovery.scenes import Scene

MOST_RUNS = 5  # of one life: the one that is hit, another's thing that is still there, and some
JOURNAL = "PutParameter"
SIGKILLS = 6  # lives with a process of its own that is killed
# What the command tells in a sentence (candlefish/app.py); anything else is a defect.
TOLD = (OperationError, ApiError, BotoCoreError, ClientError)


def plain(scene: Scene) -> tuple[Life, Held]:
    """A life without troubles: its positions and what there is afterwards."""
    life = Life(scene.command, "none", 0)
    started = time.monotonic()
    with hurried():
        scene.born(None, None)
        scene.run()
        life.met = dict(scene.calls.met)
        expect_settled(scene)
    life.runs, life.seconds = 2, time.monotonic() - started
    return life, scene.held()


def sweep(scene: Scene, troubles: Sequence[Trouble], seed: int, share: float, until: float,
          report: Callable[[str], None]) -> list[Life]:
    """A life for each position and trouble, as far as `share` of them by seed."""
    first, wanted = plain(scene)
    lives = [first]
    for trouble in troubles:
        positions = drawn(first, trouble, seed, share)
        failed = 0
        for number, position in enumerate(positions, 1):
            if time.monotonic() > until:
                lives.append(Life(scene.command, trouble, seed, cut=True))
                break
            life = live(scene, trouble, position, seed, wanted)
            lives.append(life)
            failed += bool(life.failed)
            if life.failed:
                report(f"{life.program} {life.kind}: FAILED: {life.failed}")
            if number % 20 == 0 or number == len(positions):
                report(f"{scene.command} {trouble}: {number} of {len(positions)} positions, {failed} failed")
    return lives


def drawn(first: Life, trouble: Trouble, seed: int, share: float) -> list[Position]:
    fit = [position for position, (service, _) in sorted(first.met.items()) if applies(trouble, position, service)]
    if trouble is Trouble.SIGKILL:
        return random.Random(f"{seed}:{trouble}").sample(fit, max(1, min(SIGKILLS, round(share * len(fit)))))
    return [position for position in fit if random.Random(f"{seed}:{trouble}:{position}").random() < share]


def live(scene: Scene, trouble: Trouble, position: Position, seed: int, wanted: Held) -> Life:
    life = Life(scene.command, trouble, seed)
    started = time.monotonic()
    with hurried():
        try:
            if wrong := _difference(wanted, _course(scene, trouble, position, life)):
                raise NotConverged(wrong)
        except NotConverged as failure:
            _, subject, ordinal, operation = position
            life.failed = f"{failure} (hit: {operation} {ordinal} of {subject})"
    life.hit, life.seconds, life.stages = {position}, time.monotonic() - started, 1
    return life


def _course(scene: Scene, trouble: Trouble, position: Position, life: Life) -> Held:
    """What there is in the end."""
    scene.born(trouble, position)
    said = ""
    for _ in range(MOST_RUNS):
        life.runs += 1
        said = _forked(scene) if trouble is Trouble.SIGKILL and not scene.calls.hit else _run(scene)
        held = scene.held()
        harmed = [f"{name}: {was} became {held.get(name)}" for name, was in scene.protected().items()
                  if held.get(name) != was]
        if harmed:
            raise NotConverged(f"protected data was harmed: {'; '.join(harmed)}")
        if scene.contents.foreign is not None:
            _refused(scene, said, life)
        elif not said:
            break
    else:
        raise NotConverged(f"not through after {MOST_RUNS} runs: {said}")
    if position not in scene.calls.hit:
        raise NotConverged("the position was not met")
    life.runs += 1
    expect_settled(scene)  # it wrote nothing: what was held is held
    return held


def _run(scene: Scene) -> str:
    """What the command said; empty: it is through."""
    try:
        scene.run()
    except Killed:
        return "killed"
    except TOLD as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        raise NotConverged("no sentence but " + "".join(traceback.format_exception(error)[-3:])) from error
    return ""


def _forked(scene: Scene) -> str:
    """In a process of its own, which a SIGKILL ends."""
    child = os.fork()
    if child == 0:
        try:
            scene.alone()
            scene.run()
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != -9:
        raise NotConverged(f"the process was not killed: it ended with {status}")
    scene.calls.hit.add(scene.calls.target)  # type: ignore[arg-type]
    return "killed"


def _refused(scene: Scene, said: str, life: Life) -> None:
    """Somebody else's thing has the name: refused twice, and left as it is, until they take it away."""
    for words in (said, _run(scene)):
        if not words:
            raise NotConverged("another's thing of the same name was taken for ours")
        if changed := scene.contents.expect_kept():
            raise NotConverged(f"another's thing was changed: {changed}")
    life.runs += 1
    scene.contents.give_back()


def expect_settled(scene: Scene) -> None:
    """Another run writes nothing; a move writes into its journal that it looked."""
    if said := _run(scene):
        raise NotConverged(f"it fails after it got through: {said}")
    again = [position[1:] for position in scene.calls.written if position[3] != JOURNAL]
    if again or (scene.calls.written and scene.command == "rebuild"):
        raise NotConverged(f"it writes again: {again[:4] or 'its journal'}")


def _difference(wanted: Held, found: Held) -> str:
    missing = [f"missing: {name}" for name in wanted if name not in found]
    more = [f"too many: {name}" for name in found if name not in wanted]
    other = [f"{name}: {found[name]}, not {wanted[name]}" for name in wanted
             if name in found and found[name] != wanted[name]]
    return "; ".join(missing + more + other)
