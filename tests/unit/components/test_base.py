"""What a component does to everything below it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from infra.components.base import shape
from infra.plans.replacement import DELETED_FIRST
from rehearsal.sdk import replacements

pytestmark = pytest.mark.unit


def shaped(type: str, custom: bool = True) -> pulumi.ResourceTransformResult | None:
    result = shape("backup")(pulumi.ResourceTransformArgs(custom, type, "x", {"tags": {"Name": "x"}},
                                                          pulumi.ResourceOptions(protect=True)))
    assert result is None or isinstance(result, pulumi.ResourceTransformResult)
    return result


@pytest.mark.parametrize("type", sorted(DELETED_FIRST))
def test_what_has_no_identity_of_its_own_goes_before_its_replacement_comes(type: str) -> None:
    result = shaped(type)
    assert result is not None
    assert result.opts.delete_before_replace is True
    assert result.opts.protect is True


def test_all_else_keeps_pulumis_order() -> None:
    result = shaped("aws:s3/bucket:Bucket")
    assert result is not None
    assert result.opts.delete_before_replace is None
    assert result.props["tags"] == {"Component": "backup", "Name": "x"}
    assert shaped("aws:s3/bucketPolicy:BucketPolicy") is None
    assert shaped("candlefish:backup:Backup", custom=False) is None


def test_the_table_names_types_that_the_provider_has_and_does_not_delete_first_itself() -> None:
    table = replacements.installed()
    assert set(table.types()) >= DELETED_FIRST
    assert [type for type in DELETED_FIRST if table.deletes_first(type)] == []
    assert aws.backup.VaultLockConfiguration.pulumi_type in DELETED_FIRST
