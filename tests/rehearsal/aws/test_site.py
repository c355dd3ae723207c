"""Releases of the static site on the embedded S3 and CloudFront, as viewers see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.plans.edge import BEHAVIOURS, FAILOVER_STATUS_CODES, LIVE_COLOUR, ORIGIN_GROUPS, Origin
from operations.errors import OperationError
from operations.site.bucket import Bucket
from operations.site.distribution import Distribution
from operations.site.front import Front
from operations.site.releases import Outcome, Releases
from rehearsal.aws.cdn import doors
from tests.rehearsal.aws.cdn_world import World
from tests.unit.operations.site_world import export

pytestmark = pytest.mark.rehearsal

NAME, CODES = "site.example", list(FAILOVER_STATUS_CODES)


@pytest.fixture
def built(world: World) -> World:
    """A distribution with the site's behaviours, blue live, both buckets with the first offline page."""
    def group(id: Origin) -> dict[str, Any]:
        members = [{"OriginId": member.value} for member in ORIGIN_GROUPS[id]]
        return {"Id": id.value, "Members": {"Quantity": 2, "Items": members},
                "FailoverCriteria": {"StatusCodes": {"Quantity": len(CODES), "Items": CODES}}}

    origins = [{**world.bucket_origin(index), "Id": id.value}
               for index, id in enumerate((Origin.SITE_BLUE, Origin.SITE_GREEN))]
    cache = world.cache("c", minimum=60)
    behaviours = [{"PathPattern": one.path, **world.behaviour(one.origin.value, cache)}
                  for one in BEHAVIOURS if one.origin in LIVE_COLOUR]
    world.distribution(NAME, origins, world.behaviour(Origin.SITE_BLUE.value, cache), CacheBehaviors={
        "Quantity": len(behaviours), "Items": behaviours}, OriginGroups={
        "Quantity": len(LIVE_COLOUR), "Items": [group(each) for each in LIVE_COLOUR]})
    for bucket in (0, 1):
        world.put("offline/index.html", "first", bucket)
    return world


def releases(world: World) -> Releases:
    distribution = Distribution(world.cloudfront, world.public(NAME), pause=lambda seconds: None)
    buckets = {colour: Bucket(world.s3, name) for colour, name in distribution.buckets().items()}
    return Releases(distribution, buckets, Front(*door(world)), print)


def door(world: World) -> tuple[str, Callable[[float], Any]]:
    """Where viewers ask, and a pause that ends when CloudFront's data plane has all that was changed before."""
    port = world.aws.endpoint.cdn_port
    return f"http://{doors.read(port)[world.public(NAME)]}", lambda seconds: doors.read(port) if seconds else None


def seen(world: World, key: str) -> bytes:
    return world.ask(f"{NAME}/{key}").body


def objects(world: World) -> dict[str, str]:
    """Key of each object → its version, in both colours."""
    return {f"{bucket}/{entry['Key']}": entry["VersionId"] + entry["ETag"] for bucket in world.buckets
            for entry in world.s3.list_object_versions(Bucket=bucket).get("Versions") or () if entry["IsLatest"]}


def test_releases_alternate_the_same_again_writes_nothing_and_the_way_back_is_a_switch(
        built: World, tmp_path: Path) -> None:
    one, two = export(tmp_path, "one"), export(tmp_path, "two")
    assert seen(built, "offline/index.html") == b"first"
    first = releases(built).deploy(one)
    assert (first.outcome, first.colour, first.written) == (Outcome.LIVE, "green", 5)
    assert seen(built, "offline/index.html") == b"offline one"
    second = releases(built).deploy(two)
    assert (second.outcome, second.colour, second.release) == (Outcome.LIVE, "blue", two.id)
    assert [seen(built, key) for key in ("offline/index.html", "_next/static/two.js", "_next/static/one.js")] == [
        b"offline two", b"two", b"one"]  # the last is still there by failover
    before = objects(built)
    assert releases(built).deploy(two).outcome is Outcome.UNCHANGED
    assert releases(built).planned(two) == []
    assert objects(built) == before
    answer = built.ask(f"{NAME}/_next/static/two.js")
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        "text/javascript; charset=utf-8", "public, max-age=31536000, immutable")
    back = releases(built).rollback()
    assert (back.outcome, back.colour, back.release) == (Outcome.ROLLED_BACK, "green", one.id)
    assert seen(built, "offline/index.html") == b"offline one"


def test_an_idle_colour_that_cloudfront_cannot_read_stops_the_release_before_the_switch(
        built: World, tmp_path: Path) -> None:
    built.s3.delete_bucket_policy(Bucket=built.buckets[1])
    with pytest.raises(OperationError, match="blue stays live, nothing was switched"):
        releases(built).deploy(export(tmp_path, "one"))
    assert releases(built).distribution.live() == "blue"
    with pytest.raises(OperationError, match=r"green is no way back: .* was never live"):
        releases(built).rollback()
