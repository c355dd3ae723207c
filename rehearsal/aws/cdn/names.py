"""Where an origin's name leads on this machine, by the emulated Route 53: to the gateway or to a cluster's front door.

A load balancer's name leads to the cluster that its tags name, and that cluster's front door is kept beside the
emulators under `FRONT_DOOR`: id the cluster, `url` its loopback address. Health checks are not evaluated: of a failover
pair the primary counts, unless its check is inverted, which is how a failover is planned.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import KeptObjects

FRONT_DOOR = "candlefish:kubernetes:FrontDoor"
_CLUSTER_TAG = "elbv2.k8s.aws/cluster"
_API = re.compile(r"\.execute-api\.[a-z0-9-]+\.amazonaws\.com$")
_BALANCER = re.compile(r"\.([a-z0-9-]+)\.elb\.amazonaws\.com$")
_LONGEST = 10  # aliases of aliases


class Unresolved(Exception):
    """The text says which name leads nowhere."""


class Names:
    """Blocks. Thread-safe. What it found it remembers until `forget`, which Route 53's changes call for."""

    def __init__(self, clients: Callable[[str, str, str], Any], kept: KeptObjects, gateway: str) -> None:
        self._clients, self._kept, self._gateway = clients, kept, gateway
        self._known: dict[tuple[str, str], str] = {}

    def forget(self) -> None:
        self._known = {}  # another object: who is still asking puts what it finds into the old one

    def url(self, account: str, host: str) -> str:
        """`http://127.0.0.1:PORT`, where the Host header decides. Raises Unresolved."""
        known = self._known
        if (account, host) not in known:
            known[account, host] = self._find(account, host)
        return known[account, host]

    def _find(self, account: str, host: str) -> str:
        name = host.lower().rstrip(".")
        for _ in range(_LONGEST):
            if _API.search(name):
                return self._gateway
            if balancer := _BALANCER.search(name):
                return self._front_door(account, balancer[1], name)
            name = self._next(account, name)
        raise Unresolved(f"{host} is an alias of an alias, {_LONGEST} times over")

    def _front_door(self, account: str, region: str, name: str) -> str:
        client = self._clients("elbv2", region, account)
        found = next((each["LoadBalancerArn"] for page in client.get_paginator("describe_load_balancers").paginate()
                      for each in page["LoadBalancers"] if each["DNSName"].lower() == name), None)
        if found is None:
            raise Unresolved(f"no load balancer of {region} has the name {name}")
        tags = client.describe_tags(ResourceArns=[found])["TagDescriptions"][0]["Tags"]
        cluster = next((tag["Value"] for tag in tags if tag["Key"] == _CLUSTER_TAG), "")
        kept = self._kept.get(account, region, FRONT_DOOR, cluster)
        if kept is None:
            raise Unresolved(f"the load balancer {name} belongs to no cluster that runs here")
        return str(kept["url"])

    def _next(self, account: str, name: str) -> str:
        """What the name's record says: an alias or a CNAME."""
        client = self._clients("route53", "us-east-1", account)
        for zone in self._zones(client, name):
            answer = client.list_resource_record_sets(HostedZoneId=zone, StartRecordName=name, StartRecordType="A")
            records = [each for each in answer["ResourceRecordSets"]
                       if each["Name"].rstrip(".").lower() == name and each["Type"] in ("A", "CNAME")]
            if records:
                chosen = self._chosen(client, records)
                if alias := chosen.get("AliasTarget"):
                    return str(alias["DNSName"]).rstrip(".").lower().removeprefix("dualstack.")
                if chosen["Type"] == "CNAME":
                    return str(chosen["ResourceRecords"][0]["Value"]).rstrip(".").lower()
                raise Unresolved(f"{name} has an address, and addresses of the emulated AWS lead nowhere")
        raise Unresolved(f"{name} is in no public hosted zone of the emulated account")

    @staticmethod
    def _zones(client: Any, name: str) -> list[str]:
        """Public zones that may have the name, the closest first."""
        found = [(zone["Name"].rstrip(".").lower(), zone["Id"].rsplit("/", 1)[-1])
                 for page in client.get_paginator("list_hosted_zones").paginate()
                 for zone in page["HostedZones"] if not zone["Config"].get("PrivateZone")]
        return [id for zone, id in sorted(found, key=lambda each: -len(each[0]))
                if name == zone or name.endswith(f".{zone}")]

    @staticmethod
    def _chosen(client: Any, records: list[Any]) -> Any:
        primary = next((each for each in records if each.get("Failover") == "PRIMARY"), None)
        if primary is None:
            return records[0]
        secondary = next((each for each in records if each.get("Failover") == "SECONDARY"), primary)
        check = primary.get("HealthCheckId")
        if check is None:
            return primary
        try:
            config = client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
        except ClientError as error:
            raise Unresolved(f"the health check of {records[0]['Name']} cannot be read: {error}") from error
        return secondary if config.get("Inverted") else primary
