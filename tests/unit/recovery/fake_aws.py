"""AWS as a table of answers: boto3's own clients, of which every answer is held against the service's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.validate import validate_parameters

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Refusal(dict[str, Any]):
    """An answer that is an error of the service."""

    def __init__(self, code: str) -> None:
        super().__init__(Error={"Code": code, "Message": f"{code} of the test"})


class FakeAws:
    """answers: (service, region, operation) → what comes back. A call without one fails the test."""

    def __init__(self, answers: Mapping[tuple[str, str, str], Answer]) -> None:
        self.answers = dict(answers)

    def client(self, service: str, region: str) -> Any:
        made = boto3.client(service, region_name=region, aws_access_key_id="a", aws_secret_access_key="b")
        asked: list[Mapping[str, Any]] = []
        made.meta.events.register_first("before-parameter-build.*.*", lambda params, **_: asked.append(params))
        made.meta.events.register_first(
            "before-call.*.*", lambda model, **_: self._answer(service, region, model, asked[-1]))
        return made

    def _answer(self, service: str, region: str, model: Any, params: Mapping[str, Any]) -> Any:
        key = service, region, model.name
        assert key in self.answers, f"nobody said what {key} answers"
        answer = self.answers[key]
        if isinstance(answer, Exception):
            raise answer
        found = answer(params) if callable(answer) else answer
        if not isinstance(found, Refusal) and model.output_shape is not None:
            validate_parameters(found, model.output_shape)
        status = 400 if isinstance(found, Refusal) else 200
        return AWSResponse("https://test", status, {}, None), {**found, "ResponseMetadata": {"HTTPStatusCode": status}}
