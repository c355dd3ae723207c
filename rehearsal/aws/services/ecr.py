"""ECR repositories and their two policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services.iam_documents import text_of
from rehearsal.aws.services.shapes import absent_is_fine, chosen, is_absent, retag, tags_of
from rehearsal.engine.values import Properties


def described(call: Call, name: str) -> dict[str, Any] | None:
    try:
        repository: dict[str, Any] = call.client("ecr").describe_repositories(
            repositoryNames=[name])["repositories"][0]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return repository


def repository_reference(name: Any) -> Iterable[Reference]:
    if name:
        yield Reference("repository", name, lambda call: described(call, name) is not None)


@resource
class Repository(Handler):
    type = "aws:ecr/repository:Repository"
    naming = Naming(maximum=256, lower=True)
    kept = ("forceDelete",)
    defaults = {"imageTagMutability": "MUTABLE", "forceDelete": False}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, encryption in enumerate(inputs.get("encryptionConfigurations") or ()):
            if encryption.get("kmsKey"):
                yield _references.kms_key(f"encryptionConfigurations[{index}].kmsKey", encryption["kmsKey"])

    def create(self, call: Call, inputs: Properties) -> str:
        encryption = (inputs.get("encryptionConfigurations") or [None])[0]
        call.client("ecr").create_repository(
            repositoryName=inputs["name"], tags=call.tag_list, imageScanningConfiguration=_scanning(inputs),
            **({"encryptionConfiguration": chosen(encryption, {"encryptionType": "encryptionType",
                                                               "kmsKey": "kmsKey"})} if encryption else {}),
            **_mutability(inputs))
        return str(inputs["name"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        repository = described(call, id)
        if repository is None:
            return None
        tags = call.client("ecr").list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
        encryption = repository.get("encryptionConfiguration") or {"encryptionType": "AES256"}
        return {
            "arn": repository["repositoryArn"], "name": id, "registryId": repository["registryId"],
            "repositoryUrl": repository["repositoryUri"], "imageTagMutability": repository["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": repository.get("imageTagMutabilityExclusionFilters", []),
            "imageScanningConfiguration": repository["imageScanningConfiguration"],
            "encryptionConfigurations": [encryption], "tags": tags_of(tags),
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("ecr")
        if changed & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
            client.put_image_tag_mutability(repositoryName=id, **_mutability(new))
        if "imageScanningConfiguration" in changed:
            client.put_image_scanning_configuration(repositoryName=id, imageScanningConfiguration=_scanning(new))
        if "tags" in changed:
            arn = call.arn("ecr", f"repository/{id}")
            retag(tags_of(client.list_tags_for_resource(resourceArn=arn)["tags"]), call.tags,
                  lambda tags: client.tag_resource(resourceArn=arn, tags=tags),
                  lambda keys: client.untag_resource(resourceArn=arn, tagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("ecr").delete_repository(repositoryName=id, force=bool(known.get("forceDelete")))


def _mutability(inputs: Properties) -> dict[str, Any]:
    filters = inputs.get("imageTagMutabilityExclusionFilters")
    return {"imageTagMutability": inputs.get("imageTagMutability") or "MUTABLE",
            **({"imageTagMutabilityExclusionFilters": filters} if filters else {})}


def _scanning(inputs: Properties) -> dict[str, bool]:
    return {"scanOnPush": bool((inputs.get("imageScanningConfiguration") or {}).get("scanOnPush"))}


@resource
class LifecyclePolicy(Handler):
    """Its id is the repository's name."""

    type = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    tags_property = None
    documents = ("policy",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from repository_reference(inputs.get("repository"))

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("ecr").put_lifecycle_policy(repositoryName=inputs["repository"],
                                                lifecyclePolicyText=text_of(inputs["policy"]))
        return str(inputs["repository"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        try:
            found = call.client("ecr").get_lifecycle_policy(repositoryName=id)
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {"repository": id, "policy": found["lifecyclePolicyText"], "registryId": found["registryId"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("ecr").delete_lifecycle_policy(repositoryName=id)


@resource
class RepositoryPolicy(Handler):
    """Its id is the repository's name."""

    type = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    tags_property = None
    documents = ("policy",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from repository_reference(inputs.get("repository"))

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("ecr").set_repository_policy(repositoryName=inputs["repository"],
                                                 policyText=text_of(inputs["policy"]))
        return str(inputs["repository"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        try:
            found = call.client("ecr").get_repository_policy(repositoryName=id)
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return {"repository": id, "policy": found["policyText"], "registryId": found["registryId"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with absent_is_fine():
            call.client("ecr").delete_repository_policy(repositoryName=id)
