"""CloudFront functions: their events, and their code in Node.js where that is installed.

It is another engine than CloudFront's: what `cloudfront-js` lacks works here, and its limit of a millisecond does not
hold. Key-value stores (`import cf from 'cloudfront'`) are refused.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from typing import Any
from urllib.parse import unquote

from multidict import CIMultiDict

from rehearsal.aws.cdn.messages import EdgeError, Request, Response
from rehearsal.aws.cdn.model import Distribution, Event

SECONDS = 5.0
# The code gets the language and nothing of the machine; its console is dropped, as stdout is the answer's.
_RUNNER = """
const vm = require("vm");
const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk)).on("end", async () => {
    const given = JSON.parse(Buffer.concat(chunks).toString());
    const quiet = () => undefined;
    const context = vm.createContext({ console: { log: quiet, error: quiet, warn: quiet }, given: given.event });
    try {
        const found = await vm.runInContext(given.code + "\\n;handler(given)", context, { timeout: 1000 });
        process.stdout.write(JSON.stringify({ found }));
    } catch (error) {
        process.stdout.write(JSON.stringify({ error: String(error) }));
    }
});
"""


async def run(code: str, event: dict[str, Any]) -> Any:
    """What `handler` returns. Raises EdgeError."""
    node = shutil.which("node")
    if node is None:
        raise EdgeError(503, "A CloudFront function needs Node.js, and there is no `node` on PATH. Install Node.js 18 "
                             "or later, and start the embedded AWS again.")
    process = await asyncio.create_subprocess_exec(
        node, "-e", _RUNNER, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env={})
    try:
        out, _ = await asyncio.wait_for(
            process.communicate(json.dumps({"code": code, "event": event}).encode()), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise EdgeError(503, f"The CloudFront function took more than {SECONDS:g} s.") from None
    answer = json.loads(out) if out else {"error": "it ended without an answer"}
    if "error" in answer:
        raise EdgeError(503, f"The CloudFront function failed: {answer['error']}")
    return answer.get("found")


def event(distribution: Distribution, kind: Event, request: Request,
          response: Response | None = None) -> dict[str, Any]:
    """Version 1.0 of the event; values of queries are as the viewer wrote them, cookies are beside the headers."""
    pairs = [part.partition("=")[::2] for part in request.query.split("&") if part]
    crumbs = [part.strip().partition("=")[::2] for part in request.headers.get("Cookie", "").split(";") if part.strip()]
    found: dict[str, Any] = {
        "version": "1.0", "viewer": {"ip": request.client},
        "context": {"distributionDomainName": distribution.domain, "distributionId": distribution.id,
                    "eventType": kind.value, "requestId": request.id},
        "request": {"method": request.method, "uri": request.path, "querystring": _several(pairs),
                    "headers": _several([(name.lower(), value) for name, value in request.headers.items()
                                         if name.lower() != "cookie"]), "cookies": _several(crumbs)}}
    if response is not None:
        found["response"] = {
            "statusCode": response.status, "statusDescription": response.reason or "", "cookies": {},
            "headers": _several([(name.lower(), value) for name, value in response.headers.items()])}
    return found


def request_from(answer: Any, before: Request) -> Request | Response:
    """Raises EdgeError."""
    if not isinstance(answer, dict):
        raise _invalid("it is no object")
    if "statusCode" in answer:
        body = answer.get("body", "")
        return Response(int(answer["statusCode"]), _headers(answer.get("headers")),
                        str(body.get("data", "") if isinstance(body, dict) else body).encode(),
                        answer.get("statusDescription") or None, "FunctionGeneratedResponse from cloudfront")
    if not str(answer.get("uri", "")).startswith("/"):
        raise _invalid("its request has no uri that begins with a slash")
    headers = _headers(answer.get("headers"))
    if headers.getall("Host", []) != before.headers.getall("Host", []):
        raise _invalid("the header host is read-only")
    cookies = _flat(answer.get("cookies"))
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    query = "&".join(f"{name}={value}" if value else name for name, value in _flat(answer.get("querystring")))
    return dataclasses.replace(before, path=answer["uri"], query=query, headers=headers)


def response_from(answer: Any, before: Response) -> Response:
    """Raises EdgeError."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        raise _invalid("a response needs a statusCode")
    headers = _headers(answer.get("headers"))
    for name, cookie in (answer.get("cookies") or {}).items():
        attributes = f"; {cookie['attributes']}" if cookie.get("attributes") else ""
        headers.add("Set-Cookie", f"{name}={cookie['value']}{attributes}")
    return dataclasses.replace(before, status=int(answer["statusCode"]), headers=headers,
                               reason=answer.get("statusDescription") or None)


def name_of(arn: str) -> str:
    return unquote(arn.rpartition("/")[2])


def _several(pairs: Any) -> dict[str, Any]:
    """One value, or the first and all of them."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            found[name].setdefault("multiValue", [{"value": found[name]["value"]}]).append({"value": value})
        else:
            found[name] = {"value": value}
    return found


def _flat(given: Any) -> list[tuple[str, str]]:
    return [(name, str(one["value"])) for name, each in (given or {}).items()
            for one in each.get("multiValue") or [each]]


def _headers(given: Any) -> CIMultiDict[str]:
    try:
        return CIMultiDict(("-".join(part.capitalize() for part in name.split("-")), value)
                           for name, value in _flat(given))
    except (AttributeError, KeyError, TypeError):
        raise _invalid("its headers are not objects with a value") from None


def _invalid(why: str) -> EdgeError:
    return EdgeError(502, f"The CloudFront function returned an invalid answer: {why}.")
