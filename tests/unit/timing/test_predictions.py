"""The virtual clock: figures, graphs, scheduling and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.engine.state import State
from rehearsal.timing import durations, gantt, graph
from rehearsal.timing.durations import Duration, Durations, DurationsUnreadable, Figure, Limit, Operation, clock
from rehearsal.timing.graph import StateUnreadable, Wait, Why
from rehearsal.timing.prediction import Prediction, Shortening, UnknownFault, predict
from rehearsal.timing.simulation import UNLIMITED, Pace, run

pytestmark = pytest.mark.unit

CREATE, DELETE = Operation.CREATE, Operation.DELETE
RDS = "aws:rds/instance:Instance"
SLOW, QUICK, COMPONENT = "test:slow", "test:quick", "test:component"
FIGURES = Durations(
    (Figure(SLOW, {}, {CREATE: Duration(100, 200, "seen"), DELETE: Duration(50, 60, "seen")}),
     Figure(QUICK, {}, {CREATE: Duration(10, 20, "seen"), DELETE: Duration(5, 6, "seen")})),
    Duration(8, 30, "assumed"), ("instant:",), (), {})


def resource(name: str, type: str = QUICK, *, parent: str = "", after: tuple[str, ...] = (),
             inputs: Mapping[str, tuple[str, ...]] | None = None, custom: bool = True) -> State:
    """`after`: depends_on; `inputs`: input → names of resources whose outputs it needs."""
    given = {key: [_urn(each) for each in names] for key, names in (inputs or {}).items()}
    return State(urn=_urn(name), type=type, custom=custom, parent=_urn(parent) if parent else "",
                 dependencies=[*map(_urn, after), *(urn for names in given.values() for urn in names)],
                 property_dependencies=given)


def _urn(name: str) -> str:
    return f"urn:pulumi:s::p::t::{name}"


def of(*states: State, operation: Operation = CREATE, figures: Durations = FIGURES, parallel: int = 16,
       faults: tuple[str, ...] = ()) -> Prediction:
    return predict(states, operation, figures, parallel=parallel, samples=50, faults=faults)


def test_what_is_there_already_takes_no_time_and_still_holds_up_what_comes_after() -> None:
    chain = (resource("a", SLOW), resource("b", QUICK, after=("a",)), resource("c", SLOW, after=("b",)))
    found = predict(chain, CREATE, FIGURES, samples=20, only={_urn("a"), _urn("c")})
    assert (found.median, found.resources, [part.name for part in found.path]) == (200, 2, ["a", "c"])
    assert predict(chain, CREATE, FIGURES, samples=20, only=set()).median == 0


def test_leaving_out_what_is_there_already_changes_no_time() -> None:
    chain = (resource("a", SLOW), resource("group", COMPONENT, custom=False, after=("a",)),
             resource("b", QUICK, parent="group"), resource("c", SLOW, after=("b",)), resource("d", QUICK))
    whole = graph.up(chain)
    part = whole.working({_urn("a"), _urn("c")})
    assert [node.name for node in part.nodes] == ["a", "group", "b", "c"]
    times = {"a": 100.0, "c": 100.0}
    assert run(part, [times.get(node.name, 0.0) for node in part.nodes], UNLIMITED).total == run(
        whole, [times.get(node.name, 0.0) for node in whole.nodes], UNLIMITED).total == 200.0


# -- figures -----------------------------------------------------------------------------------------------------------

def test_every_figure_of_the_table_has_a_source() -> None:
    table = durations.load()
    assert len(table.figures) > 25
    assert [row.type for row in table.figures for each in row.of.values() if not each.source] == []


def test_a_database_from_a_snapshot_in_two_zones_takes_longer_than_a_new_one() -> None:
    table = durations.load()
    assert table.of(RDS, {"multiAz": True}, CREATE).p50 == 452
    assert table.of(RDS, {"multiAz": True, "snapshotIdentifier": "daily"}, CREATE).p50 == 1200
    assert table.of(RDS, {"multiAz": False, "restoreToPointInTime": {"sourceDbInstanceIdentifier": "db"}},
                    CREATE).p50 == 450


def test_an_ingress_that_pulumi_does_not_wait_for_takes_no_load_balancers_time() -> None:
    ingress, table = "kubernetes:networking.k8s.io/v1:Ingress", durations.load()
    assert table.of(ingress, {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}, CREATE) is table.assumed
    assert table.of(ingress, {"metadata": {}}, CREATE).p50 == 152


def test_an_ingress_after_another_of_its_class_joins_that_ones_load_balancer() -> None:
    def ingress(name: str, of_class: str, after: tuple[str, ...] = ()) -> State:
        found = resource(name, "kubernetes:networking.k8s.io/v1:Ingress", after=after)
        found.revise(inputs={"spec": {"ingressClassName": of_class}})
        return found

    table = durations.load()
    joined = of(ingress("a", "front"), ingress("b", "front", ("a",)), figures=table)
    assert joined.median == 152 + table.assumed.p50
    assert of(ingress("a", "front"), ingress("b", "other", ("a",)), figures=table).median == 2 * 152


def test_a_stacks_own_measurements_come_before_the_tables(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(f'figures:\n- type: {RDS}\n  create: {{p50: "3:00", p95: "4:00", source: "our drill of May"}}\n')
    assert durations.load(own).of(RDS, {"multiAz": True}, CREATE).p50 == 180
    assert durations.load(own).assumed == durations.load().assumed


@pytest.mark.parametrize(("text", "says"), [
    ('figures:\n- {type: a, create: {p50: 3:00, p95: "4:00", source: x}}', "quotation marks"),
    ('figures:\n- {type: a, create: {p50: "5:00", p95: "4:00", source: x}}', "at most p95"),
    ('figures:\n- {type: a, create: {p50: "3:00", p95: "4:00"}}', "needs its `source`"),
    ('figures:\n- {type: a, made: {p50: "3:00", p95: "4:00", source: x}}', "made is not known"),
    ("figures:\n- 7", "can't be read"), ("- 7", "no mapping"), ("figures: [", "can't be read")])
def test_a_table_that_cannot_be_meant_so_is_refused_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(text)
    with pytest.raises(DurationsUnreadable, match=says) as refused:
        durations.load(own)
    assert str(own) in str(refused.value)


def test_the_median_and_the_upper_end_are_what_the_figure_says() -> None:
    figure = Duration(100, 200, "seen")
    assert figure.drawn(0) == 100
    assert figure.drawn(1.6448536269514722) == pytest.approx(200)


# -- graphs ------------------------------------------------------------------------------------------------------------

def test_a_state_file_is_read_with_its_secrets_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": [
        {"urn": _urn("a"), "type": QUICK, "custom": True, "inputs": {"password": {"ciphertext": "v1:x"}}},
        {"urn": _urn("gone"), "type": QUICK, "custom": True, "delete": True}]}}))
    assert [state.name for state in graph.recorded(file)] == ["a"]


def test_a_file_that_is_no_deployment_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("[]")
    with pytest.raises(StateUnreadable, match="pulumi stack export"):
        graph.recorded(file)


def test_data_is_a_stronger_reason_than_an_order_or_a_parent() -> None:
    found = graph.up([resource("a"), resource("b", parent="a", inputs={"id": ("a",)}, after=("a",))])
    assert found.waits[1] == (Wait(0, Why.DATA, ("id",)),)


# -- scheduling --------------------------------------------------------------------------------------------------------

def test_the_way_up_is_the_longest_path_where_nothing_else_is_in_the_way() -> None:
    found = of(resource("a", SLOW), resource("b", inputs={"id": ("a",)}), resource("c"))
    assert (found.median, found.bound) == (110, 110)
    assert [(part.name, part.seconds, part.why) for part in found.path] == [("a", 100, ""), ("b", 10, "data")]
    assert sum(part.share for part in found.path) == pytest.approx(1)


def test_no_more_go_on_at_once_than_pulumi_lets() -> None:
    found = of(*(resource(f"r{index}") for index in range(6)), parallel=2)
    assert (found.median, found.bound) == (30, 10)
    assert [part.why for part in found.path] == ["", "slot", "slot"]
    assert [each.seconds for each in found.if_parallel] == [20, 10]


def test_starts_under_a_limit_are_as_far_apart_as_it_says() -> None:
    limited = Durations(FIGURES.figures, FIGURES.assumed, (), (Limit((QUICK,), CREATE, 30, "quota"),), {})
    found = of(resource("a"), resource("b"), resource("c"), figures=limited)
    assert found.median == 70
    assert [(part.seconds, part.why) for part in found.path] == [(30, ""), (30, "limit"), (10, "limit")]


def test_components_and_providers_take_no_time_and_no_slot() -> None:
    found = of(resource("p", "instant:provider"), resource("c", COMPONENT, custom=False),
               resource("a", parent="c"), parallel=1)
    assert (found.median, [part.name for part in found.path if part.seconds]) == (10, ["a"])


def test_the_way_down_goes_in_rounds_and_says_what_they_cost() -> None:
    """`c` could go beside `slow`, but is in the round after: it is what `quick` needs."""
    states = [resource("c", SLOW), resource("quick", inputs={"id": ("c",)}), resource("slow", SLOW)]
    found = of(*states, operation=DELETE)
    assert (found.median, found.bound) == (100, 55)
    assert [(part.name, part.why) for part in found.path] == [("slow", ""), ("c", "round")]


def test_what_the_engine_keeps_takes_no_time_on_the_way_down() -> None:
    kept = resource("a", SLOW)
    kept.revise(retain_on_delete=True)
    assert of(kept, operation=DELETE).median == 0


@given(st.data())
def test_a_schedule_keeps_every_rule(data: st.DataObject) -> None:
    """Nothing begins before what it waits for ends, no more at once than allowed, and no less than the longest path."""
    size = data.draw(st.integers(1, 12))
    states = [resource(f"r{index:02}", data.draw(st.sampled_from((SLOW, QUICK, COMPONENT))),
                       after=tuple(f"r{before:02}" for before in data.draw(st.sets(st.integers(0, index - 1)) if index
                                                                           else st.just(set[int]()))))
              for index in range(size)]
    found, parallel = graph.up(states), data.draw(st.integers(1, 4))
    seconds = [float(data.draw(st.integers(0, 50))) for _ in found.nodes]
    schedule = run(found, seconds, Pace(parallel))
    for index, waits in enumerate(found.waits):
        assert all(schedule.ends[wait.before] <= schedule.begins[index] for wait in waits)
    for at in schedule.begins:
        assert sum(begin <= at < end for begin, end in zip(schedule.begins, schedule.ends, strict=True)) <= parallel
    assert schedule.total >= run(found, seconds, UNLIMITED).total
    assert sum(share for _, share, _ in schedule.critical()) == pytest.approx(schedule.total)


# -- what is told ------------------------------------------------------------------------------------------------------

def test_a_prediction_says_what_would_shorten_it() -> None:
    found = of(resource("a", SLOW), resource("b", after=("a",)), resource("c", inputs={"id": ("b",)}))
    assert found.median == 120
    assert next((each.what, each.seconds) for each in found.if_instant) == (f"a ({SLOW})", 20)
    assert [(each.what, each.seconds) for each in found.if_not_waiting] == [("b without waiting for a (order)", 100)]


def test_what_a_component_waits_for_is_looked_at_with_all_that_is_in_it() -> None:
    found = of(resource("a", SLOW), resource("c", COMPONENT, custom=False, after=("a",)),
               resource("x", SLOW, parent="c", after=("a",)), resource("y", parent="c", after=("a",)))
    assert found.if_not_waiting[0] == Shortening("c without waiting for a (order)", 100)


def test_the_same_seed_gives_the_same_prediction() -> None:
    states = [resource("a", SLOW), resource("b", inputs={"id": ("a",)})]
    one, again = predict(states, CREATE, FIGURES, seed=3), predict(states, CREATE, FIGURES, seed=3)
    assert one == again
    assert one.p50 < one.p95
    assert one.p50 == pytest.approx(110, rel=0.1)
    assert predict(states, CREATE, FIGURES, seed=4).p95 != one.p95


def test_types_without_a_figure_are_listed() -> None:
    assert of(resource("a", "test:other"), resource("b", "test:other"), resource("c")).assumed == {"test:other": 2}


def test_a_database_that_hangs_in_its_restore_adds_hours() -> None:
    table = durations.load()
    usual = of(resource("db", RDS), figures=table)
    stuck = of(resource("db", RDS), figures=table, faults=("restore-backing-up",))
    assert stuck.median - usual.median == 9000


@pytest.mark.parametrize(("fault", "says"), [("flood", "one of restore-backing-up"),
                                              ("restore-backing-up", "there is none here")])
def test_a_fault_that_cannot_be_is_refused(fault: str, says: str) -> None:
    with pytest.raises(UnknownFault, match=says):
        of(resource("a"), figures=durations.load(), faults=(fault,))


def test_times_are_spelled_as_a_clock_spells_them() -> None:
    assert [clock(each) for each in (0, 59.6, 452, 3723)] == ["0:00", "1:00", "7:32", "1:02:03"]


def test_the_picture_is_well_formed_and_names_what_it_shows() -> None:
    found = of(*(resource(f"<r{index}>", SLOW if index == 7 else QUICK) for index in range(100)))
    picture = ElementTree.fromstring(gantt.svg(found, "up of <test>"))
    bars = [each for each in picture.iter() if each.tag.endswith("rect") and each.get("class") != "busy"]
    assert len(bars) == gantt.ROWS
    assert [each.get("class") for each in bars].count("critical") >= 1
    assert "up of &lt;test&gt;" in gantt.page(found, "up of <test>")


def test_a_bar_is_never_outside_the_picture() -> None:
    found = of(resource("a", SLOW), resource("b", inputs={"id": ("a",)}))
    picture = ElementTree.fromstring(gantt.svg(found, "up"))
    for each in picture.iter():
        if each.tag.endswith("rect"):
            assert _number(each, "x") + _number(each, "width") <= 1200


def _number(element: Any, name: str) -> float:
    return float(element.get(name))
