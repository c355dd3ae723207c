"""Objects in buckets, bucket ACLs and request metrics: S3, by MiniStack."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import ClassVar

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._assets import content, zipped
from rehearsal.aws.services._convert import found, given_back, pairs, select, tag_map, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.s3_bucket import GONE, client_of
from rehearsal.engine.values import Archive, Properties

_SENT = {
    "acl": "ACL",
    "cacheControl": "CacheControl",
    "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding",
    "contentLanguage": "ContentLanguage",
    "contentType": "ContentType",
    "kmsKeyId": "SSEKMSKeyId",
    "metadata": "Metadata",
    "serverSideEncryption": "ServerSideEncryption",
    "storageClass": "StorageClass",
    "websiteRedirect": "WebsiteRedirectLocation",
    "bucketKeyEnabled": "BucketKeyEnabled",
}
_READ = {
    "CacheControl": "cacheControl",
    "ContentDisposition": "contentDisposition",
    "ContentEncoding": "contentEncoding",
    "ContentLanguage": "contentLanguage",
    "ContentType": "contentType",
    "Metadata": "metadata",
    "StorageClass": "storageClass",
}


class _Object(Handler):
    """Id: `bucket/key`. A new content is a new version of the same object."""

    defaults = {"forceDestroy": False}
    kept: ClassVar[tuple[str, ...]] = (
        "forceDestroy",
        "checksumAlgorithm",
        "objectLockLegalHoldStatus",
        "objectLockMode",
        "objectLockRetainUntilDate",
        "overrideProvider",
    )
    _unshown = (
        "acl",
        "content",
        "contentBase64",
        "source",
        "sourceHash",
        "kmsKeyId",
        "bucketKeyEnabled",
        "serverSideEncryption",
        "websiteRedirect",
    )

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.bucket("bucket", inputs["bucket"])
        yield from references.given(inputs, {"kmsKeyId": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        sent = select(inputs, _SENT)
        if inputs.get("kmsKeyId"):
            sent.setdefault("ServerSideEncryption", "aws:kms")
        client = client_of(call, inputs["bucket"])
        client.put_object(Bucket=inputs["bucket"], Key=inputs["key"], Body=_body(inputs), **sent)
        if call.tags:
            client.put_object_tagging(Bucket=inputs["bucket"], Key=inputs["key"], Tagging={"TagSet": pairs(call.tags)})
        return f"{inputs['bucket']}/{inputs['key']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        bucket, _, key = id.partition("/")
        client = client_of(call, bucket)
        head = found(lambda: client.head_object(Bucket=bucket, Key=key), *GONE, "NoSuchKey")
        if head is None:
            return None
        shown = {_READ[name]: value for name, value in head.items() if name in _READ}
        tags = tag_map(client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"])
        return {
            "storageClass": "STANDARD",
            **given_back(known, self._unshown),
            **shown,
            "bucket": bucket,
            "key": key,
            "etag": head["ETag"].strip('"'),
            "arn": f"arn:aws:s3:::{bucket}/{key}",
            "versionId": head.get("VersionId") or "",
            "tags": tags,
            "metadata": shown.get("metadata") or None,
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        bucket, _, key = id.partition("/")
        if changed - {"tags", "tagsAll", "forceDestroy"}:
            self.create(call, {**new, "bucket": bucket, "key": key})
        elif "tags" in changed:
            client_of(call, bucket).put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": pairs(call.tags)})

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """All versions, as the provider does: a marker would keep the bucket from going away."""
        bucket, _, key = id.partition("/")
        client = client_of(call, bucket)
        with unless(*GONE, "NoSuchKey"):
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
                for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    if each["Key"] == key and each["VersionId"] != "null":
                        client.delete_object(
                            Bucket=bucket,
                            Key=key,
                            VersionId=each["VersionId"],
                            BypassGovernanceRetention=bool(known.get("forceDestroy")),
                        )
            if found(lambda: client.head_object(Bucket=bucket, Key=key), *GONE, "NoSuchKey") is not None:
                client.delete_object(Bucket=bucket, Key=key)


def _body(inputs: Properties) -> bytes:
    if inputs.get("content") is not None:
        return str(inputs["content"]).encode()
    if inputs.get("contentBase64") is not None:
        return base64.b64decode(inputs["contentBase64"], validate=True)
    source = inputs.get("source")
    if source is None:
        return b""
    return zipped(source) if isinstance(source, Archive) else content(source)


@resource
class BucketObjectv2(_Object):
    type = "aws:s3/bucketObjectv2:BucketObjectv2"


@resource
class BucketObject(_Object):
    type = "aws:s3/bucketObject:BucketObject"
    kept = tuple(name for name in _Object.kept if name not in ("checksumAlgorithm", "overrideProvider"))


@resource
class BucketAcl(Handler):
    """Id: `bucket` or `bucket,acl`. Deleting leaves the ACL, as the provider does."""

    type = "aws:s3/bucketAcl:BucketAcl"
    tags_property = None
    kept = ("expectedBucketOwner",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.bucket("bucket", inputs["bucket"])

    def create(self, call: Call, inputs: Properties) -> str:
        bucket, acl = inputs["bucket"], inputs.get("acl")
        client = client_of(call, bucket)
        if acl:
            client.put_bucket_acl(Bucket=bucket, ACL=acl)
        else:
            policy = inputs["accessControlPolicy"]
            client.put_bucket_acl(
                Bucket=bucket,
                AccessControlPolicy={
                    "Owner": {"ID": policy["owner"]["id"]},
                    "Grants": [
                        {"Permission": each["permission"], "Grantee": _grantee(each["grantee"])}
                        for each in policy.get("grants") or ()
                    ],
                },
            )
        return f"{bucket},{acl}" if acl else str(bucket)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        bucket = id.partition(",")[0]
        answer = found(lambda: client_of(call, bucket).get_bucket_acl(Bucket=bucket), *GONE)
        return None if answer is None else {"bucket": bucket, **given_back(known, ("acl", "accessControlPolicy"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """Nothing to delete: a bucket always has an ACL."""


def _grantee(grantee: Properties) -> Properties:
    return {"Type": grantee["type"], **select(grantee, {"id": "ID", "uri": "URI", "emailAddress": "EmailAddress"})}


@resource
class BucketMetric(KeptObject):
    type = "aws:s3/bucketMetric:BucketMetric"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.bucket("bucket", inputs["bucket"])

    def identify(self, call: Call, inputs: Properties) -> str:
        return f"{inputs['bucket']}:{inputs['name']}"
