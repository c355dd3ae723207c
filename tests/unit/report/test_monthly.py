"""The monthly report: what each part says, and that one which can't be read is never told as empty."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from candlefish import app
from candlefish import report as command
from infra.settings.load import load_file
from kube.client import Forbidden, NotFound, Object
from operations.cost.explorer import period
from operations.errors import OperationError
from operations.report import monthly, safety, service
from operations.report.model import Accepted, Matter, State, Told
from operations.rollout.model import Book, Phase, Record, Result
from operations.verify.model import Outputs
from operations.verify.scene import Scene
from tests.unit.recovery.fake_aws import FakeAws, Refusal

pytestmark = pytest.mark.unit
SETTINGS = load_file(Path(__file__).parents[3] / "Pulumi.production.yaml")
NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
HOME = SETTINGS.region
BALANCER = f"arn:aws:elasticloadbalancing:{HOME}:1:loadbalancer/app/k8s/1"
GROUP = f"arn:aws:elasticloadbalancing:{HOME}:1:targetgroup/web/1"
DAYS = [datetime(2026, 10, day, tzinfo=UTC) for day in (1, 2)]
METRICS = {"requests": [4000, 6000], "target": [1, 1], "own": [1, 0], "mean": [0.1, 0.2], "p95": [0.4, 1.5]}


def metrics(values: Mapping[str, list[float]]) -> Any:
    return {"MetricDataResults": [{"Id": id, "Label": id, "StatusCode": "Complete", "Timestamps": DAYS[:len(series)],
                                   "Values": series} for id, series in values.items()]}


def history(name: str, state: str) -> dict[str, Any]:
    return {"AlarmName": name, "AlarmType": "MetricAlarm", "HistoryItemType": "StateUpdate", "Timestamp": DAYS[0],
            "HistoryData": json.dumps({"newState": {"stateValue": state}})}


def answers(**changes: Any) -> dict[tuple[str, str, str], Any]:
    owned = [{"Key": "Project", "Value": SETTINGS.ownership.project}, {"Key": "Stack", "Value": "production"}]
    alarms = [history("production-candlefish-latency", "ALARM"), history("production-candlefish-latency", "OK"),
              history("production-candlefish-latency", "ALARM"), history("staging-candlefish-latency", "ALARM")]
    found: dict[str, tuple[str, Any]] = {
        "GetCostAndUsage": ("ce", {"ResultsByTime": [{"Groups": [
            {"Keys": ["AWS Lambda"], "Metrics": {"UnblendedCost": {"Amount": "1200", "Unit": "USD"}}}]}]}),
        "DescribeTargetGroups": ("elbv2", {"TargetGroups": [
            {"TargetGroupArn": GROUP, "LoadBalancerArns": [BALANCER]}]}),
        "DescribeTags": ("elbv2", {"TagDescriptions": [{"ResourceArn": GROUP, "Tags": [
            {"Key": "elbv2.k8s.aws/cluster", "Value": "candlefish-production"},
            {"Key": "ingress.k8s.aws/resource", "Value": "ns/x-y:http"}]}]}),
        "GetMetricData": ("cloudwatch", metrics(METRICS)),
        "DescribeAlarmHistory": ("cloudwatch", lambda asked: {
            "AlarmHistoryItems": alarms if asked["AlarmTypes"] == ["MetricAlarm"] else []}),
        "GetRestoreTestingPlan": ("backup", {"RestoreTestingPlan": {
            "CreationTime": NOW, "RestoreTestingPlanArn": "arn:plan", "RestoreTestingPlanName": "p",
            "RecoveryPointSelection": {}, "ScheduleExpression": "x"}}),
        "ListRestoreJobs": ("backup", {"RestoreJobs": [
            {"Status": "COMPLETED", "CreationDate": NOW, "ResourceType": "RDS"}]}),
        "ListSecrets": ("secretsmanager", {"SecretList": [
            {"ARN": f"arn:aws:secretsmanager:{HOME}:1:secret:slack", "Name": "candlefish-production/slack-0a1b2c3",
             "CreatedDate": NOW - timedelta(days=100), "Tags": owned}]}),
    } | changes
    regions = {"ce": "us-east-1"}
    return {(which, regions.get(which, HOME), name): answer for name, (which, answer) in found.items()}


class Cluster:
    """The journals of the services; others have none."""

    def __init__(self, **books: Book) -> None:
        self.books = books

    def get(self, api: str, kind: str, name: str, namespace: str) -> Object:
        if (book := self.books.get(name.removeprefix("rollout-"))) is None:
            raise NotFound("none")
        return {"metadata": {"resourceVersion": "1"}, "data": book.data()}


def matter(cluster: Any = None, month: str = "2026-10", accepted: tuple[Accepted, ...] = (), **changes: Any) -> Matter:
    scene = Scene("production", SETTINGS, Outputs({}), FakeAws(answers(**changes)).client,
                  lambda: cluster or Cluster(), now=lambda: NOW)
    return Matter(scene, period(NOW.date(), month), accepted)


def test_costs_are_told_beside_estimate_budget_and_band() -> None:
    told = monthly.costs(matter())
    assert told.sentences[0].startswith("1,200 USD were spent; the estimate is ")
    assert told.data["actual"] == 1200
    dear = {"ResultsByTime": [{"Groups": [{"Keys": ["AWS Lambda"], "Metrics": {
        "UnblendedCost": {"Amount": "99999", "Unit": "USD"}}}]}]}
    assert monthly.costs(matter(GetCostAndUsage=("ce", dear))).state is State.ATTENTION


def test_availability_counts_the_targets_errors_and_the_balancers_own() -> None:
    told = service.requests(matter())
    assert told.state is State.GOOD
    assert told.sentences[0] == "99.970 % available: 3 of 10000 requests failed (0.030 %; 0.1 % are allowed)"
    assert (told.data["worstDayP95Seconds"], told.data["slowDays"]) == (1.5, [])
    bad = service.requests(matter(GetMetricData=("cloudwatch", metrics(METRICS | {"own": [20, 0], "p95": [0.4, 2.5]}))))
    assert bad.state is State.ATTENTION
    assert bad.data["slowDays"] == ["2026-10-02"]


def test_alarms_of_this_stack_that_went_on_are_counted_and_what_is_forgotten_is_said() -> None:
    told = service.alarms(matter())
    assert told.data == {"production-candlefish-latency": 2}
    assert told.sentences == ("production-candlefish-latency went on 2 times",
                              "only from 2026-10-02 on: CloudWatch keeps 30 days")
    with pytest.raises(OperationError, match="30 days"):
        service.alarms(matter(month="2026-09"))


def record(revision: int, began: datetime, result: Result) -> Record:
    return Record(revision, "canary", "new", "old", "blue", "green", began.timestamp(), Phase.DONE, result)


def test_releases_of_the_month_are_counted_with_those_taken_back() -> None:
    book = Book(record(4, NOW, Result.PROMOTED), tuple(
        record(revision, DAYS[0] + timedelta(days=days), result) for revision, days, result in (
            (1, -5, Result.PROMOTED), (2, 1, Result.PROMOTED), (3, 2, Result.ROLLED_BACK))))
    told = service.releases(matter(Cluster(website=book)))
    assert told.data == {"website": {"promoted": 1, "rolled-back": 1}}
    assert told.sentences == ("2 rollouts, 1 of them taken back", "website: 2 rollouts, 1 promoted, 1 rolled-back")


def test_a_journal_that_was_cut_within_the_month_says_so() -> None:
    many = Book(record(30, NOW, Result.PROMOTED), tuple(
        record(number, DAYS[1] + timedelta(hours=number), Result.PROMOTED) for number in range(Book.KEPT)))
    assert "keeps the last 21 only" in service.releases(matter(Cluster(website=many))).sentences[-1]


def test_a_restore_test_that_failed_or_did_not_run_needs_attention() -> None:
    assert safety.restore_tests(matter()).state is State.GOOD
    failed = {"RestoreJobs": [{"Status": "FAILED", "StatusMessage": "no subnet", "CreationDate": NOW,
                               "ResourceType": "RDS"}]}
    told = safety.restore_tests(matter(ListRestoreJobs=("backup", failed)))
    assert (told.state, told.sentences[1]) == (State.ATTENTION, "RDS: FAILED no subnet")
    assert safety.restore_tests(matter(ListRestoreJobs=("backup", {"RestoreJobs": []}))).state is State.ATTENTION


def test_secrets_are_told_by_age() -> None:
    assert safety.secrets(matter()).sentences == ("1 secrets; the oldest value is that of slack, 100 days",)


def test_waivers_that_end_soon_are_told() -> None:
    soon, later = (Accepted("CKV_1", "x", date(2026, 12, 1)), Accepted("CKV_2", "y", date(2027, 12, 1)))
    told = safety.waivers(matter(accepted=(soon, later)))
    assert (told.state, told.sentences[1]) == (State.ATTENTION, "CKV_1 for x ends 2026-12-01")
    assert safety.waivers(matter(accepted=(later,))).state is State.GOOD


def test_capacity_is_told_as_the_command_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    short = {"fits": False, "shortfalls": [{"service": "website", "cpuMillis": 100, "memoryMib": 64}]}
    monkeypatch.setattr(monthly, "Capacity", lambda *_: SimpleNamespace(look=lambda: {"largest": short}))
    told = monthly.capacity(matter(SimpleNamespace(close=lambda: None)))
    assert told.state is State.ATTENTION
    assert told.sentences[1] == "website at its maximum is short of 100m CPU and 64 MiB"


NOTHING = [
    (monthly.costs, {"GetCostAndUsage": ("ce", {"ResultsByTime": []})}, "activated"),
    (service.requests, {"GetMetricData": ("cloudwatch", metrics({}))}, "no request"),
    (service.requests, {"DescribeTargetGroups": ("elbv2", {"TargetGroups": []})}, "0 load balancers"),
    (safety.secrets, {"ListSecrets": ("secretsmanager", {"SecretList": []})}, "no secret"),
]


@pytest.mark.parametrize(("look", "changes", "says"), NOTHING)
def test_nothing_is_no_success(look: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(OperationError, match=says):
        look(matter(**changes))


def test_a_part_that_is_refused_is_unavailable_with_the_reason_and_the_others_are_told() -> None:
    class Closed:
        def get(self, *_: Any) -> Object:
            raise Forbidden("configmaps is forbidden")

    here = matter(Closed(), ListSecrets=("secretsmanager", Refusal("AccessDeniedException")))
    parts = [each for each in monthly.PARTS if each.name in ("alarms", "releases", "secrets")]
    found = {each.part.name: each.told for each in monthly.sections(here, parts)}
    assert {name: told.state for name, told in found.items()} == {
        "alarms": State.GOOD, "releases": State.UNAVAILABLE, "secrets": State.UNAVAILABLE}
    assert "configmaps is forbidden" in found["releases"].sentences[0]
    document = monthly.document(here, monthly.sections(here, parts))
    assert (document["month"], document["unavailable"]) == ("2026-10", ["releases", "secrets"])
    page = monthly.markdown(here, monthly.sections(here, parts))
    assert page.startswith("# Report of production, 2026-10\n")
    assert "| Releases | unavailable | configmaps is forbidden |" in page


@pytest.mark.parametrize(("state", "code"), [(State.GOOD, 0), (State.ATTENTION, 1), (State.UNAVAILABLE, 1)])
def test_the_exit_code_says_whether_there_is_something_to_do(
        state: State, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [replace(each, look=lambda _: Told(state, ("so it is",))) for each in monthly.PARTS]
    monkeypatch.setattr(command, "sections", lambda matter: monthly.sections(matter, parts))
    monkeypatch.setattr(sys, "argv", ["candlefish", "report", "monthly", "--stack", "production", "--format", "json"])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == code
    found = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in found["sections"]] == [each.name for each in monthly.PARTS]


def test_a_month_that_is_none_is_wrong_usage(monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["candlefish", "report", "monthly", "--stack", "production", "--month", "soon"])
    with pytest.raises(SystemExit) as left:
        app.main()
    assert left.value.code == 2
    assert "--month is 'soon'" in capsys.readouterr().err
