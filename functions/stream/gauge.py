"""How many connections are open, told once a minute and instance: CloudWatch averages what several say."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import datetime

from common import metrics
from common.schema import ACTIVE_CONNECTIONS, UNITS

from .connections import Connections

SECONDS = 60.0


@dataclass
class Gauge:
    told: float = float("-inf")

    def tell(self, connections: Connections, environment: str, now: datetime) -> None:
        if time.monotonic() - self.told < SECONDS:
            return
        self.told = time.monotonic()
        values = {ACTIVE_CONNECTIONS: [float(connections.count())]}
        for line in metrics.lines(values, UNITS, environment, now):
            sys.stdout.write(line + "\n")
