"""Parts of pulumi-eks's Cluster: service roles, security groups, the CNI add-on, the kubeconfig."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.aws.services.eks_cluster_values import Family, compact, lift, merged
from rehearsal.engine.provider import ProviderError, Registered
from rehearsal.engine.values import Properties

MANAGED = "arn:aws:iam::aws:policy/"


@dataclass(frozen=True)
class ServiceRole:
    role: Registered
    attachments: tuple[Registered, ...]

    @property
    def everything(self) -> tuple[Registered, ...]:
        return (self.role, *self.attachments)


def service_role(family: Family, name: str, service: str, policies: Sequence[str], *, description: str | None = None,
                 actions: Sequence[str] = ("sts:AssumeRole",), tags: Any = None) -> ServiceRole:
    """eks:index:ServiceRole: the role, and an attachment a policy, named by the policy's hash."""
    component = family.child("eks:index:ServiceRole", name, {}, custom=False)
    document = {"Version": "2012-10-17", "Statement": [
        {"Action": list(actions), "Effect": "Allow", "Principal": {"Service": [service]}}]}
    role = family.child("aws:iam/role:Role", f"{name}-role", {
        "description": description, "assumeRolePolicy": compact(document), "tags": tags}, parent=component.urn)
    attachments = tuple(
        family.child("aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                     f"{name}-{hashlib.sha1((MANAGED + policy).encode()).hexdigest()[:8]}",
                     {"policyArn": MANAGED + policy, "role": family.output(role, "name")},
                     parent=component.urn, after=[role])
        for policy in policies)
    return ServiceRole(role, attachments)


def cluster_security_group(family: Family, name: str, inputs: Properties) -> Registered:
    group = family.child("aws:ec2/securityGroup:SecurityGroup", f"{name}-eksClusterSecurityGroup", {
        "vpcId": inputs["vpcId"], "revokeRulesOnDelete": True,
        "tags": merged({"Name": f"{name}-eksClusterSecurityGroup"}, inputs.get("clusterSecurityGroupTags"),
                       inputs.get("tags"))})
    _rule(family, f"{name}-eksClusterInternetEgressRule", [group], {
        "description": "Allow internet access.", "type": "egress", "fromPort": 0, "toPort": 0, "protocol": "-1",
        "cidrBlocks": ["0.0.0.0/0"], "securityGroupId": group.id})
    return group


def node_security_group(family: Family, name: str, inputs: Properties, cluster: Registered, cluster_group: Any,
                        cluster_group_made: Sequence[Registered]) -> tuple[Registered, Registered]:
    """The nodes' group and the rule that lets them reach the API server."""
    owned = lift(lambda cluster_name: {f"kubernetes.io/cluster/{cluster_name}": "owned"},
                 family.output(cluster, "name"))
    group = family.child("aws:ec2/securityGroup:SecurityGroup", f"{name}-nodeSecurityGroup", {
        "vpcId": inputs["vpcId"], "revokeRulesOnDelete": True,
        "tags": merged({"Name": f"{name}-nodeSecurityGroup"}, owned, inputs.get("nodeSecurityGroupTags"),
                       inputs.get("tags"))}, after=[cluster])
    both = [group, *cluster_group_made]
    _rule(family, f"{name}-eksNodeIngressRule", [group], {
        "description": "Allow nodes to communicate with each other", "type": "ingress", "fromPort": 0, "toPort": 0,
        "protocol": "-1", "securityGroupId": group.id, "self": True})
    _rule(family, f"{name}-eksNodeClusterIngressRule", both, {
        "description": "Allow worker Kubelets and pods to receive communication from the cluster control plane",
        "type": "ingress", "fromPort": 1025, "toPort": 65535, "protocol": "tcp", "securityGroupId": group.id,
        "sourceSecurityGroupId": cluster_group})
    _rule(family, f"{name}-eksExtApiServerClusterIngressRule", both, {
        "description": "Allow pods running extension API servers on port 443 to receive communication from cluster "
                       "control plane",
        "type": "ingress", "fromPort": 443, "toPort": 443, "protocol": "tcp", "securityGroupId": group.id,
        "sourceSecurityGroupId": cluster_group})
    _rule(family, f"{name}-eksNodeInternetEgressRule", [group], {
        "description": "Allow internet access.", "type": "egress", "fromPort": 0, "toPort": 0, "protocol": "-1",
        "cidrBlocks": ["0.0.0.0/0"], "securityGroupId": group.id})
    ingress = _rule(family, f"{name}-eksClusterIngressRule", both, {
        "description": "Allow pods to communicate with the cluster API Server", "type": "ingress", "fromPort": 443,
        "toPort": 443, "protocol": "tcp", "securityGroupId": cluster_group, "sourceSecurityGroupId": group.id})
    return group, ingress


