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
    if not asked.get("logGroupName"):
        refused: Answer = error_response_json("InvalidParameterException", "logGroupName is required.", 400)
        return refused
    group = cloudwatch_logs._log_groups.get(asked["logGroupName"])
    if group is None:
        refused = error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
        return refused
    group["kmsKeyId"] = asked.get("kmsKeyId")
    answer: Answer = json_response({})
    return answer
