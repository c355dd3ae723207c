"""The three things that are taken down and up. Each call looks first, changes what differs, and can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ALARMS_A_CALL = 100
_POLL_SECONDS = 15.0
Sizes = Mapping[str, int]  # minSize, desiredSize


class Unfinished(Exception):
    """Not there yet, or not possible now: trying again can help."""


@dataclass(frozen=True)
class Clock:
    """`remaining_seconds`: until the function is stopped."""

    remaining_seconds: Callable[[], float]
    sleep: Callable[[float], None]

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        while not ready():
            if self.remaining_seconds() < 2 * _POLL_SECONDS:
                raise Unfinished(f"{what}: not yet")
            self.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class NodeGroups:
    client: Any
    cluster: str
    clock: Clock

    def kept(self, tag: str) -> bool:
        """Whether an operator has tagged the cluster to be left running."""
        tags = self.client.describe_cluster(name=self.cluster)["cluster"].get("tags") or {}
        return str(tags.get(tag, "false")).lower() not in ("", "false", "no")

    def sizes(self, group: str) -> dict[str, int]:
        scaling = self._described(group)["scalingConfig"]
        return {"minSize": int(scaling["minSize"]), "desiredSize": int(scaling["desiredSize"])}

    def scale(self, group: str, wanted: Sizes, exactly: bool) -> bool:
        """False: it was so already. `exactly` False: more nodes than wanted are left. Doesn't wait for EKS."""
        self.clock.wait(group, lambda: self._at_rest(group))
        now = self.sizes(group)
        desired = wanted["desiredSize"] if exactly else max(wanted["desiredSize"], now["desiredSize"])
        target = {"minSize": wanted["minSize"], "desiredSize": desired}
        if target == now:
            return False
        self.client.update_nodegroup_config(clusterName=self.cluster, nodegroupName=group, scalingConfig=target)
        return True

    def check(self, group: str, wanted: Sizes, exactly: bool) -> None:
        """Waits for EKS. Raises Unfinished when something has scaled the group elsewhere meanwhile: an autoscaler that
        still ran on the last node has seen pods without one."""
        self.clock.wait(group, lambda: self._at_rest(group))
        now = self.sizes(group)["desiredSize"]
        if now < wanted["desiredSize"] or (exactly and now != wanted["desiredSize"]):
            raise Unfinished(f"{group} is at {now} instead of {wanted['desiredSize']}")

    def _described(self, group: str) -> dict[str, Any]:
        return dict(self.client.describe_nodegroup(clusterName=self.cluster, nodegroupName=group)["nodegroup"])

    def _at_rest(self, group: str) -> bool:
        """A degraded group can be scaled; one that is created, updated or deleted can't."""
        return self._described(group)["status"] not in ("CREATING", "UPDATING", "DELETING")


@dataclass(frozen=True)
class Database:
    client: Any
    id: str
    clock: Clock

    def stop(self) -> bool:
        """False: it was stopped, or about to. Doesn't wait: nothing comes after it."""
        status = self._status()
        if status in ("stopping", "stopped"):
            return False
        if status != "available":
            raise Unfinished(f"{self.id} is {status}: it can only be stopped when it is available")
        self.client.stop_db_instance(DBInstanceIdentifier=self.id)
        return True

    def start(self) -> bool:
        """False: it ran already, or was about to."""
        self.clock.wait(self.id, lambda: self._status() != "stopping")
        if self._status() != "stopped":
            return False
        self.client.start_db_instance(DBInstanceIdentifier=self.id)
        return True

    def wait_until_available(self) -> None:
        self.clock.wait(self.id, lambda: self._status() == "available")

    def _status(self) -> str:
        (instance,) = self.client.describe_db_instances(DBInstanceIdentifier=self.id)["DBInstances"]
        return str(instance["DBInstanceStatus"])


@dataclass(frozen=True)
class Alarms:
    """The alarms whose names begin with `prefix`, composite ones included."""

    client: Any
    prefix: str

    def silent(self) -> list[str]:
        """Those whose actions are off."""
        return [str(alarm["AlarmName"]) for alarm in self._all() if not alarm["ActionsEnabled"]]

    def silence(self) -> int:
        """How many had to be."""
        return self._change(self.client.disable_alarm_actions,
                            [alarm["AlarmName"] for alarm in self._all() if alarm["ActionsEnabled"]])

    def wake(self, but: Sequence[str]) -> int:
        return self._change(self.client.enable_alarm_actions, [
            alarm["AlarmName"] for alarm in self._all()
            if not alarm["ActionsEnabled"] and alarm["AlarmName"] not in but])

    def _all(self) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=self.prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        for page in pages:
            yield from (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))

    @staticmethod
    def _change(call: Callable[..., Any], names: Sequence[str]) -> int:
        for start in range(0, len(names), _ALARMS_A_CALL):
            call(AlarmNames=list(names[start:start + _ALARMS_A_CALL]))
        return len(names)
