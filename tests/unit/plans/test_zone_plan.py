"""Policies of a zone that the stack creates."""

from __future__ import annotations

import pytest

from infra.plans.zone import zone_signing_key_policy

pytestmark = pytest.mark.unit


def test_route_53_gets_its_grant_on_the_conditions_that_its_guide_names() -> None:
    statements = {each["Sid"]: each for each in zone_signing_key_policy("123456789012")["Statement"]}
    assert statements["Sign"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert statements["Grant"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
