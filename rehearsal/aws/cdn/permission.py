"""Whether a bucket's policy lets a distribution read: what origin access control comes to.

A policy whose condition is not known here is an error, never a guess.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any

SERVICE = "cloudfront.amazonaws.com"


class UnknownCondition(Exception):
    """A condition of the bucket's policy that this cannot judge."""


def allowed(policy: Mapping[str, Any], action: str, resource: str, distribution: str, account: str) -> bool:
    """policy: of the bucket. action: s3:GetObject with an object's ARN, or s3:ListBucket with the bucket's.
    distribution: its ARN; empty for one without access control, which asks as anybody."""
    facts = {"aws:sourcearn": distribution, "aws:sourceaccount": account, "aws:securetransport": "true",
             "s3:tlsversion": "1.3"}
    if not distribution:
        facts = {key: value for key, value in facts.items() if not key.startswith("aws:source")}
    meant = [each for each in _list(policy.get("Statement"))
             if _principal(each, bool(distribution)) and _covers(each, action, resource)
             and _holds(each.get("Condition") or {}, facts)]
    return bool(meant) and all(each["Effect"] == "Allow" for each in meant)


def _principal(statement: Mapping[str, Any], signed: bool) -> bool:
    if "NotPrincipal" in statement:
        raise UnknownCondition("NotPrincipal")
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        return (signed and SERVICE in _list(principal.get("Service"))) or "*" in _list(principal.get("AWS"))
    return principal == "*"


def _covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    if "NotAction" in statement or "NotResource" in statement:
        raise UnknownCondition("NotAction or NotResource")
    actions = (each.lower() for each in _list(statement.get("Action")))
    return any(fnmatch.fnmatchcase(action.lower(), each) for each in actions) and any(
        fnmatch.fnmatchcase(resource, each) for each in _list(statement.get("Resource")))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda fact, wanted: fact == wanted,
    "StringLike": fnmatch.fnmatchcase,
    "ArnEquals": fnmatch.fnmatchcase,
    "ArnLike": fnmatch.fnmatchcase,
    "Bool": lambda fact, wanted: fact == wanted.lower(),
    "NumericLessThan": lambda fact, wanted: float(fact) < float(wanted),
}
_NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike", "ArnNotEquals": "ArnEquals",
            "ArnNotLike": "ArnLike"}


def _holds(condition: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    """All of it. A key that CloudFront's request does not have fails a positive operator and meets a negated one."""
    return all(_met(operator, key.lower(), [str(each) for each in _list(wanted)], facts)
               for operator, keys in condition.items() for key, wanted in keys.items())


def _met(operator: str, key: str, wanted: Iterable[str], facts: Mapping[str, str]) -> bool:
    plain = operator.removesuffix("IfExists")
    test = _OPERATORS.get(_NEGATED.get(plain, plain))
    if test is None:
        raise UnknownCondition(operator)
    if key not in facts:
        return plain in _NEGATED or plain != operator
    return any(test(facts[key], each) for each in wanted) is not (plain in _NEGATED)


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
