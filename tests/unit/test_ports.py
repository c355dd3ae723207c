"""Ports: apart from each other, from what listens, and from what the system hands out to anyone."""

from __future__ import annotations

import socket
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path

import pytest

from rehearsal import ports
from rehearsal.ports import RANGE, free_ports


def test_processes_that_ask_at_the_same_time_get_different_ones(tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    with ProcessPoolExecutor(2) as pool:
        given = list(chain.from_iterable(pool.map(free_ports, [5] * 20, [cursor] * 20)))
    assert len(set(given)) == 100
    assert set(given) <= set(RANGE)


def test_what_listens_is_passed_over(tmp_path: Path) -> None:
    cursor = tmp_path / "cursor"
    first = free_ports(1, cursor)[0]
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", RANGE[(first + 1 - RANGE.start) % len(RANGE)]))
        squatter.listen()
        assert squatter.getsockname()[1] not in free_ports(3, cursor)


@pytest.mark.parametrize("left", ["", "not a number", "80", "29999"])
def test_a_cursor_that_is_empty_spoilt_or_at_the_end_is_no_matter(tmp_path: Path, left: str) -> None:
    (tmp_path / "cursor").write_text(left)
    assert len(set(free_ports(2, tmp_path / "cursor"))) == 2


def test_too_few_are_said_with_the_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "RANGE", range(20000, 20004))
    with pytest.raises(OSError, match=r"TCP ports of 127\.0\.0\.1 from 20000 to 20003 are free, 5 are needed"):
        free_ports(5, tmp_path / "cursor")


def test_the_range_is_below_what_outgoing_connections_get() -> None:
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client.connect(listener.getsockname())
        assert client.getsockname()[1] >= RANGE.stop
