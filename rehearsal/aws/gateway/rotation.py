"""Secrets Manager's rotation, which moto would do with functions of its own: RotateSecret calls the function that the
stack has given the secret, step by step, and DescribeSecret and ListSecrets tell of it."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from yarl import URL

from rehearsal.aws.replay import Answer
from rehearsal.aws.rotation import STEPS
from rehearsal.aws.routing import Addressed, Server, claim

if TYPE_CHECKING:
    from rehearsal.aws.gateway.app import Gateway

ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"  # kept; id = the secret's ARN
ROTATED = "candlefish:secretsmanager:Rotated"  # kept; id = the secret's ARN; at: seconds since the epoch
_JSON = {"Content-Type": "application/x-amz-json-1.1"}
_SERVICE = "secretsmanager"
_running: set[asyncio.Task[None]] = set()


async def rotate(gateway: Gateway, to: Addressed, body: bytes) -> Answer | None:
    """Answers at once, as AWS does, and goes on alone; None: this is not for us."""
    if (to.service, to.operation) != (_SERVICE, "RotateSecret"):
        return None
    asked = json.loads(body)
    if asked.get("RotationLambdaARN"):
        return None
    secret = await _describe(gateway, to, asked["SecretId"])
    kept = gateway.kept.get((gateway.accounts.of(to), to.region, ROTATION, secret.get("ARN", "")))
    if kept is None or not kept.get("rotationLambdaArn"):
        return None if not secret else _refused("No Lambda rotation function ARN is associated with this secret.")
    if any("AWSPENDING" in stages and "AWSCURRENT" not in stages
           for stages in secret.get("VersionIdsToStages", {}).values()):
        return _refused("A previous rotation isn't complete. That rotation will be reattempted.")
    version = asked.get("ClientRequestToken") or str(uuid.uuid4())
    task = asyncio.create_task(_steps(gateway, to, secret["ARN"], kept["rotationLambdaArn"], version))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return _answer({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version})


def complete(gateway: Gateway, answer: Answer, to: Addressed) -> Answer:
    """What a stack has said of a secret's rotation, and when it was rotated last."""
    if to.service != _SERVICE or to.operation not in ("DescribeSecret", "ListSecrets") or answer.status != 200:
        return answer
    document = json.loads(answer.body)
    for secret in document.get("SecretList", [document]):
        at = gateway.accounts.of(to), to.region
        if (kept := gateway.kept.get((*at, ROTATION, secret["ARN"]))) is not None:
            days = (kept.get("rotationRules") or {}).get("automaticallyAfterDays")
            secret |= {"RotationEnabled": kept.get("rotationEnabled") is not False,
                       **({"RotationLambdaARN": kept["rotationLambdaArn"]} if kept.get("rotationLambdaArn") else {}),
                       **({"RotationRules": {"AutomaticallyAfterDays": days}} if days else {})}
        if (rotated := gateway.kept.get((*at, ROTATED, secret["ARN"]))) is not None:
            secret["LastRotatedDate"] = rotated["at"]
    return Answer(answer.status, answer.headers, json.dumps(document).encode())


async def _steps(gateway: Gateway, to: Addressed, secret: str, function: str, version: str) -> None:
    """A step that fails ends it: the old version stays the current one, the new one pending."""
    path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
    for step in STEPS:
        event = {"Step": step, "SecretId": secret, "ClientRequestToken": version}
        async with gateway.session.post(
                URL(gateway.upstream[Server.MINISTACK] + path, encoded=True), data=json.dumps(event),
                headers={"Authorization": claim(gateway.accounts.of(to), to.region, "lambda")}) as response:
            await response.read()
            if response.status != 200 or "X-Amz-Function-Error" in response.headers:
                return
    gateway.kept.put((gateway.accounts.of(to), to.region, ROTATED, secret), {"at": time.time()})


async def _describe(gateway: Gateway, to: Addressed, secret: str) -> dict[str, Any]:
    """Empty for one that does not exist: moto says so in its own words."""
    account = gateway.accounts.of(to)
    headers = {**_JSON, "X-Amz-Target": "secretsmanager.DescribeSecret", "x-moto-account-id": account,
               "Authorization": claim(account, to.region, _SERVICE)}
    async with gateway.session.post(
            gateway.upstream[Server.MOTO], data=json.dumps({"SecretId": secret}), headers=headers) as response:
        found: dict[str, Any] = await response.json(content_type=None) if response.status == 200 else {}
        return found


def _refused(message: str) -> Answer:
    return Answer(400, _headers({"x-amzn-errortype": "InvalidRequestException"}), json.dumps(
        {"__type": "InvalidRequestException", "Message": message}).encode())


def _answer(document: dict[str, Any]) -> Answer:
    return Answer(200, _headers({}), json.dumps(document).encode())


def _headers(more: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple({**_JSON, **more}.items())
