"""Policy documents as IAM compares them, and which managed policies AWS has."""

from __future__ import annotations

import functools
import json
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call
from rehearsal.aws.services.shapes import is_absent

AWS_POLICY = "arn:aws:iam::aws:policy/"


def text_of(document: Any) -> str:
    """A policy document as text: IAM takes only text, the SDK also takes an object."""
    return document if isinstance(document, str) else json.dumps(document)


def as_known(observed: Any, known: Any) -> str:
    """What IAM returned, in the program's spelling when both say the same."""
    value = json.loads(unquote(observed)) if isinstance(observed, str) else observed
    if known is not None:
        try:
            if json.loads(text_of(known)) == value:
                return text_of(known)
        except ValueError:
            pass
    return json.dumps(value, separators=(",", ":"))


@functools.cache
def aws_managed() -> frozenset[str]:
    """The ARNs of the policies that AWS itself keeps, from the list that moto ships."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    policies: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return frozenset(f"{AWS_POLICY}{policy.get('Path', '/').lstrip('/')}{name}" for name, policy in policies.items())


def policy_exists(call: Call, arn: str) -> bool:
    if arn.startswith(AWS_POLICY):
        return arn in aws_managed()
    try:
        call.client("iam").get_policy(PolicyArn=arn)
    except ClientError as error:
        if is_absent(error):
            return False
        raise
    return True
