"""Secrets Manager: who may use a secret."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services._convert import found, unless
from rehearsal.aws.services.secretsmanager import GONE, describe, secret_exists
from rehearsal.engine.values import Properties


@resource
class SecretPolicy(Handler):
    type = "aws:secretsmanager/secretPolicy:SecretPolicy"
    tags_property = None
    documents = ("policy",)
    kept = ("blockPublicPolicy",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield secret_exists("secretArn", inputs["secretArn"])

    def create(self, call: Call, inputs: Properties) -> str:
        answer = call.client("secretsmanager").put_resource_policy(
            SecretId=inputs["secretArn"], ResourcePolicy=inputs["policy"],
            BlockPublicPolicy=bool(inputs.get("blockPublicPolicy")))
        return str(answer["ARN"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        if describe(call, id) is None:
            return None
        answer = found(lambda: call.client("secretsmanager").get_resource_policy(SecretId=id), GONE) or {}
        policy = answer.get("ResourcePolicy")
        return {"policy": policy, "secretArn": id} if policy else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, {**new, "secretArn": id})

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client("secretsmanager").delete_resource_policy(SecretId=id)
