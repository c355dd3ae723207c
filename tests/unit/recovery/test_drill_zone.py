"""The drill of a lost zone: which one is struck, and when it counts as overcome. Nothing is broken here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import MagicMock

import pytest

from rehearsal.disasters import zone
from rehearsal.disasters.world import DrillError, Ran, World

pytestmark = pytest.mark.unit


NODES = {"a": "us-east-1a", "b": "us-east-1b", "c": "us-east-1b"}


def _nobody(words: Sequence[str]) -> Any:
    pytest.fail(f"{words} was run")


@dataclass
class Cluster:
    """Nodes by zone and one Deployment, as kubectl tells them; the lost zone's nodes go a little later."""

    nodes: dict[str, str]
    lost: list[str] = field(default_factory=list)
    asked: int = 0

    def look(self, words: Sequence[str]) -> Ran:
        assert words[:2] == ["kubectl", "get"]
        if words[2] == "deployments":
            return Ran(0, json.dumps({"items": [{
                "metadata": {"namespace": "n", "name": "site"}, "spec": {"replicas": 2},
                "status": {"availableReplicas": 2}}]}), "")
        self.asked += bool(self.lost)
        if self.asked > 2:
            self.nodes = {name: zone for name, zone in self.nodes.items() if zone not in self.lost}
        return Ran(0, json.dumps({"items": [{
            "metadata": {"name": name, "labels": {zone.LABEL: at}},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown" if at in self.lost else "True"}]},
        } for name, at in self.nodes.items()]}), "")

    def lose(self, zones: Sequence[str]) -> None:
        self.lost = list(zones)

    def world(self, folder: Path, seed: int = 0, multi_az: bool = True) -> World:
        rds = MagicMock()
        rds.describe_db_instances.return_value = {"DBInstances": [
            {"AvailabilityZone": "us-east-1b", "MultiAZ": multi_az}]}
        state = folder / "state.json"
        state.write_text(json.dumps({"deployment": {"resources": [
            {"urn": "urn:pulumi:s::p::aws:rds/instance:Instance::db", "type": "aws:rds/instance:Instance", "id": "db",
             "inputs": {"identifier": "db"}}]}}))
        return World("development", state, lambda service: rds, _nobody, _nobody, lambda: None,
                     look=self.look, lose_zones=self.lose, draw=Random(f"{seed} zone-lost"))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes, nobody is asked over a network, kubectl is there."""
    monkeypatch.setattr("rehearsal.disasters.zone.time.sleep", lambda seconds: None)
    monkeypatch.setattr(zone.Visitor, "begin", lambda self: None)
    monkeypatch.setattr("rehearsal.disasters.zone.shutil.which", lambda name: f"/bin/{name}")


@pytest.mark.usefixtures("quiet")
def test_a_lost_zone_has_come_back_when_its_deployments_are_available_without_its_nodes(tmp_path: Path) -> None:
    cluster = Cluster(dict(NODES))
    struck = zone.zone_lost(cluster.world(tmp_path))
    assert cluster.lost == [struck.values["zone"]]
    assert struck.now() == struck.kept == {"n/site": "available", "nodes in it": []}
    struck.tidy()
    assert (cluster.lost, dict(struck.seen())) == ([], {"requests": 0, "failed": 0, "longest_gap_seconds": 0.0})


@pytest.mark.usefixtures("quiet")
def test_the_same_seed_loses_the_same_zone_and_never_that_of_a_database_without_standby(tmp_path: Path) -> None:
    def lost(seed: int, multi_az: bool) -> str:
        return str(zone.zone_lost(Cluster(dict(NODES)).world(tmp_path, seed, multi_az)).values["zone"])

    assert [lost(seed, True) for seed in range(8)] == [lost(seed, True) for seed in range(8)]
    assert {lost(seed, True) for seed in range(8)} == {"us-east-1a", "us-east-1b"}
    assert {lost(seed, False) for seed in range(8)} == {"us-east-1a"}
    with pytest.raises(DrillError, match="there is no other zone"):
        zone.zone_lost(Cluster({"a": "us-east-1a"}).world(tmp_path))
    with pytest.raises(DrillError, match=r"set database\.multiAz"):
        zone.victim(Cluster({}).world(tmp_path), {"x", "y"}, {"x", "y"})


@pytest.mark.usefixtures("quiet")
def test_a_zone_that_kubernetes_never_takes_for_lost_is_given_back(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(dict(NODES))
    monkeypatch.setattr(zone, "NOTICED_SECONDS", -1.0)
    unharmed = Cluster(dict(NODES)).look
    with pytest.raises(DrillError, match="gave up"):
        zone.zone_lost(replace(cluster.world(tmp_path), look=unharmed))
    assert cluster.lost == []
