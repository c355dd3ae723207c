"""What callers learn of a function that failed: who invoked it Lambda's error object, who called an API nothing."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import acquire_worker, release_worker
from ministack.services import apigateway_v1, lambda_svc

from rehearsal.aws.emulators.report import framed

# API Gateway's developer guide, "Output format of a Lambda function for proxy integration": anything else is malformed.
_PARTS = {"isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"}


def install() -> None:
    shaped = lambda_svc.lambda_execute_result_to_api_proxy_response

    def without_the_error(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        """HTTP APIs and WebSocket APIs."""
        if result.get("error") and not result.get("throttle"):
            return {"statusCode": 500, "headers": {"Content-Type": "application/json"},
                    "body": json.dumps({"message": "Internal Server Error"})}, None
        answer: tuple[dict[str, Any] | None, str | None] = shaped(result)
        return answer

    def of_a_rest_api(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        """The text is the message of a 502."""
        failed = result.get("error") and not result.get("throttle")
        if failed or (not result.get("throttle") and _malformed(result.get("body"))):
            return None, "Internal server error"
        answer: tuple[dict[str, Any] | None, str | None] = shaped(result)
        return answer

    lambda_svc.lambda_execute_result_to_api_proxy_response = without_the_error
    lambda_svc._execute_function_warm = execute
    apigateway_v1._lambda_proxy_response = of_a_rest_api
    lambda_runtime.get_or_create_worker = lambda name, config, code, qualifier="$LATEST": _Socket(config, code)


def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """MiniStack's `_execute_function_warm` with Lambda's errors, and with processes that outlive an exception of the
    function, as in Lambda."""
    config = function.get("config") or function
    code = function.get("code_zip")
    if not code:
        raise RuntimeError(f"{config.get('FunctionName')} has no code")
    lambda_svc._ensure_reaper_thread()
    worker, _ = acquire_worker(config["FunctionName"], config, code, qualifier=config.get("Version", "$LATEST"))
    try:
        result = worker.invoke(
            event, request_id, trace_id=lambda_svc._xray_trace_id_for_invocation(config),
            invoked_function_arn=config.get("FunctionArn", ""), depth=lambda_svc._invoke_depth.get(),
            durable=lambda_svc._durable_env_overlay())
    finally:
        release_worker(worker)
    failed = result["status"] != "ok"
    written = "\n".join(filter(None, [result["log"], _logged(result["payload"])])) if failed else result["log"]
    log = framed(written, request_id, config.get("Version", "$LATEST"), int(config.get("MemorySize", 128)),
                 result["spent"])
    kept = {"log": log, "log_source": "rie"}  # by this MiniStack knows that the platform's lines are there
    if not failed:
        return {"body": result["result"], **kept}
    return {"body": result["payload"], "error": True, "function_error": "Unhandled", **kept}


def _logged(error: dict[str, Any]) -> str:
    """As the runtime logs it (an alarm's filter looks for `[ERROR]`), or the platform when the process is gone."""
    if "stackTrace" not in error:
        return f"{error['errorMessage']}\n{error['errorType']}"
    trace = "".join(["\nTraceback (most recent call last):\n", *error["stackTrace"]]) if error["stackTrace"] else ""
    return f"[ERROR] {error['errorType']}: {error['errorMessage']}{trace}".rstrip()


class _Socket:
    """In place of the worker that MiniStack takes for a WebSocket's message, past concurrency and logs: the common
    way. A client is told of an error as API Gateway tells it."""

    def __init__(self, config: dict[str, Any], code: bytes) -> None:
        self._function = {"config": config, "code_zip": code}

    def invoke(self, event: dict[str, Any], request_id: str) -> dict[str, Any]:
        result = lambda_svc._execute_function(self._function, event)
        if not result.get("error"):
            return {"status": "ok", "result": result.get("body")}
        return {"status": "error", "error": json.dumps({
            "message": "Internal server error", "connectionId": event["requestContext"]["connectionId"],
            "requestId": request_id})}


def _malformed(body: Any) -> bool:
    """An answer that a REST API cannot make a response of."""
    if body is None:
        return False
    if not isinstance(body, dict) or set(body) - _PARTS:
        return True
    status, content = body.get("statusCode", 200), body.get("body")
    return not (content is None or isinstance(content, str)) or not str(status).isdigit()
