"""What every pod of this kubelet shares: clients, addresses, runtime, settings."""

from __future__ import annotations

import asyncio
import datetime
import logging
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object
from rehearsal.kubernetes.node.addresses import Addresses
from rehearsal.kubernetes.node.environment import References
from rehearsal.kubernetes.node.runtime import Runtime

log = logging.getLogger(__name__)

COMPONENT = "kubelet"


@dataclass(frozen=True)
class KubeletSettings:
    logs: Path  # {namespace}_{pod}_{uid}/{container}/{restart}.log, as a kubelet has it
    proxy_url: str = ""  # HTTP_PROXY of every container, with its namespace as the user
    backoff_seconds: float = 10.0  # after the second crash; doubles, see `backoff`
    backoff_limit_seconds: float = 300.0
    first_probe_grace_seconds: float = 1.0  # a stand-in needs milliseconds where an image needs a probe's period


@dataclass(frozen=True)
class Services:
    api: Api
    addresses: Addresses
    runtime: Runtime
    references: References
    settings: KubeletSettings

    async def event(self, pod: Object, reason: str, message: str, *, container: str = "") -> None:
        """A Warning event on the pod. Losing one is no reason to stop: it is logged."""
        metadata = pod["metadata"]
        about = {"kind": "Pod", "apiVersion": "v1", "namespace": metadata["namespace"], "name": metadata["name"],
                 "uid": metadata["uid"]}
        if container:
            about["fieldPath"] = f"spec.containers{{{container}}}"
        stamp = now()
        body = {"metadata": {"name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}"}, "involvedObject": about,
                "reason": reason, "message": message[:1000], "type": "Warning", "count": 1,
                "source": {"component": COMPONENT, "host": pod["spec"].get("nodeName", "")},
                "firstTimestamp": stamp, "lastTimestamp": stamp}
        try:
            await self.api.create(f"/api/v1/namespaces/{metadata['namespace']}/events", body)
        except (ApiError, *UNREACHABLE) as error:
            log.info("event %s of %s not written: %s", reason, metadata["name"], error)


_background: set[asyncio.Task[None]] = set()


def in_background(work: Coroutine[Any, Any, None]) -> None:
    """Starts it without waiting, and keeps it from being collected before it is done."""
    task = asyncio.ensure_future(work)
    _background.add(task)
    task.add_done_callback(_background.discard)


def now() -> str:
    """The API's timestamps: UTC, whole seconds."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def backoff(restarts: int, settings: KubeletSettings) -> float:
    """Seconds before the next start: none after the first end, then 10, 20, 40 … 300, as a kubelet waits."""
    if restarts < 1:
        return 0.0
    exponent = min(restarts - 1, 16)
    return min(settings.backoff_seconds * 2.0 ** exponent, settings.backoff_limit_seconds)
