"""The cost optimiser: what it finds, what it leaves alone, and that it only ever reads."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from cost_optimizer import handler, prices
from cost_optimizer.checks import CHECKS, Check
from cost_optimizer.handler import NothingChecked, examine, message
from cost_optimizer.reads import Look, Metric
from infra.components.operations.cost_optimizer import EVERYWHERE, OF_A_KIND

pytestmark = pytest.mark.functions

LATER = datetime.now(UTC) + timedelta(days=200)  # everything that is made now is old then
ZONE = "us-east-1a"
EXEMPT = [{"Key": "CostExempt", "Value": "true"}]
OTHERS = [{"Key": "Environment", "Value": "production"}]
_READING = re.compile(r"^(Describe|List|Get)[A-Z]\w+$")


class Clients:
    """boto3's clients; which operations were called."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self._made: dict[str, Any] = {}

    def __call__(self, service: str) -> Any:
        if service not in self._made:
            client = self._made[service] = boto3.client(service)
            client.meta.events.register("provide-client-params.*", self._note)
        return self._made[service]

    def _note(self, model: Any, **_: Any) -> None:
        self.operations.append(model.name)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield Clients()


def look(clients: Any, now: datetime = LATER) -> Look:
    return Look(clients, "staging", "CostExempt", 14, 90, now)


def found(clients: Any, check: str, now: datetime = LATER) -> dict[str, float | None]:
    (one,) = [each for each in CHECKS if each.id == check]
    return {finding.resource: finding.monthly_usd for finding in one.findings(look(clients, now))}


def tagged(kind: str, tags: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": tags}]


def subnet(ec2: Any) -> str:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=ZONE)["Subnet"]["SubnetId"])


def test_volumes_that_belong_to_nothing_are_found_with_what_they_cost(clients: Clients) -> None:
    ec2 = clients("ec2")
    idle = ec2.create_volume(AvailabilityZone=ZONE, Size=100, VolumeType="gp3")["VolumeId"]
    for tags in (EXEMPT, OTHERS):
        ec2.create_volume(AvailabilityZone=ZONE, Size=100, TagSpecifications=tagged("volume", tags))
    assert found(clients, "unattached-volumes") == {idle: pytest.approx(8.0)}
    assert found(clients, "unattached-volumes", datetime.now(UTC)) == {}  # made today


def test_an_instance_that_was_stopped_long_ago_costs_its_volumes(clients: Clients) -> None:
    ec2 = clients("ec2")
    running, stopped = (each["InstanceId"] for each in ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=2, MaxCount=2, InstanceType="t3.large")["Instances"])
    ec2.stop_instances(InstanceIds=[stopped])
    size = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [stopped]}])["Volumes"][0]
    assert found(clients, "stopped-instances") == {
        stopped: pytest.approx(size["Size"] * prices.VOLUME_GB[size["VolumeType"]])}
    assert found(clients, "stopped-instances", datetime.now(UTC)) == {}
    old = ec2.create_volume(AvailabilityZone=ZONE, Size=50, VolumeType="gp2")["VolumeId"]
    ec2.attach_volume(VolumeId=old, InstanceId=running, Device="/dev/sdf")
    assert found(clients, "previous-generation-volumes")[old] == pytest.approx(1.0)


def test_addresses_and_interfaces_that_belong_to_nothing_are_found(clients: Clients) -> None:
    ec2 = clients("ec2")
    idle = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip", EXEMPT))
    interface = ec2.create_network_interface(SubnetId=subnet(ec2))["NetworkInterface"]["NetworkInterfaceId"]
    assert found(clients, "unattached-addresses") == {idle: pytest.approx(3.65)}
    assert found(clients, "unattached-interfaces") == {interface: 0.0}


