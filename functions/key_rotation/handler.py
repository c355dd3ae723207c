"""The function's entry: `handle`, a step of Secrets Manager's rotation (see `rotation.steps`).

Environment: OVERLAP_SECONDS, how long a token is valid at most.
"""

from __future__ import annotations

import os
import time
from typing import Any

from rotation.steps import run

from .keys import KeyRotation


def handle(event: dict[str, str], context: Any) -> dict[str, str]:
    import boto3  # the runtime's own

    rotation = KeyRotation(int(os.environ["OVERLAP_SECONDS"]), time.time)
    return {"outcome": run(event, boto3.client("secretsmanager"), rotation)}
