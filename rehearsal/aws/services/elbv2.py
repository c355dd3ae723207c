"""Load balancers and target groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.ec2_common import refers as refers_ec2
from rehearsal.aws.services.elbv2_common import look_up, read_back, replace_tags, suffix, tags_now, written
from rehearsal.aws.services.shapes import absent_is_fine, chosen, in_order_of, name_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

BALANCER_ATTRIBUTES = {
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds", "clientKeepAlive": "client_keep_alive.seconds",
    "enableHttp2": "routing.http2.enabled", "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
    "enableWafFailOpen": "waf.fail_open.enabled", "enableZonalShift": "zonal_shift.config.enabled",
    "dnsRecordClientRoutingPolicy": "dns_record.client_routing_policy"}
BALANCER_DEFAULTS: Properties = {
    "enableDeletionProtection": False, "enableHttp2": True, "idleTimeout": 60, "clientKeepAlive": 3600,
    "desyncMitigationMode": "defensive", "dropInvalidHeaderFields": False, "preserveHostHeader": False,
    "enableTlsVersionAndCipherSuiteHeaders": False, "enableXffClientPort": False, "xffHeaderProcessingMode": "append",
    "enableWafFailOpen": False, "enableZonalShift": False}
_LOGS = {"accessLogs": "access_logs.s3", "connectionLogs": "connection_logs.s3"}
# The hosted zones of application and network load balancers; compared with the table `canonicalHostedZones` of
# kubernetes-sigs/external-dns, which gives the AWS General Reference as its source.
ZONES = {"us-east-1": ("Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"), "us-east-2": ("Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
         "us-west-1": ("Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"), "us-west-2": ("Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
         "eu-west-1": ("Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"), "eu-central-1": ("Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90")}


@resource
class LoadBalancer(Handler):
    """Its id is its ARN."""

    type = "aws:lb/loadBalancer:LoadBalancer"
    naming = Naming(maximum=32)
    kept = ("namePrefix", "customerOwnedIpv4Pool", "minimumLoadBalancerCapacity", "ipamPools", "healthCheckLogs",
            "enablePrefixForIpv6SourceNat", "secondaryIpsAutoAssignedPerSubnet",
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "subnetMappings")
    defaults = {**BALANCER_DEFAULTS, "internal": False, "ipAddressType": "ipv4", "loadBalancerType": "application"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers_ec2("subnet", "subnets", inputs.get("subnets"))
        yield from refers_ec2("security-group", "securityGroups", inputs.get("securityGroups"))
        for name in _LOGS:
            if (inputs.get(name) or {}).get("bucket"):
                yield _references.bucket(f"{name}.bucket", inputs[name]["bucket"])

    def create(self, call: Call, inputs: Properties) -> str:
        mappings = [chosen(each, {"subnetId": "SubnetId", "allocationId": "AllocationId",
                                  "privateIpv4Address": "PrivateIPv4Address"})
                    for each in inputs.get("subnetMappings") or ()]
        client = call.client("elbv2")
        arn = client.create_load_balancer(
            Name=name_of(call, inputs), Scheme="internal" if inputs.get("internal") else "internet-facing",
            Type=inputs.get("loadBalancerType") or "application", Tags=call.tag_list,
            **({"SubnetMappings": mappings} if mappings else {}),
            **chosen(inputs, {"subnets": "Subnets", "securityGroups": "SecurityGroups",
                              "ipAddressType": "IpAddressType"}))["LoadBalancers"][0]["LoadBalancerArn"]
        self._attributes(call, arn, inputs)
        client.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig={"Delay": 1})
        return str(arn)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        balancer = look_up(call, "load-balancer", id)
        return None if balancer is None else balancer_state(call, balancer, known)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("elbv2")
        if "securityGroups" in changed:
            client.set_security_groups(LoadBalancerArn=id, SecurityGroups=new.get("securityGroups") or [])
        if "subnets" in changed:
            client.set_subnets(LoadBalancerArn=id, Subnets=new["subnets"])
        if "ipAddressType" in changed:
            client.set_ip_address_type(LoadBalancerArn=id, IpAddressType=new["ipAddressType"])
        self._attributes(call, id, {name: new.get(name, BALANCER_DEFAULTS.get(name)) for name in changed})
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        balancer = look_up(call, "load-balancer", id)
        if balancer is None:
            return
        if balancer_state(call, balancer, {})["enableDeletionProtection"]:
            raise ProviderError("An error occurred (OperationNotPermitted) when calling the DeleteLoadBalancer "
                                f"operation: Load balancer '{id}' cannot be deleted because deletion protection is "
                                "enabled")
        with absent_is_fine():
            call.client("elbv2").delete_load_balancer(LoadBalancerArn=id)

    def _attributes(self, call: Call, arn: str, inputs: Mapping[str, Any]) -> None:
        attributes = written(inputs, BALANCER_ATTRIBUTES)
        for name, prefix in _LOGS.items():
            logs = inputs.get(name)
            if logs:
                attributes += [{"Key": f"{prefix}.enabled", "Value": str(bool(logs.get("enabled"))).lower()},
                               {"Key": f"{prefix}.bucket", "Value": logs["bucket"]},
                               {"Key": f"{prefix}.prefix", "Value": logs.get("prefix") or ""}]
            elif name in inputs:
                attributes.append({"Key": f"{prefix}.enabled", "Value": "false"})
        if attributes:
            call.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


def balancer_state(call: Call, balancer: Mapping[str, Any], known: Properties) -> Properties:
    """All outputs of a load balancer, also of one that somebody else has made."""
    arn = balancer["LoadBalancerArn"]
    attributes = call.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    values = {each["Key"]: each.get("Value", "") for each in attributes}
    logs = {}
    for name, prefix in _LOGS.items():
        if values.get(f"{prefix}.bucket"):
            logs[name] = {"bucket": values[f"{prefix}.bucket"],
                          "enabled": values.get(f"{prefix}.enabled") == "true",
                          **({"prefix": values[f"{prefix}.prefix"]} if values.get(f"{prefix}.prefix") else {})}
    subnets = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
    zones = ZONES.get(call.region)
    network = balancer["Type"] == "network"
    return {
        **BALANCER_DEFAULTS, "enableCrossZoneLoadBalancing": not network,
        **read_back(attributes, {name: key for name, key in BALANCER_ATTRIBUTES.items()
                                 if network or name != "enableCrossZoneLoadBalancing"}),
        **logs, "arn": arn, "arnSuffix": suffix(arn), "name": balancer["LoadBalancerName"],
        "dnsName": balancer["DNSName"], "internal": balancer["Scheme"] == "internal",
        "zoneId": zones[network] if zones else balancer["CanonicalHostedZoneId"], "vpcId": balancer["VpcId"],
        "loadBalancerType": balancer["Type"], "ipAddressType": balancer.get("IpAddressType", "ipv4"),
        "subnets": in_order_of(known.get("subnets"), subnets),
        "securityGroups": in_order_of(known.get("securityGroups"), balancer.get("SecurityGroups", ())),
        "subnetMappings": [{"subnetId": subnet} for subnet in sorted(subnets)], "tags": tags_now(call, arn),
    }


GROUP_ATTRIBUTES = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds", "slowStart": "slow_start.duration_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "preserveClientIp": "preserve_client_ip.enabled", "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled"}
GROUP_DEFAULTS: Properties = {
    "deregistrationDelay": 300, "slowStart": 0, "loadBalancingAlgorithmType": "round_robin",
    "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration", "proxyProtocolV2": False,
    "lambdaMultiValueHeadersEnabled": False}
_STICKINESS = {"enabled": "stickiness.enabled", "type": "stickiness.type"}
_HEALTH = {"enabled": "HealthCheckEnabled", "healthyThreshold": "HealthyThresholdCount",
           "interval": "HealthCheckIntervalSeconds", "path": "HealthCheckPath", "port": "HealthCheckPort",
           "protocol": "HealthCheckProtocol", "timeout": "HealthCheckTimeoutSeconds",
           "unhealthyThreshold": "UnhealthyThresholdCount"}


@resource
class TargetGroup(Handler):
    """Its id is its ARN."""

    type = "aws:lb/targetGroup:TargetGroup"
    naming = Naming(maximum=32)
    kept = ("namePrefix", "targetControlPort", "targetFailovers", "targetGroupHealth", "targetHealthStates")
    defaults = {**GROUP_DEFAULTS, "targetType": "instance", "ipAddressType": "ipv4"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers_ec2("vpc", "vpcId", inputs.get("vpcId"))

    def create(self, call: Call, inputs: Properties) -> str:
        arn = call.client("elbv2").create_target_group(
            Name=name_of(call, inputs), Tags=call.tag_list, **_health(inputs.get("healthCheck") or {}),
            **chosen(inputs, {"protocol": "Protocol", "port": "Port", "vpcId": "VpcId", "targetType": "TargetType",
                              "protocolVersion": "ProtocolVersion", "ipAddressType": "IpAddressType"}),
        )["TargetGroups"][0]["TargetGroupArn"]
        self._attributes(call, arn, inputs)
        return str(arn)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        group = look_up(call, "target-group", id)
        return None if group is None else group_state(call, group)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "healthCheck" in changed:
            call.client("elbv2").modify_target_group(TargetGroupArn=id, **_health(new.get("healthCheck") or {}))
        self._attributes(call, id, {name: new.get(name, GROUP_DEFAULTS.get(name)) for name in changed})
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("elbv2").delete_target_group(TargetGroupArn=id)

    def _attributes(self, call: Call, arn: str, inputs: Mapping[str, Any]) -> None:
        attributes = written(inputs, GROUP_ATTRIBUTES)
        stickiness = inputs.get("stickiness")
        if stickiness:
            attributes += written({"enabled": True, **stickiness}, {
                **_STICKINESS, "cookieDuration": f"stickiness.{stickiness['type']}.duration_seconds",
                "cookieName": f"stickiness.{stickiness['type']}.cookie_name"})
        if attributes:
            call.client("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)


def group_state(call: Call, group: Mapping[str, Any]) -> Properties:
    """All outputs of a target group, also of one that somebody else has made."""
    arn = group["TargetGroupArn"]
    attributes = call.client("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    kind = next((each["Value"] for each in attributes if each["Key"] == "stickiness.type"), "lb_cookie")
    sticky = read_back(attributes, {**_STICKINESS, "cookieDuration": f"stickiness.{kind}.duration_seconds",
                                    "cookieName": f"stickiness.{kind}.cookie_name"})
    health = {name: group[api] for name, api in _HEALTH.items() if api in group}
    if "Matcher" in group:
        health["matcher"] = next(iter(group["Matcher"].values()), "")
    attributed = read_back(attributes, GROUP_ATTRIBUTES)
    cross = attributed.get("loadBalancingCrossZoneEnabled")
    return {
        **GROUP_DEFAULTS, **attributed,
        **({"loadBalancingCrossZoneEnabled": str(cross).lower()} if isinstance(cross, bool) else {}),
        "arn": arn, "arnSuffix": suffix(arn), "name": group["TargetGroupName"], "healthCheck": health,
        "port": group.get("Port", 0), "protocol": group.get("Protocol", ""), "vpcId": group.get("VpcId", ""),
        "protocolVersion": group.get("ProtocolVersion", ""), "targetType": group.get("TargetType", "instance"),
        "ipAddressType": group.get("IpAddressType", "ipv4"), "loadBalancerArns": group.get("LoadBalancerArns", []),
        "stickiness": {"enabled": False, "type": "lb_cookie", "cookieDuration": 86400, **sticky},
        "tags": tags_now(call, arn),
    }


def _health(check: Mapping[str, Any]) -> dict[str, Any]:
    matcher = check.get("matcher")
    member = "GrpcCode" if check.get("protocolVersion") == "GRPC" else "HttpCode"
    return chosen(check, _HEALTH) | ({"Matcher": {member: matcher}} if matcher else {})
