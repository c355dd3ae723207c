"""Valid events, as the animation sends them, drawn by seed."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

STATES = ("curious", "playful", "shy", "excited", "trusting", "lonely")
# Each run sends a type of its own: a run that counts samples counts none that another one has left in the stream.
LOAD, FUZZ, FAULTS = "frame", "web_vitals", "load"


def identifier(dice: random.Random) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def event(dice: random.Random, type: str) -> dict[str, Any]:
    """One of a visitor's, of up to a minute ago. Its id is drawn without the dice: a second run with the same seed
    sends other events, not the same ones again."""
    return {"id": str(uuid4()), "type": type, "timestamp": int((time.time() - dice.random() * 60) * 1000),
            "visitorId": identifier(dice), "sessionId": identifier(dice), **_measured(dice, type),
            "emotionalState": dice.choice(STATES)}


def _measured(dice: random.Random, type: str) -> dict[str, float]:
    match type:
        case "frame":
            return {"fps": round(dice.uniform(20, 60), 1), "frames": dice.randrange(500, 700),
                    "frameDrops": dice.randrange(10), "memoryMb": round(dice.uniform(20, 90), 1),
                    "renderTimeMs": round(dice.uniform(1, 30), 2)}
        case "web_vitals":
            return {"largestContentfulPaintMs": round(dice.uniform(800, 4000)),
                    "firstInputDelayMs": round(dice.uniform(5, 200), 1),
                    "cumulativeLayoutShift": round(dice.uniform(0, 0.3), 3)}
        case "load":
            return {"loadTimeMs": round(dice.uniform(300, 3000)), "apiResponseTimeMs": round(dice.uniform(20, 300), 1)}
    raise ValueError(f"no events of type {type} are drawn")


def batches(seed: object, size: int, type: str) -> Iterator[list[dict[str, Any]]]:
    """Without end. The same seed draws the same events but for their ids and times."""
    dice = random.Random(f"events:{seed}")
    while True:
        yield [event(dice, type) for _ in range(size)]
