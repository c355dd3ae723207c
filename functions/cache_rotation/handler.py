"""The function's entry: `handle`.

In:  a step of Secrets Manager's rotation (see `rotation.steps`), or from the schedule `{"action": "settle"}`.

Environment: REPLICATION_GROUP_ID, SECRET_ARN, OVERLAP_SECONDS.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from rotation.steps import Secret, run

from .tokens import Cache, TokenRotation, settle


def handle(event: dict[str, str], context: Any) -> dict[str, str]:
    import boto3  # the runtime's own

    client = boto3.client("secretsmanager")
    cache = Cache(boto3.client("elasticache"), os.environ["REPLICATION_GROUP_ID"],
                  lambda: float(context.get_remaining_time_in_millis()) / 1000, time.sleep)
    if event.get("action") == "settle":
        outcome = settle(Secret(client, os.environ["SECRET_ARN"]), cache, float(os.environ["OVERLAP_SECONDS"]),
                         time.time())
        print(json.dumps({"action": "settle", "outcome": outcome}))
        return {"outcome": outcome}
    secret = Secret(client, event["SecretId"])
    return {"outcome": run(event, client, TokenRotation(secret, event["ClientRequestToken"], cache))}
