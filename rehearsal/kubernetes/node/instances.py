"""What an EC2 instance offers to pods: capacity and allocatable, by instance type.

vCPU and memory: EC2's instance type pages. Maximum pods: awslabs/amazon-eks-ami, eni-max-pods.txt (VPC CNI without
prefix delegation). Reservations: the same AMI's bootstrap: memory 255 MiB + 11 MiB a pod; CPU 6 % of the first core,
1 % of the second, 0.5 % of the third and fourth, 0.25 % of the rest; eviction threshold 100 MiB. The hypervisor's share
of memory: 7.5 %, Karpenter's default VM_MEMORY_OVERHEAD_PERCENT.
"""

from __future__ import annotations

from dataclasses import dataclass

OVERHEAD_SHARE = 0.075
EVICTION_MIB = 100
EVICTION_STORAGE_SHARE = 0.10  # nodefs.available<10%


@dataclass(frozen=True)
class Shape:
    vcpus: int
    memory_gib: float
    max_pods: int
    architecture: str = "amd64"

    @property
    def memory_mib(self) -> int:
        return int(self.memory_gib * 1024 * (1 - OVERHEAD_SHARE))

    @property
    def reserved_cpu_millicores(self) -> int:
        shares = (60, 10, 5, 5)
        return int(sum(shares[:self.vcpus]) + max(0, self.vcpus - 4) * 2.5)

    @property
    def allocatable_cpu_millicores(self) -> int:
        return self.vcpus * 1000 - self.reserved_cpu_millicores

    @property
    def allocatable_memory_mib(self) -> int:
        return self.memory_mib - (255 + 11 * self.max_pods) - EVICTION_MIB


def _burstable(family: str, architecture: str, small_pods: int) -> dict[str, Shape]:
    return {
        f"{family}.micro": Shape(2, 1, 4, architecture),
        f"{family}.small": Shape(2, 2, small_pods, architecture),
        f"{family}.medium": Shape(2, 4, 17, architecture),
        f"{family}.large": Shape(2, 8, 35, architecture),
        f"{family}.xlarge": Shape(4, 16, 58, architecture),
        f"{family}.2xlarge": Shape(8, 32, 58, architecture),
    }


def _general(family: str, architecture: str) -> dict[str, Shape]:
    return {
        f"{family}.large": Shape(2, 8, 29, architecture),
        f"{family}.xlarge": Shape(4, 16, 58, architecture),
        f"{family}.2xlarge": Shape(8, 32, 58, architecture),
        f"{family}.4xlarge": Shape(16, 64, 234, architecture),
    }


SHAPES: dict[str, Shape] = {
    **_burstable("t3", "amd64", 11),
    **_burstable("t3a", "amd64", 8),
    **_burstable("t4g", "arm64", 11),
    **_general("m5", "amd64"),
    **_general("m6i", "amd64"),
    **_general("m7i", "amd64"),
    **_general("m6g", "arm64"),
    "m7g.medium": Shape(1, 4, 8, "arm64"),
    **_general("m7g", "arm64"),
}


def shape_of(instance_type: str) -> Shape:
    """Raises ValueError, naming the file to add it to, for a type without figures."""
    if instance_type not in SHAPES:
        raise ValueError(f"instance type {instance_type!r} has no figures; known are {', '.join(sorted(SHAPES))}; "
                         f"add it to rehearsal/kubernetes/node/instances.py")
    return SHAPES[instance_type]
