"""Production from nothing to nothing, `up` stopped at drawn moments by Ctrl-C and by a power cut: the next one finishes
what was begun.

CANDLEFISH_FAULTS_SEED draws the moments; CANDLEFISH_MOMENTS says how many (2; the full form takes 10).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import pytest

from tests.e2e import lives
from tests.e2e.conftest import ROOT, Command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

STACK = "production"
SEED = int(os.environ.get("CANDLEFISH_FAULTS_SEED", "1"))
MOMENTS = int(os.environ.get("CANDLEFISH_MOMENTS", "2"))
FINISHED = b"+"  # how a line on stderr says that a resource was made


def moments() -> list[tuple[int, signal.Signals]]:
    """How many resources an `up` makes before which signal; together fewer than there are."""
    draw = random.Random(SEED)
    return [(draw.randrange(1, 500 // MOMENTS), (signal.SIGINT, signal.SIGKILL)[number % 2])
            for number in range(MOMENTS)]


def interrupted(candlefish: Command, after: int, number: signal.Signals) -> tuple[int, str]:
    """Starts `up`, sends the signal once `after` resources are made, and returns the exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, "-m", "candlefish", "rehearse", "up", "--stack", STACK], cwd=ROOT, env=candlefish.env(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stderr is not None
    lines, made = [], 0
    for line in process.stderr:
        lines.append(line)
        made += line.lstrip().startswith(FINISHED)
        if made == after:
            process.send_signal(number)
            made += 1
    return process.wait(timeout=240), b"".join(lines).decode(errors="replace")


def test_a_preview_comes_first(candlefish: Command) -> None:
    lives.previewed(candlefish, STACK)


@pytest.mark.parametrize(("after", "number"), moments())
def test_up_goes_on_where_it_was_stopped(candlefish: Command, after: int, number: signal.Signals) -> None:
    code, said = interrupted(candlefish, after, number)
    if number is signal.SIGINT:
        assert code == 130, said
        assert "Traceback" not in said
        assert "candlefish: interrupted" in said
    else:
        assert code == -signal.SIGKILL, said


def test_the_next_up_finishes_what_was_begun_and_the_rest_of_its_life_is_as_if_nothing_had_been(
        candlefish: Command) -> None:
    lives.finished(candlefish, STACK)
    document = candlefish("rehearse", "export", "--stack", STACK).document
    assert not document["deployment"].get("pending_operations")
    lives.settled(candlefish, STACK)
    lives.gone(candlefish, STACK)


def test_ctrl_c_before_anything_runs_is_told_in_a_sentence(candlefish: Command) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "candlefish", "rehearse", "up", "--stack", STACK], cwd=ROOT, env=candlefish.env(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stderr is not None
    first = process.stderr.readline()  # says what is built, before the servers are asked
    process.send_signal(signal.SIGINT)
    said = (first + process.stderr.read()).decode(errors="replace")
    assert process.wait(timeout=240) == 130, said
    assert "candlefish: interrupted" in said
    assert "Traceback" not in said
