"""Quantities are spelled as the API server stores them."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plans.quantities import count, cpu, memory, storage

pytestmark = pytest.mark.unit

UNITS = {"m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9),
         **{unit: Fraction(1024 ** (power + 2))
            for power, unit in enumerate(("Mi", "Gi", "Ti", "Pi", "Ei"))}}
MIB = 1024 ** 2


def value(quantity: str) -> Fraction:
    match = re.fullmatch(r"([0-9]+)([A-Za-z]*)", quantity)
    assert match, f"{quantity} is no quantity"
    return int(match[1]) * UNITS[match[2]]


@given(st.integers(0, 10**9))
def test_a_cpu_quantity_keeps_its_value(millis: int) -> None:
    assert value(cpu(millis)) == Fraction(millis, 1000)


@given(st.integers(0, 10**9))
def test_a_memory_quantity_keeps_its_value(mib: int) -> None:
    assert value(memory(mib)) == mib * MIB


@given(st.integers(0, 10**12))
def test_a_count_keeps_its_value(number: int) -> None:
    assert value(count(number)) == number


@given(st.integers(1, 10**12))
def test_no_cpu_quantity_could_take_a_larger_unit(millis: int) -> None:
    number = int(re.sub(r"\D", "", cpu(millis)))
    assert number % 1000 or cpu(millis).endswith("G")


@given(st.integers(1, 10**9))
def test_no_memory_quantity_could_take_a_larger_unit(mib: int) -> None:
    number = int(re.sub(r"\D", "", memory(mib)))
    assert number % 1024 or memory(mib).endswith("Ei")


@given(st.integers(0, 10**6))
def test_storage_is_memory_in_gibibytes(gib: int) -> None:
    assert storage(gib) == memory(1024 * gib)


@pytest.mark.parametrize(("quantity", "stored"), [
    (cpu(250), "250m"), (cpu(1000), "1"), (cpu(1500), "1500m"), (cpu(0), "0"), (cpu(10**6), "1k"),
    (count(999), "999"), (count(1000), "1k"), (memory(1024), "1Gi"),
    (memory(1536), "1536Mi"), (memory(1024**2), "1Ti"), (memory(0), "0"), (storage(50), "50Gi")])
def test_spellings_are_those_of_the_api_server(quantity: str, stored: str) -> None:
    assert quantity == stored


def test_a_negative_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="-1m is negative"):
        cpu(-1)
