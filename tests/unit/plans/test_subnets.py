from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.plans.subnets import LARGEST_VPC_PREFIX, MAXIMUM_ZONES, SMALLEST_VPC_PREFIX, plan

pytestmark = pytest.mark.unit


@st.composite
def vpcs(draw: st.DrawFn) -> IPv4Network:
    prefix = draw(st.integers(LARGEST_VPC_PREFIX, SMALLEST_VPC_PREFIX))
    base = draw(st.integers(0, 2**prefix - 1)) << (32 - prefix)
    return IPv4Network((base, prefix))


@given(vpcs(), st.integers(1, MAXIMUM_ZONES))
def test_subnets_lie_in_the_vpc_do_not_overlap_and_are_allowed_by_aws(cidr: IPv4Network, zones: int) -> None:
    subnets = [s for kind in vars(plan(cidr, zones)).values() for s in kind]
    assert len(subnets) == 3 * zones
    assert all(s.subnet_of(cidr) and 16 <= s.prefixlen <= 28 for s in subnets)
    assert not any(a.overlaps(b) for i, a in enumerate(subnets) for b in subnets[i + 1:])


@given(vpcs(), st.integers(1, MAXIMUM_ZONES - 1))
def test_adding_a_zone_moves_no_subnet(cidr: IPv4Network, zones: int) -> None:
    before, after = plan(cidr, zones), plan(cidr, zones + 1)
    assert after.private[:zones] == before.private
    assert after.public[:zones] == before.public
    assert after.data[:zones] == before.data


@pytest.mark.parametrize(("cidr", "zones"), [("10.0.0.0/15", 3), ("10.0.0.0/23", 3), ("10.0.0.0/16", 0),
                                             ("10.0.0.0/16", 5)])
def test_what_can_not_be_divided_is_refused(cidr: str, zones: int) -> None:
    with pytest.raises(ValueError, match=r"1 to 4|/16 to /22"):
        plan(IPv4Network(cidr), zones)
