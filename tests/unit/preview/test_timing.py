"""How long the `up` of a change would take: which operations are counted, and what is said of the others."""

from __future__ import annotations

import pytest

from candlefish.preview_timing import states, timed
from operations.preview.markdown import comment
from operations.preview.model import Change, Graph, Operation, Phase, Preview, StackPreview
from operations.preview.times import clock
from tests.unit.preview.graphs import INSTANCE, STACK, preview_of, resource, urn

pytestmark = pytest.mark.unit
ROLE, REPOSITORY = "aws:iam/role:Role", "aws:ecr/repository:Repository"
GRAPH = Graph((
    resource("candlefish-staging", "pulumi:pulumi:Stack", custom=False), resource("role", ROLE, parent=STACK),
    resource("database", parent=STACK, references={"monitoringRoleArn": [urn("role", ROLE)]}),
    resource("registry", REPOSITORY, parent=STACK, needs=[urn("database")]),
    resource("kept", REPOSITORY, parent=STACK)))


def change(name: str, operation: Operation, type: str = INSTANCE) -> Change:
    return Change(urn(name, type), type, name, operation)


def predicted(*changes: Change, before: Graph = GRAPH) -> StackPreview:
    return timed(preview_of("staging", *changes, graph=GRAPH), states(before))


def names(phase: Phase | None) -> list[tuple[str, bool]]:
    assert phase is not None
    return [(bar.name, bar.critical) for bar in phase.bars]


def test_what_is_made_is_counted_in_its_order_and_what_stays_is_not() -> None:
    timing = predicted(change("role", Operation.CREATE, ROLE), change("database", Operation.CREATE),
                       change("registry", Operation.CREATE, REPOSITORY)).timing
    assert names(timing.made) == [("role", True), ("database", True), ("registry", True)]
    assert timing.gone is None
    assert timing.made is not None
    assert timing.made.bars[1].begins == timing.made.bars[0].ends == 1.0
    assert "after role (data: monitoringRoleArn); logs" in timing.made.bars[1].why
    assert timing.made.bars[2].assumed


def test_a_replacement_is_made_and_then_deleted() -> None:
    timing = predicted(change("database", Operation.REPLACE)).timing
    assert names(timing.made) == names(timing.gone) == [("database", True)]


def test_what_nobody_has_figures_of_is_said() -> None:
    found = predicted(change("role", Operation.UPDATE, ROLE), change("database", Operation.REPLACE), before=Graph(()))
    assert found.timing.gone is None
    assert found.timing.uncounted == {"updates in place": 1, "deletions": 1}
    assert "not counted: updates in place (1), deletions (1)." in comment(Preview("main", (found,)))


def test_an_update_alone_predicts_nothing() -> None:
    found = predicted(change("role", Operation.UPDATE, ROLE))
    assert (found.timing.made, found.timing.gone) == (None, None)
    assert "Predicted" not in comment(Preview("main", (found,)))


def test_the_same_change_takes_the_same_time() -> None:
    assert predicted(change("database", Operation.REPLACE)) == predicted(change("database", Operation.REPLACE))


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0:00"), (452, "7:32"), (3723, "1:02:03")])
def test_times_are_minutes_and_from_an_hour_on_hours(seconds: float, said: str) -> None:
    assert clock(seconds) == said
