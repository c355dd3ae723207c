"""S3 buckets and objects through the provider, on the embedded AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.services._assets import zipped
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Archive, Asset
from tests.rehearsal.aws.lifecycles import lives, made, refused, world

pytestmark = pytest.mark.rehearsal

BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"


def _name(aws: Any, word: str = "b") -> str:
    """Names are global, so that each test has its own."""
    return f"{word}-{aws.account}"


def test_a_bucket_knows_its_region_and_its_domains(aws: Any) -> None:
    name = _name(aws)
    outputs = lives(aws, BUCKET, {"bucket": name}, region="us-west-2")
    assert outputs["bucketRegionalDomainName"] == f"{name}.s3.us-west-2.amazonaws.com"
    assert outputs["hostedZoneId"] == "Z3BJ6K6RIION7M"
    lives(aws, BUCKET, {"bucket": name, "objectLockEnabled": True})


@pytest.mark.parametrize("name", ["ab", "My-Bucket", "a..b", "-abc", "abc-", "1.2.3.4", "x" * 64, "xn--abc"])
def test_a_bad_bucket_name_is_refused(aws: Any, name: str) -> None:
    refused(aws, BUCKET, {"bucket": name}, "not valid")


def test_bucket_names_are_global(aws: Any) -> None:
    made(aws, BUCKET, {"bucket": _name(aws)})
    refused(aws, BUCKET, {"bucket": _name(aws)}, "not available", region="us-west-2")


def test_a_bucket_with_old_versions_goes_only_by_force(aws: Any) -> None:
    name, s3 = _name(aws), aws.client("s3")
    id, outputs = made(aws, BUCKET, {"bucket": name})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=name, Key="k", Body=body)
    s3.delete_object(Bucket=name, Key="k")
    with pytest.raises(ProviderError, match="BucketNotEmpty"):
        aws.provider.delete(aws.context(BUCKET), id, {"bucket": name}, outputs)
    aws.provider.delete(aws.context(BUCKET), id, {"bucket": name, "forceDestroy": True}, outputs)
    assert aws.provider.read(aws.context(BUCKET), id, {}, outputs) is None


def test_a_bucket_is_looked_up(aws: Any) -> None:
    made(aws, BUCKET, {"bucket": _name(aws)})
    found = aws.provider.invoke(aws.context(""), "aws:s3/getBucket:getBucket", {"bucket": _name(aws)})
    assert found["arn"] == f"arn:aws:s3:::{_name(aws)}"
    with pytest.raises(ProviderError, match="does not exist"):
        aws.provider.invoke(aws.context(""), "aws:s3/getBucket:getBucket", {"bucket": _name(aws, "no")})


def test_objects_come_from_texts_files_and_archives(aws: Any, tmp_path: Path) -> None:
    name, place = _name(aws), world(aws)
    made(aws, BUCKET, {"bucket": name})
    aws.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    (tmp_path / "page.html").write_text("<b>")
    lives(aws, OBJECT, {"bucket": name, "key": "a/b.html", "source": Asset(text="<p>"), "contentType": "text/html",
                        "cacheControl": "max-age=3", "metadata": {"a": "b"}, "kmsKeyId": place.key},
          {"source": Asset(path=str(tmp_path / "page.html"))}, {"contentType": "text/plain"})
    folder = Archive(assets={"a.py": Asset(text="1"), "d": Archive(path=str(tmp_path))})
    lives(aws, "aws:s3/bucketObject:BucketObject", {"bucket": name, "key": "z.zip", "source": folder})
    refused(aws, OBJECT, {"bucket": _name(aws, "no"), "key": "k", "content": "c"}, "`bucket`.*does not exist")
    refused(aws, "aws:s3/bucketObject:BucketObject", {"bucket": _name(aws, "no"), "key": "k", "content": "c"},
            "does not exist")


def test_the_same_archive_is_the_same_zip(tmp_path: Path) -> None:
    for name in ("b.py", "a.py"):
        (tmp_path / name).write_text(name)
    packed = zipped(Archive(path=str(tmp_path)))
    assert packed == zipped(Archive(assets={"a.py": Asset(text="a.py"), "b.py": Asset(text="b.py")}))


def test_access_lists_and_metrics_belong_to_a_bucket(aws: Any) -> None:
    name = _name(aws)
    made(aws, BUCKET, {"bucket": name})
    made(aws, "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
         {"bucket": name, "rule": {"objectOwnership": "BucketOwnerPreferred"}})
    lives(aws, "aws:s3/bucketAcl:BucketAcl", {"bucket": name, "acl": "private"}, {"acl": "authenticated-read"},
          stays=True)
    lives(aws, "aws:s3/bucketMetric:BucketMetric", {"bucket": name, "name": "all"}, {"filter": {"prefix": "a/"}})
    for kind in ("Acl", "Metric"):
        more = {"acl": "private"} if kind == "Acl" else {"name": "all"}
        refused(aws, f"aws:s3/bucket{kind}:Bucket{kind}", {"bucket": _name(aws, "no"), **more}, "does not exist")
