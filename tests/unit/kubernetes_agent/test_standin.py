from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.kubernetes.standin import behaviour, commands, psql, websocket
from rehearsal.kubernetes.standin.protocol import Connection, _body
from rehearsal.kubernetes.standin.service import Identity, Service
from rehearsal.postgres.binaries import VARIABLE, Binaries

pytestmark = pytest.mark.unit


def service(**knobs: object) -> Service:
    return Service(Identity("site", "1.0", "blue", "site-1"), behaviour.changed(behaviour.Behaviour(), knobs),
                   {"readiness": ["/ready"], "liveness": ["/live"]}, ["/drain"])


def test_a_tag_names_the_version_and_the_knobs() -> None:
    version, found = behaviour.parse("registry:5000/site:1.4.0--error-rate-0.05--latency-ms-800@sha256:ab", {})
    assert version == "1.4.0"
    assert (found.error_rate, found.latency_ms) == (0.05, 800.0)


def test_the_environment_wins_over_the_tag() -> None:
    _, found = behaviour.parse("site:1--error-rate-0.05", {"STANDIN_ERROR_RATE": "0.5", "OTHER": "x"})
    assert found.error_rate == 0.5


@pytest.mark.parametrize("image", ["site:1--speed-3", "site:1--error-rate-high", "site:1--fail-probes-ready"])
def test_an_unknown_knob_or_value_is_refused(image: str) -> None:
    with pytest.raises(ValueError):
        behaviour.parse(image, {})


def test_a_port_of_a_registry_is_not_a_tag() -> None:
    assert behaviour.tag_of("localhost:5000/site") == "latest"


def test_a_failing_readiness_probe_does_not_fail_the_liveness_probe_on_the_same_path() -> None:
    bad = Service(Identity("site", "1", "", "p"), behaviour.Behaviour(fail_probes=("readiness",)),
                  {"readiness": ["/health"], "liveness": ["/health"]})
    asked = {kind: asyncio.run(bad.answer("GET", "/health", {"x-standin-probe": kind}, b"")).status
             for kind in ("readiness", "liveness")}
    assert asked == {"readiness": 503, "liveness": 200}
    assert asyncio.run(bad.answer("GET", "/health", {}, b"")).status == 503  # a load balancer says no kind


def test_every_path_answers_who_is_there() -> None:
    answer = asyncio.run(service().answer("GET", "/any/path?x=1", {}, b""))
    assert json.loads(answer.body) == {"service": "site", "version": "1.0", "color": "blue", "pod": "site-1"}


def test_the_error_rate_is_kept_and_depends_on_the_seed_only() -> None:
    def statuses() -> list[int]:
        one = service(error_rate=0.2, seed=3)
        one.write = lambda *_, **__: None  # type: ignore[method-assign]

        async def ask() -> list[int]:
            return [(await one.answer("GET", "/", {}, b"")).status for _ in range(2000)]

        return asyncio.run(ask())

    first = statuses()
    assert first == statuses()
    assert 320 <= first.count(500) <= 480


def test_the_nodes_own_paths_are_closed_to_what_came_through_a_load_balancer() -> None:
    answer = asyncio.run(service().answer("PUT", "/-/behaviour", {"x-forwarded-for": "1.2.3.4"}, b'{"fps": 1}'))
    assert json.loads(answer.body)["service"] == "site"
    answer = asyncio.run(service().answer("PUT", "/-/behaviour", {}, b'{"fps": 1}'))
    assert json.loads(answer.body)["fps"] == 1.0


def test_metrics_count_requests_and_show_the_animation() -> None:
    one = service(fps=20)
    asyncio.run(one.answer("GET", "/", {}, b""))
    text = asyncio.run(one.answer("GET", "/api/metrics", {}, b"")).body.decode()
    assert 'http_requests_total{service="site",version="1.0",color="blue",method="GET",status="200"} 1' in text
    for name in ("http_request_duration_seconds_bucket", "candlefish_animation_fps", "candlefish_render_time",
                 "candlefish_webgl_memory_usage", "candlefish_active_connections",
                 "candlefish_api_response_time_bucket"):
        assert f"\n{name}{{" in text
    fps = next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("candlefish_animation_fps{"))
    assert 15 < fps < 25


