"""What is deployed: `pulumi stack export`, version 3, made fit for a preview without its secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.errors import NotAcceptable
from operations.preview.pulumi_values import SECRET, SIGNATURE

_HIDDEN = json.dumps("[secret]")
_RECORD = "aws:route53/record:Record"
_ACCOUNT = re.compile(r"^arn:aws[a-z-]*:[^:]*:[^:]*:(\d{12}):")


@dataclass(frozen=True)
class Deployment:
    """document: the export with every encrypted value hidden, of which `secrets` is the number. account: whose the
    resources are, by their ARNs; empty where none has one."""

    document: dict[str, Any]
    secrets: int
    account: str

    def zone(self, domain: str) -> str:
        """The id of the hosted zone in which the stack has records; empty if it has none."""
        for resource in self.document["deployment"].get("resources") or ():
            inputs = resource.get("inputs") or {}
            name = str(inputs.get("name", "")).rstrip(".")
            if resource.get("type") == _RECORD and (name == domain or name.endswith(f".{domain}")):
                return str(inputs.get("zoneId", ""))
        return ""


def parse(document: Any, source: str, stack: str) -> Deployment:
    """Raises NotAcceptable for what is no export, is of another version or of another stack."""
    if not isinstance(document, Mapping) or not isinstance(document.get("deployment"), Mapping):
        raise NotAcceptable(f"{source}: has no `deployment`; the output of `pulumi stack export` is wanted")
    if document.get("version") != 3:
        raise NotAcceptable(f"{source}: has version {document.get('version')}; only version 3 is read")
    resources = document["deployment"].get("resources") or []
    owners = {str(each.get("urn", "")).split("::")[0].removeprefix("urn:pulumi:") for each in resources}
    if owners - {stack}:
        raise NotAcceptable(f"{source}: is of the stack {', '.join(sorted(owners))}, not of {stack} (--stack)")
    counted = [0]
    hidden = {key: _hidden(value, counted) for key, value in document["deployment"].items()
              if key not in ("secrets_providers", "pending_operations")}
    accounts = (match[1] for each in resources for text in _arns(each) if (match := _ACCOUNT.match(text)))
    return Deployment({"version": 3, "deployment": hidden}, counted[0], next(accounts, ""))


def _hidden(value: Any, counted: list[int]) -> Any:
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            counted[0] += 1
            return {SIGNATURE: SECRET, "plaintext": _HIDDEN}
        return {key: _hidden(item, counted) for key, item in value.items()}
    return [_hidden(item, counted) for item in value] if isinstance(value, list) else value


def _arns(resource: Mapping[str, Any]) -> Iterator[str]:
    arn = (resource.get("outputs") or {}).get("arn")
    if isinstance(arn, str):
        yield arn
