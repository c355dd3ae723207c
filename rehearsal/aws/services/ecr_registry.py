"""Settings of an account's registry in a region: replication, scanning, pull-through caches.

The first two always exist; deleting one sets it back to what a new account has. Neither emulator has pull-through
caches: they are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from botocore.exceptions import ClientError

from rehearsal.aws.handler import Call, Handler, Reference, resource
from rehearsal.aws.services import _references
from rehearsal.aws.services._kept import KeptObject
from rehearsal.aws.services.shapes import is_absent
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties


@resource
class ReplicationConfiguration(Handler):
    """Its id is the registry's: the account."""

    type = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
    tags_property = None

    def create(self, call: Call, inputs: Properties) -> str:
        rules = (inputs.get("replicationConfiguration") or {}).get("rules") or []
        for rule in rules:
            for place in rule["destinations"]:
                if (place["region"], place["registryId"]) == (call.region, call.account):
                    raise ProviderError(
                        "An error occurred (InvalidParameterException) when calling the PutReplicationConfiguration "
                        f"operation: the destination {place['region']} is the registry itself")
        call.client("ecr").put_replication_configuration(replicationConfiguration={"rules": rules})
        return call.account

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        registry = call.client("ecr").describe_registry()
        rules = registry["replicationConfiguration"]["rules"]
        return {"registryId": registry["registryId"], "replicationConfiguration": {"rules": rules}} if rules else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        call.client("ecr").put_replication_configuration(replicationConfiguration={"rules": []})


@resource
class RegistryScanningConfiguration(Handler):
    """Its id is the registry's: the account."""

    type = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
    tags_property = None

    def create(self, call: Call, inputs: Properties) -> str:
        call.client("ecr").put_registry_scanning_configuration(
            scanType=inputs["scanType"], rules=inputs.get("rules") or [])
        return call.account

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        found = call.client("ecr").get_registry_scanning_configuration()
        configuration = found["scanningConfiguration"]
        return {"registryId": found["registryId"], "scanType": configuration["scanType"],
                "rules": configuration["rules"]}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self.create(call, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        call.client("ecr").put_registry_scanning_configuration(scanType="BASIC", rules=[])


_REFUSED = "An error occurred (ValidationException) when calling the CreateRepositoryCreationTemplate operation"


@resource
class RepositoryCreationTemplate(KeptObject):
    """Its id is the prefix; neither emulator has templates."""

    type = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
    tags_property = None
    documents = ("lifecyclePolicy", "repositoryPolicy")
    defaults = {"imageTagMutability": "MUTABLE"}

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, encryption in enumerate(inputs.get("encryptionConfigurations") or ()):
            if encryption.get("kmsKey"):
                yield _references.kms_key(f"encryptionConfigurations[{index}].kmsKey", encryption["kmsKey"])
        if inputs.get("customRoleArn"):
            yield _references.role("customRoleArn", inputs["customRoleArn"])

    def identify(self, call: Call, inputs: Properties) -> str:
        prefix = str(inputs["prefix"])
        if not re.fullmatch(r"ROOT|(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*", prefix):
            raise ProviderError(f"{_REFUSED}: prefix {prefix!r} is neither ROOT nor the beginning of a repository's "
                                "name")
        # "If you intend to use KMS keys, resource tags, or a combination of both" (ECR user guide, "Creating a
        # repository creation template"); a key may be ECR's own.
        keyed = any(each.get("encryptionType") == "KMS" for each in inputs.get("encryptionConfigurations") or ())
        if (keyed or inputs.get("resourceTags")) and not inputs.get("customRoleArn"):
            raise ProviderError(f"{_REFUSED}: a template with encryption by KMS or with tags needs customRoleArn")
        return prefix

    def computed(self, call: Call, id: str, inputs: Properties) -> Properties:
        return {"registryId": call.account}


# Upstreams that need no credentials; the others refuse a rule without them.
_OPEN = ("public.ecr.aws", "registry.k8s.io", "quay.io")


@resource
class PullThroughCacheRule(Handler):
    """Its id is the prefix."""

    type = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
    kept_whole = True
    tags_property = None

    def references(self, inputs: Properties) -> Iterable[Reference]:
        secret = inputs.get("credentialArn")
        if secret:
            yield Reference("credentialArn", secret, lambda call: _secret_exists(call, secret))

    def create(self, call: Call, inputs: Properties) -> str:
        prefix = str(inputs["ecrRepositoryPrefix"])
        now = call.kept.get(call.account, call.region, self.type, prefix)
        if now is not None and now["upstreamRegistryUrl"] != inputs["upstreamRegistryUrl"]:
            raise ProviderError("An error occurred (PullThroughCacheRuleAlreadyExistsException) when calling the "
                                "CreatePullThroughCacheRule operation: a rule with the prefix "
                                f"'{prefix}' already exists")
        self._put(call, prefix, inputs)
        return prefix

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        return call.kept.get(call.account, call.region, self.type, id)

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        self._put(call, id, new)

    def delete(self, call: Call, id: str, known: Properties) -> None:
        call.kept.delete(call.account, call.region, self.type, id)

    def _put(self, call: Call, prefix: str, inputs: Properties) -> None:
        upstream, secret = str(inputs["upstreamRegistryUrl"]), inputs.get("credentialArn")
        if upstream not in _OPEN and ".dkr.ecr." not in upstream and not secret:
            raise ProviderError("An error occurred (UnsupportedUpstreamRegistryException): the upstream registry "
                                f"{upstream} needs a credentialArn")
        if secret and not secret.split(":")[-1].startswith("ecr-pullthroughcache/"):
            raise ProviderError("An error occurred (InvalidParameterException): the name of the secret of a "
                                f"pull-through cache begins with ecr-pullthroughcache/; got {secret}")
        call.kept.put(call.account, call.region, self.type, prefix, {
            "ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": upstream, "credentialArn": secret or "",
            "customRoleArn": inputs.get("customRoleArn") or "", "registryId": call.account,
            "upstreamRepositoryPrefix": inputs.get("upstreamRepositoryPrefix") or "ROOT"})


def _secret_exists(call: Call, arn: str) -> bool:
    try:
        call.client("secretsmanager").describe_secret(SecretId=arn)
    except ClientError as error:
        if is_absent(error):
            return False
        raise
    return True
