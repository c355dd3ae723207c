"""What production has before its region is lost, and what must be in the other region afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3

ITEMS, OBJECTS = 40, 12
HOME, AWAY = "us-east-1", "us-west-2"


class Contents:
    """outputs: of production. environment: that of `candlefish rehearse env`."""

    def __init__(self, outputs: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.outputs, self._environment = outputs, environment

    def client(self, service: str, region: str) -> Any:
        return boto3.client(service, region_name=region, endpoint_url=self._environment["AWS_ENDPOINT_URL"],
                            aws_access_key_id=self._environment["AWS_ACCESS_KEY_ID"],
                            aws_secret_access_key=self._environment["AWS_SECRET_ACCESS_KEY"])

    def fill(self) -> None:
        """Items, their daily backup and its copy, an item that came after it; objects as replication would bring
        them, which the emulator doesn't."""
        dynamodb, backup = self.client("dynamodb", HOME), self.client("backup", HOME)
        role, there = self.outputs["backupRestoreRoleArn"], self.outputs["recoveryRegion"]
        for number in range(ITEMS):
            self._put(dynamodb, f"v{number}")
        for table in self.outputs["tables"].values():
            arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
            made = backup.start_backup_job(BackupVaultName=self.outputs["backupVaultName"], ResourceArn=arn,
                                           IamRoleArn=role)["RecoveryPointArn"]
            backup.start_copy_job(RecoveryPointArn=made, SourceBackupVaultName=self.outputs["backupVaultName"],
                                  DestinationBackupVaultArn=there["backupVaultArn"], IamRoleArn=role)
        self._put(dynamodb, "late")
        for number in range(OBJECTS):
            self.client("s3", AWAY).put_object(Bucket=there["assetsBucket"], Key=f"img/{number}.svg",
                                               Body=b"<svg/>" * number, ContentType="image/svg+xml")

    def lose_database(self) -> None:
        """What a lost region is to recovery: nobody has its database any more."""
        rds, name = self.client("rds", HOME), self.outputs["databaseInstanceId"]
        rds.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True)
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=False)

    def missing(self, outputs: Mapping[str, Any]) -> list[str]:
        """Of the stack with these outputs, in words."""
        items = self.client("dynamodb", AWAY).scan(TableName=outputs["tables"]["experiments"])["Items"]
        objects = self.client("s3", AWAY).list_objects_v2(
            Bucket=outputs["assetsBucket"], Prefix="img/").get("Contents") or []  # beside them are the program's own
        found = {"items": {each["visitorHash"]["S"] for each in items}, "objects": {each["Key"] for each in objects}}
        wanted = {"items": {f"v{number}" for number in range(ITEMS)},
                  "objects": {f"img/{number}.svg" for number in range(OBJECTS)}}
        return [f"{what}: {sorted(wanted[what] ^ found[what])}" for what in wanted if wanted[what] != found[what]]

    def _put(self, dynamodb: Any, visitor: str) -> None:
        dynamodb.put_item(TableName=self.outputs["tables"]["experiments"],
                          Item={"visitorHash": {"S": visitor}, "experiment": {"S": "hero"}})
