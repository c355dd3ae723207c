"""Does it exist? For arguments that the emulators accept although they point at nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Reference
from rehearsal.aws.services._convert import code_of
from rehearsal.engine.values import Properties

_ABSENT = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent", "404", "Malformed")


def _answers(ask: Callable[[], Any]) -> bool:
    try:
        ask()
    except ClientError as error:
        if any(word in code_of(error) for word in _ABSENT):
            return False
        raise
    return True


def _place(call: Call, arn: str) -> str | None:
    """The region of an ARN in this account; None: another account's, which is not ours to check."""
    parts = arn.split(":")
    if len(parts) < 6:
        return call.region
    return None if parts[4] not in ("", call.account) else parts[3] or call.region


def kms_key(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        if ":alias/aws/" in f":{value}":
            return True  # a service's own key, made on first use
        region = _place(call, value)
        return region is None or _answers(lambda: call.client("kms", region).describe_key(KeyId=value))
    return Reference(property, value, exists, "kms_key")


def role(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        return _place(call, value) is None or _answers(
            lambda: call.client("iam").get_role(RoleName=value.rsplit("/", 1)[-1]))
    return Reference(property, value, exists, "role")


def subnet(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: _answers(
        lambda: call.client("ec2").describe_subnets(SubnetIds=[value])), "subnet")


def security_group(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: _answers(
        lambda: call.client("ec2").describe_security_groups(GroupIds=[value])), "security_group")


def topic(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        region = _place(call, value)
        return region is None or _answers(lambda: call.client("sns", region).get_topic_attributes(TopicArn=value))
    return Reference(property, value, exists, "topic")


def bucket(property: str, value: str) -> Reference:
    """By name or ARN; buckets of any account count, as names are global."""
    return Reference(property, value, lambda call: _answers(
        lambda: call.client("s3").head_bucket(Bucket=value.rsplit(":::", 1)[-1])), "bucket")


def function(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        region = _place(call, value)
        return region is None or _answers(
            lambda: call.client("lambda", region).get_function_configuration(FunctionName=value))
    return Reference(property, value, exists, "function")


def queue(property: str, value: str) -> Reference:
    def exists(call: Call) -> bool:
        region = _place(call, value)
        return region is None or _answers(
            lambda: call.client("sqs", region).get_queue_url(QueueName=value.rsplit(":", 1)[-1]))
    return Reference(property, value, exists, "queue")


def destination(property: str, value: str) -> Reference:
    """A topic, a queue, a function or a bucket, by the ARN's service; other targets are not checked."""
    known = {"sns": topic, "sqs": queue, "lambda": function, "s3": bucket}
    service = [*value.split(":"), "", ""][2]
    check = known.get(service)
    return check(property, value) if check else Reference(property, value, lambda call: True)


def log_group(property: str, value: str) -> Reference:
    """By name or ARN, with or without `:*`."""
    name = value.removesuffix(":*").rsplit(":log-group:", 1)[-1]

    def exists(call: Call) -> bool:
        region = _place(call, value)
        if region is None:
            return True
        groups = call.client("logs", region).describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return any(group["logGroupName"] == name for group in groups)
    return Reference(property, value, exists, "log_group")


def given(inputs: Properties, checks: dict[str, Callable[[str, str], Reference]]) -> Iterator[Reference]:
    """References of top-level properties that hold one value or a list of values."""
    for property, check in checks.items():
        value = inputs.get(property)
        values: Iterable[Any] = value if isinstance(value, list) else [value]
        for index, each in enumerate(values):
            if isinstance(each, str) and each:
                yield check(f"{property}[{index}]" if isinstance(value, list) else property, each)
