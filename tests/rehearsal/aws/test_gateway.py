"""The gateway as SDKs see it: routing, accounts, bodies, errors, replay."""

from __future__ import annotations

import base64
import datetime
import json
import urllib.parse
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal import faults

pytestmark = pytest.mark.rehearsal

MIB = 1024 * 1024


@pytest.fixture
def plan() -> Any:
    yield faults.activate
    faults.activate(None)


def test_both_emulators_agree_on_the_account_of_a_numeric_access_key(aws: Any) -> None:
    assert aws.client("sts").get_caller_identity()["Account"] == aws.account
    assert aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["OwnerId"] == aws.account


def test_any_other_access_key_is_the_default_account_on_both(aws: Any) -> None:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    assert session.client("sts", endpoint_url=aws.endpoint.url).get_caller_identity()["Account"] == "000000000000"
    vpcs = session.client("ec2", endpoint_url=aws.endpoint.url).describe_vpcs()["Vpcs"]
    assert {vpc["OwnerId"] for vpc in vpcs} == {"000000000000"}


def test_an_assumed_role_acts_in_the_account_of_the_role_on_both(aws: Any) -> None:
    role = f"arn:aws:iam::{aws.account}:role/deploy"
    keys = aws.client("sts", account="999999999999").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    vpcs = session.client("ec2", endpoint_url=aws.endpoint.url).describe_vpcs()["Vpcs"]
    assert {vpc["OwnerId"] for vpc in vpcs} == {aws.account}
    assert session.client("sts", endpoint_url=aws.endpoint.url).get_caller_identity()["Account"] == aws.account


def test_regions_do_not_see_each_others_resources(aws: Any) -> None:
    aws.client("sqs", region="us-west-2").create_queue(QueueName="west")
    assert not aws.client("sqs").list_queues().get("QueueUrls")


