"""An account with what production has in both regions, small, and what is in it afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.plans.backup import owned_by
from infra.settings.load import load_file
from operations.aws import pages
from tests.faults.recovery.calls import Calls, Site
from tests.faults.recovery.program import SCHEMA, TRUST, WORDS
from tests.faults.runs import ROOT

LOST, STANDING = (load_file(ROOT / f"Pulumi.{stack}.yaml") for stack in ("production", "recovery"))
HOME, AWAY = LOST.region, STANDING.region
OURS = owned_by("candlefish", "production")
PAIRS = [{"Key": key, "Value": value} for key, value in OURS.items()]
THEIRS = {"Owner": "somebody"}
_DATABASE = {"DBInstanceClass": "db.t4g.small", "Engine": "postgres", "AllocatedStorage": 20,
             "MasterUsername": "candlefish", "MasterUserPassword": "not-a-real-one"}
EXPIRED = "1"
_ROLE = "arn:aws:iam::000000000000:role/backup"

Held = Mapping[str, Any]


@dataclass
class Contents:
    """hands: clients whose calls nothing befalls."""

    hands: Calls
    account: str
    key: str = ""  # of the recovery region
    foreign: Site | None = None

    @property
    def assets(self) -> str:
        return f"storage-assets-{self.account}"

    @property
    def replica(self) -> str:
        return f"recovery-region-assets-{self.account}"

    def fill(self) -> None:
        """Database, tables, assets with versions, a secret; their copies in the other region."""
        of = self.hands.client
        keys = {region: of("kms", region).create_key()["KeyMetadata"]["Arn"] for region in (HOME, AWAY)}
        self.key = str(keys[AWAY])
        instance = of("rds", HOME).create_db_instance(
            DBInstanceIdentifier=LOST_DATABASE, **_DATABASE, BackupRetentionPeriod=35, StorageEncrypted=True,
            KmsKeyId=keys[HOME], Tags=PAIRS)["DBInstance"]["DBInstanceArn"]
        of("rds", AWAY).start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=instance, KmsKeyId=keys[AWAY], BackupRetentionPeriod=35)
        vaults = {region: of("backup", region).create_backup_vault(
            BackupVaultName=f"production-{region}", EncryptionKeyArn=keys[region], BackupVaultTags=OURS)[
                "BackupVaultArn"] for region in (HOME, AWAY)}
        for number, word in enumerate(WORDS, 1):
            self._table(f"production-candlefish-{word}", word, 3 - number, keys[HOME], vaults[AWAY])
        for s3, region, name in ((of("s3", HOME), HOME, self.assets), (of("s3", AWAY), AWAY, self.replica)):
            s3.create_bucket(Bucket=name, **(
                {} if region == HOME else {"CreateBucketConfiguration": {"LocationConstraint": region}}))
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": PAIRS})
            for key, body in (("img/0.svg", b"old"), ("img/0.svg", b"new"), ("img/1.svg", b"one")):
                s3.put_object(Bucket=name, Key=key, Body=body, ContentType="image/svg+xml")
        of("secretsmanager", HOME).create_secret(Name="candlefish-production/slack", SecretString="kept", Tags=PAIRS)

    def _table(self, name: str, word: str, items: int, key: str, copies: str) -> None:
        dynamodb, backup = self.hands.client("dynamodb", HOME), self.hands.client("backup", HOME)
        arn = dynamodb.create_table(TableName=name, Tags=PAIRS, **SCHEMA, SSESpecification={
            "Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})["TableDescription"]["TableArn"]
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        for number in range(items):
            dynamodb.put_item(TableName=name, Item={
                "visitorHash": {"S": f"{word}-{number}"}, "experiment": {"S": "hero"}})
        vault = f"production-{HOME}"
        point = backup.start_backup_job(BackupVaultName=vault, ResourceArn=arn, IamRoleArn=_ROLE)["RecoveryPointArn"]
        backup.start_copy_job(RecoveryPointArn=point, SourceBackupVaultName=vault, DestinationBackupVaultArn=copies,
                              IamRoleArn=_ROLE)

    # What there is

    def held(self) -> Held:
        """Everything that rebuilds touch or might: kind, region and name → what it holds. Accounts are left out."""
        found: dict[str, Any] = {}
        for region in (HOME, AWAY):
            found |= self._held_in(region)
        for bucket in self.hands.client("s3", HOME).list_buckets()["Buckets"]:
            found[f"bucket {bucket['Name']}"] = self._versions(bucket["Name"])
        iam = self.hands.client("iam", HOME)
        found |= {f"role {each['RoleName']}": 1 for each in pages(iam, "list_roles", "Roles")
                  if not each["Path"].startswith("/aws-service-role/")}
        plain: Held = json.loads(json.dumps(found).replace(self.account, "#"))
        return plain

    def _held_in(self, region: str) -> Held:
        of = self.hands.client
        dynamodb, backup = of("dynamodb", region), of("backup", region)
        found: dict[str, Any] = {}
        for name in pages(dynamodb, "list_tables", "TableNames"):
            found[f"{region} table {name}"] = sorted(
                json.dumps(item, sort_keys=True) for item in pages(dynamodb, "scan", "Items", TableName=name))
        for each in pages(of("rds", region), "describe_db_instances", "DBInstances"):
            found[f"{region} database {each['DBInstanceIdentifier']}"] = each["DBInstanceStatus"]
        for each in pages(backup, "list_backup_vaults", "BackupVaultList"):
            points = pages(backup, "list_recovery_points_by_backup_vault", "RecoveryPoints",
                           BackupVaultName=each["BackupVaultName"])
            found[f"{region} vault {each['BackupVaultName']}"] = sorted(point["ResourceArn"] for point in points)
        for each in pages(of("secretsmanager", region), "list_secrets", "SecretList"):
            found[f"{region} secret {each['Name']}"] = 1
        for each in pages(of("ssm", region), "describe_parameters", "Parameters"):
            found[f"{region} parameter {each['Name']}"] = 1
        return found | {f"{region} keys": len(list(pages(of("kms", region), "list_keys", "Keys")))}

    def _versions(self, bucket: str) -> list[str]:
        s3 = self.hands.client("s3", HOME)
        found = [f"{each['Key']} {each['ETag']} {each['IsLatest']}"
                 for each in pages(s3, "list_object_versions", "Versions", Bucket=bucket)]
        return sorted(found + [f"{each['Key']} deleted" for each in pages(
            s3, "list_object_versions", "DeleteMarkers", Bucket=bucket)])

    # Another's thing of the same name

    def take(self, site: Site) -> None:
        self.foreign = site
        theirs = [{"Key": key, "Value": value} for key, value in THEIRS.items()]
        given, client = site.parameters, self.hands.client(site.service, site.region)
        match site.operation:
            case "CreateTable" | "StartRestoreJob":
                dynamodb = self.hands.client("dynamodb", site.region)
                dynamodb.create_table(TableName=_table_of(site), Tags=theirs, **SCHEMA)
                dynamodb.put_item(TableName=_table_of(site), Item={
                    "visitorHash": {"S": "another's"}, "experiment": {"S": "kept"}})
            case "CreateBucket":
                client.create_bucket(Bucket=given["Bucket"], CreateBucketConfiguration={"LocationConstraint": AWAY})
                client.put_bucket_tagging(Bucket=given["Bucket"], Tagging={"TagSet": theirs})
                client.put_object(Bucket=given["Bucket"], Key="another's", Body=b"kept")
            case "CreateDBInstance":
                client.create_db_instance(DBInstanceIdentifier=given["DBInstanceIdentifier"], **_DATABASE, Tags=theirs)
            case "CreateSecret":
                client.create_secret(Name=given["Name"], SecretString="theirs", Tags=theirs)
            case "CreateRole":
                client.create_role(RoleName=given["RoleName"], AssumeRolePolicyDocument=TRUST, Tags=theirs)
            case "PutParameter":
                client.put_parameter(Name=given["Name"], Value="another's", Type="String")

    def expect_kept(self) -> str:
        """What became of another's thing; empty: it is as it was."""
        site = self.foreign
        assert site is not None
        held = self.held()
        match site.operation:
            case "CreateTable" | "StartRestoreJob":
                items = held.get(f"{site.region} table {_table_of(site)}")
                return "" if items is not None and len(items) == 1 and "another's" in items[0] else f"table: {items}"
            case "CreateBucket":
                objects = held.get(f"bucket {site.parameters['Bucket']}".replace(self.account, "#"))
                return "" if objects is not None and len(objects) == 1 else f"bucket: {objects}"
            case "CreateDBInstance":
                return "" if f"{AWAY} database {site.parameters['DBInstanceIdentifier']}" in held else "database gone"
            case "CreateSecret":
                value = self.hands.client("secretsmanager", AWAY).get_secret_value(SecretId=site.parameters["Name"])
                return "" if value["SecretString"] == "theirs" else "the secret has another value"
            case "CreateRole":
                return "" if f"role {site.parameters['RoleName']}" in held else "role gone"
        value = self.hands.client("ssm", AWAY).get_parameter(Name=site.parameters["Name"])["Parameter"]["Value"]
        return "" if value == "another's" else "the parameter has another value"

    def give_back(self) -> None:
        """Whose it is takes it away."""
        site = self.foreign
        assert site is not None
        self.foreign = None
        given, client = site.parameters, self.hands.client(site.service, site.region)
        match site.operation:
            case "CreateTable" | "StartRestoreJob":
                self.hands.client("dynamodb", site.region).delete_table(TableName=_table_of(site))
            case "CreateBucket":
                client.delete_object(Bucket=given["Bucket"], Key="another's")
                client.delete_bucket(Bucket=given["Bucket"])
            case "CreateDBInstance":
                client.delete_db_instance(DBInstanceIdentifier=given["DBInstanceIdentifier"], SkipFinalSnapshot=True)
            case "CreateSecret":
                client.delete_secret(SecretId=given["Name"], ForceDeleteWithoutRecovery=True)
            case "CreateRole":
                client.delete_role(RoleName=given["RoleName"])
            case "PutParameter":
                client.delete_parameter(Name=given["Name"])


LOST_DATABASE = "production-candlefish-db"


def _table_of(site: Site) -> str:
    given = site.parameters
    return str(given["Metadata"]["targetTableName"] if site.operation == "StartRestoreJob" else given["TableName"])


def state_of(home: Path, account: str) -> Path:
    return home / f"state-{account}.json"
