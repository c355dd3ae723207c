"""What is written down of a colour's release, beside its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from operations.aws import code
from operations.errors import Contested, OperationError
from operations.site.content import RECORD_KEY


class Step(StrEnum):
    UPLOADING = "uploading"  # the files may be those of several releases
    READY = "ready"  # all files are there, and none else
    SWITCHING = "switching"  # CloudFront is about to be told, or was and nobody looked yet
    LIVE = "live"  # viewers get it, or did before the other colour
    WITHDRAWN = "withdrawn"  # somebody went back from it: no way back leads there


@dataclass(frozen=True)
class Record:
    """release: its id; empty: what the environment began with. number: of the last switch to this colour, counted over
    both. files: key → SHA-256 in hexadecimal. at: seconds since the epoch. version: of the object that it was read
    from; empty: there is none."""

    release: str = ""
    step: Step = Step.READY
    number: int = 0
    by: str = ""
    at: float = 0.0
    files: Mapping[str, str] = field(default_factory=dict)
    version: str = field(default="", compare=False)

    def document(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "version"}


class Records:
    """Of one bucket. s3: boto3's client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def read(self) -> Record:
        """Raises OperationError when somebody spoilt it."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=RECORD_KEY)
        except ClientError as error:
            if code(error) in ("NoSuchKey", "404"):
                return Record()
            raise
        try:
            found = json.loads(answer["Body"].read())
            known = {each.name for each in fields(Record)} - {"version"}
            return Record(**{**{key: found[key] for key in known}, "step": Step(found["step"]),
                             "version": answer["ETag"]})
        except (ValueError, KeyError, TypeError) as error:
            raise OperationError(f"s3://{self._bucket}/{RECORD_KEY} can't be read ({error}); delete it: the files "
                                 "stay, and the next `site deploy` compares them all") from error

    def write(self, record: Record) -> Record:
        """Only over the one that it was read from. Raises Contested when somebody else has written meanwhile."""
        body = json.dumps(record.document(), sort_keys=True).encode()
        expected = {"IfMatch": record.version} if record.version else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(Bucket=self._bucket, Key=RECORD_KEY, Body=body,
                                         ContentType="application/json", CacheControl="no-store", **expected)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (404, 409, 412):
                raise
            found = self.read()
            if found == record:  # an answer that was lost, and the call repeated
                return found
            raise _taken(self._bucket, found) from error
        return Record(**{**asdict(record), "version": answer["ETag"]})

    def expect(self, record: Record) -> None:
        """Raises Contested when it is no longer the last word."""
        found = self.read()
        if found.version != record.version:
            raise _taken(self._bucket, found)


def _taken(bucket: str, found: Record) -> Contested:
    return Contested(f"somebody else is at work on {bucket}: release {found.release or 'none'} is {found.step} there, "
                     f"by {found.by or 'nobody'}; this command stops")
