"""EKS calls that MiniStack lacks: updates of clusters and node groups, the list of add-on releases, and the checks
that AWS makes before it creates or deletes. Its own handlers keep serving the rest.

Two tags of CreateCluster are for us and never stored: MiniStack cannot see the VPC, which another server holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ministack.services import eks

from rehearsal.aws.emulators import eks_nodegroups, eks_releases

VPC_TAG = "candlefish:vpc-id"
SECURITY_GROUP_TAG = "candlefish:cluster-security-group-id"

Answer = tuple[int, dict[str, str], bytes]
Body = dict[str, Any]
_CLUSTER = re.compile(r"/clusters/([A-Za-z0-9_-]+)")
_CONFIG = re.compile(r"/clusters/([A-Za-z0-9_-]+)/update-config")
_UPDATES = re.compile(r"/clusters/([A-Za-z0-9_-]+)/updates")
_UPDATE = re.compile(r"/clusters/([A-Za-z0-9_-]+)/updates/([A-Za-z0-9-]+)")
_ADDONS = re.compile(r"/clusters/([A-Za-z0-9_-]+)/addons")
_CREATED_AS_SENT = ("upgradePolicy", "zonalShiftConfig", "computeConfig", "storageConfig", "remoteNetworkConfig",
                    "deletionProtection", "accessConfig")


class Refused(Exception):
    """An error as the API gives it: status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def install() -> None:
    """Puts our handling in front of MiniStack's."""
    served: Callable[..., Answer] = eks._handle_request_sync

    def handle(method: str, path: str, headers: Any, body_bytes: bytes, query_params: dict[str, Any]) -> Answer:
        try:
            body = json.loads(body_bytes) if body_bytes else {}
        except ValueError:
            body = {}
        try:
            answer = _own(method, path, body, query_params)
            if answer is not None:
                return answer
            return _around(method, path, body, lambda sent: served(
                method, path, headers, json.dumps(sent).encode() if sent else body_bytes, query_params))
        except Refused as refused:
            return _failed(refused)

    eks._handle_request_sync = handle


def _own(method: str, path: str, body: Body, query: dict[str, Any]) -> Answer | None:
    if method == "POST" and (found := _CONFIG.fullmatch(path)):
        return _updated(_configure(cluster(found[1]), body), found[1])
    if method == "POST" and (found := _UPDATES.fullmatch(path)):
        return _updated(_upgrade(cluster(found[1]), body), found[1])
    if method == "GET" and (found := _UPDATE.fullmatch(path)):
        return _answer({"update": {"id": found[2], "status": "Successful", "type": "ConfigUpdate", "params": [],
                                   "errors": [], "createdAt": cluster(found[1])["createdAt"]}})
    if method == "GET" and path == "/addons/supported-versions":
        return _answer({"addons": _offered(_one(query, "addonName"), _one(query, "kubernetesVersion"))})
    if path.startswith("/tags/") and ":podidentityassociation/" in (arn := unquote(path.removeprefix("/tags/"))):
        return _tag_association(method, arn, body, query)
    type = eks_nodegroups.update(method, path, body, cluster, Refused)
    return None if type is None else _updated(type, path.split("/")[2])


def _around(method: str, path: str, body: Body, served: Callable[[Body | None], Answer]) -> Answer:
    """MiniStack's own handling, with the checks of AWS before it and what it forgets after it."""
    if method == "POST" and path == "/clusters":
        return _create(body, served)
    if method == "DELETE" and (found := _CLUSTER.fullmatch(path)) and found[1] in eks._clusters:
        _may_be_deleted(found[1])
    elif method == "POST" and (found := _ADDONS.fullmatch(path)) and found[1] in eks._clusters:
        _check_addon(eks._clusters[found[1]], body)
        return served(body)
    elif method == "POST" and path.endswith("/node-groups") and path.count("/") == 3:
        return eks_nodegroups.create(path.split("/")[2], body, cluster, served, Refused)
    return served(None)


