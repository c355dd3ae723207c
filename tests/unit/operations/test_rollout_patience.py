"""An API server that is away, overloaded, or loses answers: journal and lease get through, and write once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import pytest

from kube.client import ApiError, Client, Conflict, NotFound, Object, ServerError, Throttled, Unavailable
from operations import patience
from operations.errors import Contested, OperationError
from operations.patience import patiently
from operations.rollout.journal import Journal
from operations.rollout.lease import Lease, Owned
from operations.rollout.model import Record
from tests.cluster.rollout_world import target

RECORD = Record(1, "canary", "image:2", "image:1", "blue", "green", began=0.0, judge={"a": [1.5, None]}, stages=(10.0,))
LOST = Unavailable("no answer", reason="Timeout")
TROUBLES = [ServerError("500", code=500), Throttled("429", code=429), Unavailable("refused", reason="Unreachable")]


class Server:
    """ConfigMaps and Leases with versions. troubles: of the next writes, in turn; lost: whether each took effect."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.troubles: list[tuple[ApiError, bool]] = []
        self.writes = 0

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Object:
        if kind not in self.objects:
            raise NotFound("404", code=404)
        return copy.deepcopy(self.objects[kind])

    def create(self, body: Object, **more: Any) -> Object:
        return self._write(body, body["kind"] not in self.objects)

    def replace(self, body: Object, **more: Any) -> Object:
        found = self.objects.get(body["kind"])
        return self._write(body, found is not None and found["metadata"]["resourceVersion"]
                           == body["metadata"]["resourceVersion"])

    def _write(self, body: Object, fits: bool) -> Object:
        trouble, effective = self.troubles.pop(0) if self.troubles else (None, True)
        if effective:
            if not fits:
                raise Conflict("409", code=409)
            self.writes += 1
            self.objects[body["kind"]] = copy.deepcopy(body)
            self.objects[body["kind"]]["metadata"]["resourceVersion"] = str(self.writes)
        if trouble is not None:
            raise trouble
        return copy.deepcopy(self.objects[body["kind"]])


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.0)


def journal(server: Server) -> Journal:
    return Journal(cast(Client, server), target("somewhere"))


@pytest.mark.parametrize("effective", [False, True])
@pytest.mark.parametrize("trouble", [*TROUBLES, LOST])
def test_a_write_of_the_journal_is_made_once_whatever_is_answered(trouble: ApiError, effective: bool) -> None:
    server = Server()
    at = journal(server)
    server.troubles = [(trouble, effective), (trouble, False)]
    at.begin(RECORD)
    server.troubles = [(trouble, effective)]
    at.note(RECORD.noted("on"))
    assert server.writes == 2
    assert journal(server).load() == at.book
    at.note(at.record.noted("and on"))  # with the version that is there
    assert journal(server).load().current == RECORD.noted("on").noted("and on")


def test_another_s_write_is_not_taken_for_ours_after_a_lost_answer() -> None:
    server = Server()
    first, second = journal(server), journal(server)
    first.begin(RECORD)
    second.load()
    second.note(RECORD.noted("of the second"))
    server.troubles = [(LOST, False)]
    with pytest.raises(Contested, match="another rollout is at work"):
        first.note(RECORD.noted("of the first"))


@pytest.mark.parametrize("effective", [False, True])
@pytest.mark.parametrize("trouble", [*TROUBLES, LOST])
def test_a_lease_is_acquired_and_released_whatever_is_answered(trouble: ApiError, effective: bool) -> None:
    server = Server()
    server.troubles = [(trouble, effective)]
    with Lease(cast(Client, server), target("somewhere"), "me") as lease:
        lease.check()
        assert server.objects["Lease"]["spec"]["holderIdentity"] == "me"
        server.troubles = [(trouble, False)]
    assert server.objects["Lease"]["spec"]["holderIdentity"] == ""


def test_a_lease_that_another_got_first_is_not_taken_for_ours() -> None:
    server = Server()
    first, second = (Lease(cast(Client, server), target("somewhere"), name) for name in ("first", "second"))
    write: Callable[..., None] = first._write

    def late(found: Object | None, holder: str | None) -> None:
        if holder == "first" and not server.writes:
            second._write(None, "second")
        write(found, holder)

    first._write = late  # type: ignore[method-assign]
    with pytest.raises(Owned, match="another process has just begun"):
        first.__enter__()


def test_a_lease_outlives_an_api_server_that_was_away_unless_another_took_it() -> None:
    server, clock = Server(), [0.0]
    lease = Lease(cast(Client, server), target("somewhere"), "me", lambda: clock[0])
    with lease:
        clock[0] += 60
        lease.check()
        server.objects["Lease"]["spec"]["holderIdentity"] = "another"
        clock[0] += 60
        with pytest.raises(Owned, match="could not be renewed"):
            lease.check()
    assert server.objects["Lease"]["spec"]["holderIdentity"] == "another"


def test_a_lease_is_lost_while_the_api_server_stays_away() -> None:
    server, clock = Server(), [0.0]
    lease = Lease(cast(Client, server), target("somewhere"), "me", lambda: clock[0])
    with lease:
        clock[0] += 9
        lease.check()
        server.troubles = [(Unavailable("refused"), False)]
        clock[0] += 2
        with pytest.raises(Owned):
            lease.check()


def test_patience_ends_and_says_that_nothing_is_lost() -> None:
    clock = iter(range(1000))

    def away() -> None:
        raise Unavailable("refused")

    with pytest.raises(OperationError, match=r"the cluster does not answer \(refused\); nothing is lost"):
        patiently(away, lambda seconds: None, lambda: float(next(clock)))
    assert next(clock) > patience.PATIENCE_SECONDS
