"""What stands for `pulumi up` of the stack that takes over: a handful of its resources, with a state of its own.

It plays what Pulumi does as far as the orchestration sees it: what is in the state is not made again, a run that ended
in the middle is gone on with, and a name that somebody else's thing has is an error. A creation whose outcome it does
not know is found again by its tags, or by the state's note that it had begun; in a real account that is Pulumi's
pending operations and a person. The engine's own calls are swept in `tests/faults`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.plans.backup import owned_by
from operations.aws import bucket_tags, code, tags
from operations.recovery.runner import Changes, RunnerError
from tests.faults.recovery.calls import Calls

STACK, REGION, ROLE = "recovery", "us-west-2", "recovery-backup-restore"
WORDS = ("experiments", "visitor-memory")
OURS = owned_by("candlefish", STACK)
PAIRS = [{"Key": key, "Value": value} for key, value in OURS.items()]
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
SCHEMA: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "visitorHash", "KeyType": "HASH"},
                  {"AttributeName": "experiment", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in ("visitorHash", "experiment")],
    "BillingMode": "PAY_PER_REQUEST"}
_THERE = ("EntityAlreadyExists", "ResourceInUseException", "BucketAlreadyOwnedByYou", "BucketAlreadyExists",
          "DBInstanceAlreadyExists", "ResourceExistsException")


class Program:
    """A `Runner`. state: its file; key: of the region, made beforehand."""

    stack = STACK

    def __init__(self, calls: Calls, state: Path, account: str, key: str) -> None:
        self._calls, self._file, self._account, self._key = calls, state, account, key
        self.bucket = f"storage-assets-9{account}"

    # Runner

    def preview(self, settings: Mapping[str, str]) -> Changes:
        missing = set(self._resources()) - set(self._state()["resources"])
        return Changes({"create": len(missing), "same": len(self._resources()) - len(missing)})

    def up(self, settings: Mapping[str, str]) -> Changes:
        made = 0
        for name, (look, make) in self._resources().items():
            if name in self._state()["resources"]:
                continue
            try:
                made += self._made(name, look, make)
            except (ClientError, BotoCoreError) as error:
                raise RunnerError(f"pulumi failed on {name}: {error}") from error
        return Changes({"create": made})

    def outputs(self) -> dict[str, Any]:
        return {"backupRestoreRoleArn": f"arn:aws:iam::{self._account}:role/{ROLE}", "assetsBucket": self.bucket,
                "tables": {word: f"{STACK}-candlefish-{word}" for word in WORDS}}

    def reach(self, host: str) -> str:
        return f"https://{host}"

    def export(self) -> dict[str, Any]:
        return {"version": 3, "deployment": {"resources": [{"urn": name} for name in self._state()["resources"]]}}

    # State

    def _state(self) -> dict[str, Any]:
        if not self._file.exists():
            return {"resources": [], "pending": ""}
        found: dict[str, Any] = json.loads(self._file.read_text())
        return found

    def _write(self, **changed: Any) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({**self._state(), **changed}))
        new.rename(self._file)

    def _made(self, name: str, look: Callable[[], Mapping[str, str] | None], make: Callable[[], None]) -> bool:
        """Whether it was made by this run."""
        found, made = look(), False
        if found is None:
            self._write(pending=name)
            try:
                make()
                made, found = True, OURS
            except ClientError as error:
                if code(error) not in _THERE:
                    raise
                found = look() or {}
        begun = not found and self._state()["pending"] == name  # ours, killed before its tags were put
        if not begun and any(found.get(key) != value for key, value in OURS.items()):
            self._write(pending="")
            raise RunnerError(f"{name} is there, and another's: {dict(found)}")
        if begun:
            self._tagged()
        self._write(resources=[*self._state()["resources"], name], pending="")
        return made

    # Resources

    def _resources(self) -> dict[str, tuple[Callable[[], Mapping[str, str] | None], Callable[[], None]]]:
        of = self._calls.client
        s3, secrets, rds, dynamodb = (of(name, REGION) for name in ("s3", "secretsmanager", "rds", "dynamodb"))
        iam, database, secret = of("iam", "us-east-1"), f"{STACK}-candlefish-db", f"candlefish-{STACK}/slack"

        def table(name: str) -> tuple[Callable[[], Mapping[str, str] | None], Callable[[], None]]:
            return (lambda: _none_if("ResourceNotFoundException", lambda: tags(dynamodb.list_tags_of_resource(
                        ResourceArn=dynamodb.describe_table(TableName=name)["Table"]["TableArn"])["Tags"])),
                    lambda: dynamodb.create_table(
                        TableName=name, Tags=PAIRS, **SCHEMA,
                        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": self._key}))

        def bucket() -> None:
            s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            self._tagged()

        def there() -> Mapping[str, str] | None:
            if _none_if("404", lambda: s3.head_bucket(Bucket=self.bucket)) is None:
                return None
            return bucket_tags(s3, self.bucket)

        return {
            "role": (lambda: _none_if("NoSuchEntity", lambda: tags(
                         iam.get_role(RoleName=ROLE)["Role"].get("Tags", ()))),
                     lambda: iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST, Tags=PAIRS)),
            "database": (lambda: _none_if("DBInstanceNotFound", lambda: tags(
                             rds.describe_db_instances(DBInstanceIdentifier=database)["DBInstances"][0]["TagList"])),
                         # The rehearsal makes an instance of replicated backups like this, as no emulator has them.
                         lambda: rds.create_db_instance(
                             DBInstanceIdentifier=database, DBInstanceClass="db.t4g.small", Engine="postgres",
                             AllocatedStorage=20, MasterUsername="candlefish", MasterUserPassword="not-a-real-one",
                             Tags=PAIRS)),
            **{word: table(f"{STACK}-candlefish-{word}") for word in WORDS},
            "bucket": (there, bucket),
            "secret": (lambda: _none_if("ResourceNotFoundException", lambda: tags(
                           secrets.describe_secret(SecretId=secret).get("Tags", ()))),
                       lambda: secrets.create_secret(Name=secret, SecretString="{}", Tags=PAIRS,
                                                     Description="Filled by operators: Slack's address"))}

    def _tagged(self) -> None:
        self._calls.client("s3", REGION).put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": PAIRS})


def _none_if(missing: str, look: Callable[[], Any]) -> Any:
    try:
        return look()
    except ClientError as error:
        if code(error) == missing:
            return None
        raise
