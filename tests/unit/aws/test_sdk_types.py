"""Input types read from the SDK's source, and the checks of inputs against them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.engine.values import UNKNOWN, Archive, Secret
from rehearsal.sdk import source
from rehearsal.sdk.check import check
from rehearsal.sdk.types import Property, Types, parse

pytestmark = pytest.mark.unit

BUCKET = "aws:s3/bucket:Bucket"


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Types:
    return Types(tmp_path_factory.mktemp("sdk"))


@pytest.mark.parametrize(("token", "input", "expected"), [
    ("aws:ec2/vpc:Vpc", "cidrBlock", Property("string", False)),
    ("aws:iam/role:Role", "assumeRolePolicy", Property("any", True)),
    ("aws:sqs/queue:Queue", "tags", Property({"map": "string"}, False)),
    ("aws:sqs/queue:Queue", "delaySeconds", Property("integer", False)),
    (BUCKET, "corsRules", Property({"list": {"object": "aws/s3#BucketCorsRuleArgs"}}, False)),
    ("kubernetes:apps/v1:Deployment", "metadata",
     Property({"object": "kubernetes/meta/v1#ObjectMetaArgs"}, False)),
    ("eks:index:Cluster", "storageClasses",
     Property({"union": ["string", {"map": {"object": "eks#StorageClassArgs"}}]}, False)),
    ("random:index/randomPassword:RandomPassword", "length", Property("integer", True)),
])
def test_inputs_have_camel_case_names_kinds_and_whether_they_are_required(
        types: Types, token: str, input: str, expected: Property) -> None:
    found = types.get(token).inputs[input]
    assert found.required == expected.required
    if expected.kind != "any":
        assert found.kind == expected.kind


def test_outputs_are_those_of_the_resource_class(types: Types) -> None:
    assert {"arn", "id", "bucket", "tagsAll", "bucketDomainName"} - {"id"} <= set(types.get(BUCKET).outputs)


def test_deeply_nested_types_are_complete(types: Types) -> None:
    acl = types.get("aws:wafv2/webAcl:WebAcl")
    assert len(acl.types) > 100
    assert "rateBasedStatement" in acl.types["aws/wafv2#WebAclRuleStatementArgs"]


def test_an_unknown_token_is_an_error_that_names_it(types: Types) -> None:
    with pytest.raises(source.NoSuchType, match="aws:s3/bucked:Bucked"):
        types.get("aws:s3/bucked:Bucked")


def test_the_cache_gives_what_parsing_gives(types: Types, tmp_path: Path) -> None:
    first, again = Types(tmp_path), Types(tmp_path)
    assert first.get(BUCKET) == again.get(BUCKET) == parse(BUCKET)


def test_reading_types_does_not_import_the_sdk(tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from rehearsal.sdk.types import Types; "
            f"Types(Path({str(tmp_path)!r})).get({BUCKET!r}); "
            "assert not [name for name in sys.modules if name.startswith('pulumi')]")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30,
                   env={"PYTHONPATH": str(Path(__file__).parents[3])})


@pytest.mark.parametrize(("inputs", "property", "reason"), [
    ({"bucke": "x"}, "bucke", "did you mean `bucket`"),
    ({"bucket": 3}, "bucket", "must be a string, is 3"),
    ({"forceDestroy": "true"}, "forceDestroy", "must be true or false, is a string"),
    ({"corsRules": {}}, "corsRules", "must be a list"),
    ({"corsRules": [{"allowedMethods": ["GET"]}]}, "corsRules[0].allowedOrigins", "needs `allowedOrigins`"),
    ({"corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": [], "maxAge": 1}]}, "corsRules[0].maxAge",
     "did you mean `maxAgeSeconds`"),
    ({"tags": {"a.b": 1}}, 'tags["a.b"]', "must be a string"),
    ({"tags": "x"}, "tags", "must be a map"),
])
def test_a_wrong_input_is_refused_with_its_path(
        types: Types, inputs: dict[str, Any], property: str, reason: str) -> None:
    failures = check(types.get(BUCKET), inputs)
    assert [failure.property for failure in failures] == [property]
    assert reason in failures[0].reason


@pytest.mark.parametrize("inputs", [
    {}, {"bucket": None}, {"bucket": UNKNOWN}, {"bucket": Secret("x")}, {"corsRules": UNKNOWN}, {"__defaults": []},
    {"corsRules": [{"allowedMethods": UNKNOWN, "allowedOrigins": ["*"], "maxAgeSeconds": 5}]}])
def test_unknown_secret_and_absent_values_are_taken_as_right(types: Types, inputs: dict[str, Any]) -> None:
    assert check(types.get(BUCKET), inputs) == []


def test_an_archive_is_a_value_of_any_kind(types: Types) -> None:
    inputs = {"role": "arn", "code": Archive(path="functions"), "runtime": "python3.13"}
    assert check(types.get("aws:lambda/function:Function"), inputs) == []


def test_a_secret_is_checked_too_but_its_value_is_not_shown(types: Types) -> None:
    failures = check(types.get(BUCKET), {"tags": Secret({"a": ["hidden"]})})
    assert failures
    assert "hidden" not in failures[0].reason
