"""A REST API by its definition, with a stage, keys and what stands around them."""

import json

import pulumi

from tests.faults.programs.raw import aws, kept, role, step, tags

writer = role("api-logging", "apigateway.amazonaws.com")
account = aws("apigateway/account:Account", "logging", {"cloudwatchRoleArn": writer.arn})
answer = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'},
          "responses": {"default": {"statusCode": "200"}}}
definition = json.dumps({
    "openapi": "3.0.1", "info": {"title": "faults", "version": "1"},
    "paths": {step("/first", "/second"): {"get": {
        "responses": {"200": {"description": "d"}}, "x-amazon-apigateway-integration": answer}}},
    "components": {"schemas": {"Batch": {"type": "object"}}},
    "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True}}})
api = aws("apigateway/restApi:RestApi", "api", {
    "body": definition, "description": step("first", "second"), "endpointConfiguration": {"types": "REGIONAL"},
    "tags": tags()}, "executionArn")
deployment = aws("apigateway/deployment:Deployment", "api", {
    "restApi": api.id, "triggers": {"definition": step("1", "2")}})
log = aws("cloudwatch/logGroup:LogGroup", "api", {"retentionInDays": step(30, 90), "tags": tags()}, "arn")
stage = aws("apigateway/stage:Stage", "live", {
    "restApi": api.id, "stageName": "live", "deployment": deployment.id, "xrayTracingEnabled": step(False, True),
    "accessLogSettings": {"destinationArn": log.arn, "format": "$context.requestId"}, "tags": tags()}, "stageName",
    opts=pulumi.ResourceOptions(depends_on=[account]))
aws("apigateway/methodSettings:MethodSettings", "live", {
    "restApi": api.id, "stageName": stage.stageName, "methodPath": "*/*",
    "settings": {"throttlingRateLimit": step(10, 20), "throttlingBurstLimit": 20}})
firewall = aws("wafv2/webAcl:WebAcl", "api", {
    "scope": "REGIONAL", "defaultAction": {"allow": {}}, "tags": tags(), "visibilityConfig": {
        "metricName": "api", "cloudwatchMetricsEnabled": True, "sampledRequestsEnabled": True}}, "arn")
if kept():
    aws("wafv2/webAclAssociation:WebAclAssociation", "api", {
        "webAclArn": firewall.arn, "resourceArn": pulumi.Output.concat(
            "arn:aws:apigateway:us-east-1::/restapis/", api.id, "/stages/", stage.stageName)})
