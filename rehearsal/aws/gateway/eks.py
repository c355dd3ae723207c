"""EKS as far as the real Kubernetes beside us is concerned: where its API is, and who a token belongs to."""

from __future__ import annotations

import datetime
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web
from yarl import URL

from rehearsal.aws.gateway.store import KeptStore
from rehearsal.aws.replay import Answer
from rehearsal.aws.routing import DEFAULT_REGION, Addressed, Server, claim

if TYPE_CHECKING:
    from rehearsal.aws.gateway.app import Gateway

CONTROL_PLANE = "candlefish:kubernetes:ControlPlane"  # kept: id = cluster name; endpoint, certificateAuthority (base64)
_CLUSTER = re.compile(r"^/clusters/([^/]+)$")
_ARN = re.compile(r"<Arn>([^<]+)</Arn>.*?<Account>(\d{12})</Account>|<Account>(\d{12})</Account>.*?<Arn>([^<]+)</Arn>",
                  re.S)


def complete(answer: Answer, kept: KeptStore, to: Addressed, account: str, method: str, path: str) -> Answer:
    """DescribeCluster with the endpoint and the authority of the kube-apiserver that serves the cluster, once the
    rehearsal has registered it; before that, what the emulator says."""
    if to.service != "eks" or method != "GET" or answer.status != 200 or not (found := _CLUSTER.match(path)):
        return answer
    served = kept.get((account, to.region, CONTROL_PLANE, found[1]))
    if served is None:
        return answer
    body = json.loads(answer.body)
    body["cluster"] |= {"endpoint": served["endpoint"], "status": "ACTIVE",
                        "certificateAuthority": {"data": served["certificateAuthority"]}}
    return Answer(answer.status, answer.headers, json.dumps(body).encode())


async def authenticate(gateway: Gateway, request: web.BaseRequest) -> web.Response:
    """The API server's token webhook, the cluster's name at the end of the path: TokenReview v1 in, TokenReview with
    status out. Entries are those of the emulated EKS at this moment."""
    try:
        from rehearsal.kubernetes import tokens
    except ImportError as problem:
        return web.json_response({"message": f"rehearsal.kubernetes.tokens cannot be imported: {problem}"}, status=501)
    body, name = await request.json(), tokens.cluster_of(request.path) or ""
    now = datetime.datetime.now(datetime.UTC)
    try:
        key = tokens.access_key(str((body.get("spec") or {}).get("token") or ""), now)
    except tokens.Refused:
        key = ""  # review says the same, in the form that the API server expects
    identity = await _identity(gateway, key) if key else None
    found: list[tokens.Cluster] = []
    if identity is not None:
        regions = sorted({region for account, region in gateway.accounts.seen if account == identity[1]})
        for region in regions:
            if (cluster := await _cluster(gateway, identity[1], region, name)) is not None:
                found.append(cluster)
    return web.json_response(tokens.review(
        body, name, lambda: found, lambda _: tokens.Identity(*identity) if identity else None, now))


async def authorize(request: web.BaseRequest) -> web.Response:
    """The API server's authorization webhook: SubjectAccessReview v1 in, the same with status out."""
    from rehearsal.kubernetes import access_policies

    return web.json_response(access_policies.review(await request.json()))


async def _cluster(gateway: Gateway, account: str, region: str, name: str) -> Any:
    from rehearsal.kubernetes import tokens
    from rehearsal.kubernetes.access_policies import Association

    described = await _ask(gateway, account, region, f"/clusters/{quote(name, safe='')}")
    if described is None:
        return None
    base = f"/clusters/{quote(name, safe='')}/access-entries"
    entries = []
    for principal in (await _ask(gateway, account, region, base) or {}).get("accessEntries", []):
        place = f"{base}/{quote(principal, safe='')}"
        entry = (await _ask(gateway, account, region, place) or {}).get("accessEntry", {})
        policies = (await _ask(gateway, account, region, f"{place}/access-policies") or {})
        entries.append(tokens.AccessEntry(
            principal, entry.get("username") or "", tuple(entry.get("kubernetesGroups") or ()),
            tuple(Association.of(policy["policyArn"], policy.get("accessScope") or {})
                  for policy in policies.get("associatedAccessPolicies", []))))
    access = described["cluster"].get("accessConfig") or {}
    creator = gateway.accounts.creator_of_cluster(account, region, name)
    made_by = await _identity(gateway, creator) if creator else None
    bootstrapped = access.get("bootstrapClusterCreatorAdminPermissions", True) and made_by is not None
    return tokens.Cluster(name, account, tokens.canonical(made_by[0]) if bootstrapped and made_by else "",
                          tuple(entries))


async def _identity(gateway: Gateway, key: str) -> tuple[str, str] | None:
    """ARN and account of an access key, as the emulated STS knows it."""
    url = gateway.upstream[Server.MINISTACK] + "/?Action=GetCallerIdentity&Version=2011-06-15"
    async with gateway.session.get(url, headers=_signed(key, DEFAULT_REGION, "sts")) as response:
        found = _ARN.search(await response.text())
    return None if found is None else (found[1] or found[4], found[2] or found[3])


async def _ask(gateway: Gateway, account: str, region: str, path: str) -> Any:
    """JSON of the emulated EKS, or None for anything but 200."""
    url = URL(gateway.upstream[Server.MINISTACK] + path, encoded=True)
    async with gateway.session.get(url, headers=_signed(account, region, "eks")) as response:
        return await response.json(content_type=None) if response.status == 200 else None


def _signed(key: str, region: str, service: str) -> dict[str, str]:
    return {"Authorization": claim(key, region, service)}
