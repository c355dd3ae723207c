"""The token check of EKS: TokenReview in, user name and groups out, without AWS.

A token is `k8s-aws-v1.` and a presigned URL of sts:GetCallerIdentity. EKS calls that URL with the header
`x-k8s-aws-id: <cluster>`; here only the URL itself is judged (form, age, signed headers, access key), since the
signature of fake credentials proves nothing.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from rehearsal.kubernetes.access_policies import AUTHORIZER_PATH, POLICIES_KEY, Association

PREFIX = "k8s-aws-v1."
WEBHOOK_PATH = "/_candlefish/eks/authenticate"
VALIDITY = datetime.timedelta(minutes=15)  # EKS's own limit, whatever X-Amz-Expires says
CLOCK_SKEW = datetime.timedelta(minutes=5)
CLUSTER_HEADER = "x-k8s-aws-id"
ADMINISTRATORS = "system:masters"
ADMINISTRATOR_POLICY = "AmazonEKSClusterAdminPolicy"


@dataclass(frozen=True)
class Identity:
    """Who an access key belongs to."""

    arn: str
    account: str


@dataclass(frozen=True)
class AccessEntry:
    """An EKS access entry. `username` and `groups` as stated on the entry; `policies`: what is associated with it."""

    principal: str
    username: str = ""
    groups: tuple[str, ...] = ()
    policies: tuple[Association, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """`creator`: the principal that made the cluster; an administrator unless the cluster was made without
    bootstrapClusterCreatorAdminPermissions (then empty)."""

    name: str
    account: str
    creator: str = ""
    entries: tuple[AccessEntry, ...] = field(default=())


class Refused(Exception):
    """Why a token doesn't authenticate anybody."""


def review(token_review: Mapping[str, Any], cluster_name: str, clusters: Callable[[], Sequence[Cluster]],
           identify: Callable[[str], Identity | None], now: datetime.datetime | None = None) -> dict[str, Any]:
    """The TokenReview with `status` filled in, as kube-apiserver expects it from its webhook.

    `cluster_name`: from the webhook's URL, see `cluster_of`. `identify`: access key id → identity, None for a
    key that the account doesn't know.
    """
    token = str((token_review.get("spec") or {}).get("token") or "")
    try:
        user = _authenticate(token, cluster_name, clusters(), identify, now or datetime.datetime.now(datetime.UTC))
        status: dict[str, Any] = {"authenticated": True, "user": user}
    except Refused as refused:
        status = {"authenticated": False, "error": str(refused)}
    return {"apiVersion": token_review.get("apiVersion", "authentication.k8s.io/v1"), "kind": "TokenReview",
            "status": status}


def webhook_url(endpoint: str, cluster_name: str) -> str:
    """The URL that a cluster's kube-apiserver sends TokenReviews to. The name is in the path, because kube-apiserver
    drops the query of a webhook's URL. `endpoint`: the gateway's, such as "http://127.0.0.1:4566"."""
    return f"{endpoint.rstrip('/')}{WEBHOOK_PATH}/{quote(cluster_name, safe='')}"


def authorizer_url(token_webhook_url: str) -> str:
    """The URL that the same kube-apiserver sends SubjectAccessReviews to."""
    return token_webhook_url.partition(WEBHOOK_PATH)[0] + AUTHORIZER_PATH


def cluster_of(path: str) -> str | None:
    """The cluster's name in the path of a request that came to `webhook_url`; None for any other path."""
    if not path.startswith(f"{WEBHOOK_PATH}/"):
        return None
    return unquote(path.removeprefix(f"{WEBHOOK_PATH}/").rstrip("/")) or None


def access_key(token: str, now: datetime.datetime) -> str:
    """The access key id that signed the token. Raises Refused for anything that EKS would not accept."""
    if not token.startswith(PREFIX):
        raise Refused(f"the token doesn't start with {PREFIX}")
    encoded = token.removeprefix(PREFIX)
    try:
        url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise Refused(f"the token is not a URL in base64: {error}") from error
    query = {key.lower(): values[0] for key, values in parse_qs(url.query).items()}
    host = url.hostname or ""
    if url.scheme != "https" or not re.fullmatch(r"sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?", host):
        raise Refused(f"the token's URL goes to {url.scheme}://{host}, not to STS over HTTPS")
    if query.get("action") != "GetCallerIdentity" or url.path not in ("", "/"):
        raise Refused("the token's URL is not a GetCallerIdentity request")
    if CLUSTER_HEADER not in query.get("x-amz-signedheaders", "").split(";"):
        raise Refused(f"the token doesn't sign the header {CLUSTER_HEADER}: it was not made for an EKS cluster")
    try:
        made = datetime.datetime.strptime(query.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError as error:
        raise Refused("the token's URL has no X-Amz-Date") from error
    if not made - CLOCK_SKEW <= now <= made + VALIDITY:
        raise Refused(f"the token of {made:%Y-%m-%d %H:%M:%S} UTC is expired or from the future; make a new one")
    key = query.get("x-amz-credential", "").partition("/")[0]
    if not key:
        raise Refused("the token's URL has no X-Amz-Credential")
    return key


def _authenticate(token: str, cluster_name: str, clusters: Sequence[Cluster],
                  identify: Callable[[str], Identity | None], now: datetime.datetime) -> dict[str, Any]:
    key = access_key(token, now)
    cluster = next((each for each in clusters if each.name == cluster_name), None)
    if cluster is None:
        raise Refused(f"there is no EKS cluster {cluster_name!r}")
    identity = identify(key)
    if identity is None:
        raise Refused(f"the access key {key} belongs to nobody here")
    if identity.account != cluster.account:
        raise Refused(f"{identity.arn} is not of the account of the cluster {cluster_name}")
    principal = canonical(identity.arn)
    user: dict[str, Any] = {"uid": f"aws-iam-authenticator:{identity.account}:{principal}",
                            "extra": {"accessKeyId": [key], "arn": [identity.arn], "canonicalArn": [principal]}}
    entry = next((each for each in cluster.entries if each.principal == principal), None)
    if entry is not None:
        administrator = any(each.name == ADMINISTRATOR_POLICY and not each.namespaces for each in entry.policies)
        groups = [*entry.groups, *([ADMINISTRATORS] if administrator else [])]
        if entry.policies:  # carried along to the authorizer (access_policies.py), which is asked after RBAC
            user["extra"][POLICIES_KEY] = [str(each) for each in entry.policies]
        return {**user, "username": entry.username or identity.arn, "groups": groups}
    if principal in (cluster.creator, f"arn:aws:iam::{cluster.account}:root"):
        return {**user, "username": identity.arn, "groups": [ADMINISTRATORS]}
    raise Refused(f"{principal} has no access entry for the cluster {cluster_name}")


def canonical(arn: str) -> str:
    """The principal of an access entry: the role of an assumed-role session, anything else as it is."""
    match = re.fullmatch(r"arn:(aws[\w-]*):sts::(\d{12}):assumed-role/([^/]+)/.+", arn)
    return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}" if match else arn
