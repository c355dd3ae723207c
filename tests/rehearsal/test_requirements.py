"""Every clause of every requirement is fulfilled in each stack, and the pages made of the stacks are up to date."""

from __future__ import annotations

import pytest

from candlefish.policies import resources
from tests import diagrams
from tests.program import Programs
from tests.requirements.page import PAGE, ROWS, missing, page
from tests.runbooks import differing, made
from tests.stacks import STACKS

pytestmark = pytest.mark.rehearsal

IDS = [*(f"E{n}" for n in range(1, 7)), *(f"N{n}" for n in range(1, 8)), *(f"K{n}" for n in range(1, 11)),
       *(f"D{n}" for n in range(1, 7)), *(f"F{n}" for n in range(1, 9)), *(f"M{n}" for n in range(1, 7))]


def test_every_requirement_of_infrastructure_has_rows() -> None:
    assert sorted({row.id for row in ROWS}) == sorted(IDS)


@pytest.mark.parametrize("stack", STACKS)
def test_every_clause_is_fulfilled(programs: Programs, stack: str) -> None:
    assert missing(stack, resources(programs.preview(stack))) == []


def test_the_page_is_up_to_date(programs: Programs) -> None:
    made = page({stack: resources(programs.preview(stack)) for stack in STACKS})
    assert PAGE.read_text(encoding="utf-8") == made, "run python -m tests.requirements"


def test_the_diagram_of_the_architecture_is_up_to_date(programs: Programs) -> None:
    made = diagrams.page(programs.preview(diagrams.STACK))
    assert diagrams.PAGE.read_text(encoding="utf-8") == made, "run python -m tests.diagrams"


def test_the_runbooks_of_disasters_are_up_to_date(programs: Programs) -> None:
    assert differing(made(programs.preview("production").resources)) == [], "run python -m tests.runbooks --write"
