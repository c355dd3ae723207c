"""The function at CloudFront's edge: redirects, and headers for the cache key."""

from __future__ import annotations

import ast
import json
import time
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edge.handler

pytestmark = pytest.mark.functions

SOURCE = Path(edge.handler.__file__)
IPHONE = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/18.1 Mobile/15E148 Safari/604.1")
IPAD = "Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile "
           "Safari/537.36")
GALAXY_TAB = ("Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 "
              "Safari/537.36")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def event(uri: str = "/", method: str = "GET", query: str = "", host: str = "candlefish.ai",
          **headers: str) -> dict[str, Any]:
    """"Lambda@Edge event structure", CloudFront developer guide: a viewer request."""
    sent = {"host": host, "accept": "*/*", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
                   "eventType": "viewer-request",
                   "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ=="},
        "request": {"clientIp": "203.0.113.178", "method": method, "uri": uri, "querystring": query,
                    "headers": {name: [{"key": name.title(), "value": value}] for name, value in sent.items()}}}}]}


def run(*arguments: Any, **keywords: Any) -> dict[str, Any]:
    return edge.handler.handle(event(*arguments, **keywords), None)


def header(answer: dict[str, Any], name: str) -> str | None:
    values = answer["headers"].get(name)
    return values[0]["value"] if values else None


@pytest.mark.parametrize(("uri", "query", "host", "location"), [
    ("/", "", "www.candlefish.ai", "https://candlefish.ai/"),
    ("/gallery/reef", "a=1&b=%20", "www.candlefish.ai", "https://candlefish.ai/gallery/reef?a=1&b=%20"),
    ("/", "", "WWW.Candlefish.AI", "https://candlefish.ai/"),
    ("/", "", "www.staging.candlefish.ai", "https://staging.candlefish.ai/"),
])
def test_www_is_redirected_to_the_apex_for_good(uri: str, query: str, host: str, location: str) -> None:
    answer = run(uri, query=query, host=host)
    assert (answer["status"], header(answer, "location")) == ("301", location)
    assert header(answer, "strict-transport-security") is not None


def test_a_redirected_post_stays_a_post() -> None:
    assert run("/api/analytics", "POST", host="www.candlefish.ai")["status"] == "308"


@pytest.mark.parametrize("host", ["candlefish.ai", "www", "www.", "wwwcandlefish.ai", "www.evil", "www.a..b",
                                  "www.candlefish.ai:8443", "www.candlefish.ai@evil.example", ""])
def test_other_hosts_are_not_redirected(host: str) -> None:
    assert "status" not in run(host=host)


@pytest.mark.parametrize(("sent", "kept"), [
    ("gzip, deflate, br", "br,gzip"), ("br;q=1.0, gzip;q=0.8, *;q=0.1", "br,gzip"), ("gzip", "gzip"),
    ("GZIP", "gzip"), ("deflate", None), ("", None), (None, None), ("*", "br,gzip"), ("br;q=0, gzip", "gzip"),
    ("*;q=0", None), ("identity", None), ("gzip;q=0.000", None), ("br;q=0.001", "br"), ("zstd, br", "br"),
    (",,;;=,q=1;;", None),
])
def test_encodings_become_one_of_three(sent: str | None, kept: str | None) -> None:
    assert header(run(**({} if sent is None else {"accept_encoding": sent})), "accept-encoding") == kept


@pytest.mark.parametrize(("agent", "device"), [
    (IPHONE, "mobile"), (ANDROID, "mobile"), (IPAD, "tablet"), (GALAXY_TAB, "tablet"), (FIREFOX, "desktop"),
    ("", "desktop"), ("curl/8.10.1", "desktop"), (IPHONE + "x" * 5000, "mobile")])
def test_a_page_is_for_a_class_of_devices(agent: str, device: str) -> None:
    answer = run("/work", user_agent=agent)
    assert (header(answer, "x-device-class"), header(answer, "x-image-format")) == (device, "any")


