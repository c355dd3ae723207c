"""Settings of a bucket that are lists of rules: lifecycle, replication, notifications, tiering, metrics, ACL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rehearsal.aws.handler import Call, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, pairs, refused, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.s3_bucket import GONE, client_of
from rehearsal.aws.services.s3_settings import NAMES, Setting
from rehearsal.engine.values import Properties


def _tags_out(value: Any) -> Any:
    """`tags` maps within filters as the API's lists."""
    if isinstance(value, dict):
        return {
            key: pairs(each) if key == "tags" and isinstance(each, Mapping) else _tags_out(each)
            for key, each in value.items()
            if each is not None
        }
    return [_tags_out(each) for each in value] if isinstance(value, list) else value


def _tags_in(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: {each["key"]: each["value"] for each in item} if key == "tags" else _tags_in(item)
            for key, item in value.items()
        }
    return [_tags_in(each) for each in value] if isinstance(value, list) else value


@resource
class BucketLifecycleConfiguration(Setting):
    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    word, payload, shape = "bucket_lifecycle_configuration", "LifecycleConfiguration", "BucketLifecycleConfiguration"
    subject = ("rules",)
    defaults = {"transitionDefaultMinimumObjectSize": "all_storage_classes_128K"}
    kept = ("expectedBucketOwner", "timeouts", "transitionDefaultMinimumObjectSize")

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        for rule in inputs["rules"]:
            _check_lifecycle(rule)
        client = client_of(call, bucket)
        rules = [
            _tags_out(
                {
                    **rule,
                    "filter": rule.get("filter")
                    if rule.get("filter") is not None
                    else (None if rule.get("prefix") is not None else {"prefix": ""}),
                }
            )
            for rule in inputs["rules"]
        ]
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration=NAMES.request(client.meta.service_model.shape_for(self.shape), {"rules": rules}),
        )

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE, "NoSuchLifecycleConfiguration"):
            client_of(call, id).delete_bucket_lifecycle(Bucket=id)

    def incoming(self, shown: Properties, known: Properties) -> Properties:
        given = {rule["id"]: rule for rule in known.get("rules") or ()}
        order = list(given)
        rules = _tags_in(shown["rules"])
        for rule in rules:
            filter = given.get(rule["id"], {}).get("filter")
            if rule["id"] in given and not filter:
                rule.pop("filter", None)
                if filter is not None:
                    rule["filter"] = filter
            both = (rule.get("filter") or {}).get("and") or {}
            if both.get("objectSizeGreaterThan") == 0:  # MiniStack answers 0 for what was not given
                del both["objectSizeGreaterThan"]
        return {"rules": sorted(rules, key=lambda rule: order.index(rule["id"]) if rule["id"] in order else len(order))}


def _check_lifecycle(rule: Properties) -> None:
    actions = (
        "abortIncompleteMultipartUpload",
        "expiration",
        "noncurrentVersionExpiration",
        "noncurrentVersionTransitions",
        "transitions",
    )
    if not any(rule.get(each) for each in actions):
        raise refused(
            "InvalidRequest",
            f"At least one action needs to be specified in the rule {rule['id']}",
            "PutBucketLifecycleConfiguration",
        )
    expiry = (rule.get("expiration") or {}).get("days")
    for each in rule.get("transitions") or ():
        if each["storageClass"] in ("STANDARD_IA", "ONEZONE_IA") and (each.get("days") or 30) < 30:
            raise refused(
                "InvalidArgument",
                f"'Days' in Transition action must be greater than or equal to 30 for "
                f"storageClass '{each['storageClass']}' (rule {rule['id']})",
                "PutBucketLifecycleConfiguration",
            )
        if expiry and (each.get("days") or 0) >= expiry:
            raise refused(
                "InvalidArgument",
                f"'Days' in the Expiration action must be greater than 'Days' in the "
                f"Transition action (rule {rule['id']})",
                "PutBucketLifecycleConfiguration",
            )


def _check_replication(call: Call, source: str, destination: str, rule: Properties) -> None:
    """What S3 asks of a rule beyond its shape ("Replication configuration file elements", S3 user guide)."""
    target, problem = rule["destination"], None
    timed, metrics = target.get("replicationTime"), target.get("metrics") or {}
    if timed and timed["status"] == "Enabled" and (metrics.get("status") != "Enabled"
                                                   or not metrics.get("eventThreshold")):
        problem = "replication time control needs metrics with an event threshold"
    elif rule.get("filter") is not None and not rule.get("deleteMarkerReplication"):
        problem = "a rule with a filter must say whether delete markers are replicated"
    elif target.get("encryptionConfiguration") and not (
            rule.get("sourceSelectionCriteria") or {}).get("sseKmsEncryptedObjects"):
        problem = "a replica key needs sourceSelectionCriteria.sseKmsEncryptedObjects"
    elif _locked(call, source) and not _locked(call, destination):
        problem = f"{source} has Object Lock: its destination {destination} must have it too"
    if problem:
        raise refused("InvalidRequest", f"rule {rule.get('id')}: {problem}", "PutBucketReplication")


