"""A few troubles at a few calls of the recovery commands, by seed; `make faults` has all of them."""

from __future__ import annotations

import math
import os
import random
from pathlib import Path

import pytest

from rehearsal.aws.servers import AwsEndpoint
from tests.faults.recovery.calls import Trouble
from tests.faults.recovery.lives import drawn, live, plain
from tests.faults.recovery.scenes import scene_of

pytestmark = pytest.mark.rehearsal


@pytest.mark.parametrize(("command", "lives"), [("rebuild", 2), ("failover", 1), ("failback", 1)])
def test_a_command_that_is_hit_gets_through_when_it_is_run_again(
        aws_servers: AwsEndpoint, tmp_path: Path, command: str, lives: int) -> None:
    """And then writes nothing more, leaves nothing over, and has harmed nothing."""
    seed = int(os.environ.get("CANDLEFISH_FAULTS_SEED", "1"))
    scene = scene_of(command, aws_servers.url, tmp_path)
    first, wanted = plain(scene)
    every = [(trouble, position) for trouble in Trouble if trouble is not Trouble.SIGKILL
             for position in drawn(first, trouble, seed, math.inf)]
    for trouble, position in random.Random(seed).sample(every, lives):
        life = live(scene, trouble, position, seed, wanted)
        assert life.failed == "", f"CANDLEFISH_FAULTS_SEED={seed} {trouble}: {life.failed}"
    assert len(first.met) > 20
