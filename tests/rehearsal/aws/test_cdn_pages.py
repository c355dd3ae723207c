"""What a viewer gets of a distribution before buckets."""

from __future__ import annotations

import gzip
import json

import pytest

from rehearsal.aws.cdn import doors
from tests.rehearsal.aws.cdn_world import PAGE, World, site

pytestmark = pytest.mark.rehearsal

CODES = [403, 404, 500, 502, 503, 504]
FOLDERS = """
function handler(event) {
    var request = event.request;
    request.uri = "/docs" + request.uri;
    request.headers["x-from"] = { value: event.context.eventType };
    return request;
}
"""


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
