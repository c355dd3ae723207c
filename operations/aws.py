"""What every caller of boto3 does: all pages of a list, the code of a refusal, tags as a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError


def pages(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """Every item of every page. key: where a page has them; with dots where that is deeper."""
    for page in client.get_paginator(operation).paginate(**arguments):
        for part in key.split("."):
            page = page.get(part) or ()
            if not page:
                break
        yield from page


def code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def bucket_tags(s3: Any, name: str) -> dict[str, str]:
    """Empty for a bucket without tags, and for none."""
    try:
        return tags(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if code(error) in ("NoSuchTagSet", "NoSuchBucket"):
            return {}
        raise


def tags(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Of the form that most services have."""
    return {pair["Key"]: pair["Value"] for pair in pairs}
