"""The EKS cluster of a stack (K1): control plane, managed add-ons, node groups and the provider to reach it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

from infra.components.base import Component
from infra.components.managed_addons import ManagedAddons, ManagedAddonsArgs
from infra.components.node_groups import NodeGroups, NodeGroupsArgs
from infra.plans.managed_addons import VERSIONS, wanted
from infra.settings import model
from infra.settings.platform import Feature

_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_ADMINISTRATOR_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True)
class ClusterArgs:
    """`name` is the physical name; `features` ask for further managed add-ons; `addon_versions`: releases of
    add-ons other than those in infra/plans/managed_addons.py.

    `control_plane_subnet_ids`: the private subnets again, which need not be routed yet: the control plane calls nobody,
    and takes longer than anything else.
    `instance_tags`: tags of the nodes, which the provider's default tags don't reach.
    `kubeconfig_role_arn`: the role that the kubeconfig assumes, when the AWS provider assumes one too.
    `scheduled`: the nodes go away at night (F8).
    """

    name: str
    settings: model.Cluster
    vpc_id: pulumi.Input[str]
    private_subnet_ids: pulumi.Input[Sequence[str]]
    control_plane_subnet_ids: pulumi.Input[Sequence[str]]
    cluster_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    instance_tags: Mapping[str, str]
    deletion_protection: bool = False
    features: Collection[Feature] = ()
    addon_versions: Mapping[str, str] = field(default_factory=dict)
    kubeconfig_role_arn: pulumi.Input[str] | None = None
    scheduled: bool = False


class Cluster(Component):
    """An EKS cluster with private nodes, secrets encrypted by KMS, access entries and pod identities.

    The packaged component makes the control plane, its role, the OIDC provider and the access entries. It makes no
    security groups: managed nodes are in the one that EKS makes, so the node's and the cluster's are the same. It
    makes no add-ons: it would take the newest version at every `up`, and has no way to give the CNI a role.

    `provider` depends on the nodes and the add-ons that run on them: a resource of this provider is created when it
    can be scheduled, and deleted while its controllers still run.
    """

    module = "cluster"

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider
    oidc_provider_arn: pulumi.Output[str]
    oidc_provider_url: pulumi.Output[str]
    node_role_arn: pulumi.Output[str]
    node_group_names: Mapping[str, pulumi.Output[str]]
    node_security_group_id: pulumi.Output[str]
    cluster_security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        cluster = self._control_plane(name, args)
        control_plane = cluster.eks_cluster
        self.name = control_plane.apply(lambda known: known.name)
        self.arn = control_plane.apply(lambda known: known.arn)
        self.endpoint = control_plane.apply(lambda known: known.endpoint)
        self.certificate_authority = control_plane.apply(lambda known: known.certificate_authority.data)
        self.kubeconfig = pulumi.Output.secret(cluster.kubeconfig_json)
        self.oidc_provider_arn, self.oidc_provider_url = cluster.oidc_provider_arn, cluster.oidc_provider_url
        self.node_security_group_id = cluster.node_security_group_id
        self.cluster_security_group_id = cluster.cluster_security_group_id

        versions = {**VERSIONS[args.settings.version], **args.addon_versions}
        before = ManagedAddons(f"{name}-base", ManagedAddonsArgs(
            self.name, wanted(args.features, before_nodes=True), versions), opts=self.child())
        nodes = NodeGroups(f"{name}-nodes", NodeGroupsArgs(
            cluster_name=self.name, version=args.settings.version, subnet_ids=args.private_subnet_ids,
            node_groups=args.settings.node_groups, instance_tags={**args.instance_tags, "Component": self.module},
            scheduled=args.scheduled, after=[before]), opts=self.child())
        after = ManagedAddons(f"{name}-addons", ManagedAddonsArgs(
            self.name, wanted(args.features, before_nodes=False), versions, after=[nodes]), opts=self.child())
        self.node_role_arn, self.node_group_names = nodes.role_arn, nodes.names

        self.provider = kubernetes.Provider(
            f"{name}-kubernetes", kubeconfig=self.kubeconfig, cluster_identifier=self.arn,
            enable_server_side_apply=True, opts=self.child(depends_on=[nodes, after]))
        self.register_outputs({
            "name": self.name, "arn": self.arn, "endpoint": self.endpoint,
            "certificateAuthority": self.certificate_authority, "kubeconfig": self.kubeconfig,
            "oidcProviderArn": self.oidc_provider_arn, "oidcProviderUrl": self.oidc_provider_url,
            "nodeRoleArn": self.node_role_arn, "nodeGroupNames": self.node_group_names,
            "nodeSecurityGroupId": self.node_security_group_id,
            "clusterSecurityGroupId": self.cluster_security_group_id})

    def _control_plane(self, name: str, args: ClusterArgs) -> eks.Cluster:
        logs = aws.cloudwatch.LogGroup(
            f"{name}-control-plane", name=f"/aws/eks/{args.name}/cluster",
            retention_in_days=args.settings.log_retention_days, kms_key_id=args.logs_key_arn, opts=self.child())
        public = [str(network) for network in args.settings.public_access_cidrs]
        return eks.Cluster(
            name,
            # Through the log group, because `depends_on` does not reach the children of a packaged component: EKS
            # would make the group before us, or again after its deletion, without encryption and retention.
            name=logs.name.apply(lambda _: args.name),
            version=args.settings.version, vpc_id=args.vpc_id, private_subnet_ids=args.control_plane_subnet_ids,
            endpoint_private_access=True, endpoint_public_access=bool(public), public_access_cidrs=public or None,
            authentication_mode=eks.AuthenticationMode.API, access_entries=_administrators(args.settings),
            enabled_cluster_log_types=list(_LOG_TYPES), encryption_config_key_arn=args.cluster_key_arn,
            create_oidc_provider=True, skip_default_node_group=True, skip_default_security_groups=True,
            create_instance_role=False, bootstrap_self_managed_addons=False, use_default_vpc_cni=True,
            kube_proxy_addon_options=eks.KubeProxyAddonOptionsArgs(enabled=False),
            coredns_addon_options=eks.CoreDnsAddonOptionsArgs(enabled=False),
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            deletion_protection=args.deletion_protection,
            provider_credential_opts=None if args.kubeconfig_role_arn is None else eks.KubeconfigOptionsArgs(
                role_arn=args.kubeconfig_role_arn),
            opts=self.child())


def _administrators(settings: model.Cluster) -> dict[str, eks.AccessEntryArgs]:
    return {
        arn.rpartition("/")[2]: eks.AccessEntryArgs(
            principal_arn=arn, type=eks.AccessEntryType.STANDARD,
            access_policies={"administrator": eks.AccessPolicyAssociationArgs(
                policy_arn=_ADMINISTRATOR_POLICY,
                access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"))})
        for arn in settings.administrators}
