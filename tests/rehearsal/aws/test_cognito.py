"""Cognito and Shield through the provider, on the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import lives, made, refused

pytestmark = pytest.mark.rehearsal

POOL, CLIENT, DOMAIN = (f"aws:cognito/{kind[0].lower()}{kind[1:]}:{kind}"
                        for kind in ("UserPool", "UserPoolClient", "UserPoolDomain"))
OPERATORS = {
    "name": "operators", "usernameAttributes": ["email"], "autoVerifiedAttributes": ["email"],
    "adminCreateUserConfig": {"allowAdminCreateUserOnly": True}, "mfaConfiguration": "ON",
    "softwareTokenMfaConfiguration": {"enabled": True},
    "passwordPolicy": {"minimumLength": 14, "requireLowercase": True, "requireNumbers": True}}
LOAD_BALANCER = {
    "name": "balancer", "generateSecret": True, "allowedOauthFlows": ["code"], "allowedOauthScopes": ["openid"],
    "allowedOauthFlowsUserPoolClient": True, "supportedIdentityProviders": ["COGNITO"],
    "callbackUrls": ["https://grafana.candlefish.ai/oauth2/idpresponse"]}


def test_a_pool_lives_with_its_second_factor(aws: Any) -> None:
    outputs = lives(aws, POOL, OPERATORS, {"passwordPolicy": {"minimumLength": 16}}, {"mfaConfiguration": "OPTIONAL"})
    assert outputs["arn"].split(":")[2] == "cognito-idp"
    refused(aws, POOL, {**OPERATORS, "softwareTokenMfaConfiguration": None}, "needs a second factor")
    refused(aws, POOL, {**OPERATORS, "passwordPolicy": {"minimumLength": 4}}, "between 6 and 99")


def test_a_protected_pool_is_not_deleted(aws: Any) -> None:
    id, outputs = made(aws, POOL, {**OPERATORS, "deletionProtection": "ACTIVE"})
    with pytest.raises(ProviderError, match="deletion protection"):
        aws.provider.delete(aws.context(POOL), id, outputs, outputs)


def test_a_client_has_a_secret_and_leads_back_over_tls_only(aws: Any) -> None:
    pool, _ = made(aws, POOL, OPERATORS)
    client = {**LOAD_BALANCER, "userPoolId": pool}
    outputs = lives(aws, CLIENT, client, {"callbackUrls": ["https://a.b/c", "https://a.b/d"]},
                    imports=lambda id: f"{pool}/{id}")
    assert outputs["clientSecret"]
    refused(aws, CLIENT, {**client, "callbackUrls": ["http://a.b"]}, "not an https URL")
    refused(aws, CLIENT, {**client, "allowedOauthFlows": []}, "allowedOauthFlows must be given")
    refused(aws, CLIENT, {**client, "userPoolId": "us-east-1_absent"}, "does not exist")


def test_a_domain_belongs_to_a_pool(aws: Any) -> None:
    pool, _ = made(aws, POOL, OPERATORS)
    lives(aws, DOMAIN, {"domain": "candlefish-operators-1a2b", "userPoolId": pool})
    refused(aws, DOMAIN, {"domain": "my-cognito", "userPoolId": pool}, "must not contain")
    refused(aws, DOMAIN, {"domain": "UPPER", "userPoolId": pool}, "lower-case")


def test_only_what_shield_can_protect_is_protected(aws: Any) -> None:
    kind = "aws:shield/protection:Protection"
    lives(aws, kind, {"name": "site", "resourceArn": f"arn:aws:cloudfront::{aws.account}:distribution/E1"})
    refused(aws, kind, {"name": "bucket", "resourceArn": "arn:aws:s3:::b"}, "cannot be protected")
