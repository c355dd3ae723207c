"""EKS as far as the real Kubernetes beside us is concerned: where its API is, and who a token belongs to."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from rehearsal.aws.gateway.store import KeptStore
from rehearsal.aws.replay import Answer
from rehearsal.aws.routing import Addressed

CONTROL_PLANE = "candlefish:kubernetes:ControlPlane"  # kept: id = cluster name; endpoint, certificateAuthority (base64)
_CLUSTER = re.compile(r"^/clusters/([^/]+)$")


def complete(answer: Answer, kept: KeptStore, to: Addressed, account: str, method: str, path: str) -> Answer:
    """DescribeCluster with the endpoint and the authority of the kube-apiserver that serves the cluster, once the
    rehearsal has registered it; before that, what the emulator says."""
    if to.service != "eks" or method != "GET" or answer.status != 200 or not (found := _CLUSTER.match(path)):
        return answer
    served = kept.get((account, to.region, CONTROL_PLANE, found[1]))
    if served is None:
        return answer
    body = json.loads(answer.body)
    body["cluster"] |= {"endpoint": served["endpoint"], "certificateAuthority": {"data": served["certificateAuthority"]},
                        "status": "ACTIVE"}
    return Answer(answer.status, answer.headers, json.dumps(body).encode())


async def authenticate(request: web.BaseRequest, kept: KeptStore, accounts: set[str]) -> web.Response:
    """The API server's token webhook: TokenReview v1 in, TokenReview with status out."""
    try:
        from rehearsal.kubernetes.tokens import review
    except ImportError as problem:
        return web.json_response({"message": f"rehearsal.kubernetes.tokens cannot be imported: {problem}"}, status=501)
    clusters: list[dict[str, Any]] = [
        {"account": key[0], "region": key[1], "name": key[3], **properties}
        for account in sorted(accounts) for key, properties in kept.list(account, type=CONTROL_PLANE)]
    return web.json_response(review(await request.json(), clusters))
