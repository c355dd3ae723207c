"""Whose request it is: the account behind an access key, and the owner of an API that is called without a signature."""

from __future__ import annotations

import json
import re
from typing import Any

from rehearsal.aws.routing import DEFAULT_ACCOUNT, Addressed

_ASSUMED = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
_ASSUMED_ARN = re.compile(rb"<Arn>arn:aws:sts::(\d{12}):")
_API_PATH = re.compile(r"^/(?:_aws/execute-api|restapis)/([A-Za-z0-9]+)")
_API_HOST = re.compile(r"^([A-Za-z0-9]+)\.execute-api\.")


class Accounts:
    """Learns from the answers that pass: keys of assumed roles, APIs and who made them."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._apis: dict[str, tuple[str, str]] = {}
        self._domains: dict[str, tuple[str, str]] = {}  # of API Gateway
        self._clusters: dict[tuple[str, str, str], str] = {}
        self.seen: set[tuple[str, str]] = set()  # account and region of every request

    def of(self, to: Addressed) -> str:
        """12 digits are the account; a key of an assumed role is its role's; any other is the default account's."""
        return to.account or self._keys.get(to.access_key, DEFAULT_ACCOUNT)

    def owner_of_api(self, path: str, host: str) -> tuple[str, str] | None:
        """Account and region of the API that an unsigned data-plane request calls."""
        if named := self._domains.get(host.split(":")[0]):
            return named
        found = _API_PATH.match(path) or _API_HOST.match(host)
        return self._apis.get(found[1]) if found else None

    def owner_of_call(self, path: str, host: str) -> tuple[str, str] | None:
        """As `owner_of_api`, of what can be nothing but the call of an API: `/restapis/…` may change one too."""
        is_call = path.startswith("/_aws/execute-api/") or "/_user_request_" in path or _API_HOST.match(host)
        return self.owner_of_api(path, host) if is_call or host.split(":")[0] in self._domains else None

    def path_of_api(self, path: str, host: str) -> str:
        """The path as MiniStack takes it without a name of its own: `API.execute-api.…/stage` becomes
        `/_aws/execute-api/API/stage`; any other stays."""
        found = _API_HOST.match(host)
        return f"/_aws/execute-api/{found[1]}{path}" if found and found[1] in self._apis else path

    def creator_of_cluster(self, account: str, region: str, name: str) -> str | None:
        """The access key that created an EKS cluster."""
        return self._clusters.get((account, region, name))

    def learn(self, to: Addressed, method: str, path: str, body: bytes) -> None:
        account = self.of(to)
        self.seen.add((account, to.region))
        if to.service == "sts" and (key := _ASSUMED.search(body)) and (arn := _ASSUMED_ARN.search(body)):
            self._keys[key[1].decode()] = arn[1].decode()
        elif to.service == "apigateway" and method == "POST" and path in ("/restapis", "/v2/apis"):
            made = _object(body)
            if api := made.get("apiId") or made.get("id"):
                self._apis[str(api)] = (account, to.region)
        elif to.service == "apigateway" and method == "POST" and path in ("/domainnames", "/v2/domainnames"):
            if domain := _object(body).get("domainName"):
                self._domains[str(domain)] = (account, to.region)
        elif to.service == "eks" and method == "POST" and path == "/clusters":
            name = _object(body).get("cluster", {}).get("name")
            self._clusters |= {(account, to.region, name): to.access_key} if name else {}

    def clear(self) -> None:
        self._keys.clear()
        self._apis.clear()
        self._domains.clear()
        self._clusters.clear()
        self.seen.clear()


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; empty for an error page."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
