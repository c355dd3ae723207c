"""One setting of a bucket each: versioning, encryption, policy and the like. By MiniStack; the id is the bucket's name.

A setting is a pair of calls, put and get, whose payload has the API's own shape: the subclasses say the names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import Names, found, refused, unless
from rehearsal.aws.services.s3_bucket import GONE, client_of
from rehearsal.engine.values import Properties

NAMES = Names(
    {
        "kmsMasterKeyId": "KMSMasterKeyID",
        "replicaKmsKeyId": "ReplicaKmsKeyID",
        "id": "ID",
        "mfaDelete": "MFADelete",
        "corsRules": "CORSRules",
        "LifecycleRuleAndOperator.tags": "Tags",
    }
)
_UNSET = (
    *GONE,
    "NoSuchConfiguration",
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchCORSConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ObjectLockConfigurationNotFoundError",
    "ReplicationConfigurationNotFoundError",
    "NoSuchTagSet",
)


class Setting(Handler):
    """subject   properties that make the payload, at the top of the payload's shape or, with `inner`, within it
    off       what `delete` puts where the API has no delete call"""

    tags_property = None
    word: ClassVar[str]  # in put_…, get_…, delete_…
    payload: ClassVar[str]  # parameter of put
    shape: ClassVar[str]
    subject: ClassVar[tuple[str, ...]]
    off: ClassVar[dict[str, Any] | None] = None
    answered: ClassVar[str | None] = None  # member of the answer that holds the payload; None: the answer itself
    kept: ClassVar[tuple[str, ...]] = ("expectedBucketOwner",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.bucket("bucket", inputs["bucket"])

    def outgoing(self, inputs: Properties) -> Properties:
        given = {**self.defaults, **inputs}
        return {key: given[key] for key in self.subject if given.get(key) is not None}

    def incoming(self, shown: Properties, known: Properties) -> Properties:
        return {key: shown[key] for key in self.subject if shown.get(key) is not None}

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        client = client_of(call, bucket)
        sent = NAMES.request(client.meta.service_model.shape_for(self.shape), self.outgoing(inputs))
        getattr(client, f"put_{self.word}")(Bucket=bucket, **{self.payload: sent})

    def create(self, call: Call, inputs: Properties) -> str:
        self.put(call, inputs["bucket"], inputs)
        return str(inputs["bucket"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = client_of(call, id)
        answer = found(lambda: getattr(client, f"get_{self.word}")(Bucket=id), *_UNSET)
        if answer is None:
            return None
        body = (
            answer.get(self.answered)
            if self.answered
            else {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        )
        if not body:
            return None
        shown: Properties = NAMES.response(client.meta.service_model.shape_for(self.shape), body)
        return {"bucket": id, **self.incoming(shown, known)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.put(call, id, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        client = client_of(call, id)
        with unless(*_UNSET):
            if self.off is None:
                getattr(client, f"delete_{self.word}")(Bucket=id)
            else:
                getattr(client, f"put_{self.word}")(Bucket=id, **{self.payload: self.off})


@resource
class BucketVersioning(Setting):
    """Deleting it suspends versioning, as the provider does."""

    type = "aws:s3/bucketVersioning:BucketVersioning"
    word, payload, shape = "bucket_versioning", "VersioningConfiguration", "VersioningConfiguration"
    subject = ("versioningConfiguration",)
    off = {"Status": "Suspended"}
    kept = ("expectedBucketOwner", "mfa")

    def outgoing(self, inputs: Properties) -> Properties:
        return {key: value for key, value in inputs["versioningConfiguration"].items() if value is not None}

    def incoming(self, shown: Properties, known: Properties) -> Properties:
        return {"versioningConfiguration": shown}

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        if inputs["versioningConfiguration"]["status"] != "Disabled":  # what a bucket is before it is ever enabled
            super().put(call, bucket, inputs)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = super().read(call, id, known)
        disabled = (known.get("versioningConfiguration") or {}).get("status") == "Disabled"
        if got is None and disabled and found(lambda: client_of(call, id).head_bucket(Bucket=id), *GONE) is not None:
            return {"bucket": id, "versioningConfiguration": {"status": "Disabled"}}
        return got

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if (known.get("versioningConfiguration") or {}).get("status") != "Disabled":
            super().delete(call, id, known)


@resource
class BucketServerSideEncryptionConfiguration(Setting):
    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    word, payload, shape = (
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfiguration",
    )
    answered = "ServerSideEncryptionConfiguration"
    subject = ("rules",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from super().references(inputs)
        for index, rule in enumerate(inputs["rules"]):
            key = (rule.get("applyServerSideEncryptionByDefault") or {}).get("kmsMasterKeyId")
            if key:
                yield references.kms_key(f"rules[{index}].applyServerSideEncryptionByDefault.kmsMasterKeyId", key)


@resource
class BucketPublicAccessBlock(Setting):
    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    word, payload, shape = ("public_access_block", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration")
    answered = "PublicAccessBlockConfiguration"
    subject = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    defaults = {
        "blockPublicAcls": False,
        "blockPublicPolicy": False,
        "ignorePublicAcls": False,
        "restrictPublicBuckets": False,
    }
    kept = ("skipDestroy",)


@resource
class BucketPolicy(Setting):
    type = "aws:s3/bucketPolicy:BucketPolicy"
    documents = ("policy",)
    word = "bucket_policy"
    kept = ()

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        policy = inputs["policy"]
        text = policy if isinstance(policy, str) else json.dumps(policy)
        try:
            json.loads(text)
        except ValueError as error:
            raise refused(
                "MalformedPolicy", f"the policy of {bucket} is not JSON: {error}", "PutBucketPolicy"
            ) from error
        client_of(call, bucket).put_bucket_policy(Bucket=bucket, Policy=text)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: client_of(call, id).get_bucket_policy(Bucket=id), *_UNSET)
        return {"bucket": id, "policy": answer["Policy"]} if answer else None


@resource
class BucketOwnershipControls(Setting):
    type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    word, payload, shape = "bucket_ownership_controls", "OwnershipControls", "OwnershipControls"
    answered = "OwnershipControls"
    subject = ("rule",)
    kept = ()

    def incoming(self, shown: Properties, known: Properties) -> Properties:
        return {"rule": shown["rules"][0]}


@resource
class BucketObjectLockConfiguration(Setting):
    type = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    word, payload, shape = "object_lock_configuration", "ObjectLockConfiguration", "ObjectLockConfiguration"
    answered = "ObjectLockConfiguration"
    subject = ("objectLockEnabled", "rule")
    defaults = {"objectLockEnabled": "Enabled"}
    off = {"ObjectLockEnabled": "Enabled"}
    kept = ("expectedBucketOwner", "token")

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        got = super().read(call, id, known)
        return got if got and got.get("rule") else None


@resource
class BucketCorsConfiguration(Setting):
    type = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    word, payload, shape = "bucket_cors", "CORSConfiguration", "CORSConfiguration"
    subject = ("corsRules",)


@resource
class BucketLogging(Setting):
    type = "aws:s3/bucketLogging:BucketLogging"
    word, payload, shape = "bucket_logging", "BucketLoggingStatus", "LoggingEnabled"
    answered = "LoggingEnabled"
    subject = ("targetBucket", "targetPrefix", "targetGrants", "targetObjectKeyFormat")
    off = {}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from super().references(inputs)
        yield references.bucket("targetBucket", inputs["targetBucket"])

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        client = client_of(call, bucket)
        sent = NAMES.request(client.meta.service_model.shape_for(self.shape), self.outgoing(inputs))
        client.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": sent})
