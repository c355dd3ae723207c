"""VPC endpoints and flow logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.ec2_common import look_up, refers, replace_tags, tag_specifications
from rehearsal.aws.services.shapes import absent_is_fine, chosen, code, in_order_of, pascal, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

_GATEWAY_SERVICES = ("s3", "dynamodb")
_MEMBERS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}


@resource
class VpcEndpoint(Handler):
    type = "aws:ec2/vpcEndpoint:VpcEndpoint"
    kept = ("autoAccept", "dnsOptions", "ipAddressType", "serviceRegion", "subnetConfigurations",
            "resourceConfigurationArn", "serviceNetworkArn",
            "privateDnsEnabled")  # of which the emulator takes no change
    documents = ("policy",)
    defaults = {"vpcEndpointType": "Gateway", "privateDnsEnabled": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        yield from refers("route-table", "routeTableIds", inputs.get("routeTableIds"))
        yield from refers("subnet", "subnetIds", inputs.get("subnetIds"))
        yield from refers("security-group", "securityGroupIds", inputs.get("securityGroupIds"))
        name = inputs.get("serviceName")
        if name:
            yield Reference("serviceName", name, lambda call: _is_offered(call, name))

    def create(self, call: Call, inputs: Properties) -> str:
        kind = inputs.get("vpcEndpointType", "Gateway")
        short = str(inputs["serviceName"]).rpartition(".")[2]
        if kind == "Gateway" and short not in _GATEWAY_SERVICES:
            raise ProviderError("An error occurred (InvalidParameter) when calling the CreateVpcEndpoint operation: "
                                f"Vpc Endpoint Type Gateway is not supported by {inputs['serviceName']}; "
                                "give vpcEndpointType: Interface")
        if kind == "Interface" and inputs.get("privateDnsEnabled"):
            self._needs_dns(call, inputs["vpcId"])
        client = call.client("ec2")
        created = client.create_vpc_endpoint(
            VpcEndpointType=kind, PrivateDnsEnabled=bool(inputs.get("privateDnsEnabled")),
            **chosen(inputs, {"vpcId": "VpcId", "serviceName": "ServiceName", "policy": "PolicyDocument",
                              "ipAddressType": "IpAddressType", **_MEMBERS}),
            **({"DnsOptions": pascal(inputs["dnsOptions"])} if inputs.get("dnsOptions") else {}),
            **tag_specifications(call, "vpc-endpoint"))["VpcEndpoint"]
        return str(created["VpcEndpointId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        end = look_up(call, "endpoint", id)
        if end is None:
            return None
        gateway = end["VpcEndpointType"] == "Gateway"
        service = end["ServiceName"].rpartition(".")[2]
        groups = [group["GroupId"] for group in end.get("Groups", ())]
        return {
            "arn": call.arn("ec2", f"vpc-endpoint/{id}"), "vpcId": end["VpcId"], "serviceName": end["ServiceName"],
            "vpcEndpointType": end["VpcEndpointType"], "state": end["State"], "ownerId": end["OwnerId"],
            "policy": end.get("PolicyDocument", ""), "privateDnsEnabled": not gateway and end["PrivateDnsEnabled"],
            "routeTableIds": in_order_of(known.get("routeTableIds"), end.get("RouteTableIds", ())),
            "subnetIds": in_order_of(known.get("subnetIds"), end.get("SubnetIds", ())),
            "securityGroupIds": in_order_of(known.get("securityGroupIds"), groups) or (
                [] if gateway else [_default_group(call, end["VpcId"])]),
            "networkInterfaceIds": end.get("NetworkInterfaceIds", []), "requesterManaged": False,
            "dnsEntries": [{"dnsName": entry["DnsName"], "hostedZoneId": entry["HostedZoneId"]}
                           for entry in end.get("DnsEntries", ())],
            "prefixListId": _prefix_list(call, end["ServiceName"]) if gateway else "",
            "cidrBlocks": _GATEWAY_RANGES[service] if gateway else [],
            "ipAddressType": known.get("ipAddressType", "ipv4"), "tags": tags_of(end.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        changes: dict[str, Any] = {}
        for name, api in _MEMBERS.items():
            if name in changed:
                before, after = set(old.get(name) or ()), set(new.get(name) or ())
                changes |= {f"Add{api}": sorted(after - before)} if after - before else {}
                changes |= {f"Remove{api}": sorted(before - after)} if before - after else {}
                if name == "routeTableIds":
                    _move_routes(call, id, new["serviceName"], sorted(before - after), sorted(after - before))
        if "policy" in changed:
            changes |= {"PolicyDocument": new["policy"]} if new.get("policy") else {"ResetPolicy": True}
        if "privateDnsEnabled" in changed:
            if new.get("privateDnsEnabled"):
                self._needs_dns(call, new["vpcId"])
            changes["PrivateDnsEnabled"] = bool(new.get("privateDnsEnabled"))
        changes |= chosen({name: new.get(name) for name in changed}, {"ipAddressType": "IpAddressType"})
        if "dnsOptions" in changed and new.get("dnsOptions"):
            changes["DnsOptions"] = pascal(new["dnsOptions"])
        if changes:
            call.client("ec2").modify_vpc_endpoint(VpcEndpointId=id, **changes)
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        end = look_up(call, "endpoint", id)
        if end is None:
            return
        client = call.client("ec2")
        client.delete_vpc_endpoints(VpcEndpointIds=[id])
        for interface in end.get("NetworkInterfaceIds", ()):  # the emulator leaves them behind
            with absent_is_fine():
                client.delete_network_interface(NetworkInterfaceId=interface)

    def _needs_dns(self, call: Call, vpc: str) -> None:
        client = call.client("ec2")
        for attribute, member in (("enableDnsSupport", "EnableDnsSupport"),
                                  ("enableDnsHostnames", "EnableDnsHostnames")):
            if not client.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)[member]["Value"]:
                raise ProviderError(
                    "An error occurred (InvalidParameter) when calling the CreateVpcEndpoint operation: Enabling "
                    f"private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
                    f"for {vpc}")


# Stand-in for the address ranges of a gateway endpoint's prefix list: some public ranges of the service. The real ones
# differ by region and are what DescribePrefixLists answers; nothing here depends on them.
_GATEWAY_RANGES = {"s3": ["52.216.0.0/15", "54.231.0.0/16", "3.5.0.0/19"], "dynamodb": ["52.94.0.0/22"]}


def _is_offered(call: Call, name: str) -> bool:
    try:
        call.client("ec2").describe_vpc_endpoint_services(ServiceNames=[name])
    except ClientError as error:
        if code(error) != "InvalidServiceName":
            raise
        return False
    return True


def _move_routes(call: Call, id: str, service: str, leave: list[str], join: list[str]) -> None:
    """Routes to the prefix list come and go with a gateway endpoint's tables. The emulator makes them on creation,
    forgets them on a change, and then fails to delete the endpoint."""
    client, prefixes = call.client("ec2"), _prefix_list(call, service)
    for table in leave:
        with absent_is_fine():
            client.delete_route(RouteTableId=table, DestinationPrefixListId=prefixes)
    for table in join:
        client.create_route(RouteTableId=table, DestinationPrefixListId=prefixes, GatewayId=id)


def _default_group(call: Call, vpc: str) -> str:
    groups = call.client("ec2").describe_security_groups(Filters=[
        {"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"]
    return str(groups[0]["GroupId"]) if groups else ""


def _prefix_list(call: Call, service: str) -> str:
    lists = call.client("ec2").describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [service]}])["PrefixLists"]
    return str(lists[0]["PrefixListId"]) if lists else ""


_SOURCES = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface",
            "transitGatewayId": "TransitGateway", "transitGatewayAttachmentId": "TransitGatewayAttachment"}
DEFAULT_FORMAT = ("${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
                  "${packets} ${bytes} ${start} ${end} ${action} ${log-status}")


@resource
class FlowLog(Handler):
    """Flow logs to CloudWatch are the emulator's. Those to S3 are kept beside it: it looks for the bucket in a
    server that has no buckets."""

    type = "aws:ec2/flowLog:FlowLog"
    kept = ("deliverCrossAccountRole", "destinationOptions", "tagFieldSpecifications", "regionalNatGatewayId")
    defaults = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600,
                "logFormat": DEFAULT_FORMAT}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        yield from refers("subnet", "subnetId", inputs.get("subnetId"))
        yield from refers("network-interface", "eniId", inputs.get("eniId"))
        destination = inputs.get("logDestination")
        if destination and inputs.get("logDestinationType") == "s3":
            yield _references.bucket("logDestination", destination.partition("/")[0])
        elif destination and ":log-group:" in destination:
            yield _references.log_group("logDestination", destination)
        if inputs.get("iamRoleArn"):
            yield _references.role("iamRoleArn", inputs["iamRoleArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        sources = [(name, kind) for name, kind in _SOURCES.items() if inputs.get(name)]
        if len(sources) != 1:
            raise ProviderError(f"a flow log watches one of {sorted(_SOURCES)}; got {[name for name, _ in sources]}")
        name, kind = sources[0]
        if inputs.get("logDestinationType") == "s3":
            id = f"fl-{call.context.random.getrandbits(68):017x}"
            call.kept.put(call.account, call.region, self.type, id, {
                **{key: value for key, value in inputs.items() if not key.startswith("__")}, "tags": call.tags})
            return id
        answer = call.client("ec2").create_flow_logs(
            ResourceIds=[inputs[name]], ResourceType=kind,
            **chosen(inputs, {"trafficType": "TrafficType", "logDestinationType": "LogDestinationType",
                              "logDestination": "LogDestination", "iamRoleArn": "DeliverLogsPermissionArn",
                              "logFormat": "LogFormat", "maxAggregationInterval": "MaxAggregationInterval"}),
            **tag_specifications(call, "vpc-flow-log"))
        for failed in answer.get("Unsuccessful", ()):
            raise ProviderError(f"CreateFlowLogs: {failed['Error']['Message']} ({failed['Error']['Code']})")
        return str(answer["FlowLogIds"][0])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        arn = call.arn("ec2", f"vpc-flow-log/{id}")
        ours = call.kept.get(call.account, call.region, self.type, id)
        if ours is not None:
            return {**ours, "arn": arn}
        log = look_up(call, "flow-log", id)
        if log is None:
            return None
        source = next((name for name in _SOURCES if log["ResourceId"].startswith(_PREFIXES[name])), "vpcId")
        return {"arn": arn, source: log["ResourceId"], "trafficType": log.get("TrafficType", "ALL"),
                "logDestinationType": log.get("LogDestinationType", "cloud-watch-logs"),
                "logDestination": log.get("LogDestination") or known.get("logDestination", ""),
                "iamRoleArn": log.get("DeliverLogsPermissionArn", ""), "logFormat": log.get("LogFormat", ""),
                "maxAggregationInterval": log.get("MaxAggregationInterval", 600), "tags": tags_of(log.get("Tags"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        ours = call.kept.get(call.account, call.region, self.type, id)
        if ours is not None:
            call.kept.put(call.account, call.region, self.type, id, {**ours, "tags": call.tags})
        elif "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if not call.kept.delete(call.account, call.region, self.type, id):
            with absent_is_fine():
                call.client("ec2").delete_flow_logs(FlowLogIds=[id])


_PREFIXES = {"vpcId": "vpc-", "subnetId": "subnet-", "eniId": "eni-", "transitGatewayId": "tgw-",
             "transitGatewayAttachmentId": "tgw-attach-"}
