"""S3 buckets, by MiniStack. Settings of a bucket are resources of their own, in `s3_settings`."""

from __future__ import annotations

import re
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, data_source, resource
from rehearsal.aws.services import _claims
from rehearsal.aws.services._convert import found, pairs, refused, tag_map, unless
from rehearsal.engine.values import Properties

GONE = ("NoSuchBucket", "404", "NotFound")
# Hosted zones of the S3 website endpoints; compared with published tables that name the AWS General Reference as
# their source.
_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-1": "Z2F56UZL2M1ACD",
          "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE", "eu-central-1": "Z21DNDUVLTQW6Q",
          "eu-west-2": "Z3GKZC51ZF0DB4", "ap-southeast-1": "Z3O0J2DXBE1FTB", "ap-southeast-2": "Z1WCIGYICN2BYD",
          "ap-northeast-1": "Z2M4EHUR26P7ZW"}
_NAME = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]"
                   r"(?<!-s3alias)(?<!--ol-s3)")


def region_of(call: Call, bucket: str) -> str | None:
    """The bucket's own region; None when it does not exist. Kept: the emulator holds buckets without regions."""
    if found(lambda: call.client("s3").head_bucket(Bucket=bucket), *GONE) is None:
        return None
    kept = call.kept.get("", "", "aws:s3/bucket:region", bucket)
    return kept["region"] if kept else call.region


def client_of(call: Call, bucket: str) -> Any:
    return call.client("s3", region_of(call, bucket) or call.region)


@resource
class Bucket(Handler):
    type = "aws:s3/bucket:Bucket"
    naming = Naming("bucket", maximum=63, lower=True)
    defaults = {"forceDestroy": False}
    documents = ("policy",)
    kept = ("forceDestroy", "bucketPrefix", "bucketNamespace", "accelerationStatus", "acl", "corsRules", "grants",
            "lifecycleRules", "logging", "objectLockConfiguration", "policy", "replicationConfiguration",
            "requestPayer", "serverSideEncryptionConfiguration", "versioning", "website")

    def create(self, call: Call, inputs: Properties) -> str:
        name = inputs["bucket"]
        if not _NAME.fullmatch(name):
            raise refused("InvalidBucketName", f"The specified bucket is not valid: {name!r}; 3 to 63 lower-case "
                                               "letters, "
                          "digits, dots and hyphens, first and last a letter or digit", "CreateBucket")
        if _claims.is_taken(call, name, lambda: region_of(call, name) is not None):
            raise refused("BucketAlreadyOwnedByYou" if _own(call, name) else "BucketAlreadyExists",
                          f"The requested bucket name {name} is not available: bucket names are global", "CreateBucket",
                          409)
        location = {} if call.region == "us-east-1" else {
            "CreateBucketConfiguration": {"LocationConstraint": call.region}}
        client = call.client("s3")
        client.create_bucket(Bucket=name, **location,
                             **({"ObjectLockEnabledForBucket": True} if inputs.get("objectLockEnabled") else {}))
        call.made(str(name))
        call.kept.put("", "", "aws:s3/bucket:region", name, {"region": call.region, "account": call.account})
        if call.tags:
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(call.tags)})
        return str(name)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        region = region_of(call, id)
        if region is None:
            return None
        client = call.client("s3", region)
        lock = found(lambda: client.get_object_lock_configuration(Bucket=id), "ObjectLockConfigurationNotFoundError")
        website = found(lambda: client.get_bucket_website(Bucket=id), "NoSuchWebsiteConfiguration")
        separator = "-" if region in ("us-east-1", "us-west-1", "us-west-2", "eu-west-1") else "."
        domain = f"s3-website{separator}{region}.amazonaws.com"
        return {"bucket": id, "arn": f"arn:aws:s3:::{id}", "bucketDomainName": f"{id}.s3.amazonaws.com",
                "bucketRegionalDomainName": f"{id}.s3.{region}.amazonaws.com", "bucketRegion": region,
                "hostedZoneId": _ZONES.get(region, ""), "objectLockEnabled": bool(lock) or None,
                "websiteEndpoint": f"{id}.{domain}" if website else None, "websiteDomain": domain if website else None,
                "tags": bucket_tags(call, id)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        if "tags" in changed:
            client = client_of(call, id)
            if call.tags:
                client.put_bucket_tagging(Bucket=id, Tagging={"TagSet": pairs(call.tags)})
            else:
                client.delete_bucket_tagging(Bucket=id)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if region_of(call, id) is None:
            return
        client = client_of(call, id)
        if known.get("forceDestroy"):
            empty(client, id)
        elif _holds(client, id):  # the emulator looks at current objects only
            raise refused("BucketNotEmpty", f"The bucket {id} you tried to delete is not empty: it has objects, old "
                          "versions or delete markers; empty it or set forceDestroy", "DeleteBucket", 409)
        with unless(*GONE):
            client.delete_bucket(Bucket=id)
        call.kept.delete("", "", "aws:s3/bucket:region", id)


def _own(call: Call, name: str) -> bool:
    kept = call.kept.get("", "", "aws:s3/bucket:region", name)
    return kept is None or kept["account"] == call.account


def bucket_tags(call: Call, bucket: str) -> dict[str, str]:
    answer = found(lambda: client_of(call, bucket).get_bucket_tagging(Bucket=bucket), "NoSuchTagSet")
    return tag_map(answer["TagSet"]) if answer else {}


def _versions(client: Any, bucket: str) -> Any:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield [{"Key": each["Key"], "VersionId": each["VersionId"]}
               for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))]


def _holds(client: Any, bucket: str) -> bool:
    return any(_versions(client, bucket)) or bool(client.list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents"))


def empty(client: Any, bucket: str) -> None:
    """Deletes every object with its versions and markers, retention by governance included."""
    for objects in list(_versions(client, bucket)):
        for start in range(0, len(objects), 1000):
            client.delete_objects(Bucket=bucket, BypassGovernanceRetention=True,
                                  Delete={"Objects": objects[start:start + 1000], "Quiet": True})
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", ()):
            client.delete_object(Bucket=bucket, Key=each["Key"])


@data_source("aws:s3/getBucket:getBucket")
def get_bucket(call: Call, arguments: Properties) -> Properties:
    got = Bucket().read(call, arguments["bucket"], {})
    if got is None:
        raise refused("NotFound", f"the bucket {arguments['bucket']} does not exist", "HeadBucket", 404)
    return {**got, "id": got["bucket"], "websiteEndpoint": got["websiteEndpoint"] or "",
            "websiteDomain": got["websiteDomain"] or ""}
