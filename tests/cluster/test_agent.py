"""The agent's process: found again, started anew after a kill, gone when stopped; and with the emulated AWS."""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from kube.client import Client, Object
from rehearsal.aws.servers import Aws as Emulators
from rehearsal.kubernetes.agent import Agent, AgentError, Wanted
from rehearsal.kubernetes.controllers.aws import Aws
from rehearsal.kubernetes.controlplane import Running
from tests.cluster.agent_world import (
    World,
    condition,
    container,
    deployment,
    ingress,
    service,
    weighted,
)
from tests.eventually import eventually

pytestmark = pytest.mark.cluster

ACCOUNT, REGION, CLUSTER = "000000000001", "us-east-1", "agent-test"


def wanted(cluster: Running, **more: Any) -> Wanted:
    return Wanted(kubeconfig=cluster.kubeconfig, cluster=CLUSTER, account=ACCOUNT, region=REGION,
                  authority=cluster.home / "pki", backoff_seconds=1.0, **more)


def test_a_killed_agent_is_started_again_on_the_same_ports_and_its_pods_come_back(
        cluster: Running, client: Client, namespace: str, tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text("[]")
    agent = Agent(tmp_path / "home")
    first = agent.ensure(wanted(cluster, node_groups=groups))
    try:
        with httpx.Client(trust_env=False, timeout=10) as http:
            world = World(first, client, groups, http)
            world.scale_nodes(2)
            world.apply(deployment(namespace, "site", 3, container()))
            world.available(namespace, "site", 3)
            assert agent.ensure(wanted(cluster, node_groups=groups)).pid == first.pid
            family = psutil.Process(first.pid).children(recursive=True)
            os.kill(first.pid, signal.SIGKILL)
            _, left = psutil.wait_procs(family, timeout=10)
            assert not left  # no stand-in outlives its agent
            again = agent.ensure(wanted(cluster, node_groups=groups))
            assert again.pid != first.pid
            assert again.front_door_url == first.front_door_url
            eventually("the pods restarted", lambda: [
                each["status"]["containerStatuses"][0]["restartCount"] for each in world.pods(namespace)
                if condition(each, "Ready") == "True"] == [1, 1, 1])
            assert len(world.nodes()) == 2
            family = psutil.Process(again.pid).children(recursive=True)
            agent.stop()
            assert agent.running() is None
            assert not psutil.wait_procs(family, timeout=10)[1]
            registered = client.list("apiregistration.k8s.io/v1", "APIService")
            assert "v1beta1.metrics.k8s.io" not in {each["metadata"]["name"] for each in registered}
    finally:
        agent.stop()
        for node in client.list("v1", "Node"):
            client.delete("v1", "Node", node["metadata"]["name"])


def test_a_cluster_without_a_source_of_nodes_is_refused(cluster: Running, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="one of --aws-endpoint and --node-groups"):
        Agent(tmp_path / "home").ensure(wanted(cluster))


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    """An account with a VPC over three zones, an EKS cluster, a node group of two, a secret."""
    emulators = Emulators(tmp_path / "aws")
    made = Aws(emulators.ensure().url, ACCOUNT, REGION)
    try:
        ec2, eks = made.client("ec2"), made.client("eks")
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.20.{at * 16}.0/20", AvailabilityZone=f"us-east-1{zone}",
            TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": "kubernetes.io/role/elb", "Value": "1"}]}],
        )["Subnet"]["SubnetId"] for at, zone in enumerate("abc")]
        role = made.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": []}))["Role"]["Arn"]
        eks.create_cluster(name=CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
        eks.create_nodegroup(clusterName=CLUSTER, nodegroupName="general", subnets=subnets, nodeRole=role,
                             instanceTypes=["t4g.medium"], capacityType="SPOT",
                             scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 2})
        made.client("secretsmanager").create_secret(
            Name="database", SecretString=json.dumps({"username": "app", "password": "a b"}))
        yield made
    finally:
        emulators.stop()


def definition(plural: str, kind: str, scope: str, group: str = "external-secrets.io", version: str = "v1") -> Object:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": scope,
                     "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
                     "versions": [{"name": version, "served": True, "storage": True, "subresources": {"status": {}},
                                   "schema": schema}]}}


DEFINITIONS = (definition("externalsecrets", "ExternalSecret", "Namespaced"),
               definition("clustersecretstores", "ClusterSecretStore", "Cluster"),
               definition("targetgroupbindings", "TargetGroupBinding", "Namespaced", "elbv2.k8s.aws", "v1beta1"))


def test_nodes_load_balancer_metrics_and_secrets_follow_the_emulated_aws(
        cluster: Running, client: Client, namespace: str, tmp_path: Path, aws: Aws) -> None:
    agent = Agent(tmp_path / "home")
    running = agent.ensure(wanted(cluster, aws_endpoint=aws.endpoint, metrics_period_seconds=1.0))
    try:
        with httpx.Client(trust_env=False, timeout=10) as http:
            world = World(running, client, tmp_path, http)
            eventually("two nodes", lambda: len(world.ready_nodes()) == 2)
            nodes = world.ready_nodes()
            assert {node["metadata"]["labels"]["kubernetes.io/arch"] for node in nodes} == {"arm64"}
            assert {node["metadata"]["labels"]["eks.amazonaws.com/capacityType"] for node in nodes} == {"SPOT"}
            _secrets(world, namespace)
            _load_balancer(world, namespace, aws)
    finally:
        agent.stop()
        for each in DEFINITIONS:
            client.delete(each["apiVersion"], each["kind"], each["metadata"]["name"])
        for node in client.list("v1", "Node"):
            client.delete("v1", "Node", node["metadata"]["name"])


