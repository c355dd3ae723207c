"""Shield Advanced, where it is wanted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from infra.components.edge.shield import Shield, ShieldArgs
from tests.unit.components.answering import record

pytestmark = pytest.mark.unit


def test_each_resource_has_a_protection_of_its_own() -> None:
    def program() -> SimpleNamespace:
        Shield("shield", ShieldArgs("staging", {"site": "arn:site", "front-door": "arn:balancer"}))
        return SimpleNamespace()

    found = record(program).of("aws:shield/protection:Protection")
    assert {(each.inputs["name"], each.inputs["resourceArn"]) for each in found} == {
        ("staging-site", "arn:site"), ("staging-front-door", "arn:balancer")}
