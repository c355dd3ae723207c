"""A colour's files: what is there, what should be, and the difference written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from operations.aws import pages
from operations.errors import OperationError
from operations.site.content import OFFLINE_KEY, RECORD_KEY, Item
from operations.site.records import Records

AT_ONCE = 8  # requests; botocore keeps 10 connections
DELETED_AT_ONCE = 1000  # the most that one DeleteObjects takes
LOOK_SECONDS = 1.0  # how often an upload looks whether it is still the last word


@dataclass(frozen=True)
class Difference:
    write: tuple[Item, ...]
    delete: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.write or self.delete)


class Bucket:
    """One colour. s3: boto3's client."""

    def __init__(self, s3: Any, name: str) -> None:
        self.name, self._s3 = name, s3
        self.records = Records(s3, name)

    def keys(self) -> set[str]:
        return {entry["Key"] for entry in pages(self._s3, "list_objects_v2", "Contents", Bucket=self.name)
                } - {RECORD_KEY}

    def difference(self, items: Mapping[str, Item]) -> Difference:
        """By S3's own checksums, types and cache headers, an object each."""
        there = self.keys()
        both = [item for key, item in items.items() if key in there]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            same = {item.key for item, is_same in zip(both, pool.map(self._is, both), strict=True) if is_same}
        return Difference(tuple(item for key, item in sorted(items.items()) if key not in same),
                          tuple(sorted(there - set(items) - {OFFLINE_KEY})))

    def wrong(self, files: Mapping[str, str]) -> list[str]:
        """Keys that are missing or have another content than the SHA-256 that is noted of them."""
        there = self.keys()

        def is_wrong(item: Item) -> bool:
            return item.key not in there or self._head(item.key).get("ChecksumSHA256") != item.checksum

        items = [Item(key, digest) for key, digest in sorted(files.items())]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [item.key for item, wrong in zip(items, pool.map(is_wrong, items), strict=True) if wrong]

    def apply(self, difference: Difference, check: Callable[[], None]) -> None:
        """check: called about once a second between writes; it raises when this release is not to go on."""
        lock, next_look = threading.Lock(), [0.0]

        def put(item: Item) -> None:
            with lock:
                due = time.monotonic() >= next_look[0]
                next_look[0] = time.monotonic() + LOOK_SECONDS if due else next_look[0]
            if due:
                check()
            self._s3.put_object(Bucket=self.name, Key=item.key, Body=item.body, ContentType=item.content_type,
                                CacheControl=item.cache_control, ChecksumSHA256=item.checksum)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for future in [pool.submit(put, item) for item in difference.write]:
                try:
                    future.result()
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
        for some in _parts(difference.delete):
            check()
            answer = self._s3.delete_objects(Bucket=self.name, Delete={
                "Objects": [{"Key": key} for key in some], "Quiet": True})
            for error in answer.get("Errors") or ():
                raise OperationError(f"s3://{self.name}/{error['Key']} can't be deleted: {error.get('Message')}")

    def _is(self, item: Item) -> bool:
        found = self._head(item.key)
        return bool(found.get("ChecksumSHA256") == item.checksum and found.get("ContentType") == item.content_type
                    and found.get("CacheControl") == item.cache_control)

    def _head(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
        return found


def _parts(keys: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    return (keys[start:start + DELETED_AT_ONCE] for start in range(0, len(keys), DELETED_AT_ONCE))
