"""Waivers: what the file may say, what it covers, when it ends."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from policy.controls import BY_ID
from policy.model import Finding, Resource
from policy.waivers import Verdict, WaiverError, apply, load
from tests.controls import PAGE, page

pytestmark = pytest.mark.unit

GOOD = """
- control: RDS.5
  resource: "aws:rds/instance:Instance database*"
  environments: [development]
  reason: One zone is enough for made-up data, and half the price.
  expires: 2026-12-31
"""
FINDING = Finding(BY_ID["CKV_AWS_157"],
                  Resource("aws:rds/instance:Instance", "urn:pulumi:d::c::t::database", "database"))


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    return path


def judged(tmp_path: Path, environment: str, today: date, *findings: Finding, text: str = GOOD) -> Verdict:
    return apply(findings, load(written(tmp_path, text)), environment, today)


def test_a_waiver_covers_its_control_by_any_of_its_ids(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "development", date(2026, 12, 31), FINDING)
    assert (verdict.open, [finding for finding, _ in verdict.waived], verdict.unused) == ((), [FINDING], ())


def test_an_expired_waiver_covers_nothing(tmp_path: Path) -> None:
    assert judged(tmp_path, "development", date(2027, 1, 1), FINDING).open == (FINDING,)


def test_a_waiver_is_for_its_environments_only(tmp_path: Path) -> None:
    verdict = judged(tmp_path, "staging", date(2026, 1, 1), FINDING)
    assert (verdict.open, verdict.unused) == ((FINDING,), ())


def test_a_waiver_that_covers_nothing_is_named(tmp_path: Path) -> None:
    assert [waiver.control for waiver in judged(tmp_path, "development", date(2026, 1, 1)).unused] == ["RDS.5"]


@pytest.mark.parametrize(("old", "new", "message"), [
    ("RDS.5", "RDS.500", "there is no control 'RDS.500'"),
    ("[development]", "[staging]", "CKV_AWS_157 can't be waived in staging: set multi_az=True"),
    ("[development]", "[test]", "there is no environment 'test'"),
    ("aws:rds/instance:Instance database*", "*", "name the resource"),
    ("One zone is enough for made-up data, and half the price.", "Too dear.", "the reason is no argument"),
    ("2026-12-31", "soon", "expires must be a date"),
    ("  expires: 2026-12-31\n", "", "must have exactly the keys"),
    ("RDS.5", "CKV_AWS_17", "CKV_AWS_17 can't be waived in development"),
])
def test_a_waiver_that_is_wrong_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(WaiverError, match=r"waivers\.yaml, entry 1: ") as refused:
        load(written(tmp_path, GOOD.replace(old, new)))
    assert message in str(refused.value)


def test_the_projects_own_waivers_can_be_read() -> None:
    assert len(load()) == len({(waiver.control, waiver.resource) for waiver in load()})


def test_the_page_of_controls_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.controls"