def _rule(family: Family, name: str, after: Iterable[Registered], inputs: Mapping[str, Any]) -> Registered:
    return family.child("aws:ec2/securityGroupRule:SecurityGroupRule", name, inputs, after=after)


# Option → environment variable of the CNI's container; with what it is when the option is not set, or None: left out.
_ENVIRONMENT: Sequence[tuple[str, str, str | None]] = (
    ("nodePortSupport", "AWS_VPC_CNI_NODE_PORT_SUPPORT", None),
    ("customNetworkConfig", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", None),
    ("warmEniTarget", "WARM_ENI_TARGET", "1"),
    ("warmIpTarget", "WARM_IP_TARGET", None),
    ("warmPrefixTarget", "WARM_PREFIX_TARGET", None),
    ("enablePrefixDelegation", "ENABLE_PREFIX_DELEGATION", None),
    ("logLevel", "AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"),
    ("logFile", "AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"),
    ("vethPrefix", "AWS_VPC_K8S_CNI_VETHPREFIX", "eni"),
    ("eniMtu", "AWS_VPC_ENI_MTU", "9001"),
    ("eniConfigLabelDef", "ENI_CONFIG_LABEL_DEF", None),
    ("pluginLogLevel", "AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"),
    ("pluginLogFile", "AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"),
    ("enablePodEni", "ENABLE_POD_ENI", "false"),
    ("cniConfigureRpfilter", "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER", None),
    ("cniCustomNetworkCfg", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),
)


_CONFIGURING = frozenset({*(option for option, _, _ in _ENVIRONMENT), "cniExternalSnat", "externalSnat",
                          "disableTcpEarlyDemux", "configurationValues", "enableNetworkPolicy"})


def cni_configuration(options: Mapping[str, Any]) -> Any:
    """The add-on's configurationValues as text, with sorted keys."""
    return lift(_cni_configuration, {name: value for name, value in options.items() if name in _CONFIGURING})


def _cni_configuration(options: Mapping[str, Any]) -> str:
    env = {}
    for option, variable, default in _ENVIRONMENT:
        if options.get(option):
            env[variable] = _text(options[option])
        elif default is not None:
            env[variable] = default
    if options.get("cniExternalSnat") and options.get("externalSnat"):
        raise ProviderError("vpcCniOptions: give one of cniExternalSnat and externalSnat")
    env["AWS_VPC_K8S_CNI_EXTERNALSNAT"] = _text(bool(options.get("externalSnat") or options.get("cniExternalSnat")))
    initial = {"DISABLE_TCP_EARLY_DEMUX": _text(bool(options.get("disableTcpEarlyDemux")))}
    values: dict[str, Any] = dict(options.get("configurationValues") or {})
    if options.get("enableNetworkPolicy") is not None:
        values.setdefault("enableNetworkPolicy", _text(options["enableNetworkPolicy"]))
    values["env"] = {**env, **(values.get("env") or {})}
    init = values.get("init") or {}
    values["init"] = {**init, "env": {**initial, **(init.get("env") or {})}}
    return sorted_json(values)


def sorted_json(values: Any) -> str:
    return json.dumps(values, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def kubeconfig(cluster: str, arn: str, endpoint: str, authority: str, options: Mapping[str, Any] | None,
               *, with_profile: bool) -> Properties:
    """A kubeconfig that gets its token from `aws eks get-token`."""
    arguments = ["--region", arn.split(":")[3], "eks", "get-token", "--cluster-name", cluster, "--output", "json"]
    options = options or {}
    if options.get("roleArn"):
        arguments += ["--role", options["roleArn"]]
    if with_profile and options.get("profileName"):
        arguments += ["--profile", options["profileName"]]
    return {
        "apiVersion": "v1",
        "clusters": [{"cluster": {"server": endpoint, "certificate-authority-data": authority}, "name": "kubernetes"}],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": arguments,
            "env": [{"name": "KUBERNETES_EXEC_INFO",
                     "value": '{"apiVersion": "client.authentication.k8s.io/v1beta1"}'}]}}}],
    }
