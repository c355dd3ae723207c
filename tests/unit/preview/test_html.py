"""The page: offline, nothing of a value becomes markup, and a topology in which every component has its zone."""

from __future__ import annotations

import json
import re

import pytest

from operations.preview.gantt import SHOWN, chart
from operations.preview.html import page
from operations.preview.model import (
    Bar,
    Change,
    Cost,
    Finding,
    Graph,
    Level,
    Operation,
    Phase,
    Preview,
    PropertyChange,
    Timing,
)
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


MADE = Phase(452.0, 612.0, 452.0, (Bar("database", INSTANCE, 0.0, 452.0, critical=True, why="at once; logs, n=13"),
                                   Bar("role", "aws:iam/role:Role", 0.0, 1.0)))


def test_the_predicted_up_is_drawn_to_scale_with_the_critical_path_marked() -> None:
    text = page(Preview("main", (preview_of("staging", Change(
        urn("database"), INSTANCE, "database", Operation.REPLACE, causes=("kmsKeyId",)),
        timing=Timing(MADE, None, {"updates in place": 2})),)))
    assert "<h3>Made: 7:32, P95 10:12</h3>" in text
    assert f'<tr class="critical" title="database, {INSTANCE}: at 0:00 for 7:32; at once; logs, n=13"' in text
    assert '<i class="bar critical" style="left:0.000%;width:100.000%"></i>' in text
    assert '<i class="bar " style="left:0.000%;width:0.221%"></i>' in text
    assert "Not counted, for want of figures: updates in place (2)." in text


def test_what_is_critical_or_long_is_not_folded_away() -> None:
    bars = [Bar(f"short-{number}", INSTANCE, 0.0, 1.0) for number in range(SHOWN)]
    text = chart(Phase(9.0, 9.0, 9.0, (*bars, Bar("long", INSTANCE, 0.0, 9.0), Bar("first", INSTANCE, 0.0, 0.1, True))))
    folded = re.findall(r'<tr class="short" title="([^,]+),', text)
    assert len(folded) == 2
    assert not {"long", "first"} & {*folded}
    assert "2 short ones beside the critical path are folded away" in text


def test_what_must_be_known_first_is_in_the_first_table() -> None:
    text = page(Preview("main", (preview_of(
        "staging", Change(urn("a"), INSTANCE, "a", Operation.CREATE), cost=Cost(10.0, 12.5), timing=Timing(MADE),
        policies=(Finding("CKV_AWS_1", Level.VIOLATED, "a", "m"),
                  Finding("CKV_AWS_2", Level.VIOLATED, "a", "m", known=True))),)))
    row = text.partition("<tbody>")[2].partition("</tr>")[0]
    assert all(each in row for each in ("12.50", "+2.50", "2 violated", "1 new", "7:32"))


def test_the_same_preview_gives_the_same_page() -> None:
    preview = Preview("main", (preview_of("staging", graph=graph()),))
    assert page(preview) == page(preview)
