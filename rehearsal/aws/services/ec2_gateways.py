"""The ways out of a VPC: internet gateways, addresses, NAT gateways."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services.ec2_common import in_use, look_up, refers, replace_tags, search, tag_specifications
from rehearsal.aws.services.shapes import absent_is_fine, chosen, tags_of
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties


@resource
class InternetGateway(Handler):
    type = "aws:ec2/internetGateway:InternetGateway"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("ec2")
        id = client.create_internet_gateway(
            **tag_specifications(call, "internet-gateway"))["InternetGateway"]["InternetGatewayId"]
        if inputs.get("vpcId"):
            client.attach_internet_gateway(InternetGatewayId=id, VpcId=inputs["vpcId"])
        return str(id)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        gateway = look_up(call, "internet-gateway", id)
        if gateway is None:
            return None
        attached = gateway.get("Attachments", ())
        return {"arn": call.arn("ec2", f"internet-gateway/{id}"), "ownerId": gateway.get("OwnerId", call.account),
                "vpcId": attached[0]["VpcId"] if attached else "", "tags": tags_of(gateway.get("Tags"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("ec2")
        if "vpcId" in changed:
            if old.get("vpcId"):
                client.detach_internet_gateway(InternetGatewayId=id, VpcId=old["vpcId"])
            if new.get("vpcId"):
                client.attach_internet_gateway(InternetGatewayId=id, VpcId=new["vpcId"])
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        gateway = look_up(call, "internet-gateway", id)
        if gateway is None:
            return
        client = call.client("ec2")
        for attached in gateway.get("Attachments", ()):
            vpc = attached["VpcId"]
            in_use("DetachInternetGateway", "internetGateway", id, [
                f"{nat['NatGatewayId']} with a public address"
                for nat in client.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NatGateways"]
                if nat["State"] not in ("deleted", "deleting") and nat.get("ConnectivityType", "public") == "public"])
            client.detach_internet_gateway(InternetGatewayId=id, VpcId=vpc)
        with absent_is_fine():
            client.delete_internet_gateway(InternetGatewayId=id)


@resource
class Eip(Handler):
    type = "aws:ec2/eip:Eip"
    kept = ("address", "customerOwnedIpv4Pool", "ipamPoolId", "networkBorderGroup", "publicIpv4Pool",
            "associateWithPrivateIp")
    defaults = {"domain": "vpc"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("network-interface", "networkInterface", inputs.get("networkInterface"))

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client("ec2")
        id = client.allocate_address(
            Domain="vpc", **chosen(inputs, {"address": "Address", "publicIpv4Pool": "PublicIpv4Pool"}),
            **tag_specifications(call, "elastic-ip"))["AllocationId"]
        self._associate(call, id, inputs)
        return str(id)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        address = look_up(call, "address", id)
        if address is None:
            return None
        public, private = address["PublicIp"], address.get("PrivateIpAddress", "")
        return {
            "arn": call.arn("ec2", f"elastic-ip/{id}"), "allocationId": id, "domain": address["Domain"],
            "publicIp": public, "publicDns": f"ec2-{public.replace('.', '-')}.{_dns_zone(call.region)}",
            "privateIp": private, "privateDns": _private_dns(call.region, private),
            "associationId": address.get("AssociationId", ""), "instance": address.get("InstanceId", ""),
            "networkInterface": address.get("NetworkInterfaceId", ""), "carrierIp": "", "customerOwnedIp": "",
            "ptrRecord": "", "publicIpv4Pool": address.get("PublicIpv4Pool", "amazon"),
            "networkBorderGroup": address.get("NetworkBorderGroup", call.region),
            "tags": tags_of(address.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if changed & {"instance", "networkInterface", "associateWithPrivateIp"}:
            address = look_up(call, "address", id) or {}
            if address.get("AssociationId"):
                call.client("ec2").disassociate_address(AssociationId=address["AssociationId"])
            self._associate(call, id, new)
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        address = look_up(call, "address", id)
        if address is None:
            return
        if address.get("AssociationId"):
            if not (known.get("instance") or known.get("networkInterface")):
                raise ProviderError(
                    "An error occurred (InvalidIPAddress.InUse) when calling the ReleaseAddress operation: Address "
                    f"{address['PublicIp']} ({id}) is in use by {address.get('NetworkInterfaceId')}")
            call.client("ec2").disassociate_address(AssociationId=address["AssociationId"])
        with absent_is_fine():
            call.client("ec2").release_address(AllocationId=id)

    def _associate(self, call: Call, id: str, inputs: Properties) -> None:
        if inputs.get("instance") or inputs.get("networkInterface"):
            call.client("ec2").associate_address(AllocationId=id, **chosen(inputs, {
                "instance": "InstanceId", "networkInterface": "NetworkInterfaceId",
                "associateWithPrivateIp": "PrivateIpAddress"}))


@resource
class NatGateway(Handler):
    type = "aws:ec2/natGateway:NatGateway"
    kept = ("availabilityMode", "availabilityZoneAddresses", "secondaryAllocationIds",
            "secondaryPrivateIpAddressCount", "secondaryPrivateIpAddresses", "connectivityType")
    defaults = {"connectivityType": "public"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("subnet", "subnetId", inputs.get("subnetId"))
        yield from refers("address", "allocationId", inputs.get("allocationId"))

    def create(self, call: Call, inputs: Properties) -> str:
        if inputs.get("connectivityType", "public") == "public":
            address = look_up(call, "address", inputs["allocationId"]) if inputs.get("allocationId") else None
            if address is None:
                raise ProviderError("An error occurred (MissingParameter) when calling the CreateNatGateway operation: "
                                    "a public NAT gateway needs an allocationId")
            if address.get("AssociationId") and not self._is_repeated(call, inputs):
                raise ProviderError(
                    "An error occurred (Resource.AlreadyAssociated) when calling the CreateNatGateway operation: "
                    f"resource {inputs['allocationId']} is already associated with {address['AssociationId']}")
        client = call.client("ec2")
        id = call.made(client.create_nat_gateway(
            **chosen(inputs, {"subnetId": "SubnetId", "allocationId": "AllocationId", "privateIp": "PrivateIpAddress",
                              "connectivityType": "ConnectivityType"}),
            **tag_specifications(call, "natgateway"))["NatGateway"]["NatGatewayId"])
        client.get_waiter("nat_gateway_available").wait(NatGatewayIds=[id], WaiterConfig={"Delay": 1})
        return id

    def _is_repeated(self, call: Call, inputs: Properties) -> bool:
        """Whether the address is taken by this very gateway: its creation was interrupted and is taken again."""
        return any(
            nat["SubnetId"] == inputs["subnetId"] and tags_of(nat.get("Tags")) == call.tags
            and any(address.get("AllocationId") == inputs["allocationId"] for address in nat["NatGatewayAddresses"])
            for nat in call.client("ec2").describe_nat_gateways(
                Filters=[{"Name": "subnet-id", "Values": [inputs["subnetId"]]}])["NatGateways"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        nat = look_up(call, "nat-gateway", id)
        if nat is None:
            return None
        address = (nat.get("NatGatewayAddresses") or [{}])[0]
        return {
            "subnetId": nat["SubnetId"], "vpcId": nat["VpcId"], "allocationId": address.get("AllocationId", ""),
            "associationId": address.get("AssociationId", ""), "privateIp": address.get("PrivateIp", ""),
            "networkInterfaceId": address.get("NetworkInterfaceId", ""), "publicIp": address.get("PublicIp", ""),
            "tags": tags_of(nat.get("Tags")),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        nat = next(iter(search(call, "nat-gateway", nat_gateway_id=id)), None)
        if nat is None:
            return
        client = call.client("ec2")
        lives = nat["State"] not in ("deleted", "deleting")
        if lives:
            client.delete_nat_gateway(NatGatewayId=id)
        # The emulator leaves what AWS takes away with the gateway: the address's association and the interface. Also
        # after an interruption, when the gateway itself is gone already.
        for address in nat.get("NatGatewayAddresses", ()):
            allocated = look_up(call, "address", address.get("AllocationId", ""))
            if allocated and allocated.get("AssociationId") and (
                    lives or allocated.get("NetworkInterfaceId") == address.get("NetworkInterfaceId")):
                with absent_is_fine():
                    client.disassociate_address(AssociationId=allocated["AssociationId"])
            for interface in search(call, "network-interface", subnet_id=nat["SubnetId"]):
                if interface["NetworkInterfaceId"] == address.get("NetworkInterfaceId"):
                    with absent_is_fine():
                        client.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])


def _dns_zone(region: str) -> str:
    return "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"


def _private_dns(region: str, address: str) -> str:
    if not address:
        return ""
    zone = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{zone}"
