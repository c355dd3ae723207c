"""An EKS cluster: as the packaged component makes it, and what hangs on a cluster."""

import pulumi

from tests.faults.programs.raw import aws, kept, network, role, step, tags

vpc, subnets = network("cluster")
ids = [subnet.id for subnet in subnets]


class Packaged(pulumi.ComponentResource):
    eksCluster: pulumi.Output[dict]

    def __init__(self, name: str, inputs: dict[str, object]) -> None:
        super().__init__("eks:index:Cluster", name, {"eksCluster": None, **inputs}, remote=True)


service = role("service", "eks.amazonaws.com")
nodes = role("nodes", "ec2.amazonaws.com")
main = Packaged("main", {
    "name": "faults", "version": "1.34", "vpcId": vpc.id, "subnetIds": ids, "skipDefaultNodeGroup": True,
    "authenticationMode": "API", "createOidcProvider": True, "serviceRole": service, "tags": tags(),
    "corednsAddonOptions": {"enabled": False}, "kubeProxyAddonOptions": {"enabled": False}, "useDefaultVpcCni": True,
    "endpointPrivateAccess": True, "endpointPublicAccess": step(True, False)})
on = pulumi.ResourceOptions(depends_on=[main])
aws("eks/nodeGroup:NodeGroup", "general", {
    "clusterName": "faults", "nodeRoleArn": nodes.arn, "subnetIds": ids, "instanceTypes": ["t3.large"],
    "scalingConfig": {"minSize": step(1, 2), "maxSize": 3, "desiredSize": 2}, "labels": {"pool": step("a", "b")},
    "tags": tags()}, opts=on)
aws("eks/addon:Addon", "identity", {
    "clusterName": "faults", "addonName": "eks-pod-identity-agent", "resolveConflictsOnCreate": "OVERWRITE",
    "resolveConflictsOnUpdate": "OVERWRITE", "tags": tags()}, opts=on)
if kept():
    entry = aws("eks/accessEntry:AccessEntry", "nodes", {
        "clusterName": "faults", "principalArn": nodes.arn, "type": "STANDARD",
        "kubernetesGroups": [step("readers", "operators")], "tags": tags()}, opts=on)
    aws("eks/accessPolicyAssociation:AccessPolicyAssociation", "nodes", {
        "clusterName": "faults", "principalArn": nodes.arn,
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        "accessScope": {"type": "namespace", "namespaces": [step("one", "two")]}},
        opts=pulumi.ResourceOptions(depends_on=[main, entry]))
    aws("eks/podIdentityAssociation:PodIdentityAssociation", "jobs", {
        "clusterName": "faults", "namespace": "jobs", "serviceAccount": "jobs",
        "roleArn": step(nodes.arn, service.arn), "tags": tags()}, opts=on)
