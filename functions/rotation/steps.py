"""Secrets Manager's rotation: createSecret, setSecret, testSecret, finishSecret.

Secrets Manager calls the function once a step, again after a failure, and the whole rotation again later. So each step
looks first at what is there already. Until finishSecret has moved AWSCURRENT the old value stays what everyone reads;
a step that fails changes nothing of that.

In:  `{"Step": …, "SecretId": ARN, "ClientRequestToken": id of the version that is to become current}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
Document = dict[str, Any]


class RotationError(Exception):
    """Why a step can't be done. Never holds a value of a secret."""


class Rotation(Protocol):
    """What is different from secret to secret. Documents are the secrets' JSON."""

    def create(self, current: Document) -> Document:
        """The document that follows the current one. Called once a rotation, unless its result could not be kept."""
        ...

    def set(self, current: Document, pending: Document) -> None:
        """Makes whatever checks the secret accept the pending one beside the current one. Safe to repeat."""
        ...

    def test(self, current: Document, pending: Document) -> None:
        """Raises RotationError if the pending one would not do."""
        ...


@dataclass(frozen=True)
class Secret:
    """One secret in Secrets Manager, as a rotation sees it. `client`: boto3's."""

    client: Any
    id: str

    def stages(self) -> Mapping[str, list[str]]:
        """Labels by version."""
        return dict(self.client.describe_secret(SecretId=self.id)["VersionIdsToStages"])

    def version_at(self, stage: str) -> str | None:
        return next((version for version, stages in self.stages().items() if stage in stages), None)

    def document(self, stage: str, version: str | None = None) -> Document | None:
        """None: there is no such version, or it has no value yet."""
        chosen = {"VersionId": version} if version else {}
        try:
            text = self.client.get_secret_value(SecretId=self.id, VersionStage=stage, **chosen)["SecretString"]
        except self.client.exceptions.ResourceNotFoundException:
            return None
        try:
            document = json.loads(text)
        except json.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise RotationError(f"{self.id}: the value at {stage} is no JSON object") from None
        return document

    def needed(self, stage: str, version: str | None = None) -> Document:
        document = self.document(stage, version)
        if document is None:
            raise RotationError(f"{self.id}: there is no value at {stage}")
        return document

    def move(self, stage: str, to: str | None) -> None:
        """The label sits on that version and no other; None: on none."""
        holder = self.version_at(stage)
        if holder == to:
            return
        self.client.update_secret_version_stage(SecretId=self.id, VersionStage=stage, **{
            key: value for key, value in (("MoveToVersionId", to), ("RemoveFromVersionId", holder)) if value})


def run(event: Mapping[str, str], client: Any, rotation: Rotation, log: Callable[[str], None] = print) -> str:
    """Does the step and returns what came of it, in words. Raises RotationError, and what AWS's calls raise."""
    step, version = event["Step"], event["ClientRequestToken"]
    secret = Secret(client, event["SecretId"])
    if step not in STEPS:
        raise RotationError(f"unknown step {step!r}: one of {', '.join(STEPS)}")
    outcome = "done before" if CURRENT in secret.stages().get(version, []) else STEPS[step](secret, version, rotation)
    log(json.dumps({"step": step, "secret": secret.id, "version": version, "outcome": outcome}))
    return outcome


def _create(secret: Secret, version: str, rotation: Rotation) -> str:
    if secret.document(PENDING, version) is not None:
        return "done before"
    pending = rotation.create(secret.needed(CURRENT))
    try:
        secret.client.put_secret_value(SecretId=secret.id, ClientRequestToken=version, VersionStages=[PENDING],
                                       SecretString=json.dumps(pending))
    except secret.client.exceptions.ResourceExistsException:
        return "done before"  # by a repeated delivery of the same step: what that one has written counts
    return "done"


def _set(secret: Secret, version: str, rotation: Rotation) -> str:
    rotation.set(secret.needed(CURRENT), secret.needed(PENDING, version))
    return "done"


def _test(secret: Secret, version: str, rotation: Rotation) -> str:
    current, pending = secret.needed(CURRENT), secret.document(PENDING, version)
    if pending is None or pending == current:  # a schedule that is set up tries this step alone, to see whether it may
        return "nothing is pending; the secret can be read"
    rotation.test(current, pending)
    return "done"


def _finish(secret: Secret, version: str, rotation: Rotation) -> str:
    rotation.test(secret.needed(CURRENT), secret.needed(PENDING, version))  # nothing untested becomes current
    secret.move(CURRENT, version)
    return "done"


STEPS: Mapping[str, Callable[[Secret, str, Rotation], str]] = {
    "createSecret": _create, "setSecret": _set, "testSecret": _test, "finishSecret": _finish}
