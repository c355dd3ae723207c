"""Runs the functions of a behaviour: a published version through the emulated Lambda, or a CloudFront function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.aws.cdn import events, javascript
from rehearsal.aws.cdn.messages import EdgeError, Request, Response
from rehearsal.aws.cdn.model import Behaviour, Distribution, Event, Function, Origin


class Functions:
    """clients(service, region, account): a boto3 client. All raise EdgeError for what CloudFront answers by itself."""

    def __init__(self, clients: Callable[[str, str, str], Any]) -> None:
        self._clients = clients

    async def viewer_request(self, distribution: Distribution, behaviour: Behaviour,
                             request: Request) -> Request | Response:
        kind = Event.VIEWER_REQUEST
        function = behaviour.function(kind)
        if function is None:
            return request
        if not function.at_edge:
            return javascript.request_from(await self._script(function, javascript.event(distribution, kind, request)),
                                           request)
        answer = await self._invoke(function, distribution, events.event(
            distribution, kind, request, include_body=function.include_body))
        return events.request_from(answer, kind, request)

    async def origin_request(self, distribution: Distribution, behaviour: Behaviour, request: Request,
                             origin: Origin) -> tuple[Request, Origin] | Response:
        kind = Event.ORIGIN_REQUEST
        function = behaviour.function(kind)
        if function is None:
            return request, origin
        answer = await self._invoke(function, distribution, events.event(
            distribution, kind, request, include_body=function.include_body, origin=origin))
        found = events.request_from(answer, kind, request)
        return found if isinstance(found, Response) else (found, events.origin_from(answer, origin))

    async def response(self, distribution: Distribution, behaviour: Behaviour, kind: Event, request: Request,
                       response: Response) -> Response:
        function = behaviour.function(kind)
        if function is None:
            return response
        if not function.at_edge:
            return javascript.response_from(
                await self._script(function, javascript.event(distribution, kind, request, response)), response)
        answer = await self._invoke(function, distribution, events.event(
            distribution, kind, request, response=response))
        return events.response_from(answer, kind, response)

    async def _script(self, function: Function, event: dict[str, Any]) -> Any:
        return await javascript.run(function.code, event)

    async def _invoke(self, function: Function, distribution: Distribution, event: dict[str, Any]) -> Any:
        *_, region, _account, _kind, name, version = function.arn.split(":")
        client = self._clients("lambda", region, distribution.account)
        try:
            answer = await asyncio.to_thread(client.invoke, FunctionName=name, Qualifier=version,
                                             Payload=json.dumps(event).encode())
            payload = await asyncio.to_thread(answer["Payload"].read)
        except (BotoCoreError, ClientError) as error:
            raise EdgeError(503, f"The Lambda function {name}:{version} could not be run: {error}") from error
        if "FunctionError" in answer:
            said = payload.decode(errors="replace")[:500]
            raise EdgeError(503, f"The Lambda function {name}:{version} failed: {said}")
        try:
            return json.loads(payload)
        except ValueError:
            raise EdgeError(502, f"The Lambda function {name}:{version} answered no JSON.") from None
