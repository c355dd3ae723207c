"""How recovery drives Pulumi: the SDK's own Automation API, on a `pulumi` that writes down what it is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.recovery.pulumi_runner import PulumiRunner
from operations.recovery.runner import RunnerError

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
URN = "urn:pulumi:recovery::candlefish::aws:rds/instance:Instance::database"
# Before 3.205 Pulumi writes its events to a file, which needs no server here.
FAKE = f"""#!{sys.executable} -S
import json, os, pathlib, sys
home = pathlib.Path(os.environ["FAKE_HOME"])
given = [each for each in sys.argv[1:] if each != "--non-interactive"]
config = given[given.index("--config-file") + 1] if "--config-file" in given else None
with (home / "asked.jsonl").open("a") as file:
    file.write(json.dumps({{"given": given, "config": config and open(config).read()}}) + "\\n")
made, refused = home / "made", home / "refused"
verb = given[0]
if verb == "version":
    print("v3.200.0")
elif given[:2] == ["stack", "select"] and not made.exists():
    sys.exit("error: no stack named 'recovery' found")
elif given[:2] == ["stack", "init"]:
    made.touch()
elif verb in ("up", "preview"):
    log = given[given.index("--event-log") + 1]
    events = [] if refused.exists() else json.loads((home / "events").read_text())
    with open(log, "a") as file:
        for event in [*events, {{"sequence": 10, "timestamp": 1, "cancelEvent": {{}}}}]:
            file.write(json.dumps(event) + "\\n")
    if refused.exists():
        sys.exit(refused.read_text())
elif given[:2] == ["stack", "output"]:
    shown = "--show-secrets" in given
    print(json.dumps({{"clusterName": "c", "kubeconfig": "{{}}" if shown else "[secret]"}}))
elif given[:2] == ["stack", "history"]:
    print(json.dumps([{{"kind": "update", "startTime": "2026-11-22T03:00:00.000Z", "message": "", "environment": {{}},
                       "config": {{}}, "result": "succeeded", "resourceChanges": {{"create": 687}}, "version": 1,
                       "endTime": "2026-11-22T03:26:00.000Z"}}]))
elif given[:2] == ["stack", "export"]:
    print(json.dumps({{"version": 3, "deployment": {{"resources": [{{"urn": "u"}}]}}}}))
"""


def step(operation: str) -> dict[str, Any]:
    return {"sequence": 1, "timestamp": 1, "resourcePreEvent": {"planning": True, "metadata": {
        "op": operation, "urn": URN, "type": "aws:rds/instance:Instance", "provider": "p"}}}


SUMMARY = {"sequence": 9, "timestamp": 1, "summaryEvent": {
    "maybeCorrupt": False, "durationSeconds": 1, "resourceChanges": {"create": 2, "replace": 1}, "policyPacks": {}}}


class Pulumi:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.says([step("create"), SUMMARY])

    def says(self, events: list[dict[str, Any]]) -> None:
        (self.home / "events").write_text(json.dumps(events))

    def asked(self, *words: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (self.home / "asked.jsonl").read_text().splitlines()]
        return [line for line in lines if line["given"][:len(words)] == list(words)]


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    program = tmp_path / "bin" / "pulumi"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("FAKE_HOME", str(tmp_path))
    return Pulumi(tmp_path)


def runner() -> PulumiRunner:
    return PulumiRunner(ROOT, "recovery", lambda line: None)


def test_a_runs_settings_go_on_top_of_the_stacks_file_which_stays_as_it_is(pulumi: Pulumi) -> None:
    before = (ROOT / "Pulumi.recovery.yaml").read_text()
    changes = runner().up({"database.restore.snapshotId": "awsbackup:job-1", "services.website.image": "i:2"})
    (up,) = pulumi.asked("up")
    config = yaml.safe_load(up["config"])["config"]
    assert config["candlefish:database"]["restore"] == {"snapshotId": "awsbackup:job-1"}
    assert config["candlefish:database"]["instanceClass"] == "db.t4g.medium"
    assert config["candlefish:services"]["website"]["image"] == "i:2"
    assert up["given"][:3] == ["up", "--yes", "--skip-preview"]
    assert up["given"][-2:] == ["--stack", "recovery"]
    assert (ROOT / "Pulumi.recovery.yaml").read_text() == before
    assert not Path(up["given"][up["given"].index("--config-file") + 1]).exists()
    assert changes.counts == {"create": 687}


def test_a_stack_that_is_not_there_is_made_by_up_and_looked_at_without_one(pulumi: Pulumi) -> None:
    assert runner().outputs() == {}
    assert runner().export() == {"version": 3, "deployment": {}}
    assert pulumi.asked("stack", "init") == []
    runner().up({})
    assert len(pulumi.asked("stack", "init")) == 1


@pytest.mark.parametrize(("operation", "lost"), [("create", ()), ("replace", (URN,)), ("delete", (URN,)),
                                                 ("update", ())])
def test_a_preview_names_what_would_be_lost(pulumi: Pulumi, operation: str, lost: tuple[str, ...]) -> None:
    pulumi.says([step(operation), SUMMARY])
    found = runner().preview({})
    assert found.lost == lost
    assert found.counts == {"create": 2, "replace": 1}


def test_an_export_keeps_secrets_encrypted(pulumi: Pulumi) -> None:
    runner().up({})
    assert runner().export()["deployment"] == {"resources": [{"urn": "u"}]}
    (asked,) = pulumi.asked("stack", "export")
    assert "--show-secrets" not in asked["given"]


def test_outputs_are_told_with_their_secrets(pulumi: Pulumi) -> None:
    runner().up({})
    assert runner().outputs() == {"clusterName": "c", "kubeconfig": "{}"}


@pytest.mark.parametrize(("said", "told"), [
    ("error: the stack is currently locked by 1 lock(s)", "pulumi cancel --stack recovery"),
    ("error: creating EKS Cluster: LimitExceeded", "LimitExceeded"),
])
def test_what_pulumi_refuses_is_said_with_what_to_do(pulumi: Pulumi, said: str, told: str) -> None:
    (pulumi.home / "refused").write_text(said)
    for run in (runner().up, runner().preview):
        with pytest.raises(RunnerError, match=told.replace("(", r"\(")):
            run({})


def test_without_a_pulumi_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (runner().outputs, runner().export, lambda: runner().up({})):
        answer: Callable[[], object] = call
        with pytest.raises(RunnerError, match="no `pulumi` command on PATH"):
            answer()


def test_a_preview_that_ends_without_a_word_is_an_error(pulumi: Pulumi) -> None:
    pulumi.says([])
    with pytest.raises(RunnerError, match="summary event never found"):
        runner().preview({})
