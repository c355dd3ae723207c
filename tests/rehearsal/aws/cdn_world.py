"""An account with distributions for the tests of CloudFront's data plane: buckets, a server of the test's own behind a
load balancer's name, policies. Fixtures `world` and `server` are in `conftest`."""

from __future__ import annotations

import http.server
import io
import json
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rehearsal.aws.cdn import doors
from rehearsal.aws.cdn.names import FRONT_DOOR

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

@dataclass
class Server:
    """An origin of the test's own; it answers with what it got."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Server]:
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
