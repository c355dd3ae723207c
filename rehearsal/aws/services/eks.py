"""EKS clusters. The Kubernetes API behind one is a real kube-apiserver, which registers itself with the gateway."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.ec2_common import look_up, refers, search
from rehearsal.aws.services.ec2_security import delete_group
from rehearsal.aws.services.eks_common import described, needs_trust, replace_tags, stored_tags
from rehearsal.aws.services.shapes import absent_is_fine, chosen, in_order_of, is_absent, pairs
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

CONTROL_PLANE = "candlefish:kubernetes:ControlPlane"
CONTROL_PLANE_SECONDS = 90.0
# Tags that tell the emulator what it can't look up; it takes them off again (rehearsal.aws.emulators.eks).
_VPC_TAG, _GROUP_TAG = "candlefish:vpc-id", "candlefish:cluster-security-group-id"
_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@resource
class Cluster(Handler):
    type = "aws:eks/cluster:Cluster"
    naming = Naming(maximum=100)
    kept = ("bootstrapSelfManagedAddons", "defaultAddonsToRemoves", "forceUpdateVersion", "computeConfig",
            "storageConfig", "remoteNetworkConfig", "outpostConfig", "controlPlaneScalingConfig", "kubeApiServerConfig",
            "kubeControllerManagerConfig", "kubeSchedulerConfig")
    defaults = {"bootstrapSelfManagedAddons": True, "deletionProtection": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        network = inputs.get("vpcConfig") or {}
        yield from refers("subnet", "vpcConfig.subnetIds", network.get("subnetIds"))
        yield from refers("security-group", "vpcConfig.securityGroupIds", network.get("securityGroupIds"))
        if inputs.get("roleArn"):
            yield _references.role("roleArn", inputs["roleArn"])
        key = ((inputs.get("encryptionConfig") or {}).get("provider") or {}).get("keyArn")
        if key:
            yield _references.kms_key("encryptionConfig.provider.keyArn", key)

    def create(self, call: Call, inputs: Properties) -> str:
        name, vpc = inputs["name"], _vpc_of(call, inputs["vpcConfig"]["subnetIds"])
        needs_trust(call, inputs["roleArn"], "eks.amazonaws.com",
                    f"Role with arn: {inputs['roleArn']}, could not be assumed because it does not exist or the "
                    "trusted entity is not correct")
        group = _security_group(call, name, vpc)
        encryption = inputs.get("encryptionConfig")
        call.client("eks").create_cluster(
            name=name, roleArn=inputs["roleArn"], resourcesVpcConfig=_network(inputs["vpcConfig"]),
            logging=_logging(inputs.get("enabledClusterLogTypes") or []),
            tags={**call.tags, _VPC_TAG: vpc, _GROUP_TAG: group},
            **({"encryptionConfig": [encryption]} if encryption else {}),
            **chosen(inputs, {
                "version": "version", "accessConfig": "accessConfig", "upgradePolicy": "upgradePolicy",
                "kubernetesNetworkConfig": "kubernetesNetworkConfig", "zonalShiftConfig": "zonalShiftConfig",
                "bootstrapSelfManagedAddons": "bootstrapSelfManagedAddons", "computeConfig": "computeConfig",
                "storageConfig": "storageConfig", "remoteNetworkConfig": "remoteNetworkConfig",
                "deletionProtection": "deletionProtection"}))
        self._await_control_plane(call, name, inputs)
        return str(name)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        cluster = described(call, id)
        if cluster is None:
            return None
        network, before = cluster["resourcesVpcConfig"], known.get("vpcConfig") or {}
        served = call.kept.get(call.account, call.region, CONTROL_PLANE, id) or {}
        encryption = cluster.get("encryptionConfig") or []
        logs = [kind for each in cluster["logging"]["clusterLogging"] if each["enabled"] for kind in each["types"]]
        return {
            "arn": cluster["arn"], "name": id, "roleArn": cluster["roleArn"], "version": cluster["version"],
            "clusterId": "", "createdAt": str(cluster["createdAt"]), "platformVersion": cluster["platformVersion"],
            "status": cluster["status"], "endpoint": served.get("endpoint", cluster["endpoint"]),
            "certificateAuthority": {"data": served.get("certificateAuthority",
                                                        cluster["certificateAuthority"]["data"])},
            "identities": [{"oidcs": [{"issuer": cluster["identity"]["oidc"]["issuer"]}]}],
            "vpcConfig": {
                "subnetIds": in_order_of(before.get("subnetIds"), network["subnetIds"]),
                "securityGroupIds": in_order_of(before.get("securityGroupIds"), network["securityGroupIds"]),
                "clusterSecurityGroupId": network["clusterSecurityGroupId"], "vpcId": network["vpcId"],
                "endpointPrivateAccess": network["endpointPrivateAccess"],
                "endpointPublicAccess": network["endpointPublicAccess"],
                "publicAccessCidrs": in_order_of(before.get("publicAccessCidrs"), network["publicAccessCidrs"])},
            "enabledClusterLogTypes": in_order_of(known.get("enabledClusterLogTypes"), logs),
            **({"encryptionConfig": encryption[0]} if encryption else {}),
            "accessConfig": cluster.get("accessConfig") or {},
            "kubernetesNetworkConfig": cluster["kubernetesNetworkConfig"],
            "upgradePolicy": cluster.get("upgradePolicy") or {"supportType": "EXTENDED"},
            **({"zonalShiftConfig": cluster["zonalShiftConfig"]} if cluster.get("zonalShiftConfig") else {}),
            "deletionProtection": cluster.get("deletionProtection", False), "tags": stored_tags(call, cluster["arn"]),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """One call a kind of change, as the API demands."""
        client = call.client("eks")
        for property, api in (("accessConfig", "accessConfig"), ("upgradePolicy", "upgradePolicy"),
                              ("zonalShiftConfig", "zonalShiftConfig"), ("deletionProtection", "deletionProtection")):
            if property in changed and new.get(property) is not None:
                value = {"authenticationMode": new[property]["authenticationMode"]} if (
                    property == "accessConfig") else new[property]
                client.update_cluster_config(name=id, **{api: value})
        if "kubernetesNetworkConfig" in changed and (new.get("kubernetesNetworkConfig") or {}).get(
                "elasticLoadBalancing"):
            client.update_cluster_config(name=id, kubernetesNetworkConfig={
                "elasticLoadBalancing": new["kubernetesNetworkConfig"]["elasticLoadBalancing"]})
        if "version" in changed:
            client.update_cluster_version(name=id, version=new["version"])
        if "vpcConfig" in changed:
            before, after = _network(old.get("vpcConfig") or {}), _network(new["vpcConfig"])
            for names in (("subnetIds", "securityGroupIds"),
                          ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")):
                part = {name: after[name] for name in names if name in after and after[name] != before.get(name)}
                if part:
                    client.update_cluster_config(name=id, resourcesVpcConfig=part)
        if "enabledClusterLogTypes" in changed:
            client.update_cluster_config(name=id, logging=_logging(new.get("enabledClusterLogTypes") or []))
        if "encryptionConfig" in changed and new.get("encryptionConfig") and not old.get("encryptionConfig"):
            client.associate_encryption_config(clusterName=id, encryptionConfig=[new["encryptionConfig"]])
        if "tags" in changed:
            arn = call.arn("eks", f"cluster/{id}")
            replace_tags(call, arn, stored_tags(call, arn))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        cluster = described(call, id)
        if cluster is not None:
            try:
                call.client("eks").delete_cluster(name=id)
            except ClientError as error:
                if not is_absent(error):
                    raise
        for group in search(call, "security-group", **{"tag:Name": f"eks-cluster-sg-{id}"}):
            # What is left of the interfaces and rules is EKS's own business: it takes them with the group.
            for rule in group["IpPermissions"]:
                with absent_is_fine():
                    call.client("ec2").revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
            delete_group(call, group)

    def _await_control_plane(self, call: Call, name: str, inputs: Properties) -> None:
        deadline = time.monotonic() + CONTROL_PLANE_SECONDS
        call.context.report("waiting for the Kubernetes API")
        while call.kept.get(call.account, call.region, CONTROL_PLANE, name) is None:
            if time.monotonic() > deadline or call.context.cancelled.wait(0.1):
                raise ProviderError(
                    f"the rehearsal's control plane of cluster {name} was not started: nothing registered as "
                    f"{CONTROL_PLANE} {name!r} of account {call.account} in {call.region} within "
                    f"{CONTROL_PLANE_SECONDS:.0f} s. Look at its log, then run this again",
                    partial=(name, self.read(call, name, inputs) or {}))


def _network(config: Properties) -> dict[str, Any]:
    """VpcConfigRequest; ranges only with a public endpoint, as EKS refuses them otherwise."""
    network = chosen(config, {name: name for name in (
        "subnetIds", "securityGroupIds", "endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")})
    if config.get("endpointPublicAccess") is False:
        network.pop("publicAccessCidrs", None)
    return network


def _logging(enabled: list[str]) -> dict[str, Any]:
    unknown = sorted(set(enabled) - set(_LOG_TYPES))
    if unknown:
        raise ProviderError(f"enabledClusterLogTypes: {', '.join(unknown)}; allowed are {', '.join(_LOG_TYPES)}")
    disabled = [kind for kind in _LOG_TYPES if kind not in enabled]
    return {"clusterLogging": [{"types": kinds, "enabled": on}
                               for kinds, on in ((enabled, True), (disabled, False)) if kinds]}


def _vpc_of(call: Call, subnets: list[str]) -> str:
    """The VPC of the subnets, which must be one, in two availability zones or more."""
    found = [subnet for id in subnets if (subnet := look_up(call, "subnet", id))]
    vpcs, zones = {subnet["VpcId"] for subnet in found}, {subnet["AvailabilityZone"] for subnet in found}
    if len(vpcs) != 1 or len(zones) < 2:
        raise ProviderError("An error occurred (InvalidParameterException) when calling the CreateCluster operation: "
                            f"Subnets specified must be in at least two different AZs of one VPC; got {sorted(zones)} "
                            f"of {sorted(vpcs)}")
    return str(vpcs.pop())


def _security_group(call: Call, name: str, vpc: str) -> str:
    """The cluster security group that EKS makes: everything among its members, everything out."""
    client = call.client("ec2")
    tags = {"Name": f"eks-cluster-sg-{name}", f"kubernetes.io/cluster/{name}": "owned"}
    group = client.create_security_group(
        GroupName=f"eks-cluster-sg-{name}-{call.context.random.randrange(10**9, 10**10)}", VpcId=vpc,
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
                    "as well as any managed workloads.",
        TagSpecifications=[{"ResourceType": "security-group", "Tags": pairs(tags)}])["GroupId"]
    client.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}])
    return str(group)
