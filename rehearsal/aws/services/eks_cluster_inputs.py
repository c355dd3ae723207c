"""The inputs of eks:index:Cluster: which ones are expanded, and what pulumi-eks itself refuses."""

from __future__ import annotations

from typing import Any

from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties, Secret

# Inputs that only say how the default node group is: part of `core.nodeGroupOptions`, without effect otherwise.
NODE_OPTIONS = {
    "nodeSubnetIds": "nodeSubnetIds", "nodeAssociatePublicIpAddress": "nodeAssociatePublicIpAddress",
    "instanceType": "instanceType", "nodePublicKey": "nodePublicKey",
    "nodeRootVolumeEncrypted": "nodeRootVolumeEncrypted", "nodeRootVolumeSize": "nodeRootVolumeSize",
    "nodeUserData": "nodeUserData", "minSize": "minSize", "maxSize": "maxSize", "desiredCapacity": "desiredCapacity",
    "nodeAmiId": "amiId", "gpu": "gpu", "version": "version"}
_SUPPORTED = frozenset({
    *NODE_OPTIONS, "accessEntries", "authenticationMode", "bootstrapSelfManagedAddons", "clusterSecurityGroup",
    "clusterSecurityGroupTags", "clusterTags", "corednsAddonOptions", "createInstanceRole", "createOidcProvider",
    "deletionProtection", "enableConfigMapMutable", "enabledClusterLogTypes", "encryptionConfigKeyArn",
    "endpointPrivateAccess", "endpointPublicAccess", "instanceProfileName", "ipFamily",
    "kubeProxyAddonOptions", "kubernetesServiceIpAddressRange", "name", "nodeSecurityGroupTags", "privateSubnetIds",
    "providerCredentialOpts", "publicAccessCidrs", "publicSubnetIds", "serviceRole", "skipDefaultNodeGroup",
    "skipDefaultSecurityGroups", "subnetIds", "tags", "upgradePolicy", "useDefaultVpcCni", "vpcCniOptions", "vpcId",
    "instanceRole", "instanceRoles", "roleMappings", "userMappings", "autoMode", "fargate"})


def check(inputs: Properties) -> None:
    for name in sorted(set(inputs) - _SUPPORTED):
        raise unsupported(name)
    if plain(inputs.get("fargate")):
        raise unsupported("fargate")
    if plain((inputs.get("autoMode") or {}).get("enabled")):
        raise unsupported("autoMode.enabled")
    if plain(inputs.get("skipDefaultNodeGroup")) is not True:
        raise ProviderError("eks:index:Cluster: the rehearsal does not expand the default node group; set "
                            "skipDefaultNodeGroup to true and add managed node groups (aws.eks.NodeGroup)")
    mode = plain(inputs.get("authenticationMode"))
    if mode != "API":
        raise ProviderError(f"eks:index:Cluster: authenticationMode is {mode!r}; the rehearsal expands only 'API', "
                            "without the aws-auth ConfigMap")
    for name in ("roleMappings", "userMappings", "instanceRoles"):
        if plain(inputs.get(name)):
            raise ProviderError(f"The '{name}' property does not support non-empty values when 'authenticationMode' "
                                "is set to 'API'.")
    if "subnetIds" in inputs and ("publicSubnetIds" in inputs or "privateSubnetIds" in inputs):
        raise ProviderError("subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. "
                            "Choose a single approach.")
    if "vpcId" not in inputs:
        raise ProviderError("eks:index:Cluster: vpcId is missing; the rehearsal does not fall back to a default VPC")
    if plain(inputs.get("endpointPublicAccess")) is False and plain(inputs.get("publicAccessCidrs")):
        raise ProviderError("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true")


def unsupported(name: str) -> ProviderError:
    return ProviderError(f"eks:index:Cluster: the rehearsal does not expand the input `{name}`; leave it out or add "
                         "it to rehearsal/aws/services/eks_cluster.py")


def plain(value: Any) -> Any:
    return value.value if isinstance(value, Secret) else value
