"""Persistent volumes: binds claims of the AWS drivers' storage classes by making the volume objects.

A stand-in needs no disk: there is no volume in EC2 or EFS behind them. EBS volumes are tied to a zone, as real ones.
"""

from __future__ import annotations

import asyncio
import logging

from rehearsal.kubernetes.controllers.api import UNREACHABLE, Api, ApiError, Object
from rehearsal.kubernetes.controllers.informer import Informer

log = logging.getLogger(__name__)

EBS_DRIVERS = ("ebs.csi.aws.com", "kubernetes.io/aws-ebs")
DRIVERS = (*EBS_DRIVERS, "efs.csi.aws.com")
NODE_ANNOTATION = "volume.kubernetes.io/selected-node"
DEFAULT_ANNOTATION = "storageclass.kubernetes.io/is-default-class"
OWN_ANNOTATION = "pv.kubernetes.io/provisioned-by"
ZONE_LABEL = "topology.kubernetes.io/zone"
RETRY_SECONDS = 1.0


class Volumes:
    def __init__(self, api: Api, claims: Informer, nodes: Informer) -> None:
        self._api, self._claims, self._nodes = api, claims, nodes
        self.classes = Informer(api, "/apis/storage.k8s.io/v1/storageclasses")
        self.volumes = Informer(api, "/api/v1/persistentvolumes")
        self._dirty = asyncio.Event()
        for informer in (claims, self.classes, self.volumes):
            informer.listen(lambda *_: self._dirty.set())

    async def run(self) -> None:
        for informer in (self._claims, self.classes, self.volumes, self._nodes):
            await informer.synced.wait()
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                for claim in list(self._claims.items.values()):
                    await self._provision(claim)
                for volume in list(self.volumes.items.values()):
                    await self._reclaim(volume)
            except (ApiError, *UNREACHABLE) as error:
                log.warning("volumes: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
                self._dirty.set()

    def _class_of(self, claim: Object) -> Object | None:
        name = claim["spec"].get("storageClassName")
        if name is not None:
            return self.classes.get("", name)
        return next((each for each in self.classes.items.values()
                     if (each["metadata"].get("annotations") or {}).get(DEFAULT_ANNOTATION) == "true"), None)

    async def _provision(self, claim: Object) -> None:
        metadata = claim["metadata"]
        chosen = self._class_of(claim)
        name = f"pvc-{metadata['uid']}"
        if ((claim.get("status") or {}).get("phase") != "Pending" or claim["spec"].get("volumeName")
                or "deletionTimestamp" in metadata or chosen is None or chosen["provisioner"] not in DRIVERS
                or self.volumes.get("", name) is not None):
            return
        node = (metadata.get("annotations") or {}).get(NODE_ANNOTATION, "")
        if not node and chosen.get("volumeBindingMode", "Immediate") == "WaitForFirstConsumer":
            return
        found = self._nodes.get("", node)
        zone = ((found or {}).get("metadata", {}).get("labels") or {}).get(ZONE_LABEL, "")
        try:
            await self._api.create("/api/v1/persistentvolumes", volume_object(name, claim, chosen, zone))
        except ApiError as error:
            if error.status != 409:  # made already
                raise

    async def _reclaim(self, volume: Object) -> None:
        metadata = volume["metadata"]
        if (volume.get("status", {}).get("phase") == "Released" and "deletionTimestamp" not in metadata
                and (metadata.get("annotations") or {}).get(OWN_ANNOTATION) in DRIVERS
                and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"):
            await self._api.delete(f"/api/v1/persistentvolumes/{metadata['name']}")


def volume_object(name: str, claim: Object, chosen: Object, zone: str) -> Object:
    """The PersistentVolume for a claim; with a zone, it can be used only there."""
    metadata, spec = claim["metadata"], claim["spec"]
    provisioner = chosen["provisioner"]
    driver = "ebs.csi.aws.com" if provisioner in EBS_DRIVERS else provisioner
    handle = f"vol-{metadata['uid'].replace('-', '')[:17]}" if driver == "ebs.csi.aws.com" else f"fs::{name}"
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": ZONE_LABEL, "operator": "In", "values": [zone]}]}]}}} if zone and driver == "ebs.csi.aws.com" else {}
    return {
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {OWN_ANNOTATION: provisioner}},
        "spec": {"capacity": {"storage": spec["resources"]["requests"]["storage"]}, "accessModes": spec["accessModes"],
                 "persistentVolumeReclaimPolicy": chosen.get("reclaimPolicy", "Delete"),
                 "storageClassName": chosen["metadata"]["name"], "volumeMode": spec.get("volumeMode", "Filesystem"),
                 "csi": {"driver": driver, "volumeHandle": handle},
                 "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": metadata["name"],
                              "namespace": metadata["namespace"], "uid": metadata["uid"],
                              "resourceVersion": metadata["resourceVersion"]}, **affinity}}
