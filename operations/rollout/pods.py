"""Whether the new colour's pods are fit: ready, of the right image, and staying so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations.errors import Failed
from operations.rollout.cluster import Cluster, waiting

HOPELESS = ("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def is_ready(pod: Mapping[str, Any]) -> bool:
    return not pod["metadata"].get("deletionTimestamp") and any(
        each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ())


class Fitness:
    """Of one colour's pods."""

    def __init__(self, cluster: Cluster, colour: str) -> None:
        self._cluster, self._colour = cluster, colour

    def ready(self, wanted: int) -> bool:
        item = self._cluster.deployment(self._colour)
        status = item.get("status") or {}
        return bool(status.get("observedGeneration") == item["metadata"]["generation"]
                    and min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0)) >= wanted)

    def why(self) -> str:
        """Of the pods that are not ready. Raises Failed for a crash loop and its like, which no waiting mends."""
        pods = [pod for pod in self._cluster.pods(self._colour) if not is_ready(pod)]
        reasons = [reason for pod in pods for reason in waiting(pod)]
        for reason in reasons:
            if reason.startswith(HOPELESS):
                raise Failed(f"pods of {self._colour} do not start: {reason}")
        return "; ".join(dict.fromkeys(reasons))

    def stay(self) -> None:
        """Raises Failed for a pod that ended: ready for a moment is not fit, however ready it is at other moments."""
        for pod in self._cluster.pods(self._colour):
            restarts = [each.get("restartCount", 0) for each in pod["status"].get("containerStatuses") or ()]
            if any(restarts):
                raise Failed(f"{pod['metadata']['name']} of {self._colour} became ready and restarted "
                             f"{max(restarts)} times: {'; '.join(waiting(pod))}")

    def settle(self, wanted: int) -> bool:
        """The same, and none may have gone; never true: it is never over before its time. Raises Failed."""
        self.stay()
        status = self._cluster.deployment(self._colour).get("status") or {}
        if status.get("availableReplicas", 0) < wanted:  # more may be on their way: the autoscaler's
            raise Failed(f"pods of {self._colour} were ready and did not stay so"
                         + (f": {why}" if (why := self.why()) else ""))
        return False

    def pinned(self, image: str) -> None:
        """What runs is what was asked for: the digest, as the node reports it. Raises Failed."""
        _, _, digest = image.partition("@")
        for pod in self._cluster.pods(self._colour) if digest else ():
            found = str(pod["status"]["containerStatuses"][0].get("imageID") or "")
            if "@" in found and not found.endswith(digest):
                raise Failed(f"{pod['metadata']['name']} runs {found}, not {digest}")
