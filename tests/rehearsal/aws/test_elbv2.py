"""Load balancers, target groups, listeners and rules on the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

import rehearsal.aws.services.ec2_security
import rehearsal.aws.services.elbv2
import rehearsal.aws.services.elbv2_data
import rehearsal.aws.services.elbv2_listeners  # noqa: F401
from rehearsal.aws.handler import DATA_SOURCES, HANDLERS
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import Subject, dangling, made, network

pytestmark = pytest.mark.rehearsal
BALANCER, TARGETS = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER, RULE = "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"


def front_door(aws: Any) -> tuple[Subject, list[Subject], Subject, Subject]:
    """A load balancer, a target group a colour, a listener with weights, a rule."""
    vpc, subnets = network(aws, 3)
    group = made(aws, "aws:ec2/securityGroup:SecurityGroup", {"vpcId": vpc, "name": "lb", "description": "d"}).id
    balancer = made(aws, BALANCER, {"name": "front", "subnets": subnets[:2], "securityGroups": [group],
                                    "idleTimeout": 120, "dropInvalidHeaderFields": True})
    colours = [made(aws, TARGETS, {
        "name": colour, "port": 80, "protocol": "HTTP", "vpcId": vpc, "targetType": "ip", "deregistrationDelay": 30,
        "healthCheck": {"path": "/health", "matcher": "200", "interval": 15}}, tags={"color": colour})
        for colour in ("blue", "green")]
    forward = {"type": "forward", "forward": {
        "targetGroups": [{"arn": colours[0].id, "weight": 90}, {"arn": colours[1].id, "weight": 10}],
        "stickiness": {"enabled": True, "duration": 60}}}
    listener = made(aws, LISTENER, {"loadBalancerArn": balancer.id, "port": 80, "protocol": "HTTP",
                                    "defaultActions": [forward]})
    rule = made(aws, RULE, {
        "listenerArn": listener.id, "actions": [{"type": "forward", "targetGroupArn": colours[0].id}],
        "conditions": [{"pathPattern": {"values": ["/ws*"]}}, {"hostHeader": {"values": ["example.org"]}},
                       {"httpHeader": {"httpHeaderName": "X-A", "values": ["b"]}},
                       {"queryStrings": [{"key": "a", "value": "b"}]}]})
    return balancer, colours, listener, rule


def test_the_front_door_lives_through_its_updates_and_goes_in_order(aws: Any) -> None:
    balancer, colours, listener, rule = front_door(aws)
    subnets = aws.client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [balancer.outputs["vpcId"]]}])
    balancer.change(idleTimeout=90).change(subnets=[each["SubnetId"] for each in subnets["Subnets"]])
    balancer.change(enableDeletionProtection=True).change(tags={"a": "b"})
    with pytest.raises(ProviderError, match="deletion protection"):
        balancer.delete()
    balancer.change(enableDeletionProtection=False)
    colours[0].change(deregistrationDelay=40).change(healthCheck={"path": "/h", "matcher": "200-299", "interval": 10})
    colours[0].change(stickiness={"type": "lb_cookie", "enabled": True, "cookieDuration": 60})
    colours[0].change(tags={"color": "blue", "x": "y"})
    with pytest.raises(ClientError, match="ResourceInUse"):
        colours[0].delete()
    rule.change(priority=20).change(conditions=[{"pathPattern": {"values": ["/b"]}}]).change(tags={"a": "b"})
    rule.change(actions=[{"type": "redirect", "redirect": {"statusCode": "HTTP_301", "protocol": "HTTPS",
                                                           "port": "443"}}])
    listener.change(port=81).change(tags={"a": "b"}).change(defaultActions=[
        {"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "503"}}])
    for subject in (rule, listener, *colours, balancer):
        subject.delete_twice()


def test_what_a_load_balancer_uses_is_not_taken_from_under_it(aws: Any) -> None:
    balancer, *_ = front_door(aws)
    for type, id in (("aws:ec2/subnet:Subnet", balancer.inputs["subnets"][0]),
                     ("aws:ec2/securityGroup:SecurityGroup", balancer.inputs["securityGroups"][0])):
        with pytest.raises(ProviderError, match=r"DependencyViolation.*front"):
            HANDLERS[type].delete(aws.call(type), id, {})


def test_references_of_load_balancing_must_exist(aws: Any) -> None:
    arn = f"arn:aws:elasticloadbalancing:us-east-1:{aws.account}:targetgroup/none/0123456789abcdef"
    assert dangling(aws, BALANCER, {"subnets": ["subnet-12"], "securityGroups": ["sg-12"],
                                    "accessLogs": {"bucket": "no-such-bucket-here"}}) == [
        "subnets", "securityGroups", "accessLogs.bucket"]
    assert dangling(aws, TARGETS, {"vpcId": "vpc-12"}) == ["vpcId"]
    forward = [{"type": "forward", "forward": {"targetGroups": [{"arn": arn}]}}]
    assert dangling(aws, LISTENER, {"defaultActions": forward}) == ["defaultActions[0].forward.targetGroups"]
    assert dangling(aws, RULE, {"actions": [{"type": "forward", "targetGroupArn": arn}]}) == [
        "actions[0].targetGroupArn"]


def test_the_data_sources_find_what_somebody_else_has_made(aws: Any) -> None:
    balancer, colours, listener, rule = front_door(aws)
    call = aws.call("aws:lb/getLoadBalancer:getLoadBalancer")
    assert DATA_SOURCES["aws:lb/getLoadBalancer:getLoadBalancer"](call, {"name": "front"})["arn"] == balancer.id
    by_tags = DATA_SOURCES["aws:lb/getTargetGroup:getTargetGroup"]
    assert by_tags(call, {"tags": {"color": "green"}})["arn"] == colours[1].id
    found = DATA_SOURCES["aws:lb/getListener:getListener"](call, {"loadBalancerArn": balancer.id, "port": 80})
    assert found["arn"] == listener.id
    found = DATA_SOURCES["aws:lb/getListenerRule:getListenerRule"](call, {"listenerArn": listener.id, "priority": 1})
    assert found["arn"] == rule.id
    with pytest.raises(ProviderError, match="returned 0 target groups"):
        by_tags(call, {"tags": {"color": "red"}})
    with pytest.raises(ProviderError, match="no listener found for port 443"):
        DATA_SOURCES["aws:lb/getListener:getListener"](call, {"loadBalancerArn": balancer.id, "port": 443})
