"""How each disaster is done, and what is compared afterwards."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehearsal.disasters.world import DrillError, World

_ITEMS = 40
_OBJECTS = 25
_PREFIX = "drill/"  # of what a drill puts there itself, and takes away again
_WITHIN_SECONDS = 120.0


@dataclass(frozen=True)
class Struck:
    """values: what the commands' places are filled with. kept: what must be there again, by name. now: what is.
    config: settings of this run. tidy: takes away what the drill has brought. seen: what real time showed meanwhile."""

    values: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    now: Callable[[], Mapping[str, Any]] = dict
    config: tuple[str, ...] = ()
    tidy: Callable[[], None] = lambda: None
    seen: Callable[[], Mapping[str, Any]] = dict


def table_truncated(world: World) -> Struck:
    """Every item of a table. Not of one with a stream: its functions would take the drill's items for real ones."""
    table = world.one("aws:dynamodb/table:Table", lambda each: not each.inputs.get("streamEnabled"))
    dynamodb, name = world.clients("dynamodb"), str(table.inputs["name"])
    keys = [str(table.inputs[part]) for part in ("hashKey", "rangeKey") if table.inputs.get(part)]
    mine = [{key: {"S": f"{_PREFIX}{number}"} for key in keys} for number in range(_ITEMS)]
    for key in mine:
        dynamodb.put_item(TableName=name, Item={**key, "of": {"S": f"{world.draw.random()}"}})
    moment = world.moment()

    def items() -> dict[str, Any]:
        return {repr([item[key] for key in keys]): item for page in dynamodb.get_paginator("scan").paginate(
            TableName=name, ConsistentRead=True) for item in page["Items"]}

    def delete(some: list[dict[str, Any]]) -> None:
        for item in some:
            dynamodb.delete_item(TableName=name, Key={key: item[key] for key in keys})

    kept = items()
    delete(list(kept.values()))
    return Struck({"table": name, "moment": spelled(moment)}, kept, items, tidy=lambda: delete(mine))


def bucket_emptied(world: World) -> Struck:
    """Somebody's key deletes every object of a versioned bucket."""
    s3 = world.clients("s3")
    bucket = world.one("aws:s3/bucket:Bucket",
                       lambda each: s3.get_bucket_versioning(Bucket=each.id).get("Status") == "Enabled").id
    mine = [f"{_PREFIX}{number}" for number in range(_OBJECTS)]
    for key in mine:
        s3.put_object(Bucket=bucket, Key=key, Body=f"{world.draw.random()}".encode())
    moment = world.moment()

    def objects() -> dict[str, Any]:
        return {each["Key"]: hashlib.sha256(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()).hexdigest()
                for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
                for each in page.get("Contents") or ()}

    def tidy() -> None:
        for key in mine:
            s3.delete_object(Bucket=bucket, Key=key)

    kept = objects()
    for key in kept:
        s3.delete_object(Bucket=bucket, Key=key)
    return Struck({"bucket": bucket, "moment": spelled(moment)}, kept, objects, tidy=tidy)


def secret_deleted(world: World) -> Struck:
    """With the console's window: 30 days, in which nobody may have its name or its value."""
    secrets, secret = world.clients("secretsmanager"), world.one("aws:secretsmanager/secret:Secret").id
    name = str(secrets.describe_secret(SecretId=secret)["Name"])

    def value() -> dict[str, Any]:
        return {name: secrets.get_secret_value(SecretId=secret)["SecretString"]}

    kept = value()
    secrets.delete_secret(SecretId=secret, RecoveryWindowInDays=30)
    return Struck({"secret": name}, kept, value)


def key_scheduled(world: World) -> Struck:
    kms = world.clients("kms")
    key = world.one("aws:kms/key:Key", lambda each: each.inputs.get("keyUsage") in (None, "ENCRYPT_DECRYPT")).id
    sealed = kms.encrypt(KeyId=key, Plaintext=b"sealed before")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    def opened() -> dict[str, Any]:
        return {"what it sealed": kms.decrypt(KeyId=key, CiphertextBlob=sealed)["Plaintext"],
                "state": kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]}

    return Struck({"key": key}, {"what it sealed": b"sealed before", "state": "Enabled"}, opened)


