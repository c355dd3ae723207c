"""Route tables, routes, and which subnet uses which table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services.ec2_common import look_up, refers, replace_tags, search, tag_specifications
from rehearsal.aws.services.shapes import absent_is_fine, tags_of
from rehearsal.engine.provider import NotFound, ProviderError
from rehearsal.engine.values import Properties

_DESTINATIONS = {"cidrBlock": "DestinationCidrBlock", "ipv6CidrBlock": "DestinationIpv6CidrBlock",
                 "destinationPrefixListId": "DestinationPrefixListId"}
_ROUTE_DESTINATIONS = {"destinationCidrBlock": "DestinationCidrBlock",
                       "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
                       "destinationPrefixListId": "DestinationPrefixListId"}
_TARGETS = {"gatewayId": "GatewayId", "natGatewayId": "NatGatewayId", "networkInterfaceId": "NetworkInterfaceId",
            "transitGatewayId": "TransitGatewayId", "vpcPeeringConnectionId": "VpcPeeringConnectionId",
            "egressOnlyGatewayId": "EgressOnlyInternetGatewayId", "carrierGatewayId": "CarrierGatewayId",
            "localGatewayId": "LocalGatewayId", "vpcEndpointId": "VpcEndpointId", "coreNetworkArn": "CoreNetworkArn"}
_TARGET_KINDS = {"natGatewayId": "nat-gateway", "networkInterfaceId": "network-interface",
                 "transitGatewayId": "transit-gateway", "vpcPeeringConnectionId": "peering",
                 "egressOnlyGatewayId": "egress-only-gateway", "vpcEndpointId": "endpoint"}


def _target_references(route: Mapping[str, Any], where: str) -> Iterable[Reference]:
    for property, kind in _TARGET_KINDS.items():
        yield from refers(kind, where + property, route.get(property))
    gateway = route.get("gatewayId")
    if gateway and str(gateway).startswith("igw-"):
        yield from refers("internet-gateway", where + "gatewayId", gateway)


def _parameters(route: Mapping[str, Any], destinations: Mapping[str, str]) -> dict[str, Any]:
    """Destination and target of a route as the API takes them; there must be one of each."""
    chosen = {api: route[name] for name, api in destinations.items() if route.get(name)}
    target = {api: route[name] for name, api in _TARGETS.items() if route.get(name)}
    if len(chosen) != 1 or len(target) != 1:
        raise ProviderError(f"a route needs one destination of {sorted(destinations)} and one target of "
                            f"{sorted(_TARGETS)}; got {sorted(key for key in route if route[key])}")
    return chosen | target


def _destination(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {api: value for api, value in parameters.items() if api.startswith("Destination")}


@resource
class RouteTable(Handler):
    type = "aws:ec2/routeTable:RouteTable"

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("vpc", "vpcId", inputs.get("vpcId"))
        for index, route in enumerate(inputs.get("routes") or ()):
            yield from _target_references(route, f"routes[{index}].")

    def create(self, call: Call, inputs: Properties) -> str:
        routes = [_parameters(route, _DESTINATIONS) for route in inputs.get("routes") or ()]
        client = call.client("ec2")
        id = client.create_route_table(
            VpcId=inputs["vpcId"], **tag_specifications(call, "route-table"))["RouteTable"]["RouteTableId"]
        for route in routes:
            client.create_route(RouteTableId=id, **route)
        for gateway in inputs.get("propagatingVgws") or ():
            client.enable_vgw_route_propagation(RouteTableId=id, GatewayId=gateway)
        return str(id)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        table = look_up(call, "route-table", id)
        if table is None:
            return None
        return {
            "arn": call.arn("ec2", f"route-table/{id}"), "vpcId": table["VpcId"],
            "ownerId": table.get("OwnerId", call.account), "tags": tags_of(table.get("Tags")),
            "propagatingVgws": [g["GatewayId"] for g in table.get("PropagatingVgws", ())],
            "routes": _as_known([_inline(route) for route in table["Routes"] if _ours(route)],
                                known.get("routes") or []),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "routes" in changed:
            client = call.client("ec2")
            before = [_parameters(route, _DESTINATIONS) for route in old.get("routes") or ()]
            after = [_parameters(route, _DESTINATIONS) for route in new.get("routes") or ()]
            reached = [_destination(route) for route in after]
            for route in before:
                if _destination(route) not in reached:
                    with absent_is_fine():
                        client.delete_route(RouteTableId=id, **_destination(route))
            for route in after:
                if route not in before:
                    same = _destination(route) in [_destination(r) for r in before]
                    (client.replace_route if same else client.create_route)(RouteTableId=id, **route)
        if "tags" in changed:
            replace_tags(call, id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("ec2").delete_route_table(RouteTableId=id)


def _ours(route: Mapping[str, Any]) -> bool:
    """Neither the local route nor what a gateway endpoint put there: the provider leaves both out."""
    return route.get("GatewayId") != "local" and not str(route.get("GatewayId", "")).startswith("vpce-")


def _inline(route: Mapping[str, Any]) -> Properties:
    return {name: route[api] for name, api in (_DESTINATIONS | _TARGETS).items() if route.get(api)}


def _as_known(observed: list[Properties], known: list[Properties]) -> list[Properties]:
    """In the order of the program's routes; routes are a set to the provider."""
    def key(route: Properties) -> str:
        return "".join(str(route.get(name) or "") for name in _DESTINATIONS)

    order = [key(route) for route in known]
    return sorted(observed, key=lambda route: (order.index(key(route)) if key(route) in order else len(order)))


