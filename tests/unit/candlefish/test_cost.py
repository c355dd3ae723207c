"""`candlefish cost` as it is typed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from candlefish import app, cost

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
Stub = Callable[[str], Stubber]
Captured = pytest.CaptureFixture[str]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["candlefish", "cost", *arguments])
    with pytest.raises(SystemExit) as left:
        app.main()
    return int(left.value.code or 0)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Stub:
    """The only client that the command makes, of the service that the test wants: `pricing` or `ce`."""
    made: dict[str, Any] = {}

    def client(service: str, region_name: str) -> Any:
        assert region_name == "us-east-1"  # where both services are asked
        assert service == made["service"]
        return made["client"]

    def stubbed(service: str) -> Stubber:
        made.update(service=service, client=boto3.client(
            service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"))
        monkeypatch.setattr(boto3, "client", client)
        return Stubber(made["client"])

    return stubbed


def test_the_estimate_of_all_stacks_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    assert run(monkeypatch, "estimate", "--stack", "all", "--json") == 0
    stacks = json.loads(capsys.readouterr().out)["stacks"]
    assert {name: each["band"]["inside"] for name, each in stacks.items()} == {
        "development": True, "staging": True, "production": True, "recovery": True}


def test_the_estimate_of_one_stack_shows_band_documents_and_rows(monkeypatch: pytest.MonkeyPatch,
                                                                 capsys: Captured) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(monkeypatch, "estimate", "--stack", "production", "--rows") == 0
    shown = capsys.readouterr().out
    assert "inside the band of 800 to 1,500 USD a month" in shown
    assert "400–800" in shown
    assert "base: t3.large on demand" in shown
    assert "https://github.com/aws/karpenter-provider-aws/" in shown


def test_another_size_of_usage_is_tried_even_where_the_settings_would_refuse_it(monkeypatch: pytest.MonkeyPatch,
                                                                                capsys: Captured) -> None:
    assert run(monkeypatch, "estimate", "--stack", "production", "--usage", "large", "--json") == 0
    assert json.loads(capsys.readouterr().out)["band"]["inside"] is False


@pytest.mark.parametrize(("arguments", "words"), [
    (("estimate", "--stack", "staging", "--usage", "huge"), "--usage is 'huge'; one of small, medium, large"),
    (("estimate", "--stack", "stagging"), "a stack that has a file"),
    (("what-if", "--stack", "staging", "--spot-percent", "170"), "--spot-percent is 170; 0 to 100"),
    (("what-if", "--stack", "staging", "--down", "late"), "--down is 'late' and --up '08:00'; times such as"),
    (("report", "--stack", "staging", "--month", "soon"), "--month is 'soon'; a month such as"),
])
def test_what_cant_be_meant_so_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Captured,
                                          arguments: tuple[str, ...], words: str) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert words in capsys.readouterr().err


def test_what_if_as_a_document(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    assert run(monkeypatch, "what-if", "--stack", "production", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["scenarios"]] == ["spot", "reserved", "off-hours"]
    for each in document["scenarios"]:
        assert each["usd"] + each["saved"] == pytest.approx(document["platform"])


def test_the_report_of_a_month(monkeypatch: pytest.MonkeyPatch, capsys: Captured, aws: Stub) -> None:
    with aws("ce") as stub:
        stub.add_response("get_cost_and_usage", {"ResultsByTime": [{"Groups": [
            {"Keys": ["Amazon ElastiCache"], "Metrics": {"UnblendedCost": {"Amount": "20", "Unit": "USD"}}}]}]})
        assert run(monkeypatch, "report", "--stack", "staging", "--month", "2026-01") == 0
    shown = capsys.readouterr().out
    assert "2026-01-01 until 2026-02-01" in shown
    assert "No forecast: the month is over." in shown
    assert "20.00" in shown


def test_without_credentials_the_report_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, capsys: Captured,
                                                           aws: Stub) -> None:
    with aws("ce") as stub:
        stub.add_client_error("get_cost_and_usage", "UnrecognizedClientException", "no")
        assert run(monkeypatch, "report", "--stack", "staging", "--month", "2026-01") == 1
    assert "It needs credentials with ce:GetCostAndUsage" in capsys.readouterr().err


@pytest.mark.parametrize("write", [False, True])
def test_refresh_writes_the_price_book_only_when_it_is_told_to(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, aws: Stub, write: bool) -> None:
    for path in (ROOT / "Pulumi.yaml", *ROOT.glob("Pulumi.*.yaml")):
        shutil.copy(path, tmp_path)
    file = tmp_path / "infra" / "plans" / "prices.yaml"
    file.parent.mkdir(parents=True)
    before = """# Prices.
sources:
  aws: {url: https://aws.amazon.com/eks/pricing/, read: 2026-11-21}
prices:
  - {price: eks.cluster, unit: "hour", region: us-east-1, usd: 0.1, source: aws}
"""
    file.write_text(before)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cost, "estimated", lambda settings, book: type("Nothing", (), {"rows": ()})())
    listed = {"product": {"attributes": {"usagetype": "USE1-AmazonEKS-Hours:perCluster"}}, "terms": {"OnDemand": {
        "t": {"priceDimensions": {"d": {"beginRange": "0", "pricePerUnit": {"USD": "0.2"}}}}}}}
    with aws("pricing") as stub:
        stub.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": [json.dumps(listed)]},
                          {"ServiceCode": "AmazonEKS", "Filters": ANY})
        arguments = ("refresh", "--region", "us-east-1", "--json", *(["--write"] if write else []))
        assert run(monkeypatch, *arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["changes"] == [{"price": "eks.cluster", "region": "us-east-1", "old": 0.1, "new": 0.2}]
    assert document["written"] is write
    assert (file.read_text() == before) is not write
    if write:
        assert file.read_text().startswith("# Prices.\nsources:\n  aws-price-list: ")
        assert "usd: 0.2, source: aws-price-list}" in file.read_text()
