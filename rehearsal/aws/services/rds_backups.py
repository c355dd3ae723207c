"""RDS snapshots, automated backups replicated to another region, and event subscriptions."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, refused, tag_map, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services._rds_creation import forget_replication, note_replication
from rehearsal.aws.services._rds_identity import GONE, instance_exists
from rehearsal.aws.services.rds import retag_rds
from rehearsal.engine.values import Properties


@resource
class Snapshot(Handler):
    type = "aws:rds/snapshot:Snapshot"
    kept = ("sharedAccounts",)

    def create(self, call: Call, inputs: Properties) -> str:
        rds = call.client("rds")
        answer = rds.create_db_snapshot(
            DBInstanceIdentifier=inputs["dbInstanceIdentifier"], DBSnapshotIdentifier=inputs["dbSnapshotIdentifier"],
            Tags=call.tag_list)
        return str(answer["DBSnapshot"]["DBSnapshotIdentifier"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("rds").describe_db_snapshots(DBSnapshotIdentifier=id),
                       "DBSnapshotNotFound", "DBSnapshotNotFoundFault")
        if not answer or not answer["DBSnapshots"]:
            return None
        shot = answer["DBSnapshots"][0]
        return {"dbSnapshotIdentifier": shot["DBSnapshotIdentifier"],
                "dbInstanceIdentifier": shot["DBInstanceIdentifier"], "dbSnapshotArn": shot["DBSnapshotArn"],
                "allocatedStorage": shot["AllocatedStorage"], "availabilityZone": shot.get("AvailabilityZone"),
                "encrypted": bool(shot.get("Encrypted")), "engine": shot["Engine"],
                "engineVersion": shot["EngineVersion"], "iops": shot.get("Iops"), "kmsKeyId": shot.get("KmsKeyId"),
                "licenseModel": shot.get("LicenseModel"), "optionGroupName": shot.get("OptionGroupName"),
                "port": shot.get("Port"), "snapshotType": shot["SnapshotType"], "status": shot["Status"],
                "sourceDbSnapshotIdentifier": shot.get("SourceDBSnapshotIdentifier"),
                "sourceRegion": shot.get("SourceRegion"), "storageType": shot.get("StorageType"),
                "vpcId": shot.get("VpcId"), "tags": tag_map(shot.get("TagList"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "tags" in changed:
            retag_rds(call, call.arn("rds", f"snapshot:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("DBSnapshotNotFound", "DBSnapshotNotFoundFault"):
            call.client("rds").delete_db_snapshot(DBSnapshotIdentifier=id)


@resource
class InstanceAutomatedBackupsReplication(KeptObject):
    """Lives in the region that receives the backups."""

    type = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
    tags_property = None
    defaults = {"retentionPeriod": 7}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield instance_exists("sourceDbInstanceArn", inputs["sourceDbInstanceArn"])
        yield from references.given(inputs, {"kmsKeyId": references.kms_key})

    def identify(self, call: Call, inputs: Properties) -> str:
        arn, key = inputs["sourceDbInstanceArn"], inputs.get("kmsKeyId")
        answer = found(lambda: call.client("rds", arn.split(":")[3]).describe_db_instances(
            DBInstanceIdentifier=arn.rsplit(":", 1)[-1]), *GONE)
        source = answer["DBInstances"][0] if answer else {}
        problem = None
        if arn.split(":")[3] == call.region:
            problem = (f"the source instance {arn} is in {call.region} itself: create the replication with a provider "
                       "of another region")
        elif not source.get("BackupRetentionPeriod"):
            problem = f"{arn} has no automated backups to replicate: its backupRetentionPeriod is 0"
        elif source.get("StorageEncrypted") and not key:
            problem = f"{arn} is encrypted: kmsKeyId must name a key of {call.region}"
        elif key and key.startswith("arn:") and key.split(":")[3] != call.region:
            problem = f"kmsKeyId {key} is not a key of {call.region}, where the backups go"
        if problem:
            raise refused("InvalidParameterValue", problem, "StartDBInstanceAutomatedBackupsReplication")
        sent = {"KmsKeyId": key} if key else {}
        started = call.client("rds").start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=arn, BackupRetentionPeriod=inputs.get("retentionPeriod") or 7, **sent)
        id = str(started["DBInstanceAutomatedBackup"]["DBInstanceAutomatedBackupsArn"])
        note_replication(call, id, source, key)
        return id

    def delete(self, call: Call, id: str, known: Properties) -> None:
        super().delete(call, id, known)
        forget_replication(call, id)
        with unless("DBInstanceNotFound"):
            call.client("rds").stop_db_instance_automated_backups_replication(
                SourceDBInstanceArn=known["sourceDbInstanceArn"])


# Source type → categories ("Amazon RDS event categories and event messages", RDS user guide); others are not checked.
_CATEGORIES = {"db-instance": frozenset((
    "availability", "backtrack", "backup", "configuration change", "creation", "deletion", "failover", "failure",
    "low storage", "maintenance", "notification", "patching", "read replica", "recovery", "restoration", "security",
    "security patching"))}


@resource
class EventSubscription(Handler):
    type = "aws:rds/eventSubscription:EventSubscription"
    naming = Naming("name", maximum=255)
    defaults = {"enabled": True}
    kept = ("namePrefix", "enabled")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"snsTopic": references.topic})

    def create(self, call: Call, inputs: Properties) -> str:
        known = _CATEGORIES.get(inputs.get("sourceType") or "")
        for category in inputs.get("eventCategories") or ():
            if known is not None and category not in known:
                raise refused("SubscriptionCategoryNotFound", f"{category!r} is no event category of "
                              f"{inputs['sourceType']}: one of {', '.join(sorted(known))}", "CreateEventSubscription")
        if inputs.get("sourceIds") and not inputs.get("sourceType"):
            raise refused("InvalidParameterCombination", "sourceIds needs sourceType", "CreateEventSubscription")
        call.client("rds").create_event_subscription(
            SubscriptionName=inputs["name"], Tags=call.tag_list, **_sent(inputs), **(
                {"SourceIds": inputs["sourceIds"]} if inputs.get("sourceIds") else {}))
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        rds = call.client("rds")
        answer = found(lambda: rds.describe_event_subscriptions(SubscriptionName=id), "SubscriptionNotFound")
        if not answer or not answer["EventSubscriptionsList"]:
            return None
        got = answer["EventSubscriptionsList"][0]
        arn = call.arn("rds", f"es:{id}")
        return {"arn": arn, "name": id, "snsTopic": got["SnsTopicArn"], "sourceType": got.get("SourceType"),
                "customerAwsId": call.account, "eventCategories": sorted(got.get("EventCategoriesList") or ()),
                "sourceIds": sorted(got.get("SourceIdsList") or ()),
                "tags": tag_map(rds.list_tags_for_resource(ResourceName=arn)["TagList"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """The emulator has no ModifyEventSubscription: the subscription is made again under its name."""
        if changed - {"tags", "tagsAll"}:
            self.delete(call, id, old)
            self.create(call, {**new, "name": id})
        elif "tags" in changed:
            retag_rds(call, call.arn("rds", f"es:{id}"))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless("SubscriptionNotFound"):
            call.client("rds").delete_event_subscription(SubscriptionName=id)


def _sent(inputs: Properties) -> Properties:
    sent: Properties = {"SnsTopicArn": inputs["snsTopic"], "Enabled": inputs.get("enabled") is not False}
    if inputs.get("sourceType"):
        sent["SourceType"] = inputs["sourceType"]
    if inputs.get("eventCategories"):
        sent["EventCategories"] = inputs["eventCategories"]
    return sent
