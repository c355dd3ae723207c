"""What AWS deletes late, taken back before it does: a secret in its recovery window, a key that waits for its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import code, pages, tags
from operations.errors import NotAcceptable, OperationError
from operations.recovery.account import Account


@dataclass(frozen=True)
class TakenBack:
    """was: whether it was deleted at all."""

    name: str
    arn: str
    was: bool


def secret(account: Account, name: str) -> TakenBack:
    """By name or ARN. Its values are as before. Raises OperationError."""
    client = account.clients("secretsmanager", account.home)
    try:
        found = client.describe_secret(SecretId=name)
    except ClientError as error:
        if code(error) != "ResourceNotFoundException":
            raise
        raise NotAcceptable(
            f"there is no secret {name} in {account.home}, also none that waits for its end; waiting are: "
            f"{', '.join(_waiting(client)) or 'none'}. After its window a secret is made anew: `pulumi up`, and its "
            "value put in by hand") from error
    if not account.owns(tags(found.get("Tags") or ())):
        raise NotAcceptable(f"the secret {name} is not {account.stack}'s by its tags")
    deleted = found.get("DeletedDate") is not None
    if deleted:
        client.restore_secret(SecretId=found["ARN"])
        if client.describe_secret(SecretId=found["ARN"]).get("DeletedDate") is not None:
            raise OperationError(f"the secret {name} still waits for its end; run the command again")
    return TakenBack(found["Name"], found["ARN"], deleted)


def _waiting(client: Any) -> list[str]:
    return sorted(each["Name"] for each in pages(client, "list_secrets", "SecretList", IncludePlannedDeletion=True)
                  if each.get("DeletedDate") is not None)


def key(account: Account, id: str) -> TakenBack:
    """By id, ARN or alias. The key can be used again: what CancelKeyDeletion leaves is a disabled key."""
    client = account.clients("kms", account.home)
    try:
        found = client.describe_key(KeyId=id)["KeyMetadata"]
    except ClientError as error:
        if code(error) not in ("NotFoundException", "InvalidArnException"):
            raise
        raise NotAcceptable(f"there is no key {id} in {account.home}. A key whose window is over is gone, with all "
                            "that it encrypted: restore what has a copy under another key") from error
    pairs = pages(client, "list_resource_tags", "Tags", KeyId=found["KeyId"])
    if not account.owns({pair["TagKey"]: pair["TagValue"] for pair in pairs}):
        raise NotAcceptable(f"the key {id} is not {account.stack}'s by its tags")
    state = found["KeyState"]
    if state == "PendingDeletion":
        client.cancel_key_deletion(KeyId=found["KeyId"])
    if state in ("PendingDeletion", "Disabled"):
        client.enable_key(KeyId=found["KeyId"])
    now = client.describe_key(KeyId=found["KeyId"])["KeyMetadata"]["KeyState"]
    if now != "Enabled":
        raise OperationError(f"the key {id} is {now}, not Enabled; run the command again")
    return TakenBack(found["KeyId"], found["Arn"], state != "Enabled")
