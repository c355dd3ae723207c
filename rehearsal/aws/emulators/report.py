"""What Lambda writes into a function's log around its own lines: START, END and REPORT with the time that counts.

MiniStack's own REPORT has the time of the whole call: the start of a process, waiting for it and the way there and
back. Lambda's `Duration` is the handler's alone ("the total invocation time for the handler function, excluding INIT
code", operator guide, "How CloudWatch structures logs"), and since August 2025 `Billed Duration` has the start too (AWS
Compute blog, "AWS Lambda standardizes billing for INIT Phase"). An alarm or a measurement that reads it here reads what
it would there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """milliseconds: of the handler; of one that was ended, until then. init_milliseconds: of a cold start. peak_bytes:
    the most memory that the process ever had."""

    milliseconds: float
    init_milliseconds: float | None
    peak_bytes: int

    @property
    def billed(self) -> int:
        return math.ceil(self.milliseconds + (self.init_milliseconds or 0.0))


def framed(log: str, request_id: str, version: str, memory_mib: int, spent: Spent) -> str:
    """The log of one invocation as it is kept."""
    start = "" if spent.init_milliseconds is None else f"\tInit Duration: {spent.init_milliseconds:.2f} ms"
    peak = min(memory_mib, math.ceil(spent.peak_bytes / 2**20))
    return "\n".join([
        f"START RequestId: {request_id} Version: {version}",
        *log.splitlines(),
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: {spent.milliseconds:.2f} ms\tBilled Duration: {spent.billed} ms\t"
        f"Memory Size: {memory_mib} MB\tMax Memory Used: {peak} MB{start}"])
