"""What an account switches on: Security Hub, Access Analyzer, and the defaults of EBS and S3. Kept, but for EBS."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services._convert import refused
from rehearsal.aws.services._kept import KeptObject
from rehearsal.engine.values import Properties

_ANALYZER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,254}")


@resource
class SecurityHub(KeptObject):
    """One an account and region; the id is the account."""

    type = "aws:securityhub/account:Account"
    tags_property = None
    defaults = {"autoEnableControls": True, "enableDefaultStandards": True,
                "controlFindingGenerator": "SECURITY_CONTROL"}

    def identify(self, call: Call, inputs: Properties) -> str:
        if call.kept.list(call.account, call.region, self.type):
            raise refused("ResourceConflictException", "account is already subscribed to Security Hub",
                          "EnableSecurityHub")
        return call.account

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": call.arn("securityhub", "hub/default")}


@resource
class StandardsSubscription(KeptObject):
    """The id is the standard's ARN with `subscription` and the account."""

    type = "aws:securityhub/standardsSubscription:StandardsSubscription"
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield Reference("standardsArn", inputs["standardsArn"], lambda call: bool(
            call.kept.list(call.account, call.region, SecurityHub.type)))

    def identify(self, call: Call, inputs: Properties) -> str:
        arn = str(inputs["standardsArn"])
        if not re.fullmatch(rf"arn:aws:securityhub:{call.region}::standards/[a-z0-9-]+/v/\d+\.\d+\.\d+", arn):
            raise refused("InvalidInputException", f"{arn!r} is no standard of {call.region}", "BatchEnableStandards")
        return call.arn("securityhub", f"subscription/{arn.partition('standards/')[2]}")


@resource
class Analyzer(KeptObject):
    """The id is the name."""

    type = "aws:accessanalyzer/analyzer:Analyzer"
    defaults = {"type": "ACCOUNT"}

    def identify(self, call: Call, inputs: Properties) -> str:
        kinds = call.client("accessanalyzer").meta.service_model.shape_for("Type").enum
        name, kind = str(inputs["analyzerName"]), inputs.get("type") or "ACCOUNT"
        if not _ANALYZER.fullmatch(name) or kind not in kinds:
            raise refused("ValidationException", f"analyzerName {name!r}: a letter, then letters, digits, _ . and -; "
                          f"type {kind!r}: one of {', '.join(kinds)}", "CreateAnalyzer")
        return name

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"arn": call.arn("access-analyzer", f"analyzer/{id}"), "tags": dict(call.tags)}


@resource
class EncryptionByDefault(Handler):
    """A switch of the region; deleting it switches it off. The provider draws an id."""

    type = "aws:ebs/encryptionByDefault:EncryptionByDefault"
    tags_property = None
    defaults = {"enabled": True}

    def create(self, call: Call, inputs: Properties) -> str:
        self._switch(call, inputs.get("enabled") is not False)
        return f"terraform-{call.context.random.randbytes(13).hex()}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        return {"enabled": call.client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._switch(call, new.get("enabled") is not False)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        self._switch(call, False)

    def _switch(self, call: Call, on: bool) -> None:
        client = call.client("ec2")
        client.enable_ebs_encryption_by_default() if on else client.disable_ebs_encryption_by_default()


@resource
class AccountPublicAccessBlock(KeptObject):
    """The id is the account."""

    type = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
    tags_property = None
    global_region = "us-east-1"
    defaults = {"blockPublicAcls": False, "blockPublicPolicy": False, "ignorePublicAcls": False,
                "restrictPublicBuckets": False}

    def identify(self, call: Call, inputs: Properties) -> str:
        return str(inputs.get("accountId") or call.account)

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"accountId": id}