def _secrets(world: World, namespace: str) -> None:
    world.apply(*DEFINITIONS)
    for each in DEFINITIONS:
        eventually("the definition", lambda each=each: condition(world.client.get(  # type: ignore[misc]
            each["apiVersion"], each["kind"], each["metadata"]["name"]), "Established") == "True")
    world.client.forget_types()
    world.apply(
        {"apiVersion": "external-secrets.io/v1", "kind": "ClusterSecretStore", "metadata": {"name": "aws"},
         "spec": {"provider": {"aws": {"service": "SecretsManager", "region": REGION}}}},
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
         "metadata": {"name": "database", "namespace": namespace},
         "spec": {"refreshInterval": "1h", "secretStoreRef": {"name": "aws", "kind": "ClusterSecretStore"},
                  "target": {"name": "database-url", "template": {"data": {
                      "url": "postgres://{{ .username }}:{{ .password | urlquery }}@db/app"}}},
                  "dataFrom": [{"extract": {"key": "database"}}]}},
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret",
         "metadata": {"name": "absent", "namespace": namespace},
         "spec": {"secretStoreRef": {"name": "aws", "kind": "ClusterSecretStore"},
                  "data": [{"secretKey": "x", "remoteRef": {"key": "nowhere"}}]}})
    eventually("the secret synced", lambda: condition(world.client.get(
        "external-secrets.io/v1", "ExternalSecret", "database", namespace), "Ready") == "True")
    secret = world.client.get("v1", "Secret", "database-url", namespace)
    assert base64.b64decode(secret["data"]["url"]).decode() == "postgres://app:a%20b@db/app"
    assert secret["metadata"]["ownerReferences"][0]["kind"] == "ExternalSecret"
    eventually("the error shown", lambda: condition(world.client.get(
        "external-secrets.io/v1", "ExternalSecret", "absent", namespace), "Ready") == "False")


def _load_balancer(world: World, namespace: str, aws: Aws) -> None:
    elb, cloudwatch = aws.client("elbv2"), aws.client("cloudwatch")
    world.apply(service(namespace, "site-blue", {"app": "site"}), deployment(namespace, "site", 2, container()),
                ingress(namespace, "site", "site.test", {"actions.site": weighted(site_blue=100)}, ("/", "site")))
    world.available(namespace, "site", 2)
    balancer = eventually("the load balancer", lambda: elb.describe_load_balancers()["LoadBalancers"])[0]
    assert len(balancer["AvailabilityZones"]) == 3
    group = eventually("the target group", lambda: elb.describe_target_groups()["TargetGroups"])[0]
    tags = {tag["Key"]: tag["Value"] for tag in elb.describe_tags(
        ResourceArns=[group["TargetGroupArn"]])["TagDescriptions"][0]["Tags"]}
    assert tags == {"elbv2.k8s.aws/cluster": CLUSTER, "ingress.k8s.aws/stack": f"{namespace}/site",
                    "ingress.k8s.aws/resource": f"{namespace}/site-site-blue:80"}
    addresses = {each["status"]["podIP"] for each in world.pods(namespace, "app=site")}
    eventually("the pods registered", lambda: {
        each["Target"]["Id"] for each in elb.describe_target_health(
            TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]} == addresses)
    status = eventually("the status", lambda: world.client.get(
        "networking.k8s.io/v1", "Ingress", "site", namespace)["status"].get("loadBalancer"))
    assert status["ingress"] == [{"hostname": balancer["DNSName"]}]
    assert world.get("site.test").status_code == 200
    names = {"RequestCount", "HTTPCode_Target_2XX_Count", "TargetResponseTime", "HealthyHostCount"}
    eventually("the metrics", lambda: names <= {
        each["MetricName"] for each in cloudwatch.list_metrics(Namespace="AWS/ApplicationELB")["Metrics"]})
    _bound_target_group(world, namespace, aws)
    world.client.delete("networking.k8s.io/v1", "Ingress", "site", namespace)
    eventually("the ingress gone", lambda: not world.client.list("networking.k8s.io/v1", "Ingress", namespace))
    assert not elb.describe_load_balancers()["LoadBalancers"]
    assert [each["TargetGroupName"] for each in elb.describe_target_groups()["TargetGroups"]] == ["program"]
    assert {each["GroupName"] for each in aws.client("ec2").describe_security_groups()["SecurityGroups"]} == {"default"}


def _bound_target_group(world: World, namespace: str, aws: Aws) -> None:
    """A target group of the program's own, bound to a Service, takes the traffic and survives the Ingress."""
    elb = aws.client("elbv2")
    vpc = elb.describe_target_groups()["TargetGroups"][0]["VpcId"]
    arn = elb.create_target_group(Name="program", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip",
                                  HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
    world.apply({"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding",
                 "metadata": {"name": "program", "namespace": namespace},
                 "spec": {"serviceRef": {"name": "site-blue", "port": 80}, "targetGroupARN": arn, "targetType": "ip"}})
    action = json.dumps({"type": "forward", "forwardConfig": {"targetGroups": [{"targetGroupARN": arn, "weight": 1}]}})
    world.client.patch("networking.k8s.io/v1", "Ingress", "site", namespace, {"metadata": {"annotations": {
        "alb.ingress.kubernetes.io/actions.site": action}}})
    eventually("its targets healthy", lambda: set((world.state()["loadBalancers"][f"{namespace}/site"]["targetGroups"]
               .get(arn) or {"targets": {"": ""}})["targets"].values()) == {"healthy"})
    assert world.get("site.test").status_code == 200
    eventually("its targets registered", lambda: len(
        elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]) == 2)
