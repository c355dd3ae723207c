"""What all components of the foundation have in common."""

from __future__ import annotations

import re

import pytest

from tests.unit.components.recording import Registrations, foundation

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def everything() -> Registrations:
    return foundation()


def test_a_component_has_a_type_of_ours_and_registers_its_outputs(everything: Registrations) -> None:
    components = [resource for resource in everything.all if resource.type.startswith("candlefish:")]
    assert components
    for component in components:
        assert re.fullmatch(r"candlefish:[a-z]+:[A-Z][A-Za-z]+", component.type)
        assert component.urn in everything.with_outputs


def test_every_resource_but_the_provider_is_inside_a_component(everything: Registrations) -> None:
    for resource in everything.all:
        if not resource.type.startswith(("pulumi:", "candlefish:")):
            assert "candlefish:" in resource.urn.split("::")[2], resource.urn


def test_no_generated_secret_is_in_plain_text(everything: Registrations) -> None:
    for resource in everything.all:
        plain = {key: value for key, value in resource.inputs.items() if key not in resource.secrets}
        assert "not-a-secret" not in str(plain), resource.urn


def test_every_log_group_is_encrypted_and_forgets_after_a_while(everything: Registrations) -> None:
    groups = everything.of("aws:cloudwatch/logGroup:LogGroup")
    assert groups
    for group in groups:
        assert group.inputs["kmsKeyId"]
        assert group.inputs["retentionInDays"] > 0
