"""pulumi-random in the rehearsal: repeatable values that keep the rules they were asked for."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.engine.provider import Context, ProviderError
from rehearsal.engine.values import UNKNOWN, Secret
from rehearsal.random import RandomProvider
from rehearsal.random.values import text
from rehearsal.sdk.types import Types

pytestmark = pytest.mark.unit

PASSWORD = "random:index/randomPassword:RandomPassword"


@pytest.fixture
def provider(tmp_path: Path) -> RandomProvider:
    return RandomProvider(Types(tmp_path))


def context(type: str, seed: int = 1) -> Context:
    return Context(f"urn:pulumi:s::p::{type}::n", type, "n", {}, seed, "operation")


def test_the_same_seed_draws_the_same_password_and_another_seed_another(provider: RandomProvider) -> None:
    made = [provider.create(context(PASSWORD, seed), {"length": 24})[1]["result"] for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_a_replacement_draws_another_value(provider: RandomProvider) -> None:
    made = [provider.create(context(PASSWORD), {"length": 24, "keepers": {"v": v}})[1]["result"] for v in "ab"]
    assert made[0] != made[1]


def test_a_password_is_secret_and_unknown_in_a_preview(provider: RandomProvider) -> None:
    assert isinstance(provider.create(context(PASSWORD), {"length": 8})[1]["result"], Secret)
    assert provider.preview(context(PASSWORD), {"length": 8}, None)["result"] is UNKNOWN


def test_every_changed_input_replaces(provider: RandomProvider) -> None:
    diff = provider.diff(context(PASSWORD), "none", {"length": 8}, {}, {"length": 9, "special": False})
    assert [(entry.path, entry.replaces) for entry in diff.properties] == [("length", True), ("special", True)]


def test_inputs_are_checked_against_the_sdk(provider: RandomProvider) -> None:
    failures = provider.check(context(PASSWORD), None, {"lenght": 8}).failures
    assert any("did you mean `length`" in failure.reason for failure in failures)
    assert any(failure.property == "length" for failure in failures)


@pytest.mark.parametrize(("type", "inputs"), [
    ("randomId:RandomId", {"byteLength": 4}), ("randomPet:RandomPet", {"length": 3}), ("randomUuid:RandomUuid", {}),
    ("randomInteger:RandomInteger", {"min": 1, "max": 9}), ("randomString:RandomString", {"length": 5}),
    ("randomShuffle:RandomShuffle", {"inputs": ["a", "b", "c"], "resultCount": 2})])
def test_every_type_makes_all_outputs_of_the_sdk(provider: RandomProvider, type: str, inputs: dict[str, Any]) -> None:
    token = f"random:index/{type}"
    _, outputs = provider.create(context(token), inputs)
    missing = set(provider._types.get(token).outputs) - set(outputs)
    assert missing <= {"keepers", "prefix", "seed", "overrideSpecial", "resultCount"}


def test_an_unknown_type_is_an_error_that_names_it(provider: RandomProvider) -> None:
    with pytest.raises(ProviderError, match="randomBytes:RandomBytes is not part of the rehearsal"):
        provider.create(context("random:index/randomBytes:RandomBytes"), {"length": 4})


@given(st.integers(1, 60), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.randoms())
def test_a_text_has_its_length_and_at_least_so_many_of_each_class(
        length: int, lower: int, upper: int, numeric: int, special: int, draw: Any) -> None:
    inputs = {"length": length, "minLower": lower, "minUpper": upper, "minNumeric": numeric, "minSpecial": special,
              "overrideSpecial": "_-"}
    if lower + upper + numeric + special > length:
        with pytest.raises(ProviderError, match="length"):
            text(draw, inputs)
        return
    made = text(draw, inputs)
    assert len(made) == length
    for least, characters in ((lower, string.ascii_lowercase), (upper, string.ascii_uppercase),
                              (numeric, string.digits), (special, "_-")):
        assert sum(character in characters for character in made) >= least
