"""Node groups: the updates that MiniStack lacks, what it forgets on creation, and the checks of AWS."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import eks

Answer = tuple[int, dict[str, str], bytes]
Body = dict[str, Any]
_UPDATE = re.compile(r"/clusters/([A-Za-z0-9_-]+)/node-groups/([A-Za-z0-9_.-]+)/update-(config|version)")
_KEPT = ("updateConfig", "launchTemplate", "nodeRepairConfig", "remoteAccess", "warmPoolConfig")


def update(method: str, path: str, body: Body, cluster: Callable[[str], Body],
           refused: type[Exception]) -> str | None:
    """UpdateNodegroupConfig and UpdateNodegroupVersion; the type of the update, or None when it is neither."""
    found = _UPDATE.fullmatch(path) if method == "POST" else None
    if found is None:
        return None
    record = _record(cluster, found[1], found[2], refused)
    (_configure if found[3] == "config" else _upgrade)(record, body, cluster(found[1]), refused)
    record["modifiedAt"] = eks._now()
    return "ConfigUpdate" if found[3] == "config" else "VersionUpdate"


def create(name: str, body: Body, cluster: Callable[[str], Body], served: Callable[[Body | None], Answer],
           refused: type[Exception]) -> Answer:
    """CreateNodegroup."""
    _check_scaling(body.setdefault("scalingConfig", {"minSize": 1, "maxSize": 2, "desiredSize": 1}), refused)
    version = cluster(name)["version"]
    template = body.get("launchTemplate")
    body.setdefault("amiType", "AL2023_x86_64_STANDARD")
    if not template:
        body.setdefault("instanceTypes", ["t3.medium"])
        body.setdefault("diskSize", 20)
    elif body.get("diskSize") or body.get("remoteAccess"):
        raise refused(400, "InvalidParameterException",
                      "diskSize and remoteAccess can't be given beside a launch template")
    body["releaseVersion"] = body.get("releaseVersion") or release_of(body.get("version") or version)
    answer = served(body)
    if answer[0] != 200:
        return answer
    record = eks._nodegroups[f"{name}/{body['nodegroupName']}"]
    record |= {key: body[key] for key in _KEPT if key in body}
    record.setdefault("updateConfig", {"maxUnavailable": 1})
    if template:
        for key in ("instanceTypes", "diskSize"):
            if key not in body:
                del record[key]
    if "remoteAccess" not in body:
        del record["resources"]["remoteAccessSecurityGroup"]
    created: Answer = eks._json_resp(200, {"nodegroup": record})
    return created


def release_of(version: str) -> str:
    """The release of the optimised image for a version of Kubernetes; the date is made up and never changes."""
    return f"{version}.0-20251112"


def _record(cluster: Callable[[str], Body], name: str, group: str, refused: type[Exception]) -> Body:
    cluster(name)
    key = f"{name}/{group}"
    if key not in eks._nodegroups:
        raise refused(404, "ResourceNotFoundException", f"No node group found for name: {group}.")
    record: Body = eks._nodegroups[key]
    return record


def _configure(record: Body, body: Body, _: Body, refused: type[Exception]) -> None:
    if "scalingConfig" in body:
        scaling = {**record["scalingConfig"], **body["scalingConfig"]}
        _check_scaling(scaling, refused)
        record["scalingConfig"] = scaling
    labels = body.get("labels") or {}
    record["labels"] = {key: value for key, value in record["labels"].items()
                        if key not in (labels.get("removeLabels") or ())} | (labels.get("addOrUpdateLabels") or {})
    taints = body.get("taints") or {}
    gone = [(t["key"], t["effect"]) for t in (taints.get("removeTaints") or []) + (
        taints.get("addOrUpdateTaints") or [])]
    record["taints"] = [t for t in record["taints"] if (t["key"], t["effect"]) not in gone] + (
        taints.get("addOrUpdateTaints") or [])
    for key in ("updateConfig", "nodeRepairConfig", "warmPoolConfig"):
        if key in body:
            record[key] = body[key]


def _upgrade(record: Body, body: Body, of: Body, refused: type[Exception]) -> None:
    wanted = body.get("version") or (of["version"] if not body.get("releaseVersion") and not body.get(
        "launchTemplate") else record["version"])
    if int(wanted.split(".")[1]) > int(of["version"].split(".")[1]):
        raise refused(400, "InvalidParameterException",
                      f"Nodegroup version {wanted} cannot be ahead of the cluster's {of['version']}")
    record["version"] = wanted
    record["releaseVersion"] = body.get("releaseVersion") or release_of(wanted)
    if body.get("launchTemplate"):
        record["launchTemplate"] = {**record.get("launchTemplate", {}), **body["launchTemplate"]}


def _check_scaling(scaling: Body, refused: type[Exception]) -> None:
    low, wanted, high = scaling["minSize"], scaling["desiredSize"], scaling["maxSize"]
    if not 0 <= low <= wanted <= high or high < 1:
        raise refused(400, "InvalidParameterException",
                      f"minimum {low}, desired {wanted}, maximum {high}: each may not exceed the next, and the "
                      "maximum is at least 1")
