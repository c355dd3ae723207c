"""Tables of the edge: hosts, behaviours, firewall rules, headers."""

from __future__ import annotations

import pytest

from infra.plans import edge
from infra.settings.model import Domain, Edge

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("prefix", "apex", "api"), [
    ("", "candlefish.ai", "api.candlefish.ai"),
    ("staging", "staging.candlefish.ai", "api.staging.candlefish.ai"),
])
def test_hosts_stand_below_the_stacks_own_name(prefix: str, apex: str, api: str) -> None:
    found = edge.hosts(Domain(prefix=prefix))
    assert (found.apex, found.www, found.api) == (apex, f"www.{apex}", api)
    assert set(found.site) < set(found.regional)


def test_the_first_matching_behaviour_is_the_more_specific_one() -> None:
    paths = [behaviour.path.rstrip("*") for behaviour in edge.BEHAVIOURS]
    shadowed = [later for index, earlier in enumerate(paths) for later in paths[index + 1:]
                if later.startswith(earlier)]
    assert shadowed == []


def test_error_pages_come_from_the_static_site_and_not_from_what_failed() -> None:
    (behaviour,) = [one for one in edge.BEHAVIOURS if edge.OFFLINE_PAGE.startswith(one.path.rstrip("*"))]
    assert behaviour.origin in edge.ORIGIN_GROUPS
    assert 503 not in edge.OFFLINE_STATUS_CODES


def test_each_colour_of_the_static_site_is_first_in_one_group() -> None:
    first = [members[0] for members in edge.ORIGIN_GROUPS.values()]
    assert sorted(first) == [edge.Origin.SITE_BLUE, edge.Origin.SITE_GREEN]


@pytest.mark.parametrize("scope", list(edge.Scope))
@pytest.mark.parametrize("bot_control", [True, False])
def test_managed_rules_have_priorities_of_their_own_behind_our_rules(scope: edge.Scope, bot_control: bool) -> None:
    rules = edge.managed_rules(Edge(bot_control=bot_control), scope)
    priorities = [rule.priority for rule in rules]
    assert len(set(priorities)) == len(priorities)
    assert min(priorities) > 3


def test_the_content_policy_allows_the_animation_and_nothing_inline() -> None:
    policy = edge.content_security_policy(edge.hosts(Domain()), "https://candlefish.report-uri.com/r/d/csp/enforce")
    directives = dict(part.partition(" ")[::2] for part in policy.split("; "))
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "'unsafe-eval'" not in directives["script-src"].replace("'wasm-unsafe-eval'", "")
    assert "blob:" in directives["worker-src"]
    assert directives["frame-ancestors"] == directives["object-src"] == "'none'"
    assert directives["report-uri"] == "https://candlefish.report-uri.com/r/d/csp/enforce"
    assert "wss://ws.candlefish.ai" in directives["connect-src"]
