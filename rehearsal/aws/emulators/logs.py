"""Keys of log groups, which MiniStack takes at their creation only: AssociateKmsKey and DisassociateKmsKey."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs

Answer = tuple[int, dict[str, str], bytes]
_ACTIONS = {"Logs_20140328.AssociateKmsKey", "Logs_20140328.DisassociateKmsKey"}


def install() -> None:
    """Puts our handling in front of MiniStack's."""
    served: Callable[..., Awaitable[Answer]] = cloudwatch_logs.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Answer:
        if headers.get("x-amz-target") in _ACTIONS:
            return keyed(json.loads(body or b"{}"))
        return await served(method, path, headers, body, query_params)

    cloudwatch_logs.handle_request = handle


def keyed(asked: dict[str, Any]) -> Answer:
    """The group's key becomes `kmsKeyId`, or none without it."""
    answer: Answer
    group = cloudwatch_logs._log_groups.get(asked.get("logGroupName"))
    if group is None:
        answer = error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
    else:
        group["kmsKeyId"] = asked.get("kmsKeyId")
        answer = json_response({})
    return answer
