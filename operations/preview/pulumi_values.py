"""Values as Pulumi's own JSON spells them: exports of stacks and previews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operations.preview.values import UNKNOWN, Marked

SIGNATURE = "4dabf18193072939515e22adb298388d"  # sdk/go/common/resource/sig: the key that marks a special value
SECRET = "1b47061264138c4ac30d75fd1eb44270"
_KINDS = {SECRET: "secret", "c44067f5952c0a294b673a41bacd8c17": "asset", "0def7320c3a5731c473e5ecbe6d01bc7": "archive"}
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWNS = ("04da6b54-80e4-46f7-96ec-b56ff0331ba9", "output<string>", "[unknown]")
_SECRET_TEXT = "[secret]"


def read(value: Any) -> Any:
    """As operations.preview.values has it. A secret keeps no more than its ciphertext or the fact that it is one."""
    if isinstance(value, Mapping):
        signature = value.get(SIGNATURE)
        if signature is None:
            return {key: read(item) for key, item in value.items()}
        if signature == _RESOURCE:
            return value.get("urn")
        kind = _KINDS.get(str(signature), "asset")
        digest = value.get("ciphertext", "") if kind == "secret" else value.get("hash", "")
        return Marked(kind, str(digest))
    if isinstance(value, list):
        return [read(item) for item in value]
    if value == _SECRET_TEXT:
        return Marked("secret")
    return UNKNOWN if isinstance(value, str) and value in _UNKNOWNS else value