@given(st.binary(max_size=70_000))
def test_a_frame_survives_masking_and_arrives_only_when_complete(payload: bytes) -> None:
    mask = b"\x01\x02\x03\x04"
    frame = bytearray(websocket.encode(websocket.BINARY, payload))
    head = 2 if frame[1] < 126 else 4 if frame[1] == 126 else 10
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    frame[1] |= 0x80
    sent = bytearray(frame[:head] + mask + masked)
    early = sent[:-1]
    assert websocket.decode(early) is None
    found = websocket.decode(sent)
    assert found is not None
    assert found.payload == payload
    assert not sent


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_a_chunked_body_is_put_together(chunks: list[bytes]) -> None:
    wire = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    headers = {"transfer-encoding": "chunked"}
    assert _body(bytearray(wire), 0, headers) == (b"".join(chunks), len(wire))
    assert _body(bytearray(wire[:-1]), 0, headers)[0] is None


def test_a_draining_service_answers_what_it_has_begun_and_closes() -> None:
    async def talk() -> bytes:
        loop = asyncio.get_running_loop()
        one = service(latency_ms=50)
        connections: set[Connection] = set()
        server = await loop.create_server(lambda: Connection(one, connections), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not any(each._task for each in connections):
            await asyncio.sleep(0.001)
        one.draining.set()
        for each in list(connections):
            each.drain()
        answer = await reader.read()
        writer.close()
        server.close()
        return answer

    answer = asyncio.run(talk())
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in answer


@pytest.mark.parametrize(("command", "code"), [
    (["true"], 0), (["false"], 1), (["sh", "-c", "exit 3"], 3), (["/bin/sh", "-ec", "true && false"], 1),
    (["sh", "-c", "false || true"], 0), (["sh", "-c", "echo $WHO; sleep 0"], 0), (["alembic", "upgrade"], None),
    (["curl", "-fsS", "http://127.0.0.1:1/"], 7)])
def test_known_commands_end_as_they_would(command: list[str], code: int | None) -> None:
    said: list[str] = []
    assert asyncio.run(commands.run(command, {"WHO": "me"}, said.append)) == code
    if "echo" in command[-1]:
        assert said == ["me"]


@pytest.mark.parametrize(("text", "seconds"), [("5", 5), ("0.5", 0.5), ("2m", 120), ("3s", 3)])
def test_durations_of_sleep(text: str, seconds: float) -> None:
    assert commands.duration_seconds(text) == seconds


async def _psql(environment: dict[str, str]) -> tuple[int, str]:
    said: list[str] = []
    code = await psql.run(["--command", "select 1"], environment, said.append)
    return code, "\n".join(said)


def test_psql_without_postgresql_ends_as_a_command_that_is_not_there_and_says_how_to_get_it(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    code, said = asyncio.run(_psql({"PGHOST": "db.example"}))
    assert code == 127
    assert "install PostgreSQL" in said


def test_nc_relays_to_the_instance_that_its_host_stands_for_and_to_no_other(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(5)).upper())
        await writer.drain()
        writer.close()

    async def through(host: str) -> bytes | int | None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        (tmp_path / "pg_service.conf").write_text(f"[db.example]\nhost=127.0.0.1\nport={port}\n")
        bound = socket.create_server(("127.0.0.1", 0))
        place = bound.getsockname()
        command = ["nc", "-lk", "-s", "127.0.0.1", "-p", "5432", "-e", "nc", host, "5432"]
        running = asyncio.create_task(commands.run(command, {}, said.append, {5432: bound}))
        await asyncio.sleep(0)
        if running.done():
            return running.result()
        reader, writer = await asyncio.open_connection(*place)
        writer.write(b"hello")
        answer = await reader.read()
        running.cancel()
        server.close()
        return answer

    monkeypatch.setenv(psql.CONNECTIONS, str(tmp_path / "pg_service.conf"))
    assert asyncio.run(through("db.example")) == b"HELLO"
    assert asyncio.run(through("cache.example")) == 1
    assert said == ["nc: bad address 'cache.example': no database instance of the rehearsal"]


def test_psql_asks_no_other_host_than_an_instance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(psql, "find", lambda: Binaries(tmp_path, 16))
    monkeypatch.setenv(psql.CONNECTIONS, str(tmp_path / "pg_service.conf"))
    (tmp_path / "pg_service.conf").write_text("[db.example]\nhost=127.0.0.1\nport=5\n")
    code, said = asyncio.run(_psql({"PGHOST": "production.example"}))
    assert code == 2
    assert 'could not translate host name "production.example"' in said
    assert psql.place("db.example") == ("127.0.0.1", "5")
