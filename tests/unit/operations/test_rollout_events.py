"""Who is told of a rollout cannot harm it."""

from __future__ import annotations

import threading

from operations.rollout.events import Event, Happened, Teller
from operations.rollout.model import Record
from tests.cluster.rollout_world import target

RECORD = Record(1, "blue-green", "image:2", "image:1", "blue", "green", began=0.0)


def event(text: str) -> Event:
    return Event(Happened.STEP, target("somewhere"), RECORD, text)


def test_events_are_told_in_their_order_and_failures_of_it_are_said() -> None:
    told: list[str] = []
    said: list[str] = []

    def tell(each: Event) -> None:
        if each.text == "bad":
            raise OSError("no route")
        told.append(each.text)

    with Teller(tell, said.append) as teller:
        for text in ("one", "bad", "two"):
            teller(event(text))
    assert told == ["one", "two"]
    assert said == ["nobody could be told that bad: no route"]


def test_a_listener_that_hangs_does_not_delay_what_happens() -> None:
    free = threading.Event()

    def hang(each: Event) -> None:
        free.wait(10)

    with Teller(hang, print) as teller:
        for _ in range(100):
            teller(event("slow"))
        free.set()
