"""A WebSocket API with its routes, a stage, and a domain before it and before a REST API; a key for operators."""

import json

import pulumi

from tests.faults.programs.raw import aws, kept, role, step, tags

api = aws("apigatewayv2/api:Api", "sockets", {
    "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action",
    "description": step("first", "second"), "tags": tags()}, "executionArn")
target = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:" \
         "function:none/invocations"
integration = aws("apigatewayv2/integration:Integration", "sockets", {
    "apiId": api.id, "integrationType": "AWS_PROXY", "integrationUri": target,
    "timeoutMilliseconds": step(1000, 2000)})
route = aws("apigatewayv2/route:Route", "default", {
    "apiId": api.id, "routeKey": "$default", "target": pulumi.Output.concat("integrations/", integration.id),
    "routeResponseSelectionExpression": "$default"})
if kept():
    aws("apigatewayv2/routeResponse:RouteResponse", "default", {
        "apiId": api.id, "routeId": route.id, "routeResponseKey": "$default"})
deployment = aws("apigatewayv2/deployment:Deployment", "sockets", {
    "apiId": api.id, "triggers": {"definition": step("1", "2")}}, opts=pulumi.ResourceOptions(depends_on=[route]))
stage = aws("apigatewayv2/stage:Stage", "live", {
    "apiId": api.id, "name": "live", "deploymentId": deployment.id, "tags": tags(),
    "defaultRouteSettings": {"throttlingRateLimit": step(10, 20), "throttlingBurstLimit": 20}})
certificate = aws("acm/certificate:Certificate", "sockets", {
    "domainName": "ws.faults.example", "validationMethod": "DNS", "tags": tags()}, "arn")
domain = aws("apigatewayv2/domainName:DomainName", "sockets", {
    "domainName": "ws.faults.example", "tags": tags(), "domainNameConfiguration": {
        "certificateArn": certificate.arn, "endpointType": "REGIONAL", "securityPolicy": "TLS_1_2"}})
aws("apigatewayv2/apiMapping:ApiMapping", "sockets", {"apiId": api.id, "domainName": domain.id, "stage": stage.id})
rest = aws("apigateway/restApi:RestApi", "rest", {
    "endpointConfiguration": {"types": "REGIONAL"}, "tags": tags(), "body": json.dumps({
        "openapi": "3.0.1", "info": {"title": "rest", "version": "1"}, "paths": {"/": {"get": {
            "x-amazon-apigateway-integration": {"type": "mock"}}}}})})
released = aws("apigateway/deployment:Deployment", "rest", {"restApi": rest.id})
live = aws("apigateway/stage:Stage", "rest", {
    "restApi": rest.id, "stageName": "live", "deployment": released.id, "tags": tags()}, "stageName")
name = aws("apigateway/domainName:DomainName", "rest", {
    "domainName": "rest.faults.example", "regionalCertificateArn": certificate.arn, "securityPolicy": "TLS_1_2",
    "endpointConfiguration": {"types": "REGIONAL"}, "tags": tags()}, "domainName")
aws("apigateway/basePathMapping:BasePathMapping", "rest", {
    "domainName": name.domainName, "restApi": rest.id, "stageName": live.stageName})
key = aws("apigateway/apiKey:ApiKey", "operators", {"description": step("first", "second"), "tags": tags()})
plan = aws("apigateway/usagePlan:UsagePlan", "operators", {
    "apiStages": [{"apiId": rest.id, "stage": live.stageName}], "tags": tags(),
    "quotaSettings": {"limit": step(10, 20), "period": "DAY"}})
if kept():
    aws("apigateway/usagePlanKey:UsagePlanKey", "operators", {
        "keyId": key.id, "keyType": "API_KEY", "usagePlanId": plan.id})
reader = role("reader", "lambda.amazonaws.com")
table = aws("dynamodb/table:Table", "streamed", {
    "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": [{"name": "id", "type": "S"}],
    "streamEnabled": True, "streamViewType": "NEW_IMAGE", "tags": tags()}, "streamArn")
function = aws("lambda/function:Function", "reader", {
    "role": reader.arn, "runtime": "python3.13", "handler": "main.handle",
    "code": pulumi.AssetArchive({"main.py": pulumi.StringAsset("def handle(event, context):\n    return None\n")}),
    "tags": tags()}, "arn")
aws("lambda/eventSourceMapping:EventSourceMapping", "reader", {
    "functionName": function.arn, "eventSourceArn": table.streamArn, "startingPosition": "LATEST",
    "batchSize": step(50, 100)})
