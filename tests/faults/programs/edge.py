"""Certificates, records, the web firewall and CloudFront."""

import pulumi

from tests.faults.programs.raw import aws, kept, step, tags

zone = aws("route53/zone:Zone", "zone", {"name": "faults.example", "comment": step("first", "second"), "tags": tags()},
           "zoneId")
certificate = aws("acm/certificate:Certificate", "site", {
    "domainName": "www.faults.example", "validationMethod": "DNS", "tags": tags()}, "arn", "domainValidationOptions")
option = certificate.domainValidationOptions[0]
proof = aws("route53/record:Record", "proof", {
    "zoneId": zone.zoneId, "name": option["resourceRecordName"], "type": option["resourceRecordType"],
    "records": [option["resourceRecordValue"]], "ttl": step(60, 300), "allowOverwrite": True}, "fqdn")
valid = aws("acm/certificateValidation:CertificateValidation", "site", {
    "certificateArn": certificate.arn, "validationRecordFqdns": [proof.fqdn]}, "certificateArn")


def metric(name: str) -> dict[str, object]:
    return {"metricName": name, "cloudwatchMetricsEnabled": True, "sampledRequestsEnabled": step(False, True)}


firewall = aws("wafv2/webAcl:WebAcl", "site", {
    "scope": "CLOUDFRONT", "description": step("first", "second"), "defaultAction": {"allow": {}},
    "visibilityConfig": metric("site"), "tags": tags(), "rules": [{
        "name": "rate", "priority": 1, "action": {"block": {}}, "visibilityConfig": metric("rate"),
        "statement": {"rateBasedStatement": {"limit": step(1000, 2000), "aggregateKeyType": "IP"}}}]}, "arn")
if kept():
    log = aws("cloudwatch/logGroup:LogGroup", "firewall", {
        "name": "aws-waf-logs-faults", "retentionInDays": step(30, 90), "tags": tags()}, "arn")
    aws("wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "site", {
        "resourceArn": firewall.arn, "logDestinationConfigs": [log.arn],
        "redactedFields": [{"singleHeader": {"name": step("cookie", "authorization")}}]})
cached = aws("cloudfront/cachePolicy:CachePolicy", "site", {
    "comment": step("first", "second"), "defaultTtl": step(60, 120), "maxTtl": 600, "minTtl": 0,
    "parametersInCacheKeyAndForwardedToOrigin": {
        "enableAcceptEncodingBrotli": False, "enableAcceptEncodingGzip": step(False, True),
        "cookiesConfig": {"cookieBehavior": "none"}, "headersConfig": {"headerBehavior": "none"},
        "queryStringsConfig": {"queryStringBehavior": "none"}}})
forwarded = aws("cloudfront/originRequestPolicy:OriginRequestPolicy", "site", {
    "comment": step("first", "second"), "cookiesConfig": {"cookieBehavior": "all"},
    "headersConfig": {"headerBehavior": "allViewer"}, "queryStringsConfig": {"queryStringBehavior": "all"}})
headers = aws("cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "site", {
    "comment": step("first", "second"), "securityHeadersConfig": {
        "frameOptions": {"frameOption": step("DENY", "SAMEORIGIN"), "override": True},
        "contentTypeOptions": {"override": True}}})
access = aws("cloudfront/originAccessControl:OriginAccessControl", "site", {
    "description": step("first", "second"), "originAccessControlOriginType": "s3", "signingBehavior": "always",
    "signingProtocol": "sigv4"})
bucket = aws("s3/bucket:Bucket", "site", {"forceDestroy": True, "tags": tags()}, "bucketRegionalDomainName")
site = aws("cloudfront/distribution:Distribution", "site", {
    "enabled": True, "comment": step("first", "second"), "webAclId": firewall.arn, "aliases": ["www.faults.example"],
    "origins": [{"originId": "site", "domainName": bucket.bucketRegionalDomainName,
                 "originAccessControlId": access.id}],
    "defaultCacheBehavior": {
        "targetOriginId": "site", "viewerProtocolPolicy": "redirect-to-https", "compress": step(False, True),
        "allowedMethods": ["GET", "HEAD"], "cachedMethods": ["GET", "HEAD"], "cachePolicyId": cached.id,
        "originRequestPolicyId": forwarded.id, "responseHeadersPolicyId": headers.id},
    "restrictions": {"geoRestriction": {"restrictionType": "none"}}, "waitForDeployment": True, "tags": tags(),
    "viewerCertificate": {"acmCertificateArn": valid.certificateArn, "sslSupportMethod": "sni-only",
                          "minimumProtocolVersion": "TLSv1.2_2021"}}, "domainName", "hostedZoneId")
if kept():
    aws("route53/record:Record", "www", {
        "zoneId": zone.zoneId, "name": "www.faults.example", "type": "A", "aliases": [{
            "name": site.domainName, "zoneId": site.hostedZoneId, "evaluateTargetHealth": step(False, True)}]})
pulumi.export("domain", site.domainName)
