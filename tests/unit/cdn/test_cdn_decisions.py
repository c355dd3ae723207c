"""CloudFront's decisions that need no process: paths, the cache key, times, failover, who may read a bucket."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from rehearsal.aws.cdn import failover, lifetime, patterns, permission, selection
from rehearsal.aws.cdn.model import (
    Behaviour,
    CachePolicy,
    Choice,
    Distribution,
    ErrorPage,
    Group,
    Origin,
    Selection,
)
from rehearsal.aws.cdn.store import Entry, Store

pytestmark = pytest.mark.unit

NOW = 1_700_000_000.0
KEYED = CachePolicy(Selection(
    Choice("whitelist", frozenset({"host", "x-device"})), Choice("whitelist", frozenset({"s"})),
    Choice("allExcept", frozenset({"utm"}))), gzip=True, brotli=True)
BEHAVIOUR = Behaviour("*", "a", "https-only", frozenset({"GET"}), frozenset({"GET"}), True, KEYED)


@pytest.mark.parametrize(("pattern", "path", "expected"), [
    ("/_next/static/*", "/_next/static/a/b.js", True),
    ("/_next/static/*", "/_next/static", False),
    ("_next/static/*", "/_next/static/a", True),
    ("*.jpg", "/deep/er/a.jpg", True),
    ("*.jpg", "/a.JPG", False),
    ("/a?.html", "/ab.html", True),
    ("/a?.html", "/a.html", False),
    ("/a?.html", "/abc.html", False),
    ("/api/analytics*", "/api/analytics/v1", True),
    ("/health", "/healthy", False),
    ("/a.c", "/abc", False),
    ("*", "/", True),
])
def test_a_path_pattern_is_cloudfronts_own(pattern: str, path: str, expected: bool) -> None:
    assert patterns.matches(pattern, path) is expected


@given(st.text(st.sampled_from("ab/.+[]()*?"), max_size=8), st.text(st.sampled_from("ab/.+[]()"), max_size=8))
def test_only_star_and_question_mark_mean_anything(pattern: str, path: str) -> None:
    expected = re.fullmatch("/?" + re.escape(pattern.removeprefix("/")).replace(r"\*", ".*").replace(r"\?", "."),
                            f"/{path}")
    assert patterns.matches(pattern, f"/{path}") is (expected is not None)


def test_the_first_behaviour_that_matches_counts_and_the_default_is_last() -> None:
    behaviours = [dataclasses.replace(BEHAVIOUR, pattern=each) for each in ("/api/special*", "/api/*", "*")]
    assert [patterns.behaviour_for(behaviours, path).pattern for path in ("/api/special/1", "/api/x", "/x")] == [
        "/api/special*", "/api/*", "*"]


@pytest.mark.parametrize(("pattern", "path", "query", "expected"), [
    ("/a/*", "/a/b", "", True), ("/a/*", "/a/b", "v=1", True), ("/a", "/a", "", True), ("/a", "/a", "v=1", False),
    ("/a?v=1", "/a", "v=1", True), ("a", "/a", "", True), ("/*", "/x", "", True), ("/a", "/ab", "", False),
    ("/a*b", "/axb", "", False),
])
def test_an_invalidation_has_its_star_at_the_end(pattern: str, path: str, query: str, expected: bool) -> None:
    assert patterns.invalidates(pattern, path, query) is expected


def key(path: str = "/x", query: str = "", method: str = "GET", **headers: str) -> Any:
    return selection.key("D", BEHAVIOUR, method, path, query, {
        name.replace("_", "-"): value for name, value in headers.items()})


def test_only_what_the_policy_names_is_in_the_key() -> None:
    assert key(query="a=1&utm=x", Cookie="t=1; s=2", Accept="text/html") == key(query="a=1", Cookie="s=2")
    assert key(query="a=1") != key(query="a=2")
    assert key(X_Device="tv") != key(X_Device="phone")
    assert key(Cookie="s=1") != key(Cookie="s=2")
    assert key("/x") != key("/X")
    assert key(x_DEVICE="tv") == key(X_Device="tv")
    assert key(method="HEAD") == key(method="GET") != key(method="OPTIONS")


@pytest.mark.parametrize(("accepted", "expected"), [
    ("br, gzip, deflate", "br,gzip"), ("gzip;q=0.1", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", ""), ("", ""),
    ("*", "br,gzip"), ("GZIP", "gzip"),
])
def test_encodings_are_normalised(accepted: str, expected: str) -> None:
    assert selection.encodings(KEYED, accepted) == expected
    assert selection.encodings(dataclasses.replace(KEYED, gzip=False, brotli=False), accepted) == ""


def sent(request: Selection | None, added: dict[str, str] | None = None, **headers: str) -> CIMultiDict[str]:
    return selection.origin_headers(
        dataclasses.replace(BEHAVIOUR, request=request),
        {name.replace("_", "-"): each for name, each in headers.items()}, added or {}, domain="origin.example",
        client="192.0.2.1", request_id="1", via="1.1 d (CloudFront)", custom=[("x-secret", "s")])


def test_without_a_request_policy_the_origin_gets_the_key_and_what_cloudfront_always_sends() -> None:
    got = sent(None, Host="a.example", User_Agent="me", Cookie="s=1; t=2", Accept="x", X_Device="tv", Range="bytes=0-1",
               Accept_Encoding="gzip, zstd", X_Secret="forged", X_Forwarded_For="10.0.0.1", Connection="close")
    assert dict(got) == {
        "Host": "a.example", "User-Agent": "Amazon CloudFront", "X-Device": "tv", "Range": "bytes=0-1", "Cookie": "s=1",
        "Accept-Encoding": "gzip", "X-Forwarded-For": "10.0.0.1, 192.0.2.1", "Via": "1.1 d (CloudFront)",
        "X-Amz-Cf-Id": "1", "x-secret": "s"}


def test_a_request_policy_for_all_but_the_host_keeps_the_origins_name() -> None:
    got = sent(Selection(Choice("allExcept", frozenset({"host"})), Choice("all"), Choice("all")), User_Agent="me",
               Cookie="s=1; t=2", Accept="x", Authorization="token")
    assert (got["Host"], got["User-Agent"], got["Cookie"]) == ("origin.example", "me", "s=1; t=2")
    assert (got["Accept"], got["Authorization"]) == ("x", "token")


def test_headers_of_cloudfront_come_only_where_they_are_named() -> None:
    added = selection.cloudfront_headers("Mozilla/5.0 (iPhone) Mobile", "192.0.2.1")
    assert added["CloudFront-Is-Mobile-Viewer"] == "true"
    assert added["CloudFront-Is-Desktop-Viewer"] == "false"
    everything = Selection(Choice("allViewer"))
    assert not [name for name in sent(everything, added) if name.startswith("CloudFront-")]
    named = Selection(Choice("allViewerAndWhitelistCloudFront", frozenset({"cloudfront-forwarded-proto"})))
    assert [name for name in sent(named, added) if name.startswith("CloudFront-")] == ["CloudFront-Forwarded-Proto"]


def test_an_unknown_choice_is_an_error() -> None:
    with pytest.raises(ValueError, match="sometimes"):
        selection.chosen(Choice("sometimes"), "x")


@pytest.mark.parametrize(("control", "minimum", "default", "maximum", "expected"), [
    ("", 0, 60, 600, 60), ("", 100, 60, 600, 100), ("max-age=30", 0, 60, 600, 30), ("max-age=30", 100, 0, 600, 100),
    ("max-age=3000", 0, 60, 600, 600), ("max-age=30, s-maxage=90", 0, 60, 600, 90), ("no-store", 0, 60, 600, 0),
    ("private", 50, 60, 600, 50), ("no-cache, max-age=90", 0, 60, 600, 0), ("max-age=30", 0, 0, 0, 0),
    ("public, Max-Age=\"45\"", 0, 60, 600, 45), ("max-age=soon", 0, 60, 600, 60),
])
def test_an_answer_is_kept_between_minimum_and_maximum(control: str, minimum: int, default: int, maximum: int,
                                                      expected: float) -> None:
    policy = CachePolicy(minimum=minimum, default=default, maximum=maximum)
    headers = {"cache-control": control} if control else {}
    assert lifetime.lifetime(policy, 200, headers, NOW) == expected


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000), st.one_of(st.none(), st.integers(0, 2000)))
def test_no_answer_is_kept_for_longer_than_the_maximum(minimum: int, default: int, spread: int,
                                                       asked: int | None) -> None:
    policy = CachePolicy(minimum=minimum, default=default, maximum=minimum + spread)
    headers = {} if asked is None else {"Cache-Control": f"max-age={asked}"}
    assert policy.minimum <= lifetime.lifetime(policy, 200, headers, NOW) <= policy.maximum


def test_expires_counts_where_nothing_newer_is_said() -> None:
    policy = CachePolicy(minimum=0, default=5, maximum=600)
    expires = "Tue, 14 Nov 2023 22:14:20 GMT"  # a minute after NOW
    assert lifetime.lifetime(policy, 200, {"Expires": expires}, NOW) == 60
    assert lifetime.lifetime(policy, 200, {"Expires": expires, "Cache-Control": "max-age=7"}, NOW) == 7
    assert lifetime.lifetime(policy, 200, {"Expires": "0"}, NOW) == 0


@pytest.mark.parametrize(("status", "control", "error", "expected"), [
    (404, "", None, 10), (503, "no-store", None, 10), (404, "max-age=90", None, 90), (404, "", ErrorPage(minimum=3), 3),
    (403, "", None, 0), (403, "max-age=20", None, 20), (403, "", ErrorPage("/e.html"), 10), (416, "max-age=9", None, 0),
    (206, "max-age=9", None, 0), (304, "max-age=9", None, 0),
])
def test_errors_have_times_of_their_own(status: int, control: str, error: ErrorPage | None, expected: float) -> None:
    headers = {"Cache-Control": control} if control else {}
    assert lifetime.lifetime(CachePolicy(maximum=0, default=0), status, headers, NOW, error) == expected


def distribution() -> Distribution:
    origins = {id: Origin(id, f"{id}.example", "", (), False) for id in "ab"}
    return Distribution("1", "D", "arn", "d.cloudfront.net", True, (), "", (BEHAVIOUR,), origins,
                        {"g": Group("g", ("a", "b"), frozenset({503}))}, {})


def test_a_group_is_asked_in_order_and_never_twice_for_a_post() -> None:
    assert [each.id for each in failover.candidates(distribution(), "g", "GET")] == ["a", "b"]
    assert [each.id for each in failover.candidates(distribution(), "g", "POST")] == ["a"]
    assert [each.id for each in failover.candidates(distribution(), "b", "GET")] == ["b"]
    group = distribution().groups["g"]
    assert [failover.fails_over(group, status) for status in (503, None, 500, 200)] == [True, True, False, False]
    assert not failover.fails_over(None, None)


def entry(path: str, body: bytes = b"1234", id: str = "D", until: float = 20.0) -> Entry:
    return Entry(200, CIMultiDict({"Age": "5"}), body, 10.0, until, id, (path,), "")


def test_the_oldest_answers_go_when_there_are_too_many_bytes() -> None:
    store = Store(limit_bytes=10)
    for path in ("/a", "/b"):
        store.put(path, entry(path))
    assert store.get("/a") is not None  # used, so `/b` is the oldest
    store.put("/c", entry("/c"))
    assert [store.get(path) is not None for path in ("/a", "/b", "/c")] == [True, False, True]
    store.put("/huge", entry("/huge", b"x" * 11))
    assert (store.get("/huge"), len(store)) == (None, 2)


def test_an_answer_ages_and_is_renewed() -> None:
    store = Store()
    store.put("/a", entry("/a"))
    assert (entry("/a").age(13.5), entry("/a").fresh(19.9), entry("/a").fresh(20.0)) == (8, True, False)
    assert store.renew("/a", entry("/a"), 30.0, 5.0).fresh(34.9)


def test_an_invalidation_is_of_one_distribution() -> None:
    store = Store()
    for id in "DE":
        store.put(id, entry("/a", id=id))
    assert store.invalidate("D", ["/*"]) == 1
    assert [store.get(id) is not None for id in "DE"] == [False, True]
    store.keep_only([])
    assert len(store) == 0


ALLOW = {"Effect": "Allow", "Principal": {"Service": permission.SERVICE}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::b/*", "Condition": {"StringEquals": {"AWS:SourceArn": "arn:D"}}}
TLS = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
       "Condition": {"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": "1.2"}}}


@pytest.mark.parametrize(("statements", "distribution", "expected"), [
    ([ALLOW], "arn:D", True), ([ALLOW], "arn:E", False), ([ALLOW, TLS], "arn:D", True), ([], "arn:D", False),
    ([ALLOW, {**TLS, "Condition": {}}], "arn:D", False), ([ALLOW], "", False),
    ([{**ALLOW, "Action": ["s3:Put*"]}], "arn:D", False),
    ([{**ALLOW, "Resource": "arn:aws:s3:::b/private/*"}], "arn:D", False),
    ([{**ALLOW, "Principal": {"Service": "lambda.amazonaws.com"}}], "arn:D", False),
    ([{**ALLOW, "Principal": "*", "Condition": {}}], "", True),
    ([{**ALLOW, "Condition": {"StringEquals": {"aws:SourceVpce": "v"}}}], "arn:D", False),
    ([{**ALLOW, "Condition": {"StringNotEquals": {"aws:SourceArn": "arn:D"}}}], "arn:D", False),
    ([{**ALLOW, "Condition": {"ArnLike": {"aws:SourceArn": ["x", "arn:*"]}}}], "arn:D", True),
])
def test_a_buckets_policy_lets_its_distributions_read(statements: list[Any], distribution: str, expected: bool) -> None:
    policy = {"Statement": statements}
    assert permission.allowed(policy, "s3:GetObject", "arn:aws:s3:::b/a.html", distribution, "1") is expected


@pytest.mark.parametrize("more", [{"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, {"NotAction": "s3:*"},
                                  {"NotPrincipal": {"AWS": "1"}}])
def test_what_a_policy_cannot_be_judged_by_is_an_error(more: dict[str, Any]) -> None:
    with pytest.raises(permission.UnknownCondition):
        permission.allowed({"Statement": {**ALLOW, **more}}, "s3:GetObject", "arn:aws:s3:::b/a", "arn:D", "1")
