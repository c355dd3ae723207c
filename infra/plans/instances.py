"""EC2 instance types that node groups may use, and what pods can have of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InstanceType:
    """vCPUs, memory in MiB, pods: network interfaces × (addresses − 1) + 2 (the VPC CNI's limit).

    Sources: EC2 instance type pages; eni-max-pods.txt of the amazon-eks-ami project.
    """

    cpus: int
    memory_mib: int
    maximum_pods: int
    architecture: str = "amd64"

    @property
    def allocatable_cpu_millis(self) -> int:
        """The EKS node's kubelet keeps 6 % of the first core, 1 % of the second, 0.5 % of two more, 0.25 % beyond."""
        shares = [60, 10, 5, 5] + [2.5] * max(0, self.cpus - 4)
        return int(self.cpus * 1000 - sum(shares[: self.cpus]))

    @property
    def allocatable_memory_mib(self) -> int:
        """The kubelet keeps 255 MiB + 11 MiB a pod, and evicts below 100 MiB; the system itself uses about 2 %."""
        return int(self.memory_mib * 0.98) - (255 + 11 * self.maximum_pods) - 100


INSTANCE_TYPES: dict[str, InstanceType] = {
    "t3.medium": InstanceType(2, 4096, 17),
    "t3.large": InstanceType(2, 8192, 35),
    "t3.xlarge": InstanceType(4, 16384, 58),
    "t3a.medium": InstanceType(2, 4096, 17),
    "t3a.large": InstanceType(2, 8192, 35),
    "t3a.xlarge": InstanceType(4, 16384, 58),
    "t4g.medium": InstanceType(2, 4096, 17, "arm64"),
    "t4g.large": InstanceType(2, 8192, 35, "arm64"),
    "m5.large": InstanceType(2, 8192, 29),
    "m5a.large": InstanceType(2, 8192, 29),
    "m6i.large": InstanceType(2, 8192, 29),
    "m6a.large": InstanceType(2, 8192, 29),
    "m7i.large": InstanceType(2, 8192, 29),
    "m6i.xlarge": InstanceType(4, 16384, 58),
    "m7g.large": InstanceType(2, 8192, 29, "arm64"),
}
