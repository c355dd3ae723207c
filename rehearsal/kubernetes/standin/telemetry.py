"""What a stand-in counts, as Prometheus text and as the usage that the metrics API reports."""

from __future__ import annotations

import random
import time
from collections import Counter, deque

from rehearsal.kubernetes.standin.behaviour import Behaviour

BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0)  # 2 s: an objective (M4)
CPU_WINDOW_SECONDS = 15.0  # metrics-server's default resolution
MIB = 1024 * 1024


class Telemetry:
    def __init__(self, labels: dict[str, str], seed: int) -> None:
        self.started = time.monotonic()
        self.active_connections = 0
        self.websockets = 0
        self._labels = ",".join(f'{name}="{value}"' for name, value in labels.items() if value)
        self._requests: Counter[tuple[str, str]] = Counter()
        self._buckets = [0] * (len(BUCKETS_SECONDS) + 1)
        self._seconds = 0.0
        self._recent: deque[float] = deque(maxlen=200_000)
        self._random = random.Random(seed)

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started

    def count(self, method: str, status: int, seconds: float) -> None:
        self._requests[method, str(status)] += 1
        self._seconds += seconds
        place = next((at for at, bound in enumerate(BUCKETS_SECONDS) if seconds <= bound), len(BUCKETS_SECONDS))
        self._buckets[place] += 1
        self._recent.append(time.monotonic())

    def cpu_millicores(self, behaviour: Behaviour) -> float:
        since = time.monotonic() - CPU_WINDOW_SECONDS
        while self._recent and self._recent[0] < since:
            self._recent.popleft()
        window = max(1.0, min(CPU_WINDOW_SECONDS, self.age_seconds))
        return behaviour.cpu_millicores + len(self._recent) * behaviour.cpu_ms_per_request / window

    def memory_mib(self, behaviour: Behaviour) -> float:
        grown = max(0.0, self.age_seconds - behaviour.fail_after_seconds) / 60 * behaviour.memory_mib_per_minute
        return behaviour.memory_mib + grown

    def fps(self, behaviour: Behaviour) -> float:
        wanted = behaviour.fps if self.age_seconds >= behaviour.fail_after_seconds else 60.0
        return max(0.0, wanted + self._random.gauss(0, 0.5))

    def prometheus(self, behaviour: Behaviour) -> str:
        lines: list[str] = []
        total = sum(self._requests.values())
        self._family(lines, "http_requests_total", "counter", "Requests answered.")
        for (method, status), count in sorted(self._requests.items()):
            which = self._with(f'method="{method}",status="{status}"')
            lines.append(f"http_requests_total{{{which}}} {count}")
        for name in ("http_request_duration_seconds", "candlefish_api_response_time"):
            self._family(lines, name, "histogram", "Seconds until the answer was complete.")
            running = 0
            for bound, count in zip((*map(str, BUCKETS_SECONDS), "+Inf"), self._buckets, strict=True):
                running += count
                which = self._with(f'le="{bound}"')
                lines.append(f"{name}_bucket{{{which}}} {running}")
            lines.append(f"{name}_sum{{{self._labels}}} {self._seconds:.6f}")
            lines.append(f"{name}_count{{{self._labels}}} {total}")
        fps = self.fps(behaviour)
        for name, value, text in (
                ("candlefish_animation_fps", fps, "Frames a second."),
                ("candlefish_webgl_memory_usage", self.memory_mib(behaviour) / 4, "MiB held by the animation."),
                ("candlefish_active_connections", self.websockets, "Open WebSocket connections."),
                ("candlefish_render_time", 1000 / max(fps, 1.0), "Milliseconds a frame."),
                ("process_resident_memory_bytes", self.memory_mib(behaviour) * MIB, "Reported memory.")):
            self._family(lines, name, "gauge", text)
            lines.append(f"{name}{{{self._labels}}} {value:.6g}")
        return "\n".join(lines) + "\n"

    def _with(self, more: str) -> str:
        return f"{self._labels},{more}" if self._labels else more

    @staticmethod
    def _family(lines: list[str], name: str, kind: str, text: str) -> None:
        lines += (f"# HELP {name} {text}", f"# TYPE {name} {kind}")
