"""`make bench-functions`: size of each function's archive, its import at a cold start, and the time of its work.

Times are the process' own (`process_time`), so that a busy machine changes them little, and leave the network out.
Imports are measured as at a cold start: a new process, sources without compiled files, as the archives have none.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from rehearsal.aws.services._assets import zipped
from tests.program import Graph, Programs

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
STACK = "staging"  # has them all
ALONE = frozenset({"edge"})  # calls nothing
RUNS = 9
SUBSCRIBERS = 1000
_IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.process_time()
{statement}
print((time.process_time() - started) * 1000, len(sys.modules))
"""
_CLIENT = "import boto3; boto3.client('dynamodb')"


def main() -> None:
    print("| function | files | archive, KiB | import, ms | with a DynamoDB client, ms |")
    print("|---|---|---|---|---|")
    for name, (module, archive) in sorted(packaged(_graph()).items()):
        with zipfile.ZipFile(BytesIO(archive)) as packed:
            files = len(packed.namelist())
        imported = _imported(archive, f"import {module}")
        client = None if module.partition(".")[0] in ALONE else _imported(archive, f"import {module}; {_CLIENT}")
        print(f"| {name} | {files} | {len(archive) / 1024:.1f} | {imported:.0f} | "
              f"{'–' if client is None else f'{client:.0f}'} |", flush=True)
    print()
    sys.path.insert(0, str(FUNCTIONS))
    print(json.dumps({"validating": _validating(), "writing": _writing(), "posting": _posting()}, indent=1))


def packaged(graph: Graph) -> dict[str, tuple[str, bytes]]:
    """Function → its module and the archive that the program makes of it."""
    return {str(function.inputs["name"]).removeprefix(f"{graph.stack}-candlefish-").removesuffix(f"-{graph.stack}"):
            (str(function.inputs["handler"]).rpartition(".")[0], zipped(function.inputs["code"]))
            for function in graph.of("aws:lambda/function:Function")}


def _graph() -> Graph:
    return Programs().preview(STACK)


def _imported(archive: bytes, statement: str) -> float:
    """Milliseconds; the median of new processes, after one that warms the disk's cache."""
    found: list[float] = []
    with tempfile.TemporaryDirectory(prefix="candlefish-import-") as folder:
        with zipfile.ZipFile(BytesIO(archive)) as packed:
            packed.extractall(folder)
        for _ in range(RUNS + 1):
            done = subprocess.run([sys.executable, "-B", "-c", _IMPORT.format(statement=statement), folder], check=True,
                                  capture_output=True, text=True, cwd=folder,
                                  env={"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""})
            found.append(float(done.stdout.split()[0]))
    return statistics.median(found[1:])


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds of this process; the median."""
    found: list[float] = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        found.append((time.process_time() - started) * 1000)
    return round(statistics.median(found), 2)


def _events() -> list[dict[str, Any]]:
    """A full batch."""
    from datetime import UTC, datetime

    at = datetime.now(UTC).isoformat()
    return [{"id": str(uuid4()), "type": "frame", "timestamp": at, "visitorId": str(uuid4()), "fps": 58.5,
             "frames": 600, "sessionId": str(uuid4()), "frameDrops": 3, "memoryMb": 38.2, "renderTimeMs": 4.1,
             "trustLevel": 42, "emotionalState": "curious"} for _ in range(100)]


def _validating() -> dict[str, float]:
    """A batch of 100 events: read, checked, hashed, turned into metrics; a store that keeps nothing."""
    from analytics_processor.handler import process
    from common.hashing import Keys

    class Nowhere:
        def put(self, _events: Any) -> frozenset[str]:
            return frozenset()

    from datetime import UTC, datetime

    batch = _events()
    milliseconds = _timed(lambda: process(batch, Nowhere(), Keys("k" * 40), "bench", datetime.now(UTC), None,
                                          lambda _line: None))
    return {"milliseconds a batch of 100": milliseconds, "events a second": round(100_000 / milliseconds)}


def _writing() -> dict[str, float]:
    """What boto3 costs for 100 events: one transaction beside 100 single writes. The table answers at once."""
    from botocore.awsrequest import AWSResponse

    from common.table import Table
    from tests.functions.world import _client

    client = _client()
    answer = AWSResponse("https://dynamodb", 200, {}, BytesIO())
    answer._content = b"{}"
    client.meta.events.register("before-send.dynamodb", lambda **_arguments: answer, unique_id="bench")
    table = Table(client, "events")
    items = [{"eventId": event["id"], "visitorHash": "h" * 64, "sessionHash": "h" * 64, "expiresAt": 1,
              "occurredAt": event["timestamp"], "fps": 58.5, "frames": 600, "frameDrops": 3, "memoryMb": 38.2,
              "renderTimeMs": 4.1, "trustLevel": 42, "emotionalState": "curious"} for event in _events()]
    condition = "attribute_not_exists(eventId)"
    try:
        return {"milliseconds, one transaction": _timed(
                    lambda: table.transact([table.put_action(item, condition) for item in items])),
                "milliseconds, 100 writes": _timed(lambda: [table.put(item, condition) for item in items])}
    finally:
        client.meta.events.unregister("before-send.dynamodb", unique_id="bench")


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


_SINK = """
import sys; sys.path.insert(0, {root!r})
from tests.bench.functions import serve_sink
serve_sink()
"""


def serve_sink() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    print(server.server_port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown())).start()
    server.serve_forever()


def _posting() -> dict[str, float]:
    """A batch to 1,000 subscribers over boto3, to a server of another process on this machine."""
    import os

    from common.clients import client
    from common.retries import Retries
    from stream.publishing import THREADS, publish
    from stream.samples import Batch, Sample

    class Subscribed:
        def subscribers(self, _metric: str) -> list[str]:
            return [f"c{number}" for number in range(SUBSCRIBERS)]

        def remove(self, _gone: Any) -> None:
            return None

    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
    batch = Batch({"candlefish_animation_fps": Sample("2026-11-21T12:00:00.000Z", 60, 50, 60, 110, 2)}, "1")
    with subprocess.Popen([sys.executable, "-c", _SINK.format(root=str(ROOT))], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout is not None
        post = client("apigatewaymanagementapi", f"http://127.0.0.1:{int(sink.stdout.readline())}",
                      THREADS).post_to_connection
        walls: list[float] = []

        def run() -> None:
            started = time.perf_counter()
            outcome = publish(batch, Subscribed(), post, Retries(), "bench")  # type: ignore[arg-type]
            walls.append((time.perf_counter() - started) * 1000)
            assert outcome.delivered == SUBSCRIBERS, outcome

        process = _timed(run)
        assert sink.stdin is not None
        sink.stdin.close()
        sink.wait(10)
    return {"subscribers": SUBSCRIBERS, "milliseconds of the process": process,
            "milliseconds until all had it": round(statistics.median(walls), 1)}


if __name__ == "__main__":
    main()