def test_old_snapshots_are_found_unless_an_image_or_a_backup_plan_needs_them(clients: Clients) -> None:
    ec2 = clients("ec2")
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=40)["VolumeId"]
    old = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.create_snapshot(VolumeId=volume, TagSpecifications=tagged("snapshot", [
        {"Key": "aws:backup:source-resource", "Value": "x"}]))
    used = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.register_image(Name="image", BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": used}}])
    result = found(clients, "old-snapshots")
    assert result[old] == pytest.approx(2.0)
    assert used not in result or not any(  # moto's images forget their snapshots
        mapping.get("Ebs", {}).get("SnapshotId") == used for image in ec2.describe_images(Owners=["self"])["Images"]
        for mapping in image["BlockDeviceMappings"])
    assert found(clients, "old-snapshots", datetime.now(UTC) + timedelta(days=80)) == {}


def test_load_balancers_and_gateways_without_traffic_are_found(clients: Clients) -> None:
    ec2, elb = clients("ec2"), clients("elbv2")
    place = subnet(ec2)
    idle, busy = (elb.create_load_balancer(Name=name, Subnets=[place], Type="network")["LoadBalancers"][0]
                  for name in ("idle", "busy"))
    gateways = [ec2.create_nat_gateway(SubnetId=place, AllocationId=ec2.allocate_address()["AllocationId"])
                ["NatGateway"]["NatGatewayId"] for _ in range(2)]
    busy_name = busy["LoadBalancerArn"].partition(":loadbalancer/")[2]
    for namespace, name, dimension, of, value in (
            ("AWS/NetworkELB", "ProcessedBytes", "LoadBalancer", busy_name, 5.0),
            ("AWS/NATGateway", "BytesOutToDestination", "NatGatewayId", gateways[1], 5e9)):
        clients("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[{
            "MetricName": name, "Timestamp": LATER - timedelta(days=2), "Value": value,
            "Dimensions": [{"Name": dimension, "Value": of}]}])
    assert found(clients, "idle-load-balancers") == {idle["LoadBalancerName"]: pytest.approx(16.425)}
    assert found(clients, "idle-nat-gateways") == {gateways[0]: pytest.approx(32.85)}


def test_log_groups_that_keep_for_ever_are_found(clients: Clients) -> None:
    logs = clients("logs")
    for name, tags in (("kept", {}), ("limited", {}), ("exempt", {"CostExempt": "yes"})):
        logs.create_log_group(logGroupName=name, tags=tags)
    logs.put_retention_policy(logGroupName="limited", retentionInDays=30)
    assert found(clients, "logs-without-retention") == {"kept": 0.0}


def test_images_that_nobody_pulls_are_counted_by_repository(clients: Clients) -> None:
    ecr = clients("ecr")
    ecr.create_repository(repositoryName="web")
    ecr.create_repository(repositoryName="kept", tags=EXEMPT)
    for repository in ("web", "kept"):
        for tag in ("a", "b"):
            ecr.put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(
                {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "tag": tag}))
    assert list(found(clients, "old-images")) == ["web"]
    assert found(clients, "old-images", datetime.now(UTC)) == {}


