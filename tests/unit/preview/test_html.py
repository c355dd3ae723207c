"""The page: offline, nothing of a value becomes markup, and a topology in which every component has its zone."""

from __future__ import annotations

import json
import re

import pytest

from operations.preview.html import page
from operations.preview.model import Change, Cost, Graph, Operation, Preview, PropertyChange
from operations.preview.parts import Part
from operations.preview.topology import OTHER, Kind, topology, zone_of
from tests.stacks import COUNTS
from tests.unit.preview.graphs import INSTANCE, STACK, preview_of, resource, urn

pytestmark = pytest.mark.unit
HOSTILE = "</script><img src=x onerror=alert(1)>"


def graph() -> Graph:
    """A database that the cluster may reach, a distribution in front of a bucket, and keys that encrypt."""
    names = ("keys", "cluster", "database", "storage", "delivery")
    parts = {name: resource(name, f"candlefish:{'edge' if name == 'delivery' else name}:X", parent=STACK, custom=False)
             for name in names}
    rule, distribution = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", \
        "aws:cloudfront/distribution:Distribution"
    inner = [resource("key", "aws:kms/key:Key", parent=parts["keys"].urn),
             resource("group", "aws:eks/cluster:Cluster", parent=parts["cluster"].urn),
             resource("database", INSTANCE, parent=parts["database"].urn, references={
                 "kmsKeyId": [urn("key", "aws:kms/key:Key")]}),
             resource("rule", rule, parent=parts["database"].urn, references={
                 "referencedSecurityGroupId": [urn("group", "aws:eks/cluster:Cluster")]}),
             resource("bucket", "aws:s3/bucket:Bucket", parent=parts["storage"].urn),
             resource("site", distribution, parent=parts["delivery"].urn, references={
                 "origins": [urn("bucket", "aws:s3/bucket:Bucket")]})]
    return Graph((resource("candlefish-staging", "pulumi:pulumi:Stack"), *parts.values(), *inner))


def test_traffic_goes_the_way_of_the_requests() -> None:
    edges = {(edge.of, edge.to): edge.kind for edge in topology(preview_of("staging", graph=graph())).edges}
    assert edges == {("cluster", "database"): Kind.TRAFFIC, ("delivery", "storage"): Kind.TRAFFIC}


def test_keys_are_a_mark_and_no_line() -> None:
    boxes = {box.part.name: box for boxes in topology(preview_of("staging", graph=graph())).columns.values()
             for box in boxes}
    assert [name for name, box in boxes.items() if box.encrypted] == ["database"]


def test_every_component_of_the_program_has_a_zone() -> None:
    components = [type for type in COUNTS if type.startswith("candlefish:")]
    assert [type for type in components if zone_of(Part("x", type, ())) == OTHER] == []


def test_nothing_of_a_value_becomes_markup() -> None:
    change = Change(urn(HOSTILE), INSTANCE, HOSTILE, Operation.REPLACE, (
        PropertyChange("size", HOSTILE, "b", replaces=True),), ("size",))
    text = page(Preview(HOSTILE, (preview_of("staging", change, graph=graph(), note=HOSTILE,
                                             cost=Cost(1.0, 2.0, {HOSTILE: (1.0, 2.0)}, (HOSTILE,))),)))
    assert "<img" not in text
    assert text.count("</script>") == 2


def test_the_page_asks_no_address_for_anything() -> None:
    text = page(Preview("main", (preview_of("staging", graph=graph()),)))
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)=["']|https?://|@import|url\((?!#)""", text)


def test_the_search_has_every_resource_and_what_changes_first() -> None:
    change = Change(urn("bucket", "aws:s3/bucket:Bucket"), "aws:s3/bucket:Bucket", "bucket", Operation.UPDATE)
    text = page(Preview("main", (preview_of("staging", change, graph=graph()),)))
    found = re.search(r'id="data">(.*?)</script>', text)
    assert found is not None
    rows = json.loads(found[1])
    assert len(rows) == len(graph().resources) - 1
    assert rows[0] == ["staging", "update", "aws:s3/bucket:Bucket", "bucket", "storage"]


def test_the_same_preview_gives_the_same_page() -> None:
    preview = Preview("main", (preview_of("staging", graph=graph()),))
    assert page(preview) == page(preview)
