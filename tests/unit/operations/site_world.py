"""S3 and CloudFront in memory, as far as releases of the static site use them: conditional writes, checksums, versions
of the configuration, invalidations by reference, and edges that keep what they have answered."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from infra.plans.edge import LIVE_COLOUR, Origin
from operations.errors import Failed
from operations.site.bucket import Bucket
from operations.site.content import OFFLINE_KEY, Release, own_key, read, served
from operations.site.distribution import Distribution
from operations.site.releases import Releases

SITE = "site.example"


class Died(BaseException):
    """The process ended."""


@dataclass
class Fate:
    """Ends the process at its n-th write: before that takes effect, or after. 0: never."""

    write: int = 0
    after: bool = False
    count: int = 0
    lock: Lock = field(default_factory=Lock)

    def __call__(self, after: bool) -> None:
        with self.lock:
            self.count += not after
            if self.write and self.count >= self.write and after is self.after:
                raise Died


def refusal(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code},
                        "ResponseMetadata": {"HTTPStatusCode": status}}, "Any")


@dataclass
class Pages:
    """A paginator of one page."""

    page: dict[str, Any]

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield self.page


@dataclass
class S3:
    """objects: bucket → key → what was put."""

    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    fate: Fate = field(default_factory=Fate)
    versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def get_paginator(self, _: str) -> Any:
        s3 = self

        class Listed:
            def paginate(self, Bucket: str) -> Iterator[dict[str, Any]]:
                yield {"Contents": [{"Key": key} for key in sorted(s3.objects[Bucket])]}

        return Listed()

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        found = self.objects[Bucket].get(Key)
        if found is None:
            raise refusal("NoSuchKey", 404)
        return {**found, "Body": io.BytesIO(found["Body"])}

    def head_object(self, Bucket: str, Key: str, ChecksumMode: str) -> dict[str, Any]:
        return self.get_object(Bucket, Key)

    def put_object(self, Bucket: str, Key: str, Body: bytes, IfMatch: str = "", IfNoneMatch: str = "",
                   **more: Any) -> dict[str, Any]:
        self.fate(after=False)
        found = self.objects[Bucket].get(Key)
        if (IfNoneMatch and found) or (IfMatch and (found is None or found["ETag"] != IfMatch)):
            raise refusal("PreconditionFailed", 412)
        self.objects[Bucket][Key] = {**more, "Body": Body, "ETag": f'"{next(self.versions)}"'}
        self.fate(after=True)
        return {"ETag": self.objects[Bucket][Key]["ETag"]}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        self.fate(after=False)
        for each in Delete["Objects"]:
            self.objects[Bucket].pop(each["Key"], None)
        self.fate(after=True)
        return {}


@dataclass
class CloudFront:
    """kept: what the edges have answered, until an invalidation."""

    fate: Fate = field(default_factory=Fate)
    targets: list[str] = field(default_factory=lambda: [Origin.SITE_BLUE_FIRST.value] * 2)
    version: int = 1
    references: list[str] = field(default_factory=list)
    kept: dict[str, bytes | None] = field(default_factory=dict)

    def get_paginator(self, _: str) -> Pages:
        return Pages({"DistributionList": {"Items": [{"Id": "E1", "Aliases": {"Items": [SITE]}}]}})

    def get_distribution(self, Id: str) -> dict[str, Any]:
        return {"Distribution": {"Status": "Deployed"}}

    def get_distribution_config(self, Id: str) -> dict[str, Any]:
        origins = [{"Id": f"site-{colour}", "DomainName": f"{colour}.s3.us-east-1.amazonaws.com"}
                   for colour in ("blue", "green")]
        behaviours = [{"TargetOriginId": target} for target in (*self.targets, Origin.LOAD_BALANCER.value)]
        return {"ETag": f"{self.version}", "DistributionConfig": {
            "Origins": {"Items": origins}, "CacheBehaviors": {"Items": behaviours}}}

    def update_distribution(self, Id: str, IfMatch: str, DistributionConfig: dict[str, Any]) -> None:
        self.fate(after=False)
        if IfMatch != f"{self.version}":
            raise refusal("PreconditionFailed", 412)
        behaviours = DistributionConfig["CacheBehaviors"]["Items"]
        self.targets = [each["TargetOriginId"] for each in behaviours if each["TargetOriginId"] in LIVE_COLOUR]
        self.version += 1
        self.fate(after=True)

    def create_invalidation(self, DistributionId: str, InvalidationBatch: dict[str, Any]) -> dict[str, Any]:
        self.fate(after=False)
        if InvalidationBatch["CallerReference"] not in self.references:
            self.references.append(InvalidationBatch["CallerReference"])
            self.kept.clear()
        self.fate(after=True)
        return {"Invalidation": {"Id": "I1"}}

    def get_invalidation(self, DistributionId: str, Id: str) -> dict[str, Any]:
        return {"Invalidation": {"Status": "Completed"}}


@dataclass
class Edge:
    """What viewers get: of the live colour first, then of the other; kept until an invalidation. broken: a release that
    does not answer."""

    s3: S3
    cloudfront: CloudFront
    broken: str = ""
    base: str = "https://site.example"

    def get(self, key: str) -> bytes | None:
        if key not in self.cloudfront.kept:
            first = "blue" if self.cloudfront.targets[0] == Origin.SITE_BLUE_FIRST else "green"
            there = sorted(("blue", "green"), key=lambda colour: colour != first)
            self.cloudfront.kept[key] = next(
                (self.s3.objects[colour][key]["Body"] for colour in there if key in self.s3.objects[colour]), None)
        return self.cloudfront.kept[key]

    def expect_own(self, release: str) -> None:
        self._expect(own_key(release), release)

    def expect_answering(self, release: str) -> None:
        self._expect("_next/static/release.json", release)

    def expect_all(self, keys: Any) -> None:
        for key in keys:
            if served(key) and self.get(key) is None:
                raise Failed(f"{key} is missing")

    def _expect(self, key: str, release: str) -> None:
        body = self.get(key)
        if body is None or json.loads(body)["release"] != release:
            raise Failed(f"{key} is not of {release}")
        if release == self.broken and not key.startswith(own_key(release)):
            raise Failed(f"{release} does not answer")


@dataclass
class World:
    """An environment as the program makes it: blue live, an offline page in both colours."""

    s3: S3 = field(default_factory=S3)
    cloudfront: CloudFront = field(default_factory=CloudFront)
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        for colour in ("blue", "green"):
            self.s3.objects[colour] = {OFFLINE_KEY: {"Body": b"first", "ETag": '"0"'}}
        self.edge = Edge(self.s3, self.cloudfront)

    def releases(self, fate: Fate | None = None) -> Releases:
        """A process of its own, which ends by `fate`."""
        self.s3.fate = self.cloudfront.fate = fate or Fate()
        distribution = Distribution(self.cloudfront, SITE, pause=lambda seconds: None)
        buckets = {colour: Bucket(self.s3, name) for colour, name in distribution.buckets().items()}
        return Releases(distribution, buckets, self.edge, self.said.append, self._now)  # type: ignore[arg-type]

    def _now(self) -> float:
        self.seconds += 1
        return self.seconds

    @property
    def shown(self) -> str:
        return (self.edge.get(OFFLINE_KEY) or b"").decode()

    def written(self) -> str:
        """Of all objects, to compare."""
        return hashlib.sha256(repr(sorted((bucket, key, each["ETag"]) for bucket, found in self.s3.objects.items()
                                          for key, each in found.items())).encode()).hexdigest()


def export(folder: Path, word: str) -> Release:
    """A static export with pages and scripts of its own, and a file that all have."""
    for key, text in ((OFFLINE_KEY, f"offline {word}"), (f"_next/static/{word}.js", word),
                      ("_next/static/shared.css", "shared")):
        path = folder / word / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read(folder / word)
