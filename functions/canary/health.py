"""Asks each public endpoint for its health, and writes what the status page shows (M6, E6).

Runs under CloudWatch Synthetics: raising makes the run a failed one. Environment: CHECKS, a JSON object name → URL;
STATUS_BUCKET and STATUS_KEY, where the page's data go: {"updatedAt", "checks": [{"name", "state", "since"}]}.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SECONDS = 10.0  # for an answer: three times what latency alarms at
TRIES = 2  # one lost packet is no outage
PAUSE_SECONDS = 1.0
AGENT = "candlefish-health-check"


class Down(Exception):
    """At least one endpoint is down; the message says which and how."""


def handler(event: Any, context: Any) -> str:
    """Raises Down, after the status is written."""
    checks = json.loads(os.environ["CHECKS"])
    failures = {name: failure for name, url in checks.items() if (failure := check(url))}
    now = datetime.now(UTC)
    bucket, key = os.environ["STATUS_BUCKET"], os.environ["STATUS_KEY"]
    _write(bucket, key, status(checks, failures, _read(bucket, key), now))
    if failures:
        raise Down("; ".join(f"{name} ({checks[name]}): {failure}" for name, failure in sorted(failures.items())))
    return f"{len(checks)} endpoints are up"


def check(url: str) -> str | None:
    """None when the endpoint answers 200, else why not."""
    failure = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": AGENT}),
                                        timeout=SECONDS) as answer:
                if answer.status == 200:
                    return None
                failure = f"answers {answer.status}"
        except urllib.error.HTTPError as error:
            failure = f"answers {error.code}"
        except (OSError, ValueError) as error:
            failure = f"does not answer: {error}"
    return failure


def status(checks: Mapping[str, str], failures: Mapping[str, str], before: Mapping[str, Any],
           now: datetime) -> dict[str, Any]:
    """`since` stays while the state does."""
    known = {entry["name"]: entry for entry in before.get("checks", ())}
    moment = now.isoformat(timespec="seconds")
    entries = []
    for name in checks:
        state = "down" if name in failures else "up"
        same = known.get(name, {}).get("state") == state
        entries.append({"name": name, "state": state, "since": known[name]["since"] if same else moment})
    return {"updatedAt": moment, "checks": entries}


def _read(bucket: str, key: str) -> dict[str, Any]:
    """What was written before; nothing when there is none, or it can't be understood."""
    client = _client()
    try:
        return dict(json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read()))
    except (client.exceptions.ClientError, ValueError):
        return {}


def _write(bucket: str, key: str, document: Mapping[str, Any]) -> None:
    _client().put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode(), ContentType="application/json",
                         CacheControl="no-cache")


def _client() -> Any:
    import boto3

    return boto3.client("s3")