@pytest.mark.parametrize(("accept", "kind"), [
    ("image/avif,image/webp,*/*;q=0.8", "avif"), ("image/webp,*/*", "webp"), ("*/*", "original"), ("", "original"),
    ("IMAGE/AVIF", "avif")])
@pytest.mark.parametrize("uri", ["/images/reef.jpg", "/a/b.PNG", "/_next/image"])
def test_an_image_has_a_format(uri: str, accept: str, kind: str) -> None:
    answer = run(uri, accept=accept, user_agent=IPHONE)
    assert (header(answer, "x-device-class"), header(answer, "x-image-format")) == ("any", kind)


@pytest.mark.parametrize("uri", ["/_next/static/chunks/main-1a2b.js", "/fonts/a.woff2", "/styles.css", "/favicon.ico",
                                 "/api/analytics", "/memory/x", "/experiments", "/health", "/ws", "/logo.svg"])
def test_what_is_the_same_for_all_is_cached_once(uri: str) -> None:
    sent = [run(uri, user_agent=agent, accept=accept, accept_encoding="gzip, br")
            for agent in (IPHONE, FIREFOX) for accept in ("image/avif", "*/*")]
    keys = {(header(each, "x-device-class"), header(each, "x-image-format"), header(each, "accept-encoding"))
            for each in sent}
    assert keys == {("any", "any", "br,gzip")}


def test_what_a_browser_says_under_our_names_is_dropped() -> None:
    answer = run("/", x_device_class="evil", x_image_format="evil", user_agent=FIREFOX)
    assert (header(answer, "x-device-class"), header(answer, "x-image-format")) == ("desktop", "any")


def test_everything_else_of_a_request_is_kept() -> None:
    sent = event("/work", query="q=1", cookie="a=b", user_agent=FIREFOX)
    before = json.loads(json.dumps(sent))["Records"][0]["cf"]["request"]
    after = edge.handler.handle(sent, None)
    for name in ("method", "uri", "querystring", "clientIp"):
        assert after[name] == before[name]
    assert {name: after["headers"][name] for name in before["headers"]} == before["headers"]


@given(st.text(max_size=50), st.text(max_size=80), st.text(max_size=80), st.text(max_size=80), st.text(max_size=50))
@settings(max_examples=200, derandomize=True, deadline=None)
def test_no_request_breaks_it_and_there_are_few_cache_keys(uri: str, agent: str, accept: str, encoding: str,
                                                          host: str) -> None:
    answer = run(f"/{uri}", host=host, user_agent=agent, accept=accept, accept_encoding=encoding)
    if "status" not in answer:
        assert header(answer, "accept-encoding") in ("br,gzip", "br", "gzip", None)
        assert header(answer, "x-device-class") in ("any", "mobile", "tablet", "desktop")
        assert header(answer, "x-image-format") in ("any", "avif", "webp", "original")


def test_no_header_however_long_takes_long() -> None:
    started = time.perf_counter()
    for text in ("android " * 10_000, "q=0." * 10_000, "www." * 10_000, "a-" * 10_000, "image/" * 10_000):
        run("/" + text, host="www." + text, user_agent=text, accept=text, accept_encoding=text)
    assert time.perf_counter() - started < 1


def test_it_stays_within_the_limits_of_the_edge() -> None:
    """Quotas on Lambda@Edge: 1 MB compressed for viewer requests, 40 KB of a generated answer; no environment."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in SOURCE.parent.glob("*.py"):
            packed.write(file, f"edge/{file.name}")
    assert len(archive.getvalue()) < 1_000_000
    assert len(json.dumps(run("/" + "a" * 8000, host="www.candlefish.ai"))) < 40_000
    imported = {alias.name for node in ast.walk(ast.parse(SOURCE.read_text())) if isinstance(node, ast.Import)
                for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(ast.parse(SOURCE.read_text()))
                 if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "re", "typing"}
