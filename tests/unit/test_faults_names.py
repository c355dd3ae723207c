"""What exists is compared by names without what is drawn at random."""

from __future__ import annotations

import pytest

from tests.faults.world import plain_id

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("id", "plain"), [
    ("EEUECARTBMWURG", "#"), ("E1PA6795UKMFR9", "#"), ("/hostedzone/Z0H2DF83KD93JD", "/hostedzone/#"),
    ("us-east-1_I9nyc3Die", "us-east-1_#"), ("faults-any", "faults-any"), ("CREATE", "CREATE"),
    ("sh.helm.release.v1.monitoring.v4", "sh.helm.release.v1.monitoring.v#"),
    ("arn:aws:wafv2:us-east-1:0:global/webacl/site/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
     "arn:aws:wafv2:us-east-1:0:global/webacl/site/#")])
def test_an_id_loses_what_is_drawn_even_when_only_letters_were(id: str, plain: str) -> None:
    assert plain_id(id) == plain
