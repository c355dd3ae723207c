"""What a viewer gets of an emulated distribution: pages of S3, a server behind a load balancer's name, functions."""

from __future__ import annotations

import gzip
import http.server
import io
import json
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from rehearsal.aws.cdn import doors
from rehearsal.aws.cdn.names import FRONT_DOOR

pytestmark = pytest.mark.rehearsal

PAGE = "<h1>Candlefish</h1>" * 100
SECURITY = {
    "ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'self'", "Override": False},
    "ContentTypeOptions": {"Override": True}, "FrameOptions": {"FrameOption": "DENY", "Override": True},
    "ReferrerPolicy": {"ReferrerPolicy": "same-origin", "Override": True},
    "StrictTransportSecurity": {"AccessControlMaxAgeSec": 600, "IncludeSubdomains": True, "Preload": True,
                                "Override": True}}
READ = {"Quantity": 2, "Items": ["GET", "HEAD"], "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}
ALL = {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
       "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]}}
CODES = [403, 404, 500, 502, 503, 504]
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
FOLDERS = """
function handler(event) {
    var request = event.request;
    request.uri = "/docs" + request.uri;
    request.headers["x-from"] = { value: event.context.eventType };
    return request;
}
"""


@dataclass
class Server:
    """An origin of the test's own; it answers with what it got."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture(name="server")
def server_fixture() -> Iterator[Server]:
    seen = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            seen.asked.append((self.command, self.path, dict(self.headers)))
            answer = json.dumps({"count": len(seen.asked), "path": self.path, "headers": dict(self.headers),
                                 "body": body.decode()}).encode()
            unchanged = "If-None-Match" in self.headers and self.headers["If-None-Match"] == seen.headers.get("ETag")
            self.send_response(304 if unchanged else seen.status)
            for name, value in seen.headers.items():
                self.send_header(name, value)
            if not unchanged:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if not unchanged:
                self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        seen.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield seen
        running.shutdown()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class World:
    """Two buckets, a name that leads to `server`, and distributions of them."""

    def __init__(self, aws: Any) -> None:
        self.aws, self.account = aws, aws.account
        self.cloudfront, self.s3 = aws.client("cloudfront"), aws.client("s3")
        self.buckets = [f"site-{colour}-{self.account}" for colour in ("blue", "green")]
        for bucket in self.buckets:
            self.s3.create_bucket(Bucket=bucket)
        self.control = self.cloudfront.create_origin_access_control(OriginAccessControlConfig={
            "Name": "oac", "SigningProtocol": "sigv4", "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3"})["OriginAccessControl"]["Id"]
        self.headers = self.cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig={
            "Name": "headers", "SecurityHeadersConfig": SECURITY, "RemoveHeadersConfig": {
                "Quantity": 1, "Items": [{"Header": "x-powered-by"}]}, "CustomHeadersConfig": {
                "Quantity": 1, "Items": [{"Header": "Permissions-Policy", "Value": "camera=()", "Override": True}]}})[
            "ResponseHeadersPolicy"]["Id"]

    def public(self, name: str) -> str:
        """Tests share the embedded AWS, and a name is one distribution's only."""
        return f"{name}.{self.account}"

    def cache(self, name: str, minimum: int = 0, default: int = 60, maximum: int = 600, queries: tuple[str, ...] = (),
              headers: tuple[str, ...] = ()) -> str:
        key = {"EnableAcceptEncodingGzip": maximum > 0, "EnableAcceptEncodingBrotli": maximum > 0,
               "CookiesConfig": {"CookieBehavior": "none"},
               "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {
                   "Quantity": len(headers), "Items": list(headers)}} if headers else {"HeaderBehavior": "none"},
               "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": {
                   "Quantity": len(queries), "Items": list(queries)}} if queries else {"QueryStringBehavior": "none"}}
        return str(self.cloudfront.create_cache_policy(CachePolicyConfig={
            "Name": name, "MinTTL": minimum, "DefaultTTL": default, "MaxTTL": maximum,
            "ParametersInCacheKeyAndForwardedToOrigin": key})["CachePolicy"]["Id"])

    def everything(self) -> str:
        return str(self.cloudfront.create_origin_request_policy(OriginRequestPolicyConfig={
            "Name": "all", "HeadersConfig": {"HeaderBehavior": "allViewer"},
            "CookiesConfig": {"CookieBehavior": "all"}, "QueryStringsConfig": {"QueryStringBehavior": "all"}})[
            "OriginRequestPolicy"]["Id"])

    def leads_to(self, port: int, host: str = "origin.shop.example") -> str:
        """A name, through Route 53, of a load balancer that belongs to a cluster with its front door at this port."""
        ec2, elb, route53 = self.aws.client("ec2"), self.aws.client("elbv2"), self.aws.client("route53")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{index}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"]["SubnetId"] for index, zone in enumerate("ab")]
        balancer = elb.create_load_balancer(Name="door", Subnets=subnets, Tags=[
            {"Key": "elbv2.k8s.aws/cluster", "Value": "shop"}])["LoadBalancers"][0]
        zone = route53.create_hosted_zone(Name="shop.example", CallerReference=host)["HostedZone"]["Id"]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{
            "Action": "CREATE", "ResourceRecordSet": {"Name": host, "Type": "A", "AliasTarget": {
                "DNSName": balancer["DNSName"], "HostedZoneId": "Z35SXDOTRQ7X7K", "EvaluateTargetHealth": True}}}]})
        self.aws.kept.put(self.account, "us-east-1", FRONT_DOOR, "shop", {"url": f"http://127.0.0.1:{port}"})
        return host

    def bucket_origin(self, index: int, path: str = "") -> dict[str, Any]:
        return {"Id": f"bucket-{index}", "DomainName": f"{self.buckets[index]}.s3.us-east-1.amazonaws.com",
                "OriginPath": path, "OriginAccessControlId": self.control, "CustomHeaders": {"Quantity": 0},
                "S3OriginConfig": {"OriginAccessIdentity": ""}}

    def server_origin(self, host: str) -> dict[str, Any]:
        return {"Id": "server", "DomainName": host, "OriginPath": "", "CustomHeaders": {
            "Quantity": 1, "Items": [{"HeaderName": "x-origin-verify", "HeaderValue": "secret"}]},
            "ConnectionAttempts": 1, "CustomOriginConfig": {
                "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only", "OriginReadTimeout": 5,
                "OriginKeepaliveTimeout": 5, "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]}}}

    def behaviour(self, target: str, policy: str, **more: Any) -> dict[str, Any]:
        return {"TargetOriginId": target, "ViewerProtocolPolicy": "redirect-to-https", "Compress": True,
                "AllowedMethods": READ, "CachePolicyId": policy, "ResponseHeadersPolicyId": self.headers, **more}

    def distribution(self, name: str, origins: list[Any], default: dict[str, Any], **more: Any) -> str:
        """The id. name: see `public`. Its buckets let it read."""
        made = self.cloudfront.create_distribution(DistributionConfig={
            "CallerReference": name, "Comment": "", "Enabled": True, "DefaultRootObject": "index.html",
            "Aliases": {"Quantity": 1, "Items": [self.public(name)]},
            "Origins": {"Quantity": len(origins), "Items": origins}, "DefaultCacheBehavior": default, **more})[
            "Distribution"]
        for bucket in self.buckets:
            self.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
                {"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
                 "Action": ["s3:GetObject", "s3:ListBucket"],
                 "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
                 "Condition": {"StringEquals": {"aws:SourceArn": [made["ARN"]]}}}]}))
        return str(made["Id"])

    def ask(self, url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """url: `name/path`. Asks at the name's door, which knows of all that was changed before."""
        name, _, path = url.partition("/")
        address = doors.read(self.aws.endpoint.cdn_port)[self.public(name)]
        request = urllib.request.Request(f"http://{address}/{path}", data=body, method=method, headers={
            key.replace("_", "-"): value for key, value in headers.items()})
        opener = urllib.request.build_opener(_Stay)
        try:
            with opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def put(self, key: str, body: str = PAGE, bucket: int = 0, **more: str) -> None:
        self.s3.put_object(Bucket=self.buckets[bucket], Key=key, Body=body.encode(), ContentType="text/html", **more)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.fixture(name="world")
def world_fixture(aws: Any) -> World:
    return World(aws)


def edge_function(aws: Any, code: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("edge.py", code)
    aws.client("iam").create_role(RoleName="edge", AssumeRolePolicyDocument="{}")
    made = aws.client("lambda").create_function(
        FunctionName="edge", Runtime="python3.13", Role=f"arn:aws:iam::{aws.account}:role/edge", Handler="edge.handle",
        Code={"ZipFile": archive.getvalue()}, Publish=True, Timeout=5)
    return f"{made['FunctionArn'].removesuffix(':' + made['Version'])}:{made['Version']}"


def site(world: World, name: str = "pages.example", **more: Any) -> str:
    return world.distribution(name, [world.bucket_origin(0)],
                              world.behaviour("bucket-0", world.cache("pages", queries=("v",))), **more)


def test_a_page_of_s3_has_all_security_headers_and_is_a_hit_the_second_time(world: World) -> None:
    site(world)
    world.put("index.html", Metadata={"powered": "by"})
    first = world.ask("pages.example/")
    assert (first.status, first.body.decode(), first.headers["X-Cache"]) == (200, PAGE, "Miss from cloudfront")
    second = world.ask("pages.example/")
    assert (second.body, second.headers["X-Cache"]) == (first.body, "Hit from cloudfront")
    assert int(second.headers["Age"]) >= 0
    for answer in (first, second):
        assert answer.headers["Content-Type"] == "text/html"
        assert {name: answer.headers[name] for name in (
            "Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
            "Strict-Transport-Security", "Permissions-Policy")} == {
            "Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Permissions-Policy": "camera=()",
            "Strict-Transport-Security": "max-age=600; includeSubDomains; preload"}


def test_only_what_the_cache_policy_names_makes_another_answer(world: World) -> None:
    site(world)
    world.put("a.html")
    seen = [world.ask(f"pages.example/a.html{query}").headers["X-Cache"].split()[0]
            for query in ("?v=1", "?v=1&utm=x", "?v=2", "?utm=y", "")]
    assert seen == ["Miss", "Hit", "Miss", "Miss", "Hit"]


def test_an_invalidation_empties_its_paths_and_no_others(world: World) -> None:
    id = site(world)
    for key in ("news/a.html", "news/b.html", "other.html"):
        world.put(key, "old")
        world.ask(f"pages.example/{key}")
        world.put(key, "new")
    world.cloudfront.create_invalidation(DistributionId=id, InvalidationBatch={
        "Paths": {"Quantity": 1, "Items": ["/news/*"]}, "CallerReference": "1"})
    assert [world.ask(f"pages.example/{key}").body for key in ("news/a.html", "news/b.html", "other.html")] == [
        b"new", b"new", b"old"]


def test_a_missing_page_is_looked_for_in_the_second_bucket(world: World) -> None:
    group = {"Id": "both", "FailoverCriteria": {"StatusCodes": {"Quantity": len(CODES), "Items": CODES}},
             "Members": {"Quantity": 2, "Items": [{"OriginId": "bucket-0"}, {"OriginId": "bucket-1"}]}}
    world.distribution("colours.example", [world.bucket_origin(0), world.bucket_origin(1)],
                       world.behaviour("both", world.cache("c")),
                       OriginGroups={"Quantity": 1, "Items": [group]})
    world.put("both.html", "blue")
    world.put("both.html", "green", bucket=1)
    world.put("only.html", "green", bucket=1)
    assert world.ask("colours.example/both.html").body == b"blue"
    assert world.ask("colours.example/only.html").body == b"green"
    assert world.ask("colours.example/none.html").status == 404


def test_a_bucket_that_does_not_name_the_distribution_is_closed(world: World) -> None:
    site(world)
    world.put("index.html")
    world.s3.put_bucket_policy(Bucket=world.buckets[0], Policy=json.dumps({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
        "Resource": "*", "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::1:distribution/X"}}}]}))
    denied = world.ask("pages.example/")
    assert (denied.status, b"AccessDenied" in denied.body) == (403, True)
    assert denied.headers["X-Cache"] == "Error from cloudfront"
    assert denied.headers["X-Frame-Options"] == "DENY"


