"""A bucket's objects, brought back from their older versions.

Who has a key that may write can delete an object, which puts a marker over it, or write over it. Both leave the version
of before, unless the key may delete versions too: then what is left is the replica in the recovery region.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operations.aws import bucket_tags, pages
from operations.errors import NotAcceptable, OperationError
from operations.recovery.account import Account

_AT_ONCE = 1000  # the most that DeleteObjects takes
_LARGEST_COPY_BYTES = 5 * 1024**3  # of CopyObject; a larger object is copied in parts


@dataclass(frozen=True)
class Version:
    """Of one key. marker: a deletion."""

    key: str
    id: str
    modified: datetime
    marker: bool
    size: int
    latest: bool


@dataclass(frozen=True)
class Restored:
    """objects: how many the bucket had at the moment and has a version of. back: deletions taken back. overwritten:
    changes since that were taken back; kept: those that were not."""

    bucket: str
    at: datetime
    objects: int
    back: int
    overwritten: int
    kept: int


def restore(account: Account, bucket: str, at: datetime, *, overwrite: bool = False,
            say: Callable[[str], None] = lambda text: None) -> Restored:
    """The bucket has again what it had at `at`: deletions since are taken back, and changes since only if `overwrite`;
    what came since stays. Running it again goes on. Raises OperationError."""
    s3 = account.clients("s3", account.home)
    _check(account, s3, bucket)
    history = _history(s3, bucket)
    wanted = {key: found for key, versions in history.items() if (found := _then(versions, at)) is not None}
    deleted = {key: version for key, version in wanted.items() if history[key][0].marker}
    changed = {key: version for key, version in wanted.items()
               if not version.latest and key not in deleted}
    say(f"{bucket}: {len(wanted)} objects at {at.isoformat()}, {len(deleted)} deleted and {len(changed)} changed since")
    _unmark(s3, bucket, [each for key in deleted for each in _markers_above(history[key], deleted[key])])
    # Under the markers there may be a change too.
    copies = {key: version for key, version in deleted.items() if _newest_object(history[key]) != version}
    if overwrite:
        copies |= changed
    for version in copies.values():
        _copy(s3, bucket, version)
    kept = 0 if overwrite else len(changed)
    _compare(s3, bucket, wanted, set() if overwrite else set(changed))
    return Restored(bucket, at, len(wanted), len(deleted), len(copies), kept)


def _check(account: Account, s3: Any, bucket: str) -> None:
    if not account.owns(bucket_tags(s3, bucket)):
        raise NotAcceptable(f"{account.stack} has no bucket {bucket}; `pulumi stack export --stack {account.stack}` "
                            "names those that it has")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise OperationError(f"{bucket} keeps no versions; its replica in the recovery region is what is left")


def _history(s3: Any, bucket: str) -> Mapping[str, list[Version]]:
    """By key, newest first."""
    found: dict[str, list[Version]] = defaultdict(list)
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for marker, kind in ((False, "Versions"), (True, "DeleteMarkers")):
            for each in page.get(kind) or ():
                found[each["Key"]].append(Version(each["Key"], each["VersionId"], each["LastModified"], marker,
                                                  each.get("Size", 0), bool(each["IsLatest"])))
    for versions in found.values():
        versions.sort(key=lambda version: (version.latest, version.modified), reverse=True)
    return found


def _then(versions: Iterable[Version], at: datetime) -> Version | None:
    """What the key held at the moment; None: nothing."""
    version = next((each for each in versions if each.modified <= at), None)
    return None if version is None or version.marker else version


def _markers_above(versions: Iterable[Version], wanted: Version) -> list[Version]:
    return [each for each in versions if each.marker and each.modified >= wanted.modified]


def _newest_object(versions: Iterable[Version]) -> Version | None:
    return next((each for each in versions if not each.marker), None)


def _unmark(s3: Any, bucket: str, markers: list[Version]) -> None:
    for start in range(0, len(markers), _AT_ONCE):
        part = markers[start:start + _AT_ONCE]
        answer = s3.delete_objects(Bucket=bucket, Delete={
            "Objects": [{"Key": each.key, "VersionId": each.id} for each in part], "Quiet": True})
        if errors := answer.get("Errors"):
            first = errors[0]
            raise OperationError(f"{bucket}: {len(errors)} deletions can't be taken back, the first of "
                                 f"{first.get('Key')}: {first.get('Code')} {first.get('Message', '')}")


def _copy(s3: Any, bucket: str, version: Version) -> None:
    """The older version becomes the newest, with its metadata."""
    if version.size > _LARGEST_COPY_BYTES:
        raise OperationError(f"{bucket}/{version.key} is larger than 5 GiB, which is copied in parts: "
                             f"`aws s3api` with version {version.id}; then run the command again")
    s3.copy_object(Bucket=bucket, Key=version.key, MetadataDirective="COPY",
                   CopySource={"Bucket": bucket, "Key": version.key, "VersionId": version.id})


def _compare(s3: Any, bucket: str, wanted: Mapping[str, Version], left: set[str]) -> None:
    """Every object of the moment is there again, with its size."""
    sizes = {each["Key"]: each["Size"] for each in pages(s3, "list_objects_v2", "Contents", Bucket=bucket)}
    wrong = sorted(key for key, version in wanted.items() if key not in left and sizes.get(key) != version.size)
    if wrong:
        raise OperationError(f"{bucket}: {len(wrong)} of {len(wanted)} objects are not as they were, the first is "
                             f"{wrong[0]}: somebody still changes it. Take the key away and run the command again")
