"""What checks look at: settings, outputs, the account, the cluster, the web."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from infra.plans.hosts import Hosts, hosts
from infra.plans.names import Names
from infra.settings.model import Settings
from infra.settings.operations import OffHours
from kube.client import Client
from operations.aws import pages
from operations.verify.model import Outputs
from operations.verify.web import Web, local

Clients: TypeAlias = Callable[[str, str], Any]  # service, region → boto3's client


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Scene:
    """Of one stack. clients, cluster: called when they are needed; clients are kept, one a service and region."""

    stack: str
    settings: Settings
    outputs: Outputs
    clients: Clients
    cluster: Callable[[], Client]
    web: Web = field(default_factory=Web)
    now: Callable[[], datetime] = _now
    _made: dict[tuple[str, str], Any] = field(default_factory=dict)
    _client: Client | None = None
    _lock: Lock = field(default_factory=Lock)

    @property
    def names(self) -> Names:
        return Names(self.settings.environment)

    @property
    def hosts(self) -> Hosts:
        return hosts(self.settings.domain)

    def aws(self, service: str, region: str | None = None) -> Any:
        """boto3's client, of the stack's region unless another one is given. Making one is not thread-safe."""
        key = service, region or self.settings.region
        with self._lock:
            if key not in self._made:
                self._made[key] = self.clients(*key)
            return self._made[key]

    @property
    def kubernetes(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self.cluster()
            return self._client

    @property
    def rehearsed(self) -> bool:
        """Whether the stack is on this machine, where some services are kept as objects and do no work."""
        return local(self.outputs.text("siteUrl"))

    def close(self) -> None:
        self.web.close()
        if self._client is not None:
            self._client.close()

    def asleep(self) -> bool:
        """Whether scheduled scaling has taken the environment down: it is a night by the settings, and no node group
        wants a node. Nodes that are missing at other times are a failure."""
        off = self.settings.operations.off_hours
        if not off.enabled or not night(off, self.now()):
            return False
        eks = self.aws("eks")
        groups = list(pages(eks, "list_nodegroups", "nodegroups", clusterName=self.names.cluster))
        sizes = [eks.describe_nodegroup(clusterName=self.names.cluster, nodegroupName=name)["nodegroup"]
                 ["scalingConfig"]["desiredSize"] for name in groups]
        return bool(sizes) and not any(sizes)


def night(off: OffHours, now: datetime) -> bool:
    """Whether the last of the two times that came was `down`: evenings, mornings and weekends (F8)."""
    local = now.astimezone(ZoneInfo(off.time_zone))
    last: Sequence[tuple[datetime, bool]] = sorted(
        (moment, down) for days in range(4) for text, down in ((off.down, True), (off.up, False))
        if (moment := _at(local - timedelta(days=days), text)) <= local and moment.weekday() < 5)
    return last[-1][1]


def _at(day: datetime, text: str) -> datetime:
    hour, minute = (int(part) for part in text.split(":"))
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)
