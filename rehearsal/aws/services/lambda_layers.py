"""Lambda layers, by MiniStack, and code signing, which is kept."""

from __future__ import annotations

import base64
import hashlib

from rehearsal.aws.handler import Call, Handler, resource
from rehearsal.aws.services._assets import zipped
from rehearsal.aws.services._convert import found, present, refused, unless
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.lambda_ import GONE
from rehearsal.engine.values import Archive, Properties


@resource
class LayerVersion(Handler):
    """Id: the version's ARN. Every property replaces."""

    type = "aws:lambda/layerVersion:LayerVersion"
    tags_property = None
    defaults = {"skipDestroy": False}
    kept = ("code", "s3Bucket", "s3Key", "s3ObjectVersion", "skipDestroy", "sourceCodeHash")

    def create(self, call: Call, inputs: Properties) -> str:
        if isinstance(inputs.get("code"), Archive):
            content: Properties = {"ZipFile": zipped(inputs["code"])}
        elif inputs.get("s3Bucket"):
            content = present(
                S3Bucket=inputs["s3Bucket"], S3Key=inputs.get("s3Key"), S3ObjectVersion=inputs.get("s3ObjectVersion")
            )
        else:
            raise refused(
                "InvalidParameterValueException",
                f"the layer {inputs['layerName']} has no code: give code (an archive) or s3Bucket and s3Key",
                "PublishLayerVersion",
            )
        answer = call.client("lambda").publish_layer_version(
            LayerName=inputs["layerName"],
            Content=content,
            **present(
                CompatibleRuntimes=inputs.get("compatibleRuntimes"),
                Description=inputs.get("description"),
                CompatibleArchitectures=inputs.get("compatibleArchitectures"),
                LicenseInfo=inputs.get("licenseInfo"),
            ),
        )
        return str(answer["LayerVersionArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        layer, _, version = id.rpartition(":")
        got = found(
            lambda: call.client("lambda").get_layer_version(
                LayerName=layer.rsplit(":", 1)[-1], VersionNumber=int(version)
            ),
            GONE,
        )
        if got is None:
            return None
        content = got["Content"]
        return {
            "arn": id,
            "layerArn": layer,
            "layerName": layer.rsplit(":", 1)[-1],
            "version": version,
            "description": got.get("Description") or None,
            "licenseInfo": got.get("LicenseInfo") or None,
            "compatibleRuntimes": got.get("CompatibleRuntimes") or None,
            "createdDate": got["CreatedDate"],
            "compatibleArchitectures": got.get("CompatibleArchitectures") or None,
            "codeSha256": content["CodeSha256"],
            "sourceCodeSize": content["CodeSize"],
            "signingJobArn": "",
            "signingProfileVersionArn": "",
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """Every property replaces."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        layer, _, version = id.rpartition(":")
        if not known.get("skipDestroy"):
            with unless(GONE):
                call.client("lambda").delete_layer_version(
                    LayerName=layer.rsplit(":", 1)[-1], VersionNumber=int(version)
                )


@resource
class CodeSigningConfig(KeptObject):
    """Id: its ARN."""

    type = "aws:lambda/codeSigningConfig:CodeSigningConfig"

    def identify(self, call: Call, inputs: Properties) -> str:
        profiles = inputs["allowedPublishers"]["signingProfileVersionArns"]
        if not 1 <= len(profiles) <= 20:
            raise refused(
                "InvalidParameterValueException",
                f"1 to 20 signing profile versions, not {len(profiles)}",
                "CreateCodeSigningConfig",
            )
        digest = hashlib.sha256(call.context.operation.encode()).digest()
        return call.arn("lambda", f"code-signing-config:csc-{base64.b32encode(digest).decode().lower()[:17]}")

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {
            "arn": id,
            "configId": id.rsplit(":", 1)[-1],
            "lastModified": "2025-01-01T00:00:00.000+0000",
            "tags": dict(call.tags),
        }
