"""The keys: rotated, protected, and for nobody in particular without a condition."""

from __future__ import annotations

import json

import pytest

from tests.unit.components.recording import ACCOUNT, foundation

pytestmark = pytest.mark.unit


def test_keys_rotate_are_protected_and_are_deleted_late() -> None:
    keys = foundation().of("aws:kms/key:Key")
    assert {key.name for key in keys} == {"keys-data", "keys-logs", "keys-cluster"}
    for key in keys:
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["deletionWindowInDays"] == 30
        assert key.protect


def test_aliases_are_auto_named_because_one_that_survives_a_teardown_would_stop_the_rebuild() -> None:
    assert all("name" not in alias.inputs for alias in foundation().of("aws:kms/alias:Alias"))


def test_no_key_policy_has_a_wildcard_principal_and_the_account_can_never_be_locked_out() -> None:
    for key in foundation().of("aws:kms/key:Key"):
        statements = json.loads(key.inputs["policy"])["Statement"]
        assert statements[0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        assert all(statement["Principal"] not in ("*", {"AWS": "*"}) for statement in statements)
