"""Secrets Manager: who may use a secret, and what rotates it."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, refused, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.secretsmanager import GONE, describe, secret_exists
from rehearsal.engine.values import Properties


@resource
class SecretRotation(KeptObject):
    """A schedule that is kept: moto's RotateSecret wants the function among its own, and without one makes a new
    current version, which would look like drift of the secret's version."""

    type = "aws:secretsmanager/secretRotation:SecretRotation"
    tags_property = None
    defaults = {"rotateImmediately": True}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield secret_exists("secretId", inputs["secretId"])
        yield from references.given(inputs, {"rotationLambdaArn": references.function})

    def identify(self, call: Call, inputs: Properties) -> str:
        rules = inputs.get("rotationRules") or {}
        days, schedule = rules.get("automaticallyAfterDays"), rules.get("scheduleExpression")
        if (days is None) == (schedule is None):
            raise refused("InvalidParameterException", "rotationRules needs either automaticallyAfterDays or "
                          "scheduleExpression", "RotateSecret")
        if days is not None and not 1 <= days <= 1000:
            raise refused("InvalidParameterException", "RotationRules.AutomaticallyAfterDays must be within 1-1000; it "
                          f"is {days}.", "RotateSecret")
        secret = describe(call, inputs["secretId"])
        return str(secret["ARN"]) if secret else str(inputs["secretId"])

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"rotationEnabled": True}


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
