"""Tables of the edge: hosts, behaviours, firewall rules, headers."""

from __future__ import annotations

import pytest

from infra.plans import edge
from infra.plans.hosts import also, hosts
from infra.settings.model import Domain

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("prefix", "apex", "api"), [
    ("", "candlefish.ai", "api.candlefish.ai"),
    ("staging", "staging.candlefish.ai", "api.staging.candlefish.ai"),
])
def test_hosts_stand_below_the_stacks_own_name(prefix: str, apex: str, api: str) -> None:
    found = hosts(Domain(prefix=prefix))
    assert (found.apex, found.www, found.api) == (apex, f"www.{apex}", api)
    assert set(found.site) < set(found.regional)
    assert set(found.regional) | set(found.static) == set(found.by_role.values())
    assert len(found.regional) <= 10  # names of a certificate, ACM's quota


def test_the_first_matching_behaviour_is_the_more_specific_one() -> None:
    paths = [behaviour.path.rstrip("*") for behaviour in edge.BEHAVIOURS]
    shadowed = [later for index, earlier in enumerate(paths) for later in paths[index + 1:]
                if later.startswith(earlier)]
    assert shadowed == []


def test_error_pages_come_from_the_static_site_and_not_from_what_failed() -> None:
    (behaviour,) = [one for one in edge.BEHAVIOURS if edge.OFFLINE_PAGE.startswith(one.path.rstrip("*"))]
    assert behaviour.origin in edge.ORIGIN_GROUPS
    assert 503 not in edge.OFFLINE_STATUS_CODES
    assert 503 in edge.UNKEPT_STATUS_CODES  # what one sees by the maintenance header stays one's own


def test_each_colour_of_the_static_site_is_first_in_one_group() -> None:
    first = [edge.ORIGIN_GROUPS[group][0] for group in edge.LIVE_COLOUR]
    assert sorted(first) == [edge.Origin.SITE_BLUE, edge.Origin.SITE_GREEN]


def test_the_content_policy_allows_the_animation_and_nothing_inline() -> None:
    policy = edge.content_security_policy(hosts(Domain()), "https://candlefish.report-uri.com/r/d/csp/enforce")
    directives = dict(part.partition(" ")[::2] for part in policy.split("; "))
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "'unsafe-eval'" not in directives["script-src"].replace("'wasm-unsafe-eval'", "")
    assert "blob:" in directives["worker-src"]
    assert directives["frame-ancestors"] == directives["object-src"] == "'none'"
    assert directives["report-uri"] == "https://candlefish.report-uri.com/r/d/csp/enforce"
    assert "wss://ws.candlefish.ai" in directives["connect-src"]


def test_a_name_of_the_static_pages_leads_to_its_folder() -> None:
    code = edge.static_hosts_function(hosts(Domain(prefix="staging")))
    assert len(code.encode()) < 10 * 1024  # CloudFront's quota
    assert '"docs.staging.candlefish.ai": "/docs"' in code
    assert "x-amz" not in code


def test_a_stack_that_stands_in_for_another_knows_the_others_static_pages() -> None:
    names = also(Domain(prefix="recovery", also_serves="candlefish.ai"))
    assert names is not None
    code = edge.static_hosts_function(hosts(Domain(prefix="recovery")), names)
    assert '"docs.recovery.candlefish.ai": "/docs"' in code
    assert '"docs.candlefish.ai": "/docs"' in code
