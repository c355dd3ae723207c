"""ECR repositories and the registry's settings on the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

import rehearsal.aws.services.ecr
import rehearsal.aws.services.ecr_registry  # noqa: F401
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycle import dangling, made

pytestmark = pytest.mark.rehearsal
REPOSITORY, CACHE = "aws:ecr/repository:Repository", "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecr.amazonaws.com"}}]})


def expire_after(count: int) -> str:
    return json.dumps({"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {
        "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}}]})


def test_a_repository_lives_through_its_updates(aws: Any) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    repository = made(aws, REPOSITORY, {
        "name": "team/app", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": key}]})
    assert repository.outputs["repositoryUrl"] == f"{aws.account}.dkr.ecr.us-east-1.amazonaws.com/team/app"
    repository.change(imageTagMutability="MUTABLE").change(imageScanningConfiguration={"scanOnPush": False})
    repository.change(imageTagMutability="IMMUTABLE_WITH_EXCLUSION", imageTagMutabilityExclusionFilters=[
        {"filterType": "WILDCARD", "filter": "dev-*"}]).change(tags={"a": "b"})
    repository.delete_twice()


def test_a_repository_with_an_image_goes_only_by_force(aws: Any) -> None:
    repository = made(aws, REPOSITORY, {"name": "app"})
    aws.client("ecr").put_image(
        repositoryName="app", imageTag="v1", imageManifest=json.dumps({"schemaVersion": 2, "layers": []}),
        imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json")
    with pytest.raises(ClientError, match="RepositoryNotEmpty"):
        repository.delete()
    repository.change(forceDelete=True).delete_twice()


def test_the_two_policies_of_a_repository_change_and_go(aws: Any) -> None:
    made(aws, REPOSITORY, {"name": "app"})
    lifecycle = made(aws, "aws:ecr/lifecyclePolicy:LifecyclePolicy", {"repository": "app", "policy": expire_after(5)})
    lifecycle.change(policy=expire_after(9)).delete_twice()
    text = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]})
    policy = made(aws, "aws:ecr/repositoryPolicy:RepositoryPolicy", {"repository": "app", "policy": text})
    policy.change(policy=text.replace("BatchGetImage", "DescribeImages")).delete_twice()


def test_references_of_repositories_must_exist(aws: Any) -> None:
    key = f"arn:aws:kms:us-east-1:{aws.account}:key/00000000-0000-0000-0000-000000000000"
    assert dangling(aws, REPOSITORY, {"encryptionConfigurations": [{"kmsKey": key}]}) == [
        "encryptionConfigurations[0].kmsKey"]
    for type in ("aws:ecr/lifecyclePolicy:LifecyclePolicy", "aws:ecr/repositoryPolicy:RepositoryPolicy"):
        assert dangling(aws, type, {"repository": "none"}) == ["repository"]


def test_the_registry_replicates_elsewhere_but_not_to_itself(aws: Any) -> None:
    def to(region: str) -> dict[str, Any]:
        return {"rules": [{"destinations": [{"region": region, "registryId": aws.account}],
                           "repositoryFilters": [{"filter": "app", "filterType": "PREFIX_MATCH"}]}]}

    type = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
    made(aws, type, {"replicationConfiguration": to("us-west-2")}).change(
        replicationConfiguration=to("eu-west-1")).delete_twice()
    with pytest.raises(ProviderError, match="the registry itself"):
        made(aws, type, {"replicationConfiguration": to("us-east-1")})


def test_deleting_the_scanning_configuration_sets_it_back(aws: Any) -> None:
    scanning = made(aws, "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration", {
        "scanType": "ENHANCED", "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [
            {"filter": "*", "filterType": "WILDCARD"}]}]})
    scanning.change(scanType="BASIC")
    scanning.delete()
    scanning.delete()
    now = scanning.read()
    assert now is not None
    assert (now["scanType"], now["rules"]) == ("BASIC", [])


def test_a_pull_through_cache_needs_the_secret_that_its_upstream_needs(aws: Any) -> None:
    with pytest.raises(ProviderError, match="needs a credentialArn"):
        made(aws, CACHE, {"ecrRepositoryPrefix": "ghcr", "upstreamRegistryUrl": "ghcr.io"})
    secrets = [aws.client("secretsmanager").create_secret(Name=f"ecr-pullthroughcache/{name}", SecretString="{}")[
        "ARN"] for name in "ab"]
    rule = made(aws, CACHE, {"ecrRepositoryPrefix": "ghcr", "upstreamRegistryUrl": "ghcr.io",
                             "credentialArn": secrets[0]})
    rule.change(credentialArn=secrets[1]).delete_twice()
    assert dangling(aws, CACHE, {"credentialArn": secrets[0] + "x"}) == ["credentialArn"]
    made(aws, CACHE, {"ecrRepositoryPrefix": "k8s", "upstreamRegistryUrl": "registry.k8s.io"}).delete_twice()


def test_a_template_of_repositories_needs_a_role_for_encryption_by_kms(aws: Any) -> None:
    type = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
    role = aws.client("iam").create_role(RoleName="replicas", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    template = made(aws, type, {"prefix": "ROOT", "appliedFors": ["REPLICATION"], "imageTagMutability": "IMMUTABLE",
                                "customRoleArn": role, "encryptionConfigurations": [{"encryptionType": "KMS"}]})
    template.change(imageTagMutability="MUTABLE").change(lifecyclePolicy=expire_after(5)).delete_twice()
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    keyed = {"appliedFors": ["REPLICATION"], "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": key}]}
    for without in (keyed, {**keyed, "encryptionConfigurations": [{"encryptionType": "KMS"}]}):
        with pytest.raises(ProviderError, match="needs customRoleArn"):
            made(aws, type, {**without, "prefix": "team"})
    with pytest.raises(ProviderError, match="neither ROOT nor"):
        made(aws, type, {"prefix": "Team/", "appliedFors": ["REPLICATION"]})
    missing = f"arn:aws:iam::{aws.account}:role/none"
    assert dangling(aws, type, {**keyed, "prefix": "team", "customRoleArn": missing}) == ["customRoleArn"]