def cluster(name: str) -> Body:
    if name not in eks._clusters:
        raise Refused(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")
    found: Body = eks._clusters[name]
    return found


def _create(body: Body, served: Callable[[Body | None], Answer]) -> Answer:
    version = body.setdefault("version", eks_releases.DEFAULT_KUBERNETES)
    if version not in eks_releases.KUBERNETES:
        raise Refused(400, "InvalidParameterException", f"unsupported Kubernetes version {version}; offered are "
                      f"{', '.join(eks_releases.KUBERNETES)}")
    tags = body.get("tags") or {}
    vpc, group = tags.pop(VPC_TAG, None), tags.pop(SECURITY_GROUP_TAG, None)
    answer = served(body)
    if answer[0] != 200:
        return answer
    record = eks._clusters[body["name"]]
    network = record["resourcesVpcConfig"]
    network |= {"vpcId": vpc} if vpc else {}
    network |= {"clusterSecurityGroupId": group} if group else {}
    if not network["endpointPublicAccess"]:
        network["publicAccessCidrs"] = []
    record["kubernetesNetworkConfig"] |= body.get("kubernetesNetworkConfig") or {"serviceIpv4Cidr": "172.20.0.0/16"}
    record |= {name: body[name] for name in _CREATED_AS_SENT if name in body}
    record.setdefault("upgradePolicy", {"supportType": "EXTENDED"})
    record.setdefault("deletionProtection", False)
    record["accessConfig"] = {"authenticationMode": "CONFIG_MAP", **(record.get("accessConfig") or {})}
    record["platformVersion"] = "eks.1"
    issuer = record["identity"]["oidc"]["issuer"].rpartition("/")[2]
    record["identity"] = {"oidc": {"issuer": f"https://oidc.eks.{eks.get_region()}.amazonaws.com/id/{issuer}"}}
    return _answer({"cluster": eks._sanitize(record)})


def _may_be_deleted(name: str) -> None:
    if eks._clusters[name].get("deletionProtection"):
        raise Refused(400, "InvalidRequestException", f"Cluster {name} has deletion protection enabled; disable it "
                      "with UpdateClusterConfig first")
    groups = [key for key in eks._nodegroups if key.startswith(f"{name}/")]
    if groups:
        raise Refused(409, "ResourceInUseException", "Cluster has nodegroups attached: "
                      + ", ".join(sorted(key.partition("/")[2] for key in groups)))


def _configure(record: Body, body: Body) -> str:
    """UpdateClusterConfig; like AWS it takes one kind of change a call."""
    kinds = [name for name in body if name not in ("name", "clientRequestToken")]
    if len(kinds) != 1:
        raise Refused(400, "InvalidParameterException", "Only one type of update can be allowed; got "
                      + (", ".join(kinds) or "none"))
    kind = kinds[0]
    if kind == "resourcesVpcConfig":
        network = {**record["resourcesVpcConfig"], **body[kind]}
        if not (network["endpointPublicAccess"] or network["endpointPrivateAccess"]):
            raise Refused(400, "InvalidParameterException", "Private and public endpoint access cannot be false")
        if not network["endpointPublicAccess"]:
            network["publicAccessCidrs"] = []
        elif not network["publicAccessCidrs"]:
            network["publicAccessCidrs"] = ["0.0.0.0/0"]
        record[kind] = network
        return "EndpointAccessUpdate"
    if kind == "logging":
        record[kind] = {"clusterLogging": [each for each in body[kind]["clusterLogging"] if each.get("enabled")]}
        return "LoggingUpdate"
    record[kind] = {**record.get(kind, {}), **body[kind]} if isinstance(body[kind], dict) else body[kind]
    return {"accessConfig": "AccessConfigUpdate", "upgradePolicy": "UpgradePolicyUpdate"}.get(kind, "ConfigUpdate")


def _upgrade(record: Body, body: Body) -> str:
    """UpdateClusterVersion: one minor version up at a time."""
    now, wanted = record["version"], str(body.get("version", ""))
    if wanted not in eks_releases.KUBERNETES or int(wanted.split(".")[1]) != int(now.split(".")[1]) + 1:
        raise Refused(400, "InvalidParameterException",
                      f"Unsupported Kubernetes minor version update from {now} to {wanted}")
    record["version"] = wanted
    return "VersionUpdate"


def _check_addon(record: Body, body: Body) -> None:
    name = body.get("addonName", "")
    if name not in eks_releases.ADDON_NAMES:
        raise Refused(400, "InvalidParameterException", f"Addon specified is not supported: {name}")
    if not body.get("addonVersion"):
        body["addonVersion"] = eks_releases.default_release(name, record["version"])


def _offered(addon: str | None, kubernetes: str | None) -> list[Body]:
    versions = [kubernetes] if kubernetes else list(eks_releases.KUBERNETES)
    offered = []
    for name in [addon] if addon else sorted(eks_releases.ADDON_NAMES):
        by_release: dict[str, list[Body]] = {}
        for version in versions:
            for release in eks_releases.releases(name, version):
                by_release.setdefault(release, []).append({
                    "clusterVersion": version, "platformVersions": ["*"],
                    "defaultVersion": release == eks_releases.default_release(name, version)})
        if by_release:
            offered.append({"addonName": name, "type": "networking", "owner": "aws", "publisher": "eks",
                            "addonVersions": [{"addonVersion": release, "architecture": ["amd64", "arm64"],
                                               "compatibilities": places} for release, places in by_release.items()]})
    return offered


def _tag_association(method: str, arn: str, body: Body, query: dict[str, Any]) -> Answer:
    """TagResource and its siblings for a pod identity association, which MiniStack knows by no ARN."""
    key = eks._pia_key(*arn.split("/")[1:3])
    if key not in eks._pod_identity_associations:
        raise Refused(404, "NotFoundException", f"Resource not found: {arn}")
    tags: dict[str, str] = eks._pod_identity_associations[key].setdefault("tags", {})
    if method == "GET":
        return _answer({"tags": tags})
    if method == "POST":
        tags.update(body.get("tags") or {})
    else:
        removed = query.get("tagKeys") or []
        for name in [removed] if isinstance(removed, str) else removed:
            tags.pop(name, None)
    return _answer({})


def _one(query: dict[str, Any], name: str) -> str | None:
    value = query.get(name)
    return value[0] if isinstance(value, list) and value else value or None


def _updated(type: str, cluster_name: str) -> Answer:
    return _answer({"update": {"id": eks.new_uuid(), "status": "Successful", "type": type, "params": [],
                               "errors": [], "createdAt": eks._now()}})


def _answer(body: Body) -> Answer:
    answer: Answer = eks._json_resp(200, body)
    return answer


def _failed(refused: Refused) -> Answer:
    answer: Answer = eks._error(refused.status, refused.code, str(refused))
    return answer
