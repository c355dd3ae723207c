"""Certificates, records with a health check, the web firewall, CloudFront, and who signs in."""

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


operators = aws("wafv2/ipSet:IpSet", "operators", {
    "scope": "CLOUDFRONT", "ipAddressVersion": "IPV4", "description": step("first", "second"),
    "addresses": step(["192.0.2.0/24"], ["198.51.100.0/24", "192.0.2.0/24"]), "tags": tags()}, "arn")
firewall = aws("wafv2/webAcl:WebAcl", "site", {
    "scope": "CLOUDFRONT", "description": step("first", "second"), "defaultAction": {"allow": {}},
    "visibilityConfig": metric("site"), "tags": tags(), "rules": [{
        "name": "operators", "priority": 0, "action": {"allow": {}}, "visibilityConfig": metric("operators"),
        "statement": {"ipSetReferenceStatement": {"arn": operators.arn}}}, {
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
folders = aws("cloudfront/function:Function", "folders", {
    "runtime": "cloudfront-js-2.0", "comment": step("first", "second"), "publish": True,
    "code": f"function handler(event) {{ return event.request }} // {step(1, 2)}"}, "arn")
bucket = aws("s3/bucket:Bucket", "site", {"forceDestroy": True, "tags": tags()}, "bucketRegionalDomainName")
site = aws("cloudfront/distribution:Distribution", "site", {
    "enabled": True, "comment": step("first", "second"), "webAclId": firewall.arn, "aliases": ["www.faults.example"],
    "origins": [{"originId": "site", "domainName": bucket.bucketRegionalDomainName,
                 "originAccessControlId": access.id}],
    "defaultCacheBehavior": {
        "targetOriginId": "site", "viewerProtocolPolicy": "redirect-to-https", "compress": step(False, True),
        "allowedMethods": ["GET", "HEAD"], "cachedMethods": ["GET", "HEAD"], "cachePolicyId": cached.id,
        "originRequestPolicyId": forwarded.id, "responseHeadersPolicyId": headers.id,
        "functionAssociations": [{"eventType": "viewer-request", "functionArn": folders.arn}]},
    "restrictions": {"geoRestriction": {"restrictionType": "none"}}, "waitForDeployment": True, "tags": tags(),
    "viewerCertificate": {"acmCertificateArn": valid.certificateArn, "sslSupportMethod": "sni-only",
                          "minimumProtocolVersion": "TLSv1.2_2021"}}, "domainName", "hostedZoneId")
check = aws("route53/healthCheck:HealthCheck", "www", {
    "type": "HTTPS", "fqdn": "www.faults.example", "port": 443, "resourcePath": step("/", "/health"),
    "requestInterval": 30, "failureThreshold": step(3, 2), "enableSni": True, "tags": tags(Name="www")})
if kept():
    aws("cloudfront/monitoringSubscription:MonitoringSubscription", "site", {
        "distributionId": site.id, "monitoringSubscription": {"realtimeMetricsSubscriptionConfig": {
            "realtimeMetricsSubscriptionStatus": step("Disabled", "Enabled")}}})
    aws("route53/record:Record", "www", {
        "zoneId": zone.zoneId, "name": "www.faults.example", "type": "A", "aliases": [{
            "name": site.domainName, "zoneId": site.hostedZoneId, "evaluateTargetHealth": step(False, True)}]})
    aws("route53/record:Record", "failover", {
        "zoneId": zone.zoneId, "name": "api.faults.example", "type": "CNAME", "ttl": step(60, 300),
        "records": ["www.faults.example"], "setIdentifier": "primary", "healthCheckId": check.id,
        "failoverRoutingPolicies": [{"type": "PRIMARY"}]})
pool = aws("cognito/userPool:UserPool", "operators", {
    "name": "operators", "usernameAttributes": ["email"], "autoVerifiedAttributes": ["email"],
    "adminCreateUserConfig": {"allowAdminCreateUserOnly": True}, "mfaConfiguration": step("OPTIONAL", "ON"),
    "softwareTokenMfaConfiguration": {"enabled": True}, "tags": tags(),
    "passwordPolicy": {"minimumLength": step(14, 16), "requireLowercase": True, "requireNumbers": True}})
aws("cognito/userPoolClient:UserPoolClient", "balancer", {
    "name": "balancer", "userPoolId": pool.id, "generateSecret": True, "allowedOauthFlows": ["code"],
    "allowedOauthScopes": ["openid"], "allowedOauthFlowsUserPoolClient": True,
    "supportedIdentityProviders": ["COGNITO"],
    "callbackUrls": [step("https://one.example/", "https://two.example/")]})
if kept():
    aws("cognito/userPoolDomain:UserPoolDomain", "operators", {"domain": "faults-operators", "userPoolId": pool.id})
pulumi.export("domain", site.domainName)
