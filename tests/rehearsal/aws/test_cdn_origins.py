"""What a viewer gets of a distribution before a server, and what that server is asked; functions at the edge."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from rehearsal.aws.cdn import doors
from tests.eventually import eventually
from tests.rehearsal.aws.cdn_world import Server, World, dynamic, edge_function

pytestmark = pytest.mark.rehearsal

ADDS_A_DEVICE = """
def handle(event, context):
    cf = event["Records"][0]["cf"]
    request = cf["request"]
    if request["uri"] == "/moved":
        return {"status": "301", "headers": {"location": [{"key": "Location", "value": "/x"}]}}
    if request["uri"] == "/broken":
        raise ValueError("on purpose")
    if request["uri"] == "/readonly":
        request["headers"]["host"] = [{"key": "Host", "value": "other.example"}]
    request["headers"]["x-device-class"] = [{"key": "X-Device-Class", "value": "mobile"}]
    request["headers"]["x-event"] = [{"key": "X-Event", "value": cf["config"]["eventType"]}]
    return request
"""
TELLS_WHEN = """
def handle(event, context):
    cf = event["Records"][0]["cf"]
    when = cf["config"]["eventType"]
    if when == "origin-request":
        cf["request"]["uri"] = "/v2" + cf["request"]["uri"]
        return cf["request"]
    cf["response"]["headers"]["x-" + when] = [{"key": "x-" + when, "value": "1"}]
    return cf["response"]
