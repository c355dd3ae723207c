"""The front door: `candlefish-ingress` and the load balancer that the controller makes of it (N7, E6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_kubernetes import apiextensions, networking

from infra.components.base import Component
from infra.components.workloads.lookup import eventually
from infra.plans import balancer, guards, ingress, kubernetes, operators
from infra.plans.hosts import Hosts
from infra.settings import model


@dataclass(frozen=True)
class FrontDoorArgs:
    """As in `WorkloadsArgs`. behind: the colours' Services, which the controller must find."""

    namespace: str
    services: tuple[model.Service, ...]
    hosts: Hosts
    cluster_name: str
    public_subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    certificate_arns: Sequence[pulumi.Input[str]]
    web_acl_arn: pulumi.Input[str]
    identity_provider: pulumi.Input[str]
    tags: Mapping[str, str]
    also: Hosts | None = None
    access_logs_bucket: pulumi.Input[str] | None = None
    behind: tuple[pulumi.Resource, ...] = ()


class FrontDoor(Component):
    """The Ingresses of class `candlefish`, which share one load balancer.

    The controller, not Pulumi, makes it: its resources are looked up by the controller's tags once
    `candlefish-ingress` has an address, which Pulumi waits for.
    """

    module = "workloads"

    ingress_name: pulumi.Output[str]
    load_balancer_arn: pulumi.Output[str]
    load_balancer_domain: pulumi.Output[str]
    load_balancer_zone_id: pulumi.Output[str]
    listener_arn: pulumi.Output[str]
    target_groups: pulumi.Output[dict[str, dict[str, str]]]  # service → colour → ARN
    listener_rules: pulumi.Output[dict[str, dict[str, str]]]  # service → host and path → ARN

    def __init__(self, name: str, args: FrontDoorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        group = ingress.members(args.services, args.hosts, args.also)
        doors = self._doors(name, args, group)
        looked_up = pulumi.InvokeOutputOptions(parent=self, depends_on=[*doors.values()])
        found = aws.lb.get_load_balancer_output(
            tags=balancer.load_balancer_tags(args.cluster_name), opts=looked_up)
        listener = aws.lb.get_listener_output(load_balancer_arn=found.arn, port=443, opts=looked_up)
        door = doors[ingress.NAME]
        self.ingress_name = door.metadata.apply(lambda metadata: metadata.name or ingress.NAME)
        self.load_balancer_arn = found.arn
        self.load_balancer_domain = found.dns_name
        self.load_balancer_zone_id = found.zone_id
        self.listener_arn = listener.arn
        self.target_groups = self._target_groups(doors, args)
        self.listener_rules = self._listener_rules(doors, listener.arn, group)
        self.register_outputs({
            "ingressName": self.ingress_name, "loadBalancerArn": self.load_balancer_arn,
            "loadBalancerDomain": self.load_balancer_domain, "loadBalancerZoneId": self.load_balancer_zone_id,
            "listenerArn": self.listener_arn, "targetGroups": self.target_groups,
            "listenerRules": self.listener_rules})

    def _doors(self, name: str, args: FrontDoorArgs,
               group: Sequence[ingress.Member]) -> dict[str, networking.v1.Ingress]:
        """The class, `candlefish-ingress`, and after it the group's others: alone they would ask for a load balancer
        without its settings."""
        parameters = apiextensions.CustomResource(
            f"{name}-class", api_version=balancer.PARAMETERS_API, kind="IngressClassParams",
            metadata={"name": ingress.CLASS, "labels": guards.OWNER},
            spec=balancer.class_parameters(args.certificate_arns), opts=self.child())
        manifest = balancer.ingress_class(guards.OWNER)
        ingress_class = networking.v1.IngressClass(
            f"{name}-class", metadata=manifest["metadata"], spec=manifest["spec"],
            opts=self.child(depends_on=[parameters]))
        attributes = pulumi.Output.from_input(args.access_logs_bucket).apply(
            lambda bucket: balancer.attributes(bucket, ingress.NAME))
        settings = balancer.door_annotations(
            web_acl_arn=args.web_acl_arn, tags=args.tags, load_balancer_attributes=attributes,
            subnets=pulumi.Output.all(args.public_subnet_ids).apply(lambda found: ",".join(found[0])))
        operators_own = {service.name for service in args.services if ingress.for_operators(service)}
        doors: dict[str, networking.v1.Ingress] = {}
        for member in group:
            first = member.name == ingress.NAME
            annotations = {**member.annotations, **(settings if first else kubernetes.SKIP_AWAIT)}
            if member.name in operators_own:
                annotations |= operators.sign_in_annotations(args.identity_provider)
            manifest = {"metadata": kubernetes.metadata(member.name, args.namespace, guards.OWNER, annotations),
                        "spec": {"ingressClassName": ingress.CLASS, "rules": member.rules}}
            doors[member.name] = networking.v1.Ingress(
                f"{name}-{'ingress' if first else member.name}", metadata=manifest["metadata"], spec=manifest["spec"],
                opts=self.child(depends_on=[*args.behind, ingress_class] if first else [doors[ingress.NAME]],
                                ignore_changes=None if first else ingress.OWNED_BY_OPERATIONS))
        return doors

    def _target_groups(self, doors: Mapping[str, pulumi.CustomResource],
                       args: FrontDoorArgs) -> pulumi.Output[dict[str, dict[str, str]]]:
        def arn(service: model.Service, colour: str) -> pulumi.Output[str]:
            return eventually(
                "aws:lb/getTargetGroup:getTargetGroup",
                {"tags": balancer.target_group_tags(args.cluster_name, args.namespace, service, colour)},
                lambda group: str(group["arn"]), after=doors[service.name], parent=self)

        return pulumi.Output.all(**{
            service.name: pulumi.Output.all(**{colour: arn(service, colour) for colour in kubernetes.COLOURS})
            for service in ingress.fronted(args.services)})

    def _listener_rules(self, doors: Mapping[str, pulumi.CustomResource], listener_arn: pulumi.Output[str],
                        group: Sequence[ingress.Member]) -> pulumi.Output[dict[str, dict[str, str]]]:
        """By priority, because ELB's rules have no other handle; a rule for another place is not the one."""
        def arn(priority: int, route: ingress.Route) -> pulumi.Output[str]:
            def pick(rule: Mapping[str, Any]) -> str:
                if not ingress.matches(rule["conditions"], route):
                    raise LookupError(f"priority {priority} is not yet the rule of {route.host}{route.path}")
                return str(rule["arn"])

            return eventually("aws:lb/getListenerRule:getListenerRule",
                              {"listenerArn": listener_arn, "priority": priority}, pick,
                              after=doors[route.service], parent=self)

        found: dict[str, dict[str, pulumi.Output[str]]] = {}
        for priority, route in ingress.priorities(group).items():
            if route.service in doors and route.service != ingress.MAINTENANCE:
                found.setdefault(route.service, {})[f"{route.host}{route.path}"] = arn(priority, route)
        return pulumi.Output.all(**{service: pulumi.Output.all(**rules) for service, rules in found.items()})
