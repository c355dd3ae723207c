"""What a rebuild needs and the cloud account does not hold, in one folder (O7):

    state.json     the stack's state; its secrets stay encrypted
    cluster.json   the namespace's objects of which operations own fields, and the rollouts' journals
    secrets.json   names of the stack's secrets and what they are; never a value
    settings/      the project's and the stacks' files, and the pins of what runs them
    manifest.json  what each is, its SHA-256, versions, and what could not be had
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.plans.kubernetes import COLOUR_LABEL, COLOURS, name_of
from infra.settings.model import Service, Settings
from kube.client import ApiError, Client, KubeconfigError, Object
from operations.aws import pages, tags
from operations.errors import OperationError
from operations.patience import patiently
from operations.recovery import manifest
from operations.recovery.account import Account
from operations.recovery.runner import Deployment

STATE, CLUSTER, SECRETS, SETTINGS = "state.json", "cluster.json", "secrets.json", "settings"
# Kinds of which operations own fields (the table of what `up` leaves alone: infra/plans/kubernetes.py), with the
# journals and switches among the ConfigMaps. Not Secrets.
KINDS = (("v1", "ConfigMap"), ("v1", "Service"), ("apps/v1", "Deployment"),
         ("autoscaling/v2", "HorizontalPodAutoscaler"), ("networking.k8s.io/v1", "Ingress"))
_PROJECT_FILES = ("Pulumi.yaml", "requirements.txt", "constraints.txt")
UNREACHABLE = (OperationError, ApiError, KubeconfigError, BotoCoreError, ClientError)
_OF_THE_SERVER = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp")


@dataclass(frozen=True)
class Exported:
    """missing: part → why it could not be had; an export with one is not complete."""

    folder: Path
    files: int
    resources: int
    objects: int
    missing: Mapping[str, str]


@dataclass(frozen=True)
class Sources:
    """Where the parts come from. cluster: raises what its client raises, when it can't be reached. versions: program →
    version, of what made the export."""

    account: Account
    state: Callable[[], Deployment]
    cluster: Callable[[], Client]
    project: Path
    versions: Mapping[str, str]


def export(sources: Sources, folder: Path, now: datetime) -> Exported:
    """Writes the folder, anew where it has an older export. Parts that can't be had are told, and the others kept."""
    manifest.begin(folder)
    files: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    parts: Mapping[str, Callable[[], Any]] = {
        STATE: sources.state,
        CLUSTER: lambda: objects(sources.cluster(), sources.account.settings),
        SECRETS: lambda: secrets(sources.account)}
    found: dict[str, Any] = {}
    for name, part in parts.items():
        try:
            found[name] = part()
        except UNREACHABLE as error:  # the other parts may be all that is left
            missing[name] = f"{type(error).__name__}: {error}"
        else:
            files[name] = manifest.rendered(found[name])
    for path in _settings_files(sources.project):
        files[f"{SETTINGS}/{path.name}"] = path.read_bytes()
    manifest.write(folder, files, {
        "stack": sources.account.stack, "at": now.isoformat(timespec="seconds"), "region": sources.account.home,
        "versions": dict(sources.versions), "missing": missing})
    return Exported(folder, len(files), len(resources(found.get(STATE) or {})),
                    len(found.get(CLUSTER) or ()), missing)


def problems(folder: Path, stack: str) -> list[str]:
    """Why a rebuild can't start from the folder: sentences, none when it can."""
    told = manifest.read(folder)
    found = manifest.wrong(folder, told)
    if told["stack"] != stack:
        found.append(f"it is of {told['stack']}, not of {stack}")
    found += [f"{part} could not be had: {why}" for part, why in told["missing"].items()]
    for part in (STATE, CLUSTER, SECRETS, f"{SETTINGS}/Pulumi.yaml", f"{SETTINGS}/Pulumi.{stack}.yaml"):
        if part not in told["files"] and part not in told["missing"]:
            found.append(f"{part} is not part of it")
    if not found and not resources(json.loads((folder / STATE).read_bytes())):
        found.append(f"{STATE} has no resources")
    return found


def expect_complete(folder: Path, stack: str) -> None:
    """Raises OperationError with all that is wrong."""
    found = problems(folder, stack)
    if found:
        raise OperationError(f"{folder} is no complete export of {stack}: " + "; ".join(found)
                             + ". Take another, or make one: candlefish recovery export")


def objects(client: Client, settings: Settings) -> list[Object]:
    """Of the stack's namespace, without what the API server adds."""
    namespace = settings.cluster.namespace
    return [_plain(each) for version, kind in KINDS
            for each in patiently(partial(client.list, version, kind, namespace))]


def images(found: Iterable[Object], services: Iterable[Service]) -> dict[str, str]:
    """Service → image of its live colour, from exported objects. A service that they do not have is left out."""
    known = {(each["kind"], each["metadata"]["name"]): each for each in found}
    result = {}
    for service in services:
        live = known.get(("Service", service.name))
        colour = live and live["spec"]["selector"].get(COLOUR_LABEL)
        pods = known.get(("Deployment", name_of(service, colour))) if colour in COLOURS else None
        if pods is not None:
            result[service.name] = _image(pods, service)
    return result


def secrets(account: Account) -> list[dict[str, Any]]:
    """The stack's, by name. Nothing here can tell a value."""
    client = account.clients("secretsmanager", account.home)
    return sorted(({"name": each["Name"], "description": each.get("Description", ""),
                    "rotated": bool(each.get("RotationEnabled")), "changed": each.get("LastChangedDate")}
                   for each in pages(client, "list_secrets", "SecretList")
                   if account.owns(tags(each.get("Tags") or ()))), key=lambda each: str(each["name"]))


def resources(deployment: Deployment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (deployment.get("deployment") or {}).get("resources") or []
    return found


def _settings_files(project: Path) -> list[Path]:
    return sorted({*(project / name for name in _PROJECT_FILES), *project.glob("Pulumi.*.yaml")})


def _image(deployment: Object, service: Service) -> str:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return next(str(each["image"]) for each in containers if each["name"] == service.name)


def _plain(item: Object) -> Object:
    kept = {key: value for key, value in item["metadata"].items() if key not in _OF_THE_SERVER}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": kept}
