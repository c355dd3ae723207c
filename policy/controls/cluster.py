"""EKS and its nodes."""

from __future__ import annotations

from policy.model import Resource, control, listed, says

CLUSTER = "aws:eks/cluster:Cluster"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
LOGS = {"api", "audit", "authenticator", "controllerManager", "scheduler"}
OLDEST = (1, 33)  # EKS.2's parameter oldestVersionSupported
CLOSED = "set endpoint_public_access=False; operators come through the VPC"


def _not_for_everybody(cluster: Resource) -> object:
    if cluster.at("vpcConfig.endpointPublicAccess") in (False, "false"):
        return True
    allowed = listed(cluster.at("vpcConfig.publicAccessCidrs"))
    return allowed and not {"0.0.0.0/0", "::/0"} & {*allowed}


def _encrypted(cluster: Resource) -> object:
    return cluster.at("encryptionConfig.provider.keyArn") and "secrets" in listed(
        cluster.at("encryptionConfig.resources"))


def _supported(cluster: Resource) -> object:
    version = cluster.at("version")
    return version and tuple(int(part) for part in str(version).split(".")) >= OLDEST


CONTROLS = (
    control("CKV_AWS_39 EKS.1", "private endpoint", CLUSTER, says("vpcConfig.endpointPublicAccess", False), CLOSED),
    control("CKV_AWS_38", "endpoint never open to everybody", CLUSTER, _not_for_everybody, CLOSED, frozenset()),
    control("CKV_AWS_58 EKS.3", "secrets encrypted with KMS", CLUSTER, _encrypted,
            "give encryption_config with a key and resources=['secrets']"),
    control("CKV_AWS_37 EKS.8", "all control-plane logs", CLUSTER,
            lambda cluster: {*listed(cluster.at("enabledClusterLogTypes"))} >= LOGS,
            f"enable {', '.join(sorted(LOGS))}"),
    control("CKV_AWS_339 EKS.2", "supported version", CLUSTER, _supported,
            f"upgrade to {'.'.join(map(str, OLDEST))} or later"),
    control("CKV_AWS_79 EC2.170", "instance metadata version 2 only", TEMPLATE,
            says("metadataOptions.httpTokens", "required"), "set metadata_options.http_tokens='required'"),
    control("CKV_AWS_341", "metadata not reachable from containers", TEMPLATE,
            says("metadataOptions.httpPutResponseHopLimit", 1), "set metadata_options.http_put_response_hop_limit=1"),
)