def validation_record_deleted(world: World) -> Struck:
    """ACM renews a certificate as long as it finds this record; without it the certificate ends after 13 months."""
    record = world.one("aws:route53/record:Record", lambda each: str(each.inputs.get("name", "")).startswith("_"))
    route53 = world.clients("route53")
    zone, _, name = record.id.partition("_")
    name = name.removesuffix("_CNAME").rstrip(".") + "."

    def records() -> dict[str, Any]:
        return {each["Name"]: each["ResourceRecords"] for page in
                route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
                for each in page["ResourceRecordSets"] if each["Name"].rstrip(".") + "." == name}

    kept = records()
    if not kept:
        raise DrillError(f"the zone {zone} has no record {name}")
    for found, values in kept.items():
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
            "Action": "DELETE", "ResourceRecordSet": {
                "Name": found, "Type": "CNAME", "TTL": record.inputs.get("ttl"), "ResourceRecords": values}}]})
    return Struck(kept=kept, now=records)


def nat_gateway_deleted(world: World) -> Struck:
    world.clients("ec2").delete_nat_gateway(NatGatewayId=world.one("aws:ec2/natGateway:NatGateway").id)
    return Struck()


def up_killed(world: World) -> Struck:
    """In the middle of an `up` that brings another NAT gateway and its address."""
    config = ("network.natGatewayCount=2",)
    before = world.state.stat().st_mtime_ns
    running = world.start(["candlefish", "rehearse", "up", "--stack", world.stack, "--json", "-c", *config])
    until = time.monotonic() + _WITHIN_SECONDS
    while running.poll() is None and world.state.stat().st_mtime_ns == before and time.monotonic() < until:
        time.sleep(0.01)
    if running.poll() is not None:
        raise DrillError(f"the `up` ended with {running.returncode} before anybody could kill it")
    running.kill()
    running.wait()

    def tidy() -> None:
        done = world.run(["candlefish", "rehearse", "up", "--stack", world.stack, "--json"])
        if done.code:
            raise DrillError(f"the NAT gateway of the drill could not be taken away again: {done.stderr[-500:]}")

    return Struck({}, config=config, tidy=tidy)


def cluster_deleted(world: World) -> Struck:
    eks = world.clients("eks")
    cluster = world.of("aws:eks/cluster:Cluster")[0].id
    for group in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
        eks.delete_nodegroup(clusterName=cluster, nodegroupName=group)
    for addon in eks.list_addons(clusterName=cluster)["addons"]:
        eks.delete_addon(clusterName=cluster, addonName=addon)
    eks.delete_cluster(name=cluster)
    ec2 = world.clients("ec2")  # EKS takes its own group with the cluster, the emulator leaves it
    for group in ec2.describe_security_groups(
            Filters=[{"Name": "tag:Name", "Values": [f"eks-cluster-sg-{cluster}"]}])["SecurityGroups"]:
        for rule in group["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])
        ec2.delete_security_group(GroupId=group["GroupId"])
    world.lose_cluster()
    return Struck()


def state_lost(world: World) -> Struck:
    """The state is gone, and what is left of it is older than the last change."""
    copy = world.state.with_name("state.copy.json")
    copy.write_bytes(world.state.read_bytes())
    changed = world.run(["candlefish", "rehearse", "up", "--stack", world.stack, "--json", "-c",
                         "ownership.costCenter=drill"])
    if changed.code:
        raise DrillError(f"the last change before the loss failed: {changed.stderr[-500:]}")
    urns = {each.urn: each.id for each in world.resources()}
    world.state.unlink()
    return Struck({"copy": str(copy)}, urns, lambda: {each.urn: each.id for each in world.resources()},
                  tidy=lambda: copy.unlink(missing_ok=True))


def destroyed(world: World) -> Struck:
    """All of it, on purpose or not; and late log lines make the log groups anew behind its back."""
    late = [str(each.inputs["name"]) for each in world.of("aws:cloudwatch/logGroup:LogGroup")
            if str(each.inputs["name"]).startswith(("/aws/eks/", "/aws/lambda/"))]
    gone = world.run(["candlefish", "rehearse", "destroy", "--stack", world.stack, "--yes", "--json"])
    if gone.code:
        raise DrillError(f"destroy failed: {gone.stderr[-500:]}")
    for group in late:
        world.clients("logs").create_log_group(logGroupName=group)
    return Struck()


def spelled(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
