"""Errors in the shape of each AWS protocol, so that every SDK reads code and message."""

from __future__ import annotations

import json
import secrets
from enum import Enum
from xml.sax.saxutils import escape

from rehearsal.aws.replay import Answer

NOT_IMPLEMENTED = "NotImplementedByRehearsal"


class Protocol(Enum):
    JSON = "json"
    QUERY = "query"
    EC2 = "ec2"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"
    S3 = "s3"


# The code with which a service of each protocol says that it was asked too often.
THROTTLING = {Protocol.EC2: "RequestLimitExceeded", Protocol.S3: "SlowDown", Protocol.QUERY: "Throttling",
              Protocol.REST_XML: "Throttling", Protocol.JSON: "ThrottlingException",
              Protocol.REST_JSON: "ThrottlingException"}


def protocol(service: str, target: str, form: bool) -> Protocol:
    """`form`: the request is form-encoded, or names its action in the query string."""
    if target:
        return Protocol.JSON
    if service == "ec2":
        return Protocol.EC2
    if form:
        return Protocol.QUERY
    if service == "s3":
        return Protocol.S3
    return Protocol.REST_XML if service in {"route53", "cloudfront", "s3control"} else Protocol.REST_JSON


def error(kind: Protocol, status: int, code: str, message: str) -> Answer:
    """A client error (status 4xx) is retried by no SDK, unless `code` is one that it knows as throttling."""
    request_id = secrets.token_hex(16)
    headers = [("x-amzn-RequestId", request_id), ("x-amz-request-id", request_id)]
    if kind in (Protocol.JSON, Protocol.REST_JSON):
        body = json.dumps({"__type": code, "code": code, "message": message})
        content = "application/x-amz-json-1.1" if kind is Protocol.JSON else "application/json"
        return Answer(status, (*headers, ("x-amzn-ErrorType", code), ("Content-Type", content)), body.encode())
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if kind is Protocol.EC2:
        body = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    elif kind is Protocol.S3:
        body = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    else:
        body = (f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>")
    return Answer(status, (*headers, ("Content-Type", "text/xml")), body.encode())


def not_implemented(kind: Protocol, service: str, what: str, server: str) -> Answer:
    """`what`: the operation, or method and path of a REST call."""
    return error(kind, 400, NOT_IMPLEMENTED,
                 f"{server}, which serves {service} in the rehearsal, does not implement {what}")
