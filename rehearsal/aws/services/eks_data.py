"""Data sources of EKS."""

from __future__ import annotations

import base64
import threading

from rehearsal.aws.handler import Call, data_source
from rehearsal.aws.services.eks import Cluster
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_signing = threading.Lock()
TOKEN_SECONDS = 60  # how long the presigned URL in a token is good for; the token itself for 14 minutes


@data_source("aws:eks/getCluster:getCluster")
def get_cluster(call: Call, arguments: Properties) -> Properties:
    name = arguments["name"]
    state = Cluster().read(call, name, {})
    if state is None:
        raise ProviderError(f"reading EKS Cluster ({name}): couldn't find resource")
    network = state["kubernetesNetworkConfig"]
    return {
        **{key: state[key] for key in (
            "arn", "name", "createdAt", "deletionProtection", "enabledClusterLogTypes", "endpoint", "identities",
            "platformVersion", "roleArn", "status", "tags", "version", "vpcConfig", "clusterId")},
        "id": name, "region": call.region, "certificateAuthorities": [state["certificateAuthority"]],
        "accessConfigs": [state["accessConfig"]], "kubernetesNetworkConfigs": [network],
        "upgradePolicies": [state["upgradePolicy"]],
        "zonalShiftConfigs": [state["zonalShiftConfig"]] if "zonalShiftConfig" in state else [],
        "computeConfigs": [], "storageConfigs": [], "outpostConfigs": [], "remoteNetworkConfigs": [],
        "controlPlaneScalingConfigs": [], "kubeApiServerConfigs": [], "kubeControllerManagerConfigs": [],
        "kubeSchedulerConfigs": [],
    }


@data_source("aws:eks/getClusterAuth:getClusterAuth")
def get_cluster_auth(call: Call, arguments: Properties) -> Properties:
    """The token that `aws eks get-token` makes: a presigned GetCallerIdentity with the cluster's name signed."""
    name, client = arguments["name"], call.client("sts")

    def sign_name(request: object, **_: object) -> None:
        request.headers["x-k8s-aws-id"] = name  # type: ignore[attr-defined]

    with _signing:  # the client is shared by the threads, and so are its events
        client.meta.events.register("before-sign.sts.GetCallerIdentity", sign_name)
        try:
            url = client.generate_presigned_url("get_caller_identity", ExpiresIn=TOKEN_SECONDS, HttpMethod="GET")
        finally:
            client.meta.events.unregister("before-sign.sts.GetCallerIdentity", sign_name)
    token = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return {"id": name, "name": name, "region": call.region, "token": f"k8s-aws-v1.{token}"}


@data_source("aws:eks/getAddonVersion:getAddonVersion")
def get_addon_version(call: Call, arguments: Properties) -> Properties:
    addon, kubernetes = arguments["addonName"], arguments["kubernetesVersion"]
    offered = call.client("eks").describe_addon_versions(addonName=addon, kubernetesVersion=kubernetes)["addons"]
    releases = [release for each in offered for release in each["addonVersions"]]
    if not releases:
        raise ProviderError(f"reading EKS Add-On version info ({addon}, {kubernetes}): couldn't find resource")
    newest = bool(arguments.get("mostRecent"))
    release = releases[0] if newest else next(
        each for each in releases if any(place["defaultVersion"] for place in each["compatibilities"]))
    return {"id": addon, "addonName": addon, "kubernetesVersion": kubernetes, "mostRecent": newest,
            "region": call.region, "version": release["addonVersion"]}
