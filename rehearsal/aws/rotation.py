"""Secrets Manager's rotation: neither emulator calls the function, so this does, step by step, through Lambda."""

from __future__ import annotations

import json
import uuid
from typing import Any

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotationFailed(Exception):
    """The function refused a step; what it said is in the text. The old version is still the current one."""

    def __init__(self, step: str, version: str, said: str) -> None:
        super().__init__(f"{step} of the version {version}: {said}")
        self.step = step
        self.version = version


def rotate(functions: Any, secret: str, function: str, version: str | None = None) -> str:
    """Rotates once and returns the version's id. `functions`: boto3's client of Lambda. `version`: of a rotation that
    failed before, to be gone on with. Raises RotationFailed."""
    version = version or str(uuid.uuid4())
    for step in STEPS:
        answer = functions.invoke(FunctionName=function, Payload=json.dumps(
            {"Step": step, "SecretId": secret, "ClientRequestToken": version}).encode())
        if "FunctionError" in answer:
            raise RotationFailed(step, version, answer["Payload"].read().decode(errors="replace"))
    return version