def test_thirty_mebibytes_go_in_and_come_out_of_a_bucket(aws: Any) -> None:
    s3, body = aws.client("s3"), b"0123456789abcdef" * (30 * MIB // 16)
    s3.create_bucket(Bucket=f"large-{aws.account}")
    s3.put_object(Bucket=f"large-{aws.account}", Key="k", Body=body)
    assert s3.get_object(Bucket=f"large-{aws.account}", Key="k")["Body"].read() == body


@pytest.mark.parametrize("size", [5, 6 * MIB])
def test_an_upload_with_a_trailing_checksum_keeps_its_content(aws: Any, size: int) -> None:
    s3, bucket = _own(aws, "s3", request_checksum_calculation="when_supported"), f"trailer-{aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size, ChecksumAlgorithm="CRC32")
    assert len(s3.get_object(Bucket=bucket, Key="k")["Body"].read()) == size


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_reads_in_the_account_that_signed_it(aws: Any, version: str) -> None:
    s3, bucket = _own(aws, "s3", signature_version=version), f"presigned-{aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.read() == b"content"


@pytest.mark.parametrize(("service", "operation", "parameters"), [
    ("ec2", "describe_capacity_block_offerings", {"CapacityDurationHours": 24}),  # moto, EC2 protocol
    ("securityhub", "list_automation_rules", {}),  # moto, REST: an HTML page
    ("iam", "list_service_specific_credentials", {}),  # MiniStack, query protocol
    ("sqs", "list_message_move_tasks", {"SourceArn": "arn:aws:sqs:us-east-1:1:q"}),  # MiniStack, JSON
    ("eks", "list_insights", {"clusterName": "c"}),  # MiniStack, REST
])
def test_an_unimplemented_operation_is_one_clear_error_that_nobody_retries(
        aws: Any, service: str, operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(aws.client(service), operation)(**parameters)
    response = caught.value.response
    assert response["Error"]["Code"] == "NotImplementedByRehearsal"
    assert "does not implement" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_call_that_comes_twice_takes_effect_once_and_gets_the_same_answer(aws: Any) -> None:
    made = [aws.call("aws:ec2/vpc:Vpc", operation=f"again-{aws.account}").client("ec2")
            .create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"] for _ in range(2)]
    assert made[0] == made[1]


def test_the_repeated_call_has_the_same_idempotency_token(aws: Any) -> None:
    """NAT gateways carry a client token that botocore would draw anew."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.0.0/24")["Subnet"]["SubnetId"]
    made = [aws.call("aws:ec2/natGateway:NatGateway", operation=f"nat-{aws.account}").client("ec2")
            .create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
            for _ in range(2)]
    assert made[0] == made[1]


def test_another_call_with_the_same_ordinal_is_not_taken_for_the_first(aws: Any) -> None:
    made = [aws.call("aws:ec2/vpc:Vpc", operation=f"other-{aws.account}").client("ec2")
            .create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.1.0.0/16", "10.2.0.0/16")]
    assert made[0] != made[1]


def test_a_call_that_timed_out_after_it_took_effect_is_not_made_twice(aws: Any, plan: Any) -> None:
    call = aws.call("aws:ec2/vpc:Vpc")
    plan(faults.Plan(at=(call.context.urn, 1, faults.Fault.TIMEOUT)))
    vpc = call.client("ec2").create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    found = aws.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.3.0.0/16"]}])["Vpcs"]
    assert [entry["VpcId"] for entry in found] == [vpc]


@pytest.mark.parametrize(("service", "operation"), [
    ("ec2", "describe_vpcs"), ("sqs", "list_queues"), ("iam", "list_roles"), ("s3", "list_buckets"),
    ("eks", "list_clusters"), ("route53", "list_hosted_zones")])
def test_an_injected_error_has_the_shape_of_the_service(aws: Any, plan: Any, service: str, operation: str) -> None:
    call = aws.call("aws:x/y:Y")
    plan(faults.Plan(at=(call.context.urn, 1, faults.Fault.ERROR)))
    with pytest.raises(ClientError) as caught:
        getattr(call.client(service), operation)()
    assert caught.value.response["Error"]["Code"] in ("AccessDenied", "UnauthorizedOperation")


@pytest.mark.parametrize(("service", "operation"), [("ec2", "describe_vpcs"), ("sqs", "list_queues"),
                                                    ("iam", "list_roles"), ("s3", "list_buckets")])
def test_a_throttled_call_is_made_again_by_the_sdk(aws: Any, plan: Any, service: str, operation: str) -> None:
    call = aws.call("aws:x/y:Y")
    plan(faults.Plan(at=(call.context.urn, 1, faults.Fault.THROTTLE)))
    answer = getattr(call.client(service), operation)()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_faults_reach_paginators_and_waiters_too(aws: Any, plan: Any) -> None:
    call = aws.call("aws:x/y:Y")
    plan(faults.Plan(at=(call.context.urn, 1, faults.Fault.ERROR)))
    with pytest.raises(ClientError, match="injected"):
        list(call.client("ec2").get_paginator("describe_vpcs").paginate())


def test_a_cluster_is_described_with_the_endpoint_of_the_real_api_server(aws: Any) -> None:
    aws.client("eks").create_cluster(name="c", roleArn=f"arn:aws:iam::{aws.account}:role/r",
                                     resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
    aws.kept.put(aws.account, "us-east-1", "candlefish:kubernetes:ControlPlane", "c",
                 {"endpoint": "https://127.0.0.1:6443", "certificateAuthority": "Q0E="})
    cluster = aws.client("eks").describe_cluster(name="c")["cluster"]
    assert cluster["endpoint"] == "https://127.0.0.1:6443"
    assert cluster["certificateAuthority"] == {"data": "Q0E="}


def test_kept_objects_are_kept_by_account_region_and_type(aws: Any) -> None:
    aws.kept.put(aws.account, "us-east-1", "t", "a/b c", {"x": [1, {"y": None}]})
    assert aws.kept.get(aws.account, "us-east-1", "t", "a/b c") == {"x": [1, {"y": None}]}
    assert aws.kept.get(aws.account, "us-west-2", "t", "a/b c") is None
    assert aws.kept.list(aws.account, "us-east-1", "t") == [("a/b c", {"x": [1, {"y": None}]})]
    assert aws.kept.delete(aws.account, "us-east-1", "t", "a/b c")
    assert not aws.kept.delete(aws.account, "us-east-1", "t", "a/b c")


def test_a_token_of_the_account_is_an_administrator_of_its_cluster(aws: Any) -> None:
    aws.client("eks").create_cluster(name="mine", roleArn=f"arn:aws:iam::{aws.account}:role/r",
                                     resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
    status = _review(aws, _token(aws.account, "mine"), "mine")
    assert status["authenticated"]
    assert "system:masters" in status["user"]["groups"]
    assert not _review(aws, _token("999999999999", "mine"), "mine").get("authenticated")


def test_a_token_that_is_none_authenticates_nobody(aws: Any) -> None:
    assert not _review(aws, "x", "mine").get("authenticated")


def test_an_access_entry_gives_its_groups_to_the_role(aws: Any) -> None:
    role = f"arn:aws:iam::{aws.account}:role/viewer"
    eks = aws.client("eks")
    eks.create_cluster(name="mine", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]},
                       accessConfig={"authenticationMode": "API"})
    eks.create_access_entry(clusterName="mine", principalArn=role, kubernetesGroups=["viewers"])
    keys = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    assert _review(aws, _token(keys["AccessKeyId"], "mine"), "mine")["user"]["groups"] == ["viewers"]


def _token(access_key: str, cluster: str) -> str:
    now = datetime.datetime.now(datetime.UTC)
    query = urllib.parse.urlencode({
        "Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{access_key}/{now:%Y%m%d}/us-east-1/sts/aws4_request", "X-Amz-Expires": "60",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}", "X-Amz-SignedHeaders": "host;x-k8s-aws-id", "X-Amz-Signature": "0"})
    url = f"https://sts.us-east-1.amazonaws.com/?{query}"
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _review(aws: Any, token: str, cluster: str) -> dict[str, Any]:
    review = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}})
    request = urllib.request.Request(f"{aws.endpoint.url}/_candlefish/eks/authenticate/{cluster}",
                                     review.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        status: dict[str, Any] = json.loads(response.read())["status"]
        return status


def _own(aws: Any, service: str, **config: Any) -> Any:
    return boto3.Session(aws.account, "test", region_name="us-east-1").client(
        service, endpoint_url=aws.endpoint.url, config=Config(**config))
