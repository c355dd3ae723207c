"""Pages that must be there before anything is published: the status page, the offline and the not-found page (E6)."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra.components.base import Component

FOLDER = Path("pages")  # relative to the project
# Below the assets bucket's folder `status/`: what the synthetic checks write, and the page reads.
STATUS_KEY = "status/status.json"
CACHE_CONTROL = "public, max-age=300"


@dataclass(frozen=True)
class PagesArgs:
    """Bucket names. site_buckets: by colour."""

    assets_bucket: pulumi.Input[str]
    site_buckets: Mapping[str, pulumi.Input[str]]


class Pages(Component):
    """Files of `pages/` as objects: `offline/` in both colours of the site, the rest beside the assets.

    The colours' contents are releases, so a release's own offline page stays.
    """

    module = "edge"

    def __init__(self, name: str, args: PagesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        files = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*") if path.is_file()}
        for key, file in sorted(files.items()):
            label = f"{name}-{key.replace('/', '-').replace('.', '-')}"
            if key.startswith("offline/"):
                for colour, bucket in args.site_buckets.items():
                    self._object(f"{label}-{colour}", bucket, key, file, released=True)
            else:
                self._object(label, args.assets_bucket, key, file, released=False)
        self.register_outputs({"keys": sorted(files)})

    def _object(self, name: str, bucket: pulumi.Input[str], key: str, file: Path, *, released: bool) -> None:
        aws.s3.BucketObjectv2(
            name, bucket=bucket, key=key, source=pulumi.FileAsset(str(file)), cache_control=CACHE_CONTROL,
            content_type=f"{mimetypes.guess_type(key)[0]}; charset=utf-8",
            opts=self.child(ignore_changes=["source", "cacheControl", "contentType"] if released else []))