def test_a_page_is_compressed_once_for_those_who_accept_it(world: World) -> None:
    site(world)
    world.put("index.html")
    small = world.ask("pages.example/", Accept_Encoding="gzip;q=0.5, deflate")
    assert gzip.decompress(small.body).decode() == PAGE
    assert (small.headers["Content-Encoding"], small.headers["Vary"]) == ("gzip", "Accept-Encoding")
    plain = world.ask("pages.example/", Accept_Encoding="identity")
    assert (plain.body.decode(), plain.headers["X-Cache"]) == (PAGE, "Miss from cloudfront")
    again = world.ask("pages.example/", Accept_Encoding="gzip")
    assert (again.body, again.headers["X-Cache"]) == (small.body, "Hit from cloudfront")


def test_conditions_and_ranges_are_answered_from_the_cache(world: World) -> None:
    site(world)
    world.put("index.html", "0123456789")
    tag = world.ask("pages.example/").headers["ETag"]
    assert world.ask("pages.example/", If_None_Match=tag).status == 304
    part = world.ask("pages.example/", Range="bytes=2-4")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    head = world.ask("pages.example/", "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "10")
    assert head.headers["X-Cache"] == "Hit from cloudfront"


def dynamic(world: World, server: Server, **more: Any) -> str:
    """`/api/*` gets everything of the viewer's and is not kept; the rest goes by its own policy."""
    host = world.leads_to(server.port)
    api = {"PathPattern": "/api/*", **world.behaviour(
        "server", world.cache("none", 0, 0, 0), OriginRequestPolicyId=world.everything(), AllowedMethods=ALL)}
    default = {"Default": {}} | more
    return world.distribution(
        "shop.example", [world.server_origin(host)], world.behaviour(
            "server", world.cache("keyed", 0, 0, 600, ("v",), ("x-device-class",)), **default.pop("Default")),
        CacheBehaviors={"Quantity": 1, "Items": [api]}, **default)


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
    eventually(lambda: world.ask("shop.example/brief").headers["X-Cache"] == "RefreshHit from cloudfront")
    assert "If-None-Match" in server.asked[-1][2]
    assert world.ask("shop.example/brief").json["count"] == first.json["count"]


def test_a_page_outlives_its_origins_failure(world: World, server: Server) -> None:
    dynamic(world, server)
    server.headers = {"Cache-Control": "max-age=1"}
    count = world.ask("shop.example/x").json["count"]
    server.status = 503
    eventually(lambda: world.ask("shop.example/x").headers["X-Cache"] == "RefreshHit from cloudfront")
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


def test_a_cloudfront_function_leads_to_another_folder(world: World) -> None:
    made = world.cloudfront.create_function(Name=f"folders-{world.account}", FunctionCode=FOLDERS.encode(),
                                            FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"})
    world.cloudfront.publish_function(Name=f"folders-{world.account}", IfMatch=made["ETag"])
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    world.distribution("docs.example", [world.bucket_origin(0)], world.behaviour(
        "bucket-0", world.cache("c"), FunctionAssociations={"Quantity": 1, "Items": [
            {"FunctionARN": arn, "EventType": "viewer-request"}]}))
    world.put("docs/guide.html", "guide")
    assert world.ask("docs.example/guide.html").body == b"guide"


def test_a_change_of_the_distribution_is_followed_and_a_deleted_one_has_no_door(world: World) -> None:
    id = site(world)
    world.put("index.html", "page")
    world.put("elsewhere/index.html", "elsewhere")
    assert world.ask("pages.example/").body == b"page"
    got = world.cloudfront.get_distribution_config(Id=id)
    config = got["DistributionConfig"]
    config["Origins"]["Items"][0]["OriginPath"] = "/elsewhere"
    etag = world.cloudfront.update_distribution(Id=id, IfMatch=got["ETag"], DistributionConfig=config)["ETag"]
    assert world.ask("pages.example/").body == b"page"  # what is kept stays
    assert world.ask("pages.example/?v=2").body == b"elsewhere"
    etag = world.cloudfront.update_distribution(Id=id, IfMatch=etag, DistributionConfig={**config, "Enabled": False})[
        "ETag"]
    assert world.ask("pages.example/").status == 403
    world.cloudfront.delete_distribution(Id=id, IfMatch=etag)
    assert world.public("pages.example") not in doors.read(world.aws.endpoint.cdn_port)


def eventually(question: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