@resource
class Route(Handler):
    type = "aws:ec2/route:Route"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("route-table", "routeTableId", inputs.get("routeTableId"))
        yield from _target_references(inputs, "")

    def create(self, call: Call, inputs: Properties) -> str:
        parameters = _parameters(inputs, _ROUTE_DESTINATIONS)
        call.client("ec2").create_route(RouteTableId=inputs["routeTableId"], **parameters)
        return f"{inputs['routeTableId']}_{next(iter(_destination(parameters).values()))}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        table_id, _, destination = id.partition("_")
        table = look_up(call, "route-table", table_id)
        for route in table["Routes"] if table else ():
            if destination in (route.get(api) for api in _ROUTE_DESTINATIONS.values()):
                return {"routeTableId": table_id, "origin": route.get("Origin", "CreateRoute"),
                        "state": route.get("State", "active"), "instanceId": route.get("InstanceId", ""),
                        "instanceOwnerId": route.get("InstanceOwnerId", ""),
                        **{name: route.get(api, "") for name, api in _ROUTE_DESTINATIONS.items()},
                        **{name: route.get(api, "") for name, api in _TARGETS.items()}}
        return None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("ec2").replace_route(
            RouteTableId=new["routeTableId"],
            **_parameters({**dict.fromkeys(_TARGETS), **new}, _ROUTE_DESTINATIONS))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if self.read(call, id, known) is None:
            return
        table, _, destination = id.partition("_")
        kind = ("DestinationPrefixListId" if destination.startswith("pl-") else
                "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock")
        with absent_is_fine():
            call.client("ec2").delete_route(RouteTableId=table, **{kind: destination})


@resource
class RouteTableAssociation(Handler):
    """Its id is `rtbassoc-…`; an import takes `subnet-…/rtb-…`, which `read` resolves as well."""

    type = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from refers("route-table", "routeTableId", inputs.get("routeTableId"))
        yield from refers("subnet", "subnetId", inputs.get("subnetId"))
        yield from refers("internet-gateway", "gatewayId", inputs.get("gatewayId"))

    def create(self, call: Call, inputs: Properties) -> str:
        place = {"SubnetId": inputs["subnetId"]} if inputs.get("subnetId") else {"GatewayId": inputs["gatewayId"]}
        if "SubnetId" in place:
            for table in search(call, "route-table", **{"association.subnet_id": place["SubnetId"]}):
                if table["RouteTableId"] == inputs["routeTableId"]:
                    continue  # made by an interrupted creation, which is taken again here
                raise ProviderError("An error occurred (Resource.AlreadyAssociated) when calling the "
                                    "AssociateRouteTable operation: the specified association for subnet "
                                    f"{place['SubnetId']} conflicts with an existing one of {table['RouteTableId']}")
        return str(call.client("ec2").associate_route_table(
            RouteTableId=inputs["routeTableId"], **place)["AssociationId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        found = self._find(call, id, known)
        return found and {"routeTableId": found["RouteTableId"], "subnetId": found.get("SubnetId", ""),
                          "gatewayId": found.get("GatewayId", "")}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        found = self._find(call, id, old)
        if found is None:
            raise NotFound(f"the association {id} is gone")
        call.client("ec2").replace_route_table_association(
            AssociationId=found["RouteTableAssociationId"], RouteTableId=new["routeTableId"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        found = self._find(call, id, known)
        if found is not None:
            with absent_is_fine():
                call.client("ec2").disassociate_route_table(AssociationId=found["RouteTableAssociationId"])

    def _find(self, call: Call, id: str, known: Properties) -> dict[str, Any] | None:
        """By its id; moved to another table, the association has got a new one and is found by its two ends."""
        place, _, table = id.partition("/")
        if not table:
            for found in search(call, "route-table", **{"association.route_table_association_id": id}):
                for association in found["Associations"]:
                    if association["RouteTableAssociationId"] == id:
                        return dict(association)
            place, table = known.get("subnetId") or known.get("gatewayId") or "", known.get("routeTableId") or ""
        found_table = look_up(call, "route-table", table) if place and table else None
        for association in found_table["Associations"] if found_table else ():
            if place in (association.get("SubnetId"), association.get("GatewayId")):
                return dict(association)
        return None
