"""What exists before the program runs: objects that it looks up and does not make. The CLI calls this before an `up`.

    ensure_zone(clients, "123456789012", "candlefish.ai")   # before a program that reads aws:route53/getZone
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def ensure_zone(client: Callable[[str, str, str], Any], account: str, name: str) -> str:
    """The id of the account's public zone of that name, made if there is none.

    `client(service, region, account)` gives a boto3 client, such as `Clients.shared`.
    """
    route53 = client("route53", "us-east-1", account)
    wanted = name.rstrip(".") + "."
    for page in route53.get_paginator("list_hosted_zones").paginate():
        for zone in page["HostedZones"]:
            if zone["Name"] == wanted and not zone["Config"].get("PrivateZone"):
                return str(zone["Id"]).rsplit("/", 1)[-1]
    made = route53.create_hosted_zone(Name=wanted, CallerReference=f"world-{account}-{name}",
                                      HostedZoneConfig={"Comment": "exists before the stack", "PrivateZone": False})
    return str(made["HostedZone"]["Id"]).rsplit("/", 1)[-1]


def ensure_api_logging(client: Callable[[str, str, str], Any], account: str, region: str) -> None:
    """API Gateway has a role for logs, as another stack of the account gave it one."""
    gateway = client("apigateway", region, account)
    if not gateway.get_account().get("cloudwatchRoleArn"):
        gateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn",
                                                 "value": f"arn:aws:iam::{account}:role/api-gateway-logs"}])
