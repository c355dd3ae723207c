"""Whose request it is: the account behind an access key, and the owner of an API that is called without a signature."""

from __future__ import annotations

import json
import re

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
        self.seen: set[tuple[str, str]] = set()  # account and region of every request

    def of(self, to: Addressed) -> str:
        """12 digits are the account; a key of an assumed role is its role's; any other is the default account's."""
        return to.account or self._keys.get(to.access_key, DEFAULT_ACCOUNT)

    def owner_of_api(self, path: str, host: str) -> tuple[str, str] | None:
        """Account and region of the API that an unsigned data-plane request calls."""
        found = _API_PATH.match(path) or _API_HOST.match(host)
        return self._apis.get(found[1]) if found else None

    def learn(self, to: Addressed, method: str, path: str, body: bytes) -> None:
        account = self.of(to)
        self.seen.add((account, to.region))
        if to.service == "sts" and (key := _ASSUMED.search(body)) and (arn := _ASSUMED_ARN.search(body)):
            self._keys[key[1].decode()] = arn[1].decode()
        elif to.service == "apigateway" and method == "POST" and path in ("/restapis", "/v2/apis"):
            try:
                made = json.loads(body)
            except ValueError:  # an error page: nothing was made
                return
            if isinstance(made, dict) and (api := made.get("apiId") or made.get("id")):
                self._apis[str(api)] = (account, to.region)

    def clear(self) -> None:
        self._keys.clear()
        self._apis.clear()
        self.seen.clear()
