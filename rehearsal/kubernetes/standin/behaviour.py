"""How a stand-in behaves, and how a release is made bad on purpose.

A knob is set by an environment variable of the container, `STANDIN_` and the field's name in capitals
(`STANDIN_ERROR_RATE=0.05`), or by the image's tag, where the version is followed by `--knob-value` for each knob
(`1.4.0--error-rate-0.05--latency-ms-800`). The environment wins. While it runs, `PUT /-/behaviour` with a JSON object
of fields changes them, for requests that did not come through a load balancer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

PREFIX = "STANDIN_"
OF_THE_IMAGE = ("missing", "replaced")  # behind a tag: what the node makes of it (see `node.container`)
PROBES = ("startup", "readiness", "liveness")


@dataclass(frozen=True)
class Behaviour:
    start_seconds: float = 0.0  # until it listens; connections are refused before
    crash_after_seconds: float = -1.0  # ends with `exit_code` after that; negative: never
    exit_code: int = 1  # of a crash, and of a container that is to end
    run_seconds: float = 0.0  # how long a container that ends takes
    fail_probes: tuple[str, ...] = ()  # of PROBES: their paths answer 503
    fail_after_seconds: float = 0.0  # when the failing starts: probes, errors, latency, fps, growth
    error_rate: float = 0.0  # share of requests that answer 500, probes excepted
    latency_ms: float = 0.0  # median added to every answer, probes excepted
    latency_sigma: float = 0.0  # of the logarithm: 0.5 makes p95 about 2.3 times the median
    memory_mib: float = 64.0  # what it reports as used; nothing of that size is allocated
    memory_mib_per_minute: float = 0.0  # growth; at the container's limit it ends as OOMKilled
    cpu_millicores: float = 5.0  # reported at rest
    cpu_ms_per_request: float = 2.0  # added to what it reports
    fps: float = 60.0
    animation_status: str = "healthy"
    critical_log_seconds: float = 0.0  # writes a CRITICAL line that often; 0: never
    seed: int = 0


def parse(image: str, environment: Mapping[str, str]) -> tuple[str, Behaviour]:
    """The version that the image's tag names, and the behaviour. Raises ValueError for an unknown knob or value."""
    version, *knobs = tag_of(image).split("--")
    given: dict[str, str] = {}
    for knob in knobs:
        if knob in OF_THE_IMAGE:
            continue
        name, _, value = knob.rpartition("-")
        given[name.replace("-", "_")] = value
    for name, value in environment.items():
        if name.startswith(PREFIX):
            given[name.removeprefix(PREFIX).lower()] = value
    return version, changed(Behaviour(), given)


def changed(behaviour: Behaviour, given: Mapping[str, Any]) -> Behaviour:
    """`behaviour` with the fields of `given`, whose values are strings or JSON values."""
    kinds = {field.name: field.default for field in fields(Behaviour)}
    unknown = sorted(set(given) - set(kinds))
    if unknown:
        raise ValueError(f"unknown behaviour {', '.join(unknown)}; known are {', '.join(kinds)}")
    return replace(behaviour, **{name: _value(name, value, kinds[name]) for name, value in given.items()})


def tag_of(image: str) -> str:
    """`latest` when the reference has no tag; a digest is not a tag."""
    name = image.split("@", 1)[0]
    return name.rsplit(":", 1)[1] if ":" in name.rsplit("/", 1)[-1] else "latest"


def _value(name: str, value: Any, default: Any) -> Any:
    if name == "fail_probes":
        chosen = tuple(value.replace("all", ",".join(PROBES)).split(",") if isinstance(value, str) else value)
        unknown = [probe for probe in chosen if probe and probe not in PROBES]
        if unknown:
            raise ValueError(f"fail_probes: unknown probe {unknown[0]!r}; known are {', '.join(PROBES)}, all")
        return tuple(probe for probe in chosen if probe)
    try:
        return type(default)(value)
    except ValueError:
        raise ValueError(f"{name}: {value!r} is not a {type(default).__name__}") from None
