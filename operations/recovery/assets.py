"""The assets: from the lost stack's replica into the bucket of the stack that takes over, within the region.

Nothing is deleted, and an object that the target has is left alone: what was uploaded there since is newer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from operations.aws import bucket_tags, pages
from operations.errors import OperationError
from operations.recovery.account import Account

AT_ONCE = 8
_REPLICA = re.compile(r"recovery-region-assets-[0-9a-f]+")  # Pulumi's name of the lost stack's replica


def replica(account: Account, region: str) -> str:
    """Name of the lost stack's replica of its assets. Raises OperationError when the region has none, or several."""
    s3 = account.clients("s3", region)
    found = [each["Name"] for each in s3.list_buckets()["Buckets"]
             if _REPLICA.fullmatch(each["Name"]) and account.owns(bucket_tags(s3, each["Name"]))]
    if len(found) != 1:
        raise OperationError(f"{account.stack} has {len(found)} replicas of its assets in {region} "
                             f"({', '.join(found) or 'recovery-region-assets-*'}), not one; "
                             "`candlefish recovery points` says what there is")
    return str(found[0])


def copied(s3: Any, source: str, target: str, say: Callable[[str], None]) -> int:
    """Every object of the source is in the target; how many were copied, by S3 itself. With types and headers, as
    CopyObject takes them along."""
    there = {each["Key"] for each in pages(s3, "list_objects_v2", "Contents", Bucket=target)}
    wanted = [each["Key"] for each in pages(s3, "list_objects_v2", "Contents", Bucket=source)
              if each["Key"] not in there]
    if wanted:
        say(f"{target}: {len(wanted)} objects from {source}")

    def copy(key: str) -> None:
        # By parts where it must be: CopyObject itself takes 5 GB at most.
        s3.copy({"Bucket": source, "Key": key}, target, key)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(copy, key) for key in wanted]:
            done.result()
    return len(wanted)
