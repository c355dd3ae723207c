"""The REST API before the functions (F3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.analytics.custom_domain import AliasTarget, CustomDomain
from infra.components.base import Component
from infra.components.function import Function
from infra.plans import analytics_api
from infra.settings.analytics import Analytics as AnalyticsSettings

STAGE = "live"
OPERATOR_REQUESTS_PER_SECOND = 10
# Neither address nor path: both can tell who it was. The resource path has `{visitor}` in its place.
ACCESS_LOG = {name: f"$context.{name}" for name in (
    "requestId", "extendedRequestId", "requestTime", "httpMethod", "resourcePath", "protocol", "status",
    "responseLength", "responseLatency", "integrationLatency", "xrayTraceId", "wafResponseCode")} | {
    "integrationStatus": "$context.integration.status", "error": "$context.error.responseType"}


@dataclass(frozen=True)
class RestApiArgs:
    """name: `{environment}-candlefish-analytics`.
    functions: by the words of `infra.plans.analytics_api.functions`.
    origin: the site's, which alone may call the API from a browser: `https://candlefish.ai`.
    web_acl_arn: regional.
    logging: what gives API Gateway its role for logs; None where another stack of the account has done it.
    """

    name: str
    functions: Mapping[str, Function]
    origin: str
    domain: CustomDomain
    settings: AnalyticsSettings
    web_acl_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    log_retention_days: int
    logging: pulumi.Resource | None = None


class RestApi(Component):
    """One definition in place of a resource for each path, method and answer; a change of it is deployed at once.

    CloudFront is in front of it: the web ACL lets only requests with its secret header through (N7).
    """

    module = "analytics"

    api_id: pulumi.Output[str]
    api_name: pulumi.Output[str]
    stage_name: pulumi.Output[str]
    invoke_url: pulumi.Output[str]  # answers in the rehearsal alone: outside only the domain does
    alias: AliasTarget
    operators_key: pulumi.Output[str]  # secret; of the routes that ask for one

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        body = pulumi.Output.all(**{word: function.invoke_arn for word, function in args.functions.items()}).apply(
            lambda arns: json.dumps(analytics_api.definition(arns, args.origin)))
        api = aws.apigateway.RestApi(
            name, name=args.name, description="Animation events, visitors' memory, experiments", body=body,
            endpoint_configuration={"types": "REGIONAL"}, put_rest_api_mode="overwrite",
            disable_execute_api_endpoint=True, opts=self.child())  # it would answer TLS 1.0 too
        access = self._log_group(f"{name}-access", f"/aws/apigateway/{args.name}", args)
        executions = self._log_group(  # API Gateway writes to this name, and would make an open group of it
            f"{name}-executions", api.id.apply(lambda id: f"API-Gateway-Execution-Logs_{id}/{STAGE}"), args)
        deployment = aws.apigateway.Deployment(
            name, rest_api=api.id, opts=self.child(),
            triggers={"definition": body.apply(lambda text: hashlib.sha256(text.encode()).hexdigest())})
        stage = aws.apigateway.Stage(
            name, rest_api=api.id, deployment=deployment.id, stage_name=STAGE, xray_tracing_enabled=True,
            access_log_settings={"destination_arn": access.arn, "format": json.dumps(ACCESS_LOG)},
            opts=self.child(depends_on=[executions, *([args.logging] if args.logging else [])]))
        aws.apigateway.MethodSettings(
            name, rest_api=api.id, stage_name=stage.stage_name, method_path="*/*", opts=self.child(), settings={
                "metrics_enabled": True, "logging_level": "ERROR", "data_trace_enabled": False,
                "caching_enabled": False, "throttling_rate_limit": args.settings.requests_per_second,
                "throttling_burst_limit": args.settings.request_burst})
        aws.wafv2.WebAclAssociation(name, resource_arn=stage.arn, web_acl_arn=args.web_acl_arn, opts=self.child())
        self.alias = self._named(name, args.domain, api, stage)
        self.operators_key = self._operators_key(name, api, stage, args.settings)
        for function in args.functions.values():
            function.invoked_by("rest-api", "apigateway.amazonaws.com",
                                pulumi.Output.concat(api.execution_arn, "/", STAGE, "/*"))
        self.api_id, self.api_name = api.id, api.name
        self.stage_name, self.invoke_url = stage.stage_name, stage.invoke_url
        self.register_outputs({"apiId": self.api_id, "apiName": self.api_name, "stageName": self.stage_name,
                               "invokeUrl": self.invoke_url})

    def _named(self, name: str, domain: CustomDomain, api: aws.apigateway.RestApi,
               stage: aws.apigateway.Stage) -> AliasTarget:
        made = aws.apigateway.DomainName(
            name, domain_name=domain.name, regional_certificate_arn=domain.certificate_arn,
            endpoint_configuration={"types": "REGIONAL"}, security_policy="TLS_1_2", opts=self.child())
        aws.apigateway.BasePathMapping(
            name, domain_name=made.domain_name, rest_api=api.id, stage_name=stage.stage_name, opts=self.child())
        return AliasTarget(made.regional_domain_name, made.regional_zone_id)

    def _operators_key(self, name: str, api: aws.apigateway.RestApi, stage: aws.apigateway.Stage,
                       settings: AnalyticsSettings) -> pulumi.Output[str]:
        """For the routes with `security` in the definition: reports are for operators, not for browsers."""
        key = aws.apigateway.ApiKey(f"{name}-operators", description="Operators' reports", opts=self.child())
        plan = aws.apigateway.UsagePlan(
            f"{name}-operators", description="Operators' reports", opts=self.child(),
            api_stages=[{"api_id": api.id, "stage": stage.stage_name}],
            quota_settings={"limit": settings.operator_requests_per_day, "period": "DAY"},
            throttle_settings={"rate_limit": OPERATOR_REQUESTS_PER_SECOND,
                               "burst_limit": 2 * OPERATOR_REQUESTS_PER_SECOND})
        aws.apigateway.UsagePlanKey(  # the provider marks the key's value as a secret, but not its copy here
            f"{name}-operators", key_id=key.id, key_type="API_KEY", usage_plan_id=plan.id,
            opts=self.child(additional_secret_outputs=["value"]))
        return pulumi.Output.secret(key.value)

    def _log_group(self, name: str, physical: pulumi.Input[str], args: RestApiArgs) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(name, name=physical, kms_key_id=args.logs_key_arn,
                                       retention_in_days=args.log_retention_days, opts=self.child())