"""


def refreshed(world: World, url: str) -> None:
    eventually("it is refreshed", lambda: world.ask(url).headers["X-Cache"] == "RefreshHit from cloudfront")


def test_an_origin_gets_what_the_policies_name_and_nothing_else(world: World, server: Server) -> None:
    dynamic(world, server)
    got = world.ask("shop.example/x?v=1&w=2", Cookie="a=1", Authorization="me", X_Device_Class="tv",
                    Accept="text/x").json
    assert got["path"] == "/x?v=1"
    headers = got["headers"]
    assert (headers["Host"], headers["User-Agent"]) == ("origin.shop.example", "Amazon CloudFront")
    assert (headers["x-device-class"] if "x-device-class" in headers else headers["X-Device-Class"]) == "tv"
    assert headers["x-origin-verify"] == "secret"
    assert not {name.lower() for name in headers} & {"cookie", "authorization", "accept"}
    whole = world.ask("shop.example/api/x?w=2", "POST", b"hello", Cookie="a=1", Authorization="me").json
    assert (whole["path"], whole["body"]) == ("/api/x?w=2", "hello")
    assert (whole["headers"]["Host"], whole["headers"]["Cookie"]) == (world.public("shop.example"), "a=1")
    assert whole["headers"]["Authorization"] == "me"


def test_the_origin_says_for_how_long_and_an_unchanged_page_is_not_sent_again(world: World, server: Server) -> None:
    dynamic(world, server)
    server.headers = {"X-Powered-By": "us", "ETag": '"1"'}
    counts = [world.ask("shop.example/said").json["count"] for _ in range(2)]
    assert counts == [1, 2]  # nothing said, and a default of 0 s
    server.headers |= {"Cache-Control": "max-age=1"}
    first = world.ask("shop.example/brief")
    assert "X-Powered-By" not in first.headers
    assert world.ask("shop.example/brief").headers["X-Cache"] == "Hit from cloudfront"
    refreshed(world, "shop.example/brief")
    assert "If-None-Match" in server.asked[-1][2]
    assert world.ask("shop.example/brief").json["count"] == first.json["count"]


def test_a_page_outlives_its_origins_failure(world: World, server: Server) -> None:
    dynamic(world, server)
    server.headers = {"Cache-Control": "max-age=1"}
    count = world.ask("shop.example/x").json["count"]
    server.status = 503
    refreshed(world, "shop.example/x")
    assert (world.ask("shop.example/x").json["count"], server.asked[-1][1]) == (count, "/x")
    other = world.ask("shop.example/y")
    assert (other.status, other.headers["X-Cache"]) == (503, "Error from cloudfront")
    before = len(server.asked)
    assert world.ask("shop.example/y").status == 503
    assert len(server.asked) == before  # errors are kept for 10 s


def test_methods_that_a_behaviour_does_not_allow_are_refused(world: World, server: Server) -> None:
    dynamic(world, server)
    refused = world.ask("shop.example/x", "POST", b"1")
    assert (refused.status, b"not configured to allow" in refused.body) == (403, True)
    assert world.ask("shop.example/x", "TRACE").status == 405
    assert server.asked == []


def test_an_error_page_stands_in_for_an_origin_that_cannot_be_reached(world: World, server: Server) -> None:
    host = world.leads_to(1)  # nothing listens there
    offline = {"PathPattern": "/offline/*", **world.behaviour("bucket-0", world.cache("static"))}
    world.distribution(
        "shop.example", [world.server_origin(host), world.bucket_origin(0)],
        world.behaviour("server", world.cache("pages", 0, 0, 60)),
        CacheBehaviors={"Quantity": 1, "Items": [offline]}, CustomErrorResponses={"Quantity": 1, "Items": [
            {"ErrorCode": 502, "ResponseCode": "502", "ResponsePagePath": "/offline/index.html",
             "ErrorCachingMinTTL": 5}]})
    world.put("offline/index.html", "we are away")
    away = world.ask("shop.example/x")
    assert (away.status, away.body, away.headers["X-Cache"]) == (502, b"we are away", "Error from cloudfront")


def test_a_function_at_the_edge_changes_a_request_and_answers_by_itself(world: World, server: Server) -> None:
    arn = edge_function(world.aws, ADDS_A_DEVICE)
    dynamic(world, server, Default={"LambdaFunctionAssociations": {"Quantity": 1, "Items": [
        {"LambdaFunctionARN": arn, "EventType": "viewer-request", "IncludeBody": False}]}})
    got = world.ask("shop.example/x").json["headers"]
    assert {name.lower(): value for name, value in got.items()}["x-device-class"] == "mobile"
    moved = world.ask("shop.example/moved")
    assert (moved.status, moved.headers["Location"]) == (301, "/x")
    assert moved.headers["X-Cache"] == "LambdaGeneratedResponse from cloudfront"
    assert (world.ask("shop.example/broken").status, world.ask("shop.example/readonly").status) == (503, 502)


def test_what_a_viewer_sends_reaches_the_origin_as_it_came(world: World, server: Server) -> None:
    dynamic(world, server)
    got = world.ask("shop.example/api/x", "POST", b"not compressed", Content_Encoding="gzip", Upgrade="websocket")
    assert (got.status, got.json["body"]) == (200, "not compressed")


def test_what_is_no_request_is_refused_with_cloudfronts_page(world: World, server: Server) -> None:
    dynamic(world, server)
    got = world.ask("shop.example/api/x", "FOO")
    assert (got.status, b"Generated by cloudfront" in got.body, b"FOO" in got.body) == (400, True, False)


def test_a_handshake_with_an_origin_that_cannot_be_reached_is_a_502(world: World) -> None:
    async def talk() -> int:
        await asyncio.to_thread(dynamic, world, Server(1))
        address = (await asyncio.to_thread(doors.read, world.aws.endpoint.cdn_port))[world.public("shop.example")]
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"http://{address}/api/live")
        return refused.value.status

    assert asyncio.run(talk()) == 502


def test_a_server_that_cannot_be_reached_is_stood_in_for_by_the_second_origin(world: World) -> None:
    group = {"Id": "both", "FailoverCriteria": {"StatusCodes": {"Quantity": 1, "Items": [503]}},
             "Members": {"Quantity": 2, "Items": [{"OriginId": "server"}, {"OriginId": "bucket-0"}]}}
    world.distribution("shop.example", [world.server_origin(world.leads_to(1)), world.bucket_origin(0)],
                       world.behaviour("both", world.cache("c", 0, 0, 0)),
                       OriginGroups={"Quantity": 1, "Items": [group]})
    world.put("x", "from the bucket")
    got = world.ask("shop.example/x")
    assert (got.status, got.body, got.headers["X-Cache"]) == (200, b"from the bucket", "Miss from cloudfront")


def test_a_name_that_leads_nowhere_is_a_502_that_says_so(world: World) -> None:
    world.distribution("shop.example", [world.server_origin("nowhere.example")],
                       world.behaviour("server", world.cache("c")))
    got = world.ask("shop.example/x")
    assert (got.status, b"nowhere.example is in no public hosted zone" in got.body) == (502, True)


def test_functions_run_before_and_behind_the_cache(world: World, server: Server) -> None:
    arn = edge_function(world.aws, TELLS_WHEN)
    dynamic(world, server, Default={"LambdaFunctionAssociations": {"Quantity": 3, "Items": [
        {"LambdaFunctionARN": arn, "EventType": event, "IncludeBody": False}
        for event in ("origin-request", "origin-response", "viewer-response")]}})
    server.headers = {"Cache-Control": "max-age=60"}
    first, second = world.ask("shop.example/x"), world.ask("shop.example/x")
    assert [answer.headers["X-Cache"].split()[0] for answer in (first, second)] == ["Miss", "Hit"]
    assert [path for _, path, _ in server.asked] == ["/v2/x"]
    for answer in (first, second):
        assert answer.headers.get_all("x-origin-response") == ["1"]
        assert answer.headers.get_all("x-viewer-response") == ["1"]


def test_a_websocket_goes_through_and_ends_as_either_side_says(world: World) -> None:
    ended = asyncio.Event()

    async def echo(request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"path": request.path_qs, "host": request.headers["Host"]})
        async for message in socket:
            if message.data == "leave":
                await socket.close(code=1012)
            else:
                await socket.send_str(f"you said {message.data}")
        ended.set()
        return socket

    async def talk() -> None:
        runner = web.ServerRunner(web.Server(echo))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await asyncio.to_thread(dynamic, world, Server(runner.addresses[0][1]))
        address = (await asyncio.to_thread(doors.read, world.aws.endpoint.cdn_port))[world.public("shop.example")]
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"http://{address}/api/live?a=1") as socket:
                told = await asyncio.wait_for(socket.receive_json(), 30)
                assert told == {"path": "/api/live?a=1", "host": world.public("shop.example")}
                await socket.send_str("hello")
                assert await asyncio.wait_for(socket.receive_str(), 30) == "you said hello"
            await asyncio.wait_for(ended.wait(), 5)  # at once, not when some time is over
            async with session.ws_connect(f"http://{address}/api/live") as socket:
                await asyncio.wait_for(socket.receive_json(), 30)
                await socket.send_str("leave")
                assert (await asyncio.wait_for(socket.receive(), 5)).type is aiohttp.WSMsgType.CLOSE
                assert socket.close_code == 1012
        await runner.cleanup()

    asyncio.run(talk())
