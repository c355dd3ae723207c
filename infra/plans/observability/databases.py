"""What a database of a class can take: RDS tells no metric of it."""

from __future__ import annotations

GIB = 1024 ** 3
_BYTES_A_CONNECTION = 9_531_392  # default of max_connections, RDS for PostgreSQL (User Guide, "Quotas and constraints")
_MOST_CONNECTIONS = 5_000
# GiB of memory by size, t3/t4g and m classes alike but for the smallest (RDS User Guide, "DB instance classes").
_BURSTABLE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
_GENERAL = {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192, "16xlarge": 256}
MEMORY_GIB = {**{f"db.{family}.{size}": memory for family in ("t3", "t4g") for size, memory in _BURSTABLE.items()},
           **{f"db.{family}.{size}": memory for family in ("m5", "m6g", "m6i", "m7g", "m7i", "m8g")
              for size, memory in _GENERAL.items()},
           **{f"db.{family}.{size}": 2 * memory for family in ("r5", "r6g", "r6i", "r7g", "r7i", "r8g")
              for size, memory in _GENERAL.items()}}


def memory_bytes(instance_class: str) -> int:
    """Raises ValueError for a class that the table lacks."""
    if instance_class not in MEMORY_GIB:
        raise ValueError(f"the memory of {instance_class} is not known; add it to infra/plans/observability/"
                         f"databases.py (it has {', '.join(sorted(MEMORY_GIB))})")
    return MEMORY_GIB[instance_class] * GIB


def connections(instance_class: str) -> int:
    """max_connections of the default parameter group. The operating system's share makes it a little less in truth."""
    return min(memory_bytes(instance_class) // _BYTES_A_CONNECTION, _MOST_CONNECTIONS)
