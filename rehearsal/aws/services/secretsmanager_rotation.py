"""Secrets Manager: when a secret is rotated, and by which function."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.secretsmanager import describe, secret_exists
from rehearsal.engine.values import Properties


@resource
class SecretRotation(KeptObject):
    """A schedule that is kept: moto's RotateSecret wants the function among its own, and without one makes a new
    current version, which would look like drift of the secret's version.

    A secret that a service owns (RDS's master password) is rotated by that service, and takes no function; any other
    needs one.
    """

    type = "aws:secretsmanager/secretRotation:SecretRotation"
    tags_property = None
    defaults = {"rotateImmediately": True}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield secret_exists("secretId", inputs["secretId"])
        yield from references.given(inputs, {"rotationLambdaArn": references.function})

    def identify(self, call: Call, inputs: Properties) -> str:
        secret = describe(call, inputs["secretId"])
        self._check(inputs, (secret or {}).get("OwningService"))
        return str(secret["ARN"]) if secret else str(inputs["secretId"])

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._check(new, (describe(call, id) or {}).get("OwningService"))
        super().update(call, id, old, new, changed)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"rotationEnabled": inputs.get("rotationEnabled") is not False}

    def _check(self, inputs: Properties, owner: str | None) -> None:
        """The provider's CustomizeDiff and what RotateSecret itself refuses."""
        rules = inputs.get("rotationRules") or {}
        if inputs.get("rotationEnabled") is False:
            if rules:
                raise refused("InvalidParameterException", "rotationRules cannot be set when rotationEnabled is false",
                              "RotateSecret")
            return
        days, schedule = rules.get("automaticallyAfterDays"), rules.get("scheduleExpression")
        if (days is None) == (schedule is None):
            raise refused("InvalidParameterException", "rotationRules needs either automaticallyAfterDays or "
                          "scheduleExpression", "RotateSecret")
        if days is not None and not 1 <= days <= 1000:
            raise refused("InvalidParameterException", "RotationRules.AutomaticallyAfterDays must be within 1-1000; it "
                          f"is {days}.", "RotateSecret")
        if owner is None and not inputs.get("rotationLambdaArn"):
            raise refused("InvalidRequestException", "You tried to enable rotation on a secret that doesn't already "
                          "have a Lambda function ARN configured: give rotationLambdaArn", "RotateSecret")
        if owner is not None and inputs.get("rotationLambdaArn"):
            raise refused("InvalidRequestException", f"the secret is managed by {owner}, which rotates it itself: "
                          "leave rotationLambdaArn out", "RotateSecret")
