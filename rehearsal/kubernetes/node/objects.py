"""The Node and Lease objects of one instance, as an EKS node registers itself."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass

from rehearsal.kubernetes.controllers.api import Object
from rehearsal.kubernetes.node.groups import NodeGroup, Subnet
from rehearsal.kubernetes.node.instances import EVICTION_STORAGE_SHARE, shape_of
from rehearsal.kubernetes.node.services import now

GROUP_LABEL = "eks.amazonaws.com/nodegroup"
ZONE_LABEL = "topology.kubernetes.io/zone"
LEASE_SECONDS = 40
CIDR_ANNOTATION = "rehearsal/pod-range"  # where this node's pods get their addresses


@dataclass(frozen=True)
class Instance:
    """One node: what is needed to describe it, and to find it again."""

    name: str
    address: str
    group: NodeGroup
    subnet: Subnet
    region: str
    instance_type: str
    kubelet_port: int
    version: str  # "v1.36.3"

    @property
    def cidr(self) -> str:
        return self.subnet.cidr

    @property
    def instance_id(self) -> str:
        return "i-" + hashlib.sha256(f"{self.group.name}/{self.name}".encode()).hexdigest()[:17]


def name_of(address: str, region: str) -> str:
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"


def node_object(instance: Instance) -> Object:
    shape = shape_of(instance.instance_type)
    group = instance.group
    labels = {
        "beta.kubernetes.io/arch": shape.architecture, "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/instance-type": instance.instance_type,
        "kubernetes.io/arch": shape.architecture, "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": instance.name, "node.kubernetes.io/instance-type": instance.instance_type,
        "topology.kubernetes.io/region": instance.region, ZONE_LABEL: instance.subnet.zone,
        "failure-domain.beta.kubernetes.io/region": instance.region,
        "failure-domain.beta.kubernetes.io/zone": instance.subnet.zone,
        "topology.ebs.csi.aws.com/zone": instance.subnet.zone,
        GROUP_LABEL: group.name, "eks.amazonaws.com/capacityType": "SPOT" if group.spot else "ON_DEMAND",
        **dict(group.labels)}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": instance.name, "labels": labels, "annotations": {CIDR_ANNOTATION: instance.cidr}},
        "spec": {"providerID": f"aws:///{instance.subnet.zone}/{instance.instance_id}",
                 **({"taints": [{"key": key, "value": value, "effect": effect}
                                for key, value, effect in group.taints]} if group.taints else {})}}


def node_status(instance: Instance, ready: bool = True) -> Object:
    shape = shape_of(instance.instance_type)
    storage = instance.group.disk_gib * 2**30
    volumes = {"attachable-volumes-aws-ebs": "25"}
    return {
        "capacity": {"cpu": str(shape.vcpus), "memory": f"{shape.memory_mib}Mi", "pods": str(shape.max_pods),
                     "ephemeral-storage": str(storage), **volumes},
        "allocatable": {"cpu": f"{shape.allocatable_cpu_millicores}m", "memory": f"{shape.allocatable_memory_mib}Mi",
                        "pods": str(shape.max_pods),
                        "ephemeral-storage": str(int(storage * (1 - EVICTION_STORAGE_SHARE))), **volumes},
        "addresses": [{"type": "InternalIP", "address": instance.address},
                      {"type": "Hostname", "address": "127.0.0.1"},  # where the API server finds the kubelet
                      {"type": "InternalDNS", "address": instance.name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": instance.kubelet_port}},
        "nodeInfo": {"architecture": shape.architecture, "operatingSystem": "linux", "kubeletVersion": instance.version,
                     "kubeProxyVersion": "", "containerRuntimeVersion": "rehearsal://1",
                     "osImage": "Amazon Linux 2023 (rehearsal)", "kernelVersion": "6.1", "bootID": "",
                     "machineID": instance.instance_id, "systemUUID": instance.instance_id},
        "conditions": [
            _condition("MemoryPressure", False, "KubeletHasSufficientMemory"),
            _condition("DiskPressure", False, "KubeletHasNoDiskPressure"),
            _condition("PIDPressure", False, "KubeletHasSufficientPID"),
            _condition("Ready", ready, "KubeletReady" if ready else "KubeletNotReady")]}


def _condition(kind: str, true: bool, reason: str) -> Object:
    return {"type": kind, "status": "True" if true else "False", "reason": reason, "message": reason,
            "lastHeartbeatTime": now(), "lastTransitionTime": now()}


def lease_object(instance: Instance) -> Object:
    renewed = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": instance.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": instance.name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": renewed}}