def _locked(call: Call, bucket: str) -> bool:
    client = client_of(call, bucket)
    answer = found(lambda: client.get_object_lock_configuration(Bucket=bucket), "ObjectLockConfigurationNotFoundError")
    return answer is not None and answer["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled"


@resource
class BucketReplicationConfig(Setting):
    type = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
    word, payload, shape = "bucket_replication", "ReplicationConfiguration", "ReplicationConfiguration"
    answered = "ReplicationConfiguration"
    subject = ("role", "rules")
    kept = ("token",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from super().references(inputs)
        yield references.role("role", inputs["role"])
        for index, rule in enumerate(inputs["rules"]):
            yield references.bucket(f"rules[{index}].destination.bucket", rule["destination"]["bucket"])

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        names = [bucket, *(rule["destination"]["bucket"].rsplit(":::", 1)[-1] for rule in inputs["rules"])]
        for name in names:
            if client_of(call, name).get_bucket_versioning(Bucket=name).get("Status") != "Enabled":
                raise refused(
                    "InvalidRequest",
                    f"Versioning must be 'Enabled' on the bucket {name} to apply a replication configuration",
                    "PutBucketReplication",
                )
        for rule, name in zip(inputs["rules"], names[1:], strict=True):
            _check_replication(call, bucket, name, rule)
        super().put(call, bucket, inputs)

    def outgoing(self, inputs: Properties) -> Properties:
        return {key: _tags_out(inputs[key]) for key in self.subject}

    def incoming(self, shown: Properties, known: Properties) -> Properties:
        return {key: _tags_in(shown[key]) for key in self.subject}


def _check_topic(call: Call, arn: str) -> None:
    """S3 sends a test message, and refuses a topic whose policy doesn't let it publish."""
    attributes = call.client("sns", arn.split(":")[3]).get_topic_attributes(TopicArn=arn)["Attributes"]
    for statement in json.loads(attributes.get("Policy") or "{}").get("Statement", ()):
        principal = statement.get("Principal")
        services = principal.get("Service", ()) if isinstance(principal, Mapping) else ()
        if statement.get("Effect") == "Allow" and "s3.amazonaws.com" in (
                [services] if isinstance(services, str) else services):
            return
    raise refused("InvalidArgument", "Unable to validate the following destination configurations: the policy of "
                  f"{arn} doesn't let s3.amazonaws.com publish", "PutBucketNotificationConfiguration")


@resource
class BucketNotification(Setting):
    type = "aws:s3/bucketNotification:BucketNotification"
    word, payload, shape = "bucket_notification_configuration", "NotificationConfiguration", "NotificationConfiguration"
    off = {}
    kept = ()
    _kinds: ClassVar[dict[str, tuple[str, str, str]]] = {
        "lambdaFunctions": ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambdaFunctionArn"),
        "queues": ("QueueConfigurations", "QueueArn", "queueArn"),
        "topics": ("TopicConfigurations", "TopicArn", "topicArn"),
    }

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from super().references(inputs)
        for kind, (_, _, arn) in self._kinds.items():
            for index, each in enumerate(inputs.get(kind) or ()):
                yield references.destination(f"{kind}[{index}].{arn}", each[arn])

    def put(self, call: Call, bucket: str, inputs: Properties) -> None:
        for each in inputs.get("topics") or ():
            _check_topic(call, each["topicArn"])
        sent: dict[str, Any] = {"EventBridgeConfiguration": {}} if inputs.get("eventbridge") else {}
        for kind, (member, api, arn) in self._kinds.items():
            for index, each in enumerate(inputs.get(kind) or ()):
                rules = [
                    {"Name": name, "Value": each[key]}
                    for name, key in (("prefix", "filterPrefix"), ("suffix", "filterSuffix"))
                    if each.get(key)
                ]
                sent.setdefault(member, []).append(
                    {
                        "Id": each.get("id") or f"tf-s3-{kind}-{index}",
                        api: each[arn],
                        "Events": each["events"],
                        **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
                    }
                )
        client_of(call, bucket).put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=sent)

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: client_of(call, id).get_bucket_notification_configuration(Bucket=id), *GONE)
        if answer is None or not any(
            key in answer for key in ("EventBridgeConfiguration", *(member for member, _, _ in self._kinds.values()))
        ):
            return None
        got: Properties = {"bucket": id, "eventbridge": "EventBridgeConfiguration" in answer or None}
        for kind, (member, api, arn) in self._kinds.items():
            shown = []
            for each in answer.get(member) or ():
                rules = {
                    rule["Name"].lower(): rule["Value"]
                    for rule in each.get("Filter", {}).get("Key", {}).get("FilterRules", ())
                }
                shown.append(
                    {
                        "id": each["Id"],
                        arn: each[api],
                        "events": sorted(each["Events"]),
                        "filterPrefix": rules.get("prefix"),
                        "filterSuffix": rules.get("suffix"),
                    }
                )
            got[kind] = shown or None
        return got


@resource
class BucketIntelligentTieringConfiguration(KeptObject):
    """Id: `bucket:name`. MiniStack answers with an empty configuration, moto knows none."""

    type = "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration"
    tags_property = None
    defaults = {"status": "Enabled"}
    _least_days: ClassVar[dict[str, int]] = {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield references.bucket("bucket", inputs["bucket"])

    def identify(self, call: Call, inputs: Properties) -> str:
        for each in inputs["tierings"]:
            least = self._least_days.get(each["accessTier"])
            if least is None or not least <= each["days"] <= 730:
                raise refused(
                    "InvalidArgument",
                    f"tiering {each['accessTier']} after {each['days']} days: "
                    "ARCHIVE_ACCESS "
                    "takes 90 to 730 days, DEEP_ARCHIVE_ACCESS 180 to 730",
                    "PutBucketIntelligentTieringConfiguration",
                )
        return f"{inputs['bucket']}:{inputs['name']}"
