"""The firewalls' rules: what they stop, for whom, and what capacity they take."""

from __future__ import annotations

from typing import Any

import pytest

from infra.plans import firewall
from infra.plans.firewall import Scope
from infra.plans.hosts import hosts
from infra.settings.model import Domain, Edge

pytestmark = pytest.mark.unit

HOSTS = hosts(Domain(prefix="staging"))


def rules(scope: Scope, edge: Edge) -> list[firewall.Rule]:
    if scope is Scope.CLOUDFRONT:
        return firewall.cloudfront_rules(edge, "arn:ip-set")
    return firewall.regional_rules(edge, HOSTS, "secret")


def named(found: list[firewall.Rule], name: str) -> Any:
    return next(rule for rule in found if rule["name"] == name)


def hosts_of(statement: Any) -> set[str]:
    return {each["byte_match_statement"]["search_string"] for each in statement["or_statement"]["statements"]}


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("bot_control", [True, False])
def test_every_rule_has_a_name_a_priority_and_metrics_of_its_own_and_all_fit_into_a_web_acl(
        scope: Scope, bot_control: bool) -> None:
    found = rules(scope, Edge(bot_control=bot_control))
    assert len({rule["name"] for rule in found}) == len({rule["priority"] for rule in found}) == len(found)
    assert all(rule["visibility_config"]["cloudwatch_metrics_enabled"] for rule in found)
    assert {rule.name for rule in firewall.MANAGED_RULES} < {rule["name"] for rule in found}
    assert 1175 < firewall.capacity(found) <= firewall.INCLUDED_CAPACITY


def test_capacity_is_counted_as_documented() -> None:
    found = firewall.cloudfront_rules(Edge(bot_control=True), "arn:ip-set")
    # two blocked paths and one for operators: 2 and three transformations each; the rate limit 2, the IP set 1
    assert firewall.capacity(found) == 3 * (2 + 3 * 10) + 2 + 1 + 25 + 50 + 700 + 200 + 200 + 50


def test_a_rule_of_unknown_capacity_is_refused() -> None:
    with pytest.raises(ValueError, match=r"capacity of geo_match_statement .* is not known"):
        firewall.capacity([{"statement": {"geo_match_statement": {}}}])


def test_everything_but_the_open_names_needs_cloudfronts_secret_at_the_load_balancer() -> None:
    statement = named(rules(Scope.REGIONAL, Edge()), firewall.ORIGIN_RULE)["statement"]["and_statement"]
    opened, verified = (each["not_statement"]["statement"] for each in statement["statements"])
    assert hosts_of(opened) == {HOSTS.api, HOSTS.direct, *HOSTS.operators}
    assert verified["byte_match_statement"]["search_string"] == "secret"


def test_the_dashboards_path_is_closed_at_cloudfront_to_all_but_operators() -> None:
    path, strangers = named(rules(Scope.CLOUDFRONT, Edge()),
                            firewall.OPERATORS_RULE)["statement"]["and_statement"]["statements"]
    assert path["byte_match_statement"]["search_string"] == "/operational-dashboard"
    assert strangers["not_statement"]["statement"] == {"ip_set_reference_statement": {"arn": "arn:ip-set"}}


def test_paths_are_compared_after_decoding_so_that_no_spelling_slips_through() -> None:
    for scope in Scope:
        paths = named(rules(scope, Edge()), firewall.BLOCKED_PATHS_RULE)["statement"]["or_statement"]["statements"]
        assert {each["byte_match_statement"]["search_string"] for each in paths} == set(firewall.BLOCKED_PATHS)
        assert all([kind["type"] for kind in each["byte_match_statement"]["text_transformations"]] == [
            "URL_DECODE", "NORMALIZE_PATH", "LOWERCASE"] for each in paths)


def test_bot_control_turns_no_synthetic_check_away() -> None:
    """Those that block what is no browser (Bot Control rule group, rules listing): our canary, Route 53, partners."""
    (rule,) = [one for one in rules(Scope.CLOUDFRONT, Edge(bot_control=True))
               if one["name"] == firewall.BOT_CONTROL.name]
    overrides = rule["statement"]["managed_rule_group_statement"]["rule_action_overrides"]
    assert {one["name"]: one["action_to_use"] for one in overrides} == {
        "CategoryHttpLibrary": {"count": {}}, "CategoryMonitoring": {"count": {}},
        "SignalKnownBotDataCenter": {"count": {}}, "SignalNonBrowserUserAgent": {"count": {}}}


def test_only_cloudfront_has_bot_control_when_it_is_wanted() -> None:
    names = {scope: {rule["name"] for rule in rules(scope, Edge(bot_control=True))} for scope in Scope}
    assert firewall.BOT_CONTROL.name in names[Scope.CLOUDFRONT]
    assert firewall.BOT_CONTROL.name not in names[Scope.REGIONAL]