@pytest.mark.parametrize(("peak", "expected"), [(12.0, {"db": pytest.approx(0.065 * 730)}), (60.0, {}), (None, {})])
def test_a_database_that_never_works_hard_is_oversized(clients: Clients, peak: float | None,
                                                       expected: dict[str, float]) -> None:
    clients("rds").create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t4g.medium", Engine="postgres", AllocatedStorage=20,
        MasterUsername="u", MasterUserPassword="p" * 12, MultiAZ=True)
    if peak is not None:
        clients("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=[
            {"MetricName": "CPUUtilization", "Timestamp": LATER - timedelta(days=day), "Value": value,
             "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "db"}]} for day, value in ((1, peak), (5, 3.0))])
    assert found(clients, "oversized-databases") == expected


@pytest.mark.parametrize(("memory", "expected"), [(5.0, {"c": pytest.approx(0.032 * 365)}), (80.0, {})])
def test_a_cache_is_oversized_only_when_memory_is_free_too(memory: float, expected: dict[str, float]) -> None:
    answers = {"describe_cache_clusters": {"CacheClusters": [{
        "CacheClusterId": "c", "ARN": "arn", "CacheNodeType": "cache.t4g.small",
        "CacheClusterCreateTime": LATER - timedelta(days=60)}]}, "list_tags_for_resource": {"TagList": []},
        "get_metric_data": {"EngineCPUUtilization": 4.0, "DatabaseMemoryUsagePercentage": memory}}
    assert found(lambda service: Canned(answers), "oversized-caches") == expected


class Canned:
    """A client with ready answers; metrics by their names, half of them on a second page."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = answers

    def get_paginator(self, operation: str) -> Any:
        answers = self._answers[operation]

        class Pages:
            def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
                if operation != "get_metric_data":
                    yield from answers if isinstance(answers, list) else [answers]
                    return
                for query in arguments["MetricDataQueries"]:
                    value = answers[query["MetricStat"]["Metric"]["MetricName"]]
                    yield {"MetricDataResults": [{"Id": query["Id"], "Values": [value]}]}
                    yield {"MetricDataResults": [{"Id": query["Id"], "Values": [value]}]}

        return Pages()

    def __getattr__(self, operation: str) -> Any:
        return lambda **arguments: self._answers[operation]


def test_every_page_is_read() -> None:
    volume = {"Size": 1, "VolumeType": "gp3", "CreateTime": LATER - timedelta(days=100)}
    pages = [{"Volumes": [volume | {"VolumeId": f"v{page}{index}"} for index in range(3)]} for page in range(4)]
    assert len(found(lambda service: Canned({"describe_volumes": pages}), "unattached-volumes")) == 12


def test_sums_add_up_over_pages_and_maxima_do_not() -> None:
    canned = look(lambda service: Canned({"get_metric_data": {"a": 2.0, "b": 3.0}}))
    assert canned.sums([Metric("n", "a", {}), Metric("n", "b", {}, "Maximum")] * 300)[-2:] == [4.0, 3.0]


@pytest.mark.parametrize(("tags", "ours"), [
    ({}, True), ({"Environment": "staging"}, True), ({"Environment": "production"}, False),
    ({"CostExempt": "yes"}, False), ({"CostExempt": "false"}, True), ({"CostExempt": "2020-01-01"}, True),
    ({"CostExempt": "2999-01-01"}, False)])
def test_tags_say_whose_a_resource_is_and_until_when_it_is_exempt(tags: dict[str, str], ours: bool) -> None:
    assert look(None).ours(tags) is ours


@pytest.mark.parametrize(("words", "raised"), [
    ("with an explicit deny in a permissions boundary", False), ("because no policy allows it", True)])
def test_what_the_boundary_denies_is_another_environments(words: str, raised: bool) -> None:
    error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": words}}, "ListTagsForResource")

    class Denied:
        def list_tags_for_resource(self, **resource: str) -> None:
            raise error

    seen = look(lambda service: Denied())
    if raised:
        with pytest.raises(ClientError):
            seen.tags("ecr", "tags", resourceArn="arn")
    else:
        assert not seen.ours(seen.tags("ecr", "tags", resourceArn="arn"))


def test_a_check_that_fails_is_named_and_stops_no_other(clients: Clients) -> None:
    idle = clients("ec2").create_volume(AvailabilityZone=ZONE, Size=10, VolumeType="gp3")["VolumeId"]

    def refuse(look: Look) -> Iterator[tuple[str, str, float | None]]:
        raise PermissionError("AccessDenied")
        yield

    report = examine(look(clients), [Check("broken", refuse), *CHECKS])
    assert report["failed"].keys() >= {"broken"}
    assert [each["resource"] for each in report["findings"]] == [idle]
    assert report["monthlyUsd"] == 0.8
    text = message(report)["candlefish"]
    assert "1 findings, up to $0.80 a month" in text["title"]
    assert "Not checked: broken (PermissionError: AccessDenied)" in text["text"]
    with pytest.raises(NothingChecked, match="broken"):
        examine(look(clients), [Check("broken", refuse)])


def test_the_largest_savings_come_first_and_the_rest_is_counted() -> None:
    findings = [{"resource": f"r{number}", "reason": "idle", "monthly_usd": None if number else 5.0}
                for number in range(14)]
    text = message({"findings": findings, "failed": {}, "monthlyUsd": 5.0, "environment": "e", "at": "t"})["candlefish"]
    lines = text["text"].splitlines()
    assert (lines[0], lines[-1]) == ("r0: idle ($5.00)", "and 4 more, in the function's log")
    assert "r1: idle (price unknown)" in lines


def test_it_only_reads_and_its_role_allows_nothing_else(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = clients("sns").create_topic(Name="alerts")["TopicArn"]
    monkeypatch.setattr(handler, "_client", clients)
    for name, value in {"TOPIC_ARN": topic, "ENVIRONMENT": "staging", "IDLE_DAYS": "14", "SNAPSHOT_DAYS": "90",
                        "EXEMPT_TAG": "CostExempt"}.items():
        monkeypatch.setenv(name, value)
    clients("ec2").allocate_address(Domain="vpc")
    clients("ec2").create_volume(AvailabilityZone=ZONE, Size=10)
    clients.operations.clear()
    report = handler.handle({}, None)
    assert report["failed"] == {}
    assert report["findings"]
    assert [operation for operation in clients.operations if not _READING.match(operation)] == ["Publish"]
    allowed = {action.partition(":")[2] for actions in (EVERYWHERE, *OF_A_KIND.values()) for action in actions}
    assert all(_READING.match(action) for action in allowed)
    needed = {operation for operation in clients.operations if operation != "Publish"}
    assert needed <= allowed
