"""How many connections are open, told once a minute and instance: CloudWatch averages what several say."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import datetime

from common import metrics
from common.logs import log, where
from common.retries import Unavailable
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
        try:
            count = connections.count()
        except Unavailable as error:  # what was done before must not be done again for the sake of its count
            log("WARNING", "connections could not be counted", reason=str(error), where=where(error))
            return
        values = {ACTIVE_CONNECTIONS: [float(count)]}
        for line in metrics.lines(values, UNITS, environment, now):
            sys.stdout.write(line + "\n")
