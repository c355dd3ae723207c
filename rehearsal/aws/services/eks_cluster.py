"""eks:index:Cluster as pulumi-eks 4.4 expands it: the same children, names, parents and outputs.

After nodejs/eks/cluster/cluster.ts of pulumi/pulumi-eks. What is not expanded here is refused by name: nothing that a
program asks for is left out silently.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rehearsal.aws.handler import Call, component
from rehearsal.aws.services.eks_cluster_inputs import NODE_OPTIONS, check, plain, unsupported
from rehearsal.aws.services.eks_cluster_parts import (
    ServiceRole,
    cluster_security_group,
    cni_configuration,
    kubeconfig,
    node_security_group,
    service_role,
    sorted_json,
)
from rehearsal.aws.services.eks_cluster_values import Family, compact, lift, merged, present, reference
from rehearsal.aws.services.eks_data import get_addon_version
from rehearsal.aws.services.iam import described_role
from rehearsal.engine.provider import ProviderError, Register, Registered
from rehearsal.engine.values import UNKNOWN, Properties, ResourceReference

# Stand-in for what the component computes from the certificate of oidc.eks.*.amazonaws.com: the SHA-1 that public
# programs give for its root certificate. Nothing in the rehearsal checks it.
THUMBPRINT = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"


@component("eks:index:Cluster")
def cluster(call: Call, inputs: Properties, register: Register) -> Properties:
    inputs = present(inputs)
    check(inputs)
    return _Expansion(call, inputs, register).outputs()


class _Expansion:
    """The children, in the order in which pulumi-eks makes them."""

    def __init__(self, call: Call, inputs: Properties, register: Register) -> None:
        self.call, self.inputs, self.name = call, inputs, call.context.name
        self.family = Family(call, register)
        self.tags = inputs.get("tags")
        self.subnets = inputs["subnetIds"] if "subnetIds" in inputs else lift(
            lambda public, private: [*(public or ()), *(private or ())],
            inputs.get("publicSubnetIds"), inputs.get("privateSubnetIds"))
        self.role = None if "serviceRole" in inputs else self._service_role()
        self.group_made = () if self._without_groups or "clusterSecurityGroup" in inputs else (
            cluster_security_group(self.family, self.name, inputs),)
        self.cluster = self._cluster()
        self._addon("kube-proxy", inputs.get("kubeProxyAddonOptions") or {}, default=True)
        self.without_profile = self._kubeconfig(with_profile=False)
        self.kubernetes = self.family.child(
            "pulumi:providers:kubernetes", f"{self.name}-eks-k8s", {
                "kubeconfig": compact(self._kubeconfig(with_profile=True)),
                "enableConfigMapMutable": lift(sorted_json, inputs["enableConfigMapMutable"]) if (
                    "enableConfigMapMutable" in inputs) else None}, after=[self.cluster])
        self.instance_role = self._instance_role()
        self.entered: list[Registered] = []
        self.entries = self._access_entries()
        self.cni = self._cni()
        self._coredns()
        self.oidc = self._oidc() if plain(inputs.get("createOidcProvider")) else None
        self.node_group: Registered | None = None
        self.ingress: Registered | None = None
        if not self._without_groups:
            self.node_group, self.ingress = node_security_group(
                self.family, self.name, inputs, self.cluster, self._group_id, self.group_made)

    @property
    def _without_groups(self) -> bool:
        return bool(plain(self.inputs.get("skipDefaultSecurityGroups")))

    @property
    def _group(self) -> ResourceReference | None:
        given = plain(self.inputs.get("clusterSecurityGroup"))
        return given or (reference(self.group_made[0]) if self.group_made else None)

    @property
    def _group_id(self) -> Any:
        return self._group.id if self._group else None

    def _service_role(self) -> ServiceRole:
        return service_role(
            self.family, f"{self.name}-eksRole", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"], tags=self.tags,
            description="Allows EKS to manage clusters on your behalf.", actions=["sts:AssumeRole", "sts:TagSession"])

    def _service_role_arn(self) -> Any:
        if self.role is not None:
            return self.family.output(self.role.role, "arn")

        def arn(given: Any) -> Any:
            name = given.id if isinstance(given, ResourceReference) else given
            if name is UNKNOWN:
                return UNKNOWN
            found = described_role(self.call, name)
            if found is None:
                raise ProviderError(f"eks:index:Cluster: serviceRole {name!r} does not exist")
            return found["Arn"]

        return lift(arn, self.inputs["serviceRole"])

    def _cluster(self) -> Registered:
        inputs = self.inputs
        key = inputs.get("encryptionConfigKeyArn")
        network = None
        if "kubernetesServiceIpAddressRange" in inputs or "ipFamily" in inputs:
            family = inputs.get("ipFamily", "ipv4")
            network = present({
                "serviceIpv4Cidr": inputs.get("kubernetesServiceIpAddressRange") if family == "ipv4" else None,
                "ipFamily": family})
        return self.family.child("aws:eks/cluster:Cluster", f"{self.name}-eksCluster", {
            "name": inputs.get("name"), "roleArn": self._service_role_arn(), "kubernetesNetworkConfig": network,
            "bootstrapSelfManagedAddons": inputs.get("bootstrapSelfManagedAddons", True),
            "vpcConfig": present({
                "securityGroupIds": [self._group_id] if self._group else None, "subnetIds": self.subnets,
                "endpointPrivateAccess": inputs.get("endpointPrivateAccess"),
                "endpointPublicAccess": inputs.get("endpointPublicAccess"),
                "publicAccessCidrs": inputs.get("publicAccessCidrs")}),
            "version": inputs.get("version"), "enabledClusterLogTypes": inputs.get("enabledClusterLogTypes"),
            "tags": merged({"Name": f"{self.name}-eksCluster"}, inputs.get("clusterTags"), self.tags),
            "encryptionConfig": {"provider": {"keyArn": key}, "resources": ["secrets"]} if key is not None else None,
            "accessConfig": {"authenticationMode": inputs["authenticationMode"],
                             "bootstrapClusterCreatorAdminPermissions": True},
            "upgradePolicy": inputs.get("upgradePolicy"), "deletionProtection": inputs.get("deletionProtection"),
        }, ignore_changes=("accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"),
            after=[*(self.role.everything if self.role else ()), *self.group_made])

    def _addon(self, addon: str, options: Properties, *, default: bool) -> None:
        enabled = plain(options.get("enabled"))
        if not (default if enabled is None else enabled):
            return
        values = options.get("configurationValues")
        self.family.child("aws:eks/addon:Addon", f"{self.name}-{addon}", {
            "clusterName": self.family.output(self.cluster, "name"), "addonName": addon, "preserve": True,
            "tags": self.tags, "addonVersion": options["version"] if "version" in options else self._newest(addon),
            "resolveConflictsOnCreate": options.get("resolveConflictsOnCreate", "OVERWRITE"),
            "resolveConflictsOnUpdate": options.get("resolveConflictsOnUpdate", "OVERWRITE"),
            "configurationValues": None if values is None else lift(sorted_json, values)}, after=[self.cluster])

    def _newest(self, addon: str) -> Any:
        return lift(lambda version: get_addon_version(self.call, {
            "addonName": addon, "kubernetesVersion": version, "mostRecent": True})["version"],
            self.family.output(self.cluster, "version"))

    def _coredns(self) -> None:
        """Only when asked for: without a default node group it would have nowhere to run."""
        options = self.inputs.get("corednsAddonOptions") or {}
        if plain(options.get("enabled")) is True or options.get("configurationValues") is not None:
            self._addon("coredns", {**options, "enabled": True}, default=False)

    def _kubeconfig(self, *, with_profile: bool) -> Any:
        out = self.family.output
        return lift(partial(kubeconfig, with_profile=with_profile),
                    out(self.cluster, "name"), out(self.cluster, "arn"), out(self.cluster, "endpoint"),
                    out(self.cluster, "certificateAuthority", "data"), self.inputs.get("providerCredentialOpts"))

    def _instance_role(self) -> ServiceRole | None:
        if "instanceRole" in self.inputs or not plain(self.inputs.get("createInstanceRole")):
            return None
        made = service_role(self.family, f"{self.name}-instanceRole", "ec2.amazonaws.com", [
            "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"], tags=self.tags)
        if "instanceProfileName" in self.inputs:
            raise unsupported("instanceProfileName")
        self.family.child("aws:iam/instanceProfile:InstanceProfile", f"{self.name}-instanceProfile",
                          {"role": self.family.output(made.role, "name")}, after=made.everything)
        return made

    def _access_entries(self) -> list[Properties]:
        wanted: dict[str, Properties] = {}
        default = self._default_instance_role_arn()
        if default is not None:
            wanted["defaultNodeGroupInstanceRole"] = {"principalArn": default, "type": "EC2_LINUX"}
        wanted |= self.inputs.get("accessEntries") or {}
        cluster_name = self.family.output(self.cluster, "name")
        for key, entry in wanted.items():
            made = self.family.child("aws:eks/accessEntry:AccessEntry", f"{self.name}-{key}", {
                "clusterName": cluster_name, "principalArn": entry["principalArn"], "type": entry.get("type"),
                "kubernetesGroups": entry.get("kubernetesGroups"), "userName": entry.get("username"),
                "tags": entry.get("tags")}, after=[self.cluster])
            self.entered.append(made)
            for policy, association in (entry.get("accessPolicies") or {}).items():
                self.family.child(
                    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", f"{self.name}-{key}-{policy}", {
                        "clusterName": cluster_name, "principalArn": entry["principalArn"],
                        "policyArn": association["policyArn"], "accessScope": association["accessScope"]},
                    parent=made.urn, after=[self.cluster, made])
        return list(wanted.values())

    def _default_instance_role_arn(self) -> Any:
        if self.instance_role is not None:
            return self.family.output(self.instance_role.role, "arn")
        given = plain(self.inputs.get("instanceRole"))
        if given is None:
            return None
        if given.id is UNKNOWN:
            return UNKNOWN
        return (described_role(self.call, given.id) or {}).get("Arn")

    def _cni(self) -> Registered | None:
        if plain(self.inputs.get("useDefaultVpcCni")):
            return None
        options = self.inputs.get("vpcCniOptions") or {}
        if plain(options.get("securityContextPrivileged")):
            raise unsupported("vpcCniOptions.securityContextPrivileged")
        made = self.family.child("eks:index:VpcCniAddon", f"{self.name}-vpc-cni", {}, custom=False,
                                 after=[self.cluster, *self.entered])
        self.family.child("aws:eks/addon:Addon", f"{self.name}-vpc-cni", {
            "clusterName": self.family.output(self.cluster, "name"), "addonName": "vpc-cni",
            "addonVersion": options["addonVersion"] if "addonVersion" in options else self._newest("vpc-cni"),
            "resolveConflictsOnCreate": options.get("resolveConflictsOnCreate", "OVERWRITE"),
            "resolveConflictsOnUpdate": options.get("resolveConflictsOnUpdate", "OVERWRITE"), "preserve": True,
            "configurationValues": cni_configuration(options), "tags": self.tags,
            "serviceAccountRoleArn": options.get("serviceAccountRoleArn")},
            parent=made.urn, after=[self.cluster, *self.entered])
        return made

    def _oidc(self) -> Registered:
        return self.family.child("aws:iam/openIdConnectProvider:OpenIdConnectProvider", f"{self.name}-oidcProvider", {
            "clientIdLists": ["sts.amazonaws.com"], "url": self._issuer(), "thumbprintLists": [THUMBPRINT]},
            after=[self.cluster])

    def _issuer(self) -> Any:
        return self.family.output(self.cluster, "identities", 0, "oidcs", 0, "issuer")

    def _instance_roles(self) -> list[Any]:
        given = self.inputs.get("instanceRole")
        return [given] if given else [reference(self.instance_role.role)] if self.instance_role else []

    def outputs(self) -> Properties:
        """The outputs of the SDK's Cluster; those that pulumi-eks leaves undefined are absent."""
        out = self.family.output
        group_of_eks = out(self.cluster, "vpcConfig", "clusterSecurityGroupId")
        issuer = self._issuer()
        return present({
            "core": self._core(), "eksCluster": reference(self.cluster),
            "kubeconfig": self.without_profile, "kubeconfigJson": compact(self.without_profile),
            "clusterSecurityGroup": self._group,
            "clusterSecurityGroupId": self._group_id if self._group else group_of_eks,
            "nodeSecurityGroup": reference(self.node_group) if self.node_group else None,
            "nodeSecurityGroupId": self.node_group.id if self.node_group else group_of_eks,
            "eksClusterIngressRule": reference(self.ingress) if self.ingress else None,
            "clusterIngressRuleId": out(self.ingress, "securityGroupRuleId") if self.ingress else "",
            "instanceRoles": self._instance_roles(), "defaultNodeGroupAsgName": "", "fargateProfileId": "",
            "fargateProfileStatus": "", "autoModeNodeRoleName": "",
            "oidcProviderArn": out(self.oidc, "arn") if self.oidc else "", "oidcProviderUrl": issuer,
            "oidcIssuer": lift(lambda url: url.removeprefix("https://"), issuer),
        })

    def _core(self) -> Properties:
        key = self.inputs.get("encryptionConfigKeyArn")
        options = {name: self.inputs[given] for given, name in NODE_OPTIONS.items() if given in self.inputs}
        return present({
            "cluster": reference(self.cluster), "vpcId": self.inputs["vpcId"], "subnetIds": self.subnets,
            "publicSubnetIds": self.inputs.get("publicSubnetIds"),
            "privateSubnetIds": self.inputs.get("privateSubnetIds"), "clusterSecurityGroup": self._group,
            "endpoint": self.family.output(self.cluster, "endpoint"), "provider": reference(self.kubernetes),
            "nodeGroupOptions": present({
                **options, "nodeSecurityGroup": reference(self.node_group) if self.node_group else None,
                "clusterIngressRule": reference(self.ingress) if self.ingress else None}),
            "kubeconfig": self.without_profile, "instanceRoles": self._instance_roles(), "storageClasses": {},
            "vpcCni": reference(self.cni, custom=False) if self.cni else None, "tags": self.tags,
            "nodeSecurityGroupTags": self.inputs.get("nodeSecurityGroupTags"),
            "oidcProvider": reference(self.oidc) if self.oidc else None,
            "encryptionConfig": {"provider": {"keyArn": key}, "resources": ["secrets"]} if key is not None else None,
            "clusterIamRole": reference(self.role.role) if self.role else self.inputs.get("serviceRole"),
            "accessEntries": self.entries, "autoModeNodeRoleName": "",
        })
