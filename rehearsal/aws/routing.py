"""Which request is meant for whom: service, region and account of a request, and the emulator that serves it.

The table is measured; ../shared/emulators.md of the project's notes has the counts. An unlisted service goes to moto.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
EXECUTE_API = "execute-api"  # calls of APIs, as opposed to "apigateway", which makes them


class Server(StrEnum):
    MINISTACK = "ministack"
    MOTO = "moto"


# Keyed by the name in the signature's credential scope.
SERVICES: Mapping[str, Server] = {
    **dict.fromkeys((
        "eks", "iam", "sts", "kms", "elasticache", "cloudfront", "dynamodb", "lambda", "apigateway", "execute-api",
        "s3", "monitoring", "logs", "sns", "sqs", "events", "scheduler", "backup", "budgets", "cognito-idp",
        "cloudfront-keyvaluestore", "states", "ses", "kinesis", "firehose",
    ), Server.MINISTACK),
    **dict.fromkeys((
        "ec2", "rds", "wafv2", "secretsmanager", "ssm", "route53", "acm", "elasticloadbalancing", "autoscaling",
        "application-autoscaling", "guardduty", "securityhub", "config", "cloudtrail", "ecr", "elasticfilesystem",
        "access-analyzer", "ce", "xray", "synthetics", "tagging", "pricing", "signer", "organizations",
    ), Server.MOTO),
}

# Operations that the other server does better. Operation names as the API has them; for REST services
# "METHOD /path" as a regular expression.
OVERRIDES: Mapping[tuple[str, str], Server] = {}
PATH_OVERRIDES: tuple[tuple[str, re.Pattern[str], Server], ...] = ()

_SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_HOST_SERVICE = re.compile(r"(?:^|\.)([a-z0-9-]+?)(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?\.(?:amazonaws\.com|localhost)")
_S3_HOST = re.compile(r"(?:^|\.)s3(?:[.-]|$)")
_EXECUTE_API = re.compile(r"^([a-z0-9]+)\.execute-api\.")
_TARGETS = {  # prefix of X-Amz-Target → scope, for unsigned requests
    "DynamoDB": "dynamodb", "AmazonSQS": "sqs", "AmazonSNS": "sns", "TrentService": "kms", "Logs": "logs",
    "secretsmanager": "secretsmanager", "AmazonSSM": "ssm", "AWSEvents": "events",
    "GraniteServiceVersion": "monitoring",
    "AmazonEC2ContainerRegistry": "ecr", "CertificateManager": "acm", "AWSWAF_20190729": "wafv2",
}
_LAMBDA_PATH = re.compile(r"^/\d{4}-\d{2}-\d{2}/(functions|layers|event-source-mappings)")


@dataclass(frozen=True)
class Addressed:
    """Whom a request is for. `operation` is empty when only the model of a REST service could tell it."""

    service: str
    region: str
    access_key: str
    operation: str
    signed: bool

    @property
    def account(self) -> str | None:
        """The account that the access key names by itself: 12 digits are the account."""
        return self.access_key if re.fullmatch(r"\d{12}", self.access_key) else None


def claim(account: str, region: str, service: str) -> str:
    """An Authorization header that says who calls which service where. `account`: or an access key. Neither the gateway
    nor the emulators check a signature, so there is none."""
    scope = f"{account}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def of_api(account: str, region: str) -> Addressed:
    """A call of an API, unsigned."""
    return Addressed(EXECUTE_API, region, account, "", False)


def address(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str],
            form: Mapping[str, str]) -> Addressed:
    """From the signature if there is one (header, or a presigned query of version 4 or 2), else from target, host
    and path. `form` is the parsed body of a query-protocol request, or empty."""
    target = headers.get("X-Amz-Target", "")
    operation = target.rpartition(".")[2] if target else form.get("Action") or query.get("Action") or ""
    scope = _SCOPE.search(headers.get("Authorization", "")) or _SCOPE.search(
        "Credential=" + unquote(query.get("X-Amz-Credential", "")))
    if scope:
        return Addressed(scope[4].lower(), scope[3], scope[1], operation, True)
    if "AWSAccessKeyId" in query and "Signature" in query:
        return Addressed("s3", DEFAULT_REGION, query["AWSAccessKeyId"], operation, True)
    service, region = _unsigned(path, headers.get("Host", ""), target, operation)
    return Addressed(service, region or DEFAULT_REGION, "", operation, False)


def _unsigned(path: str, host: str, target: str, operation: str) -> tuple[str, str | None]:
    for prefix, service in _TARGETS.items():
        if target.startswith(prefix):
            return service, None
    if operation.startswith("AssumeRole") or operation == "GetCallerIdentity":
        return "sts", None
    if path.startswith(("/_aws/execute-api/", "/restapis/")) or _EXECUTE_API.match(host):
        return EXECUTE_API, None
    if _LAMBDA_PATH.match(path) or path.startswith("/_aws/lambda-url/"):
        return "lambda", None
    if not _S3_HOST.search(host.split(":")[0]) and (named := _HOST_SERVICE.search(host)) and named[1] in SERVICES:
        return named[1], named[2]
    return "s3", None


def route(to: Addressed, method: str, path: str) -> Server:
    """The server for a request; a service that the table does not have goes to moto, which has the most."""
    if to.operation and (to.service, to.operation) in OVERRIDES:
        return OVERRIDES[to.service, to.operation]
    for service, pattern, server in PATH_OVERRIDES:
        if service == to.service and pattern.match(f"{method} {path}"):
            return server
    return SERVICES.get(to.service, Server.MOTO)
