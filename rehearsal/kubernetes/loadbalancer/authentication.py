"""Signing in at the load balancer: the `authenticate-cognito` action before a rule's own.

There is no sign-in page here, so nobody gets a session: whoever brings none is sent to the pool's authorization
endpoint, as an Application Load Balancer does, and what comes back from there is refused.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from rehearsal.kubernetes.loadbalancer.annotations import PREFIX, Annotations, ModelError
from rehearsal.kubernetes.loadbalancer.model import Authenticate
from rehearsal.kubernetes.loadbalancer.routing import Request

CALLBACK_PATH = "/oauth2/idpresponse"
SESSION_COOKIE = "AWSELBAuthSessionCookie"
CLAIMS_HEADERS = "x-amzn-oidc-"  # what targets believe: never taken from a client
_UNAUTHENTICATED = ("authenticate", "deny", "allow")


def authenticate(note: Annotations) -> Authenticate | None:
    """What the Ingress asks for. Raises ModelError for what the controller refuses, or nobody rehearses."""
    kind = note.text("auth-type", "none")
    if kind == "none":
        return None
    if kind != "cognito":
        raise ModelError(f"{note.owner}: {PREFIX}auth-type {kind!r}: none and cognito are rehearsed")
    found = note.document("auth-idp-cognito") or {}
    missing = [key for key in ("userPoolARN", "userPoolClientID", "userPoolDomain") if not found.get(key)]
    if missing:
        raise ModelError(f"{note.owner}: {PREFIX}auth-idp-cognito lacks {', '.join(missing)}")
    on_request = note.text("auth-on-unauthenticated-request", "authenticate")
    if on_request not in _UNAUTHENTICATED:
        raise ModelError(f"{note.owner}: {PREFIX}auth-on-unauthenticated-request {on_request!r} is not one of "
                         f"{', '.join(_UNAUTHENTICATED)}")
    return Authenticate(
        pool=found["userPoolARN"], client=found["userPoolClientID"], domain=found["userPoolDomain"],
        on_request=on_request, scope=note.text("auth-scope", "openid"),
        cookie=note.text("auth-session-cookie", SESSION_COOKIE),
        session_seconds=note.number("auth-session-timeout", 604800))


def action_of(wanted: Authenticate) -> dict[str, Any]:
    """In ELBv2's words; its order is before the rule's own action."""
    return {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {
        "UserPoolArn": wanted.pool, "UserPoolClientId": wanted.client, "UserPoolDomain": wanted.domain,
        "SessionCookieName": wanted.cookie, "Scope": wanted.scope, "SessionTimeout": wanted.session_seconds,
        "OnUnauthenticatedRequest": wanted.on_request}}


def answer(wanted: Authenticate, request: Request) -> tuple[int, Mapping[str, str]] | None:
    """Status and headers for a request that does not pass; None: it may go on without a session."""
    if wanted.on_request == "allow":
        return None
    if wanted.on_request == "deny":
        return 401, {}
    return 302, {"Location": authorization_url(wanted, request)}


def authorization_url(wanted: Authenticate, request: Request) -> str:
    """A domain without a dot is a prefix of Cognito's own."""
    region = wanted.pool.split(":")[3]
    host = wanted.domain if "." in wanted.domain else f"{wanted.domain}.auth.{region}.amazoncognito.com"
    state = base64.urlsafe_b64encode(json.dumps([request.path, secrets.token_hex(8)]).encode()).decode()
    query = {"client_id": wanted.client, "redirect_uri": f"https://{request.host}{CALLBACK_PATH}",
             "response_type": "code", "scope": wanted.scope, "state": state}
    return f"https://{host}/oauth2/authorize?{urlencode(query, quote_via=quote, safe='')}"
