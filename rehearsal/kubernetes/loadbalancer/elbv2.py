"""A load balancer model as objects of ELBv2, with the controller's names and tags, and its security group."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.kubernetes.controllers.aws import Aws
from rehearsal.kubernetes.loadbalancer import authentication, names
from rehearsal.kubernetes.loadbalancer.annotations import ModelError
from rehearsal.kubernetes.loadbalancer.elbv2_rules import action_of, conditions_of
from rehearsal.kubernetes.loadbalancer.model import HealthCheck, Listener, LoadBalancer, TargetGroup
from rehearsal.kubernetes.loadbalancer.network import Network
from rehearsal.kubernetes.node.groups import AwsUnavailable

Tags = list[dict[str, str]]


class ElbV2:
    """Idempotent: what exists by name is changed to what is wanted. Blocks; raises AwsUnavailable.

    `arns` holds what it made or found: group → load balancer, target group id → target group.
    """

    def __init__(self, aws: Aws, cluster: str) -> None:
        self._elb = aws.client("elbv2")
        self._waf = aws.client("wafv2")
        self._network = Network(aws, cluster)
        self._cluster = cluster
        self.balancers: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self._applied: dict[str, LoadBalancer] = {}

    def apply(self, balancer: LoadBalancer) -> str:
        try:
            return self._apply(balancer)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"load balancer {balancer.name}: {error}") from error

    def remove(self, group: str) -> None:
        try:
            self._remove(group)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"load balancer of {group}: {error}") from error

    def existing(self, target_group: str) -> TargetGroup:
        by = {"TargetGroupArns": [target_group]} if target_group.startswith("arn:") else {"Names": [target_group]}
        try:
            found = self._elb.describe_target_groups(**by)["TargetGroups"][0]
            attributes = self._elb.describe_target_group_attributes(
                TargetGroupArn=found["TargetGroupArn"])["Attributes"]
        except self._elb.exceptions.TargetGroupNotFoundException:
            raise ModelError(f"target group {target_group} does not exist") from None
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"target group {target_group}: {error}") from error
        return TargetGroup(
            id=found["TargetGroupArn"], arn=found["TargetGroupArn"], name=found["TargetGroupName"],
            attributes=tuple(sorted((each["Key"], each["Value"]) for each in attributes)),
            health=HealthCheck(
                path=found.get("HealthCheckPath", "/"), port=found["HealthCheckPort"],
                interval_seconds=found["HealthCheckIntervalSeconds"],
                timeout_seconds=found["HealthCheckTimeoutSeconds"],
                healthy_threshold=found["HealthyThresholdCount"],
                unhealthy_threshold=found["UnhealthyThresholdCount"],
                success_codes=found.get("Matcher", {}).get("HttpCode", "200")))

    def _apply(self, balancer: LoadBalancer) -> str:
        vpc = self._network.vpc()
        found = self._find_balancer(balancer.name)
        if found is None:
            self._remove(balancer.group)  # one of another name: its scheme was another
            found = self._create_balancer(balancer, vpc)
        arn, dns = str(found["LoadBalancerArn"]), str(found["DNSName"])
        self.balancers[balancer.group] = arn
        before = self._applied.get(balancer.group)
        if before is None or before.attributes != balancer.attributes:
            attributes = [{"Key": key, "Value": value} for key, value in balancer.attributes]
            if attributes:
                self._elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
        if balancer.web_acl and (before is None or before.web_acl != balancer.web_acl):
            self._waf.associate_web_acl(WebACLArn=balancer.web_acl, ResourceArn=arn)
        for group in balancer.target_groups.values():
            if before is None or before.target_groups.get(group.id) != group or group.id not in self.groups:
                self._apply_target_group(group, vpc)
        self._apply_listeners(arn, balancer)
        kept = {self.groups[id] for id in balancer.target_groups}
        for orphan in self._owned_target_groups(balancer.group) - kept:
            self._elb.delete_target_group(TargetGroupArn=orphan)
        self._applied[balancer.group] = balancer
        return dns

    def _find_balancer(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]
        except self._elb.exceptions.LoadBalancerNotFoundException:
            return None
        return found

    def _create_balancer(self, balancer: LoadBalancer, vpc: str) -> dict[str, Any]:
        security_groups = list(balancer.security_groups) or [self._network.security_group(balancer, vpc)]
        created: dict[str, Any] = self._elb.create_load_balancer(
            Name=balancer.name, Subnets=list(balancer.subnets) or self._network.subnets(vpc, balancer.scheme),
            SecurityGroups=security_groups, Scheme=balancer.scheme, Type="application", IpAddressType="ipv4",
            Tags=listed(balancer.tags))["LoadBalancers"][0]
        return created

    def _apply_target_group(self, group: TargetGroup, vpc: str) -> None:
        if group.arn:
            self.groups[group.id] = group.arn
            return
        health = group.health
        checks = {"HealthCheckProtocol": health.protocol, "HealthCheckPort": health.port,
                  "HealthCheckPath": health.path,
                  "HealthCheckIntervalSeconds": health.interval_seconds,
                  "HealthCheckTimeoutSeconds": health.timeout_seconds,
                  "HealthyThresholdCount": health.healthy_threshold,
                  "UnhealthyThresholdCount": health.unhealthy_threshold, "Matcher": {"HttpCode": health.success_codes}}
        try:
            arn = self._elb.describe_target_groups(Names=[group.name])["TargetGroups"][0]["TargetGroupArn"]
            self._elb.modify_target_group(TargetGroupArn=arn, **checks)
        except self._elb.exceptions.TargetGroupNotFoundException:
            arn = self._elb.create_target_group(
                Name=group.name, Protocol=group.protocol, ProtocolVersion="HTTP1", Port=group.port, VpcId=vpc,
                TargetType="ip", Tags=listed(group.tags), HealthCheckEnabled=True,
                **checks)["TargetGroups"][0]["TargetGroupArn"]
        if group.attributes:
            self._elb.modify_target_group_attributes(
                TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value} for key, value in group.attributes])
        self.groups[group.id] = str(arn)

    def _apply_listeners(self, arn: str, balancer: LoadBalancer) -> None:
        present = {each["Port"]: each for each in self._elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
        wanted = {listener.port: listener for listener in balancer.listeners}
        for port in present.keys() - wanted.keys():
            self._elb.delete_listener(ListenerArn=present[port]["ListenerArn"])
        before = self._applied.get(balancer.group)
        known = {each.port: each for each in before.listeners} if before is not None else {}
        for port, listener in wanted.items():
            if port in present and known.get(port) == listener:
                continue
            settings: dict[str, Any] = {
                "Port": port, "Protocol": listener.protocol,
                "DefaultActions": [action_of(listener.default, self.groups)]}
            if listener.protocol == "HTTPS":
                settings["Certificates"] = [{"CertificateArn": listener.certificates[0]}]
                settings["SslPolicy"] = listener.ssl_policy
            tags = listed(names.tags(self._cluster, balancer.group, str(port)).items())
            if port in present:
                listener_arn = present[port]["ListenerArn"]
                self._elb.modify_listener(ListenerArn=listener_arn, **settings)
            else:
                listener_arn = self._elb.create_listener(LoadBalancerArn=arn, Tags=tags,
                                                         **settings)["Listeners"][0]["ListenerArn"]
            if len(listener.certificates) > 1:
                self._elb.add_listener_certificates(ListenerArn=listener_arn, Certificates=[
                    {"CertificateArn": each} for each in listener.certificates[1:]])
            self._apply_rules(listener_arn, listener, balancer.group)

    def _apply_rules(self, listener_arn: str, listener: Listener, group: str) -> None:
        """Priorities from 1 in the order of the rules. A rule of the same priority is changed in place, so that its
        ARN stays while weights move."""
        present = {each["Priority"]: each for each in self._elb.describe_rules(ListenerArn=listener_arn)["Rules"]
                   if not each["IsDefault"]}
        for priority in present.keys() - {str(at) for at in range(1, len(listener.rules) + 1)}:
            self._elb.delete_rule(RuleArn=present[priority]["RuleArn"])
        for at, rule in enumerate(listener.rules, start=1):
            # ELBv2 refuses a rule without a condition.
            conditions = conditions_of(rule.conditions) or [
                {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}]
            actions = [{**action_of(rule.action, self.groups), "Order": 2 if rule.authenticate else 1}]
            if rule.authenticate:
                actions.insert(0, authentication.action_of(rule.authenticate))
            if str(at) in present:
                self._elb.modify_rule(RuleArn=present[str(at)]["RuleArn"], Conditions=conditions, Actions=actions)
            else:
                self._elb.create_rule(ListenerArn=listener_arn, Priority=at, Conditions=conditions, Actions=actions,
                                      Tags=listed(names.tags(self._cluster, group,
                                                             f"{listener.port}:{at}").items()))

    def set_targets(self, id: str, endpoints: Iterable[tuple[str, int]]) -> None:
        """Registers and deregisters until ELBv2 lists just these. Raises AwsUnavailable."""
        arn = self.groups.get(id)
        if arn is None:
            return
        try:
            health = self._elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            present = {(each["Target"]["Id"], int(each["Target"]["Port"])) for each in health
                       if each["TargetHealth"]["State"] != "draining"}
            wanted = set(endpoints)
            if gone := present - wanted:
                self._elb.deregister_targets(TargetGroupArn=arn, Targets=_targets(gone))
            if new := wanted - present:
                self._elb.register_targets(TargetGroupArn=arn, Targets=_targets(new))
        except self._elb.exceptions.TargetGroupNotFoundException:
            self.groups.pop(id, None)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailable(f"targets of {id}: {error}") from error

    def _owned(self, kind: str) -> dict[str, dict[str, str]]:
        """ARN → tags of the load balancers or target groups that carry this cluster's tag."""
        operation, key, arn = (("describe_load_balancers", "LoadBalancers", "LoadBalancerArn") if kind == "balancer"
                               else ("describe_target_groups", "TargetGroups", "TargetGroupArn"))
        arns = [each[arn] for page in self._elb.get_paginator(operation).paginate() for each in page[key]]
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), 20):  # the most that one DescribeTags takes
            for entry in self._elb.describe_tags(ResourceArns=arns[start:start + 20])["TagDescriptions"]:
                tags = {tag["Key"]: tag["Value"] for tag in entry["Tags"]}
                if tags.get(names.CLUSTER_TAG) == self._cluster:
                    found[entry["ResourceArn"]] = tags
        return found

    def _owned_target_groups(self, group: str) -> set[str]:
        return {arn for arn, tags in self._owned("target-group").items() if tags.get(names.STACK_TAG) == group}

    def _remove(self, group: str) -> None:
        for arn, tags in self._owned("balancer").items():
            if tags.get(names.STACK_TAG) == group:
                for listener in self._elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
                    self._elb.delete_listener(ListenerArn=listener["ListenerArn"])
                with contextlib.suppress(self._waf.exceptions.WAFNonexistentItemException):
                    self._waf.disassociate_web_acl(ResourceArn=arn)
                self._elb.delete_load_balancer(LoadBalancerArn=arn)
        for arn in self._owned_target_groups(group):
            self._elb.delete_target_group(TargetGroupArn=arn)
        self._network.remove_security_group(group)
        self.balancers.pop(group, None)
        for id in (before.target_groups if (before := self._applied.pop(group, None)) else {}):
            self.groups.pop(id, None)


def listed(tags: Mapping[str, str] | Iterable[tuple[str, str]]) -> Tags:
    return [{"Key": key, "Value": value} for key, value in dict(tags).items()]


def _targets(endpoints: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"Id": address, "Port": port} for address, port in sorted(endpoints)]
