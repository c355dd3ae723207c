"""The database's jobs: schema migrations, the weekly upkeep, the nightly encrypted dump (D1, D3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.plans.external_secrets import DATABASE_SECRET
from infra.plans.guards import egress_policy
from infra.plans.pods import Manifest, claim, container, labels, metadata, restricted, variables, writable
from infra.settings.model import Resources, Service, Volume
from infra.settings.workloads import Workloads

UPKEEP = "database-upkeep"
DUMP = "database-dump"
DUMP_PREFIX = "database"  # of the dumps' keys in the backups bucket
DUMP_PATH = "/dump"
NEVER = "0 0 1 1 *"  # of a suspended job, which operations make Jobs of; cron needs a time all the same
UPKEEP_SIZE = Resources(cpu_millis=50, memory_mib=64, cpu_limit_millis=250, memory_limit_mib=256)
DUMP_SIZE = Resources(cpu_millis=250, memory_mib=256, cpu_limit_millis=1000, memory_limit_mib=512)


@dataclass(frozen=True)
class Job:
    """One CronJob. deadline_seconds: how long a run may take; suspended: it never starts by itself; calls: words of
    `guards.destinations`; volume: for the pod, beside /tmp."""

    name: str
    image: str
    command: tuple[str, ...]
    size: Resources
    schedule: str
    deadline_seconds: int
    calls: tuple[str, ...]
    environment: Sequence[Manifest]
    suspended: bool = False
    volume: Volume | None = None


def jobs(services: Sequence[Service], settings: Workloads, *, bucket: Any, key: Any, dump_gib: int,
         ) -> tuple[Job, ...]:
    """bucket, key: name of the backups bucket and ARN of the key of its dumps; may be `pulumi.Input`s.
    dump_gib: room for one encrypted dump."""
    url = {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": DATABASE_SECRET, "key": "url"}}}
    place = [{"name": "BACKUPS_BUCKET", "value": bucket}, {"name": "BACKUPS_PREFIX", "value": DUMP_PREFIX},
             {"name": "DUMP_DIRECTORY", "value": DUMP_PATH}, {"name": "KMS_KEY_ID", "value": key}]
    tools = settings.database_tools_image
    return (
        *(Job(f"{service.name}-migration", service.image, service.migration, service.resources, NEVER, 900,
              ("database",), variables(service), suspended=True)
          for service in services if service.migration),
        Job(UPKEEP, tools, ("upkeep",), UPKEEP_SIZE, settings.schedules.upkeep, 7200, ("database",), [url]),
        Job(DUMP, tools, ("dump",), DUMP_SIZE, settings.schedules.dump, 7200,
            ("database", "internet", "pod-identity"), [url, *place],
            volume=Volume(mount_path=DUMP_PATH, size_gib=dump_gib)))


def cron_job(job: Job, namespace: str, *, priority_class: str, storage_class: str,
             pull_secrets: Sequence[str] = ()) -> Manifest:
    mounts, volumes = writable(("/tmp",))
    if job.volume:
        mount, volume = claim("data", job.volume, storage_class, labels(job.name))
        mounts, volumes = [*mounts, mount], [*volumes, volume]
    pod = restricted(
        [container(job.name, job.image, job.size, args=list(job.command), env=list(job.environment),
                   volumeMounts=mounts)],
        account=job.name, volumes=volumes, pull_secrets=pull_secrets, priorityClassName=priority_class,
        restartPolicy="Never")
    return {
        "metadata": metadata(job.name, namespace, labels(job.name)),
        "spec": {
            "schedule": job.schedule, "timeZone": "Etc/UTC", "suspend": job.suspended, "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 3,
            "jobTemplate": {"metadata": {"labels": labels(job.name)}, "spec": {
                "backoffLimit": 1, "activeDeadlineSeconds": job.deadline_seconds,
                "ttlSecondsAfterFinished": 7 * 24 * 3600,  # also of those that operations make of it
                "template": {"metadata": {"labels": labels(job.name)}, "spec": pod}}},
        },
    }


def account(job: Job, namespace: str) -> Manifest:
    return {"metadata": metadata(job.name, namespace, labels(job.name)), "automountServiceAccountToken": False}


def network_policy(job: Job, namespace: str, data_cidrs: Sequence[str]) -> Manifest:
    return egress_policy(job.name, job.calls, namespace, data_cidrs)
