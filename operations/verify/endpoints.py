"""What answers from outside, what must not, and how (E6, N4, N7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from infra.plans import edge
from infra.plans.firewall import BLOCKED_PATHS, OPERATOR_PATHS
from infra.plans.ingress import HEALTH_PATH
from operations.cluster import Objects
from operations.switches.maintenance import SWITCH
from operations.verify.model import Skipped, Unfit
from operations.verify.scene import Scene
from operations.verify.web import TIMEOUT_SECONDS, Answer, local

SITE, API = "siteUrl", "apiUrl"
HIDDEN = (403, 404)  # by the firewall, or by the load balancer's own answer
LOCKED = (*HIDDEN, 301, 302, 303, 307, 401)  # a sign-in at most
SIGN_IN = re.compile(r"https://[^/]+/oauth2/authorize\?")
API_PATH = "/experiments"  # of the REST API behind CloudFront; without its parameter nothing is assigned


def answers(output: str, path: str) -> Callable[[Scene], str]:
    """`path` below the output's address answers 200."""
    def run(scene: Scene) -> str:
        return _expect_200(scene, scene.web.get(scene.outputs.text(output).rstrip("/") + path))

    return run


def front_door(scene: Scene) -> str:
    """The load balancer by its own name, past CloudFront: what Route 53 asks to decide on a failover."""
    door, host = scene.outputs.text("frontDoorUrl"), scene.hosts.direct
    if local(door):
        return _expect_200(scene, scene.web.get(door.rstrip("/") + HEALTH_PATH, Host=host))
    return _expect_200(scene, scene.web.get(f"https://{host}{HEALTH_PATH}"))


def analytics_api(scene: Scene) -> str:
    """The REST API through CloudFront: its own refusal of a request without its parameter."""
    got = scene.web.get(scene.outputs.text(SITE).rstrip("/") + API_PATH)
    if got.status != 400 or "x-amzn-requestid" not in got.headers:
        raise Unfit(f"{got.url} answers {got.status}, and API Gateway refuses such a request with 400: CloudFront does "
                    "not lead there, or the firewall does not let it in")
    return f"{got.url}: API Gateway answers and validates"


def forbidden(scene: Scene) -> str:
    """Nobody gets metrics or administration from outside, and the operators' pages without a sign-in (E6)."""
    asked = []
    for output in (SITE, API):
        for path in (each for blocked in BLOCKED_PATHS for each in (blocked, f"{blocked}/x")):
            asked.append(_expect_closed(scene, output, path, HIDDEN))
    for path in OPERATOR_PATHS:
        asked.append(_expect_closed(scene, SITE, path, LOCKED))
    return f"{len(asked)} addresses are closed: {', '.join((*BLOCKED_PATHS, *OPERATOR_PATHS))}"


def _expect_closed(scene: Scene, output: str, path: str, allowed: tuple[int, ...]) -> Answer:
    got = scene.web.get(scene.outputs.text(output).rstrip("/") + path)
    if got.status == 503 and allowed is LOCKED and _maintained(scene):
        return got  # the maintenance page is in front of it
    if got.status not in allowed:
        raise Unfit(f"{got.url} answers {got.status} and must not be reachable: look at the firewall's and the load "
                    "balancer's first rules")
    location = got.headers.get("location", "")
    if 300 <= got.status < 400 and not SIGN_IN.match(location):
        raise Unfit(f"{got.url} leads to {location or 'nowhere'}, which is no sign-in")
    return got


def headers(scene: Scene) -> str:
    """N4's security headers, on what CloudFront fetches and on what it answers from the site's buckets."""
    url = scene.outputs.text(SITE).rstrip("/")
    got = scene.web.get(f"{url}/api/health")
    wrong = [f"{name} {'is missing' if name not in got.headers else f'is {got.headers[name]!r}, not {wanted!r}'}"
             for name, wanted in HEADERS.items() if got.headers.get(name) != wanted]
    policy = got.headers.get("content-security-policy", "")
    wrong += [f"content-security-policy has no {part!r}"
              for part in ("default-src", f"report-uri {scene.settings.edge.csp_report_uri}") if part not in policy]
    if wrong:
        raise Unfit(f"{got.url}: {'; '.join(wrong)}; the distribution's response-headers policy sets them")
    return f"{len(HEADERS) + 1} headers as in the program"


# Those that an origin can't replace; the content security policy may be the website's own.
HEADERS: Mapping[str, str] = {
    "strict-transport-security": f"max-age={edge.STRICT_TRANSPORT_SECONDS}; includeSubDomains; preload",
    "x-frame-options": edge.FRAME_OPTION,
    "x-content-type-options": "nosniff",
    "referrer-policy": edge.REFERRER_POLICY,
    "permissions-policy": edge.PERMISSIONS_POLICY,
}


def websocket(scene: Scene) -> str:
    """A ping of the WebSocket API is answered with a pong."""
    url = scene.outputs.text("websocketUrl")
    try:
        with connect(url, additional_headers={"Origin": f"https://{scene.hosts.apex}"}, open_timeout=TIMEOUT_SECONDS,
                     close_timeout=1, proxy=None if local(url) else True) as socket:
            socket.send(json.dumps({"action": "ping"}))
            said = socket.recv(timeout=TIMEOUT_SECONDS)
    except (WebSocketException, OSError, EOFError) as error:
        raise Unfit(f"{url}: {error or type(error).__name__}") from error
    if _kind(said) != "pong":
        raise Unfit(f"{url} answers a ping with {said!r:.200}")
    return f"{url} answers a ping"


def _kind(said: str | bytes) -> Any:
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found.get("type") if isinstance(found, dict) else None


def _expect_200(scene: Scene, got: Answer) -> str:
    if got.status == 503 and "retry-after" in got.headers and _maintained(scene):
        raise Skipped(f"{got.url} shows the maintenance page, which an operator has put up; `candlefish maintenance "
                      f"off --stack {scene.stack}` takes it down")
    if got.status != 200:
        raise Unfit(f"{got.url} answers {got.status}: {got.text.strip()[:200] or 'nothing more'}")
    return f"{got.url} answers 200"


def _maintained(scene: Scene) -> bool:
    return bool(Objects(scene.kubernetes, scene.settings.cluster.namespace).read(SWITCH))
