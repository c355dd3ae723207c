"""`candlefish policy check`: its answer, its exit code, and the packs that can't be used."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from candlefish import policing, policy
from candlefish.exits import WrongUsage
from candlefish.policies import MANDATORY, UNDECIDED, WAIVED, Judged, Judgement
from candlefish.preview_evaluate import Job, Recorded
from policy.waivers import WaiverError
from rehearsal.engine.errors import EngineError, PackUnusable

pytestmark = pytest.mark.unit
URN = "urn:pulumi:staging::candlefish::aws:s3/bucket:Bucket::assets"
OPEN = Judged("s3-5", ("S3.5",), MANDATORY, URN, "TLS only: deny plain HTTP; its waiver ended on 2026-01-01",
              "2026-01-01")
FOUND = (Judged("ckv-aws-272", ("CKV_AWS_272",), WAIVED, URN, "signed: argued", "2027-11-30"),
         Judged("ckv-aws-62", ("CKV_AWS_62", "IAM.1"), UNDECIDED, URN, "only the deployment can tell"))


def run(monkeypatch: pytest.MonkeyPatch, recorded: Recorded, *arguments: str) -> Any:
    def record(jobs: Sequence[Job], done: Callable[[Job], None]) -> dict[Job, Recorded]:
        return dict.fromkeys(jobs, recorded)

    monkeypatch.setattr(policy, "record", record)
    return CliRunner().invoke(policy.app, ["check", *arguments])


def test_a_mandatory_finding_ends_with_3_and_names_all_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Recorded(judgement=Judgement((OPEN, *FOUND), 139, 850, ("S3.5 Bucket x",))),
               "--stack", "staging", "--json")
    assert done.exit_code == 3
    [stack] = json.loads(done.stdout)["stacks"]
    assert stack["violations"] == [{"name": "s3-5", "ids": ["S3.5"], "level": "mandatory", "resource": URN,
                                    "message": OPEN.message, "expires": "2026-01-01"}]
    assert [each["expires"] for each in stack["waived"]] == ["2027-11-30"]
    assert [each["ids"] for each in stack["undecided"]] == [["CKV_AWS_62", "IAM.1"]]
    assert (stack["stack"], stack["controls"], stack["held"], stack["unusedWaivers"]) == (
        "staging", 139, 850, ["S3.5 Bucket x"])


def test_what_is_waived_ends_with_0_and_is_said_of_every_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Recorded(judgement=Judgement(FOUND, 139, 850, ())))
    assert done.exit_code == 0
    for name in ("development", "staging", "production", "recovery"):
        assert f"{name}: 139 controls, met 850 times; 0 violated, 1 waived, 1 that only" in done.stderr
    assert "waived until 2027-11-30: CKV_AWS_272 assets" in done.stderr


def test_a_program_that_does_not_run_and_a_wrong_waiver_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(run(monkeypatch, Recorded(failure="no such layer")).exception, EngineError)

    def wrong() -> None:
        raise WaiverError("waivers.yaml, entry 1: there is no control 'S3.55'")

    monkeypatch.setattr(policy, "load", wrong)
    assert isinstance(run(monkeypatch, Recorded()).exception, WaiverError)


@pytest.mark.parametrize(("folders", "config", "error", "message"), [
    (["nowhere"], None, PackUnusable, "nowhere is no policy pack: PulumiPolicy.yaml can't be read"),
    ([], "levels.json", WrongUsage, "none is named"),
    (["pack"], "levels.json", WrongUsage, "can't be read as JSON"),
    (["pack"], "list.json", WrongUsage, "it must be like"),
])
def test_packs_that_cannot_be_used_are_told_before_anything_starts(
        tmp_path: Path, folders: list[str], config: str | None, error: type[Exception], message: str) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(error, match=message):
        policing.packs([tmp_path / each for each in folders], tmp_path / config if config else None)
