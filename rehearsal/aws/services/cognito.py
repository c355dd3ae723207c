"""Cognito user pools with their clients and sign-in domains, by MiniStack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services._convert import Names, found, input_shape, iso, refused, retag, unless
from rehearsal.engine.values import Properties

GONE = "ResourceNotFoundException"
_SERVICE = "cognito-idp"
NAMES = Names({
    "allowedOauthFlows": "AllowedOAuthFlows", "allowedOauthScopes": "AllowedOAuthScopes",
    "allowedOauthFlowsUserPoolClient": "AllowedOAuthFlowsUserPoolClient", "callbackUrls": "CallbackURLs",
    "logoutUrls": "LogoutURLs", "defaultRedirectUri": "DefaultRedirectURI",
})
_POOL = ("accountRecoverySetting", "adminCreateUserConfig", "autoVerifiedAttributes", "deletionProtection",
         "deviceConfiguration", "emailConfiguration", "userAttributeUpdateSettings", "verificationMessageTemplate")
_POOL_AT_CREATION = ("aliasAttributes", "usernameAttributes", "usernameConfiguration")
_MFA = ("mfaConfiguration", "softwareTokenMfaConfiguration")
_FORBIDDEN_IN_DOMAINS = ("aws", "amazon", "cognito")  # CreateUserPoolDomain of the API reference


def pool(property: str, value: str) -> Reference:
    return Reference(property, value, lambda call: _describe(call, value) is not None)


def _describe(call: Call, id: str) -> dict[str, Any] | None:
    answer = found(lambda: call.client(_SERVICE).describe_user_pool(UserPoolId=id), GONE)
    return None if answer is None else dict(answer["UserPool"])


@resource
class UserPool(Handler):
    """Id: the pool's. A pool under deletion protection can't be deleted."""

    type = "aws:cognito/userPool:UserPool"
    naming = Naming("name", maximum=128)
    defaults = {"deletionProtection": "INACTIVE", "mfaConfiguration": "OFF"}
    kept = ("emailMfaConfiguration", "emailVerificationMessage", "emailVerificationSubject", "lambdaConfig", "schemas",
            "signInPolicy", "smsAuthenticationMessage", "smsConfiguration", "smsVerificationMessage",
            "userPoolAddOns", "userPoolTier", "webAuthnConfiguration", "accountRecoverySetting", "deletionProtection",
            "userAttributeUpdateSettings")

    def create(self, call: Call, inputs: Properties) -> str:
        client = call.client(_SERVICE)
        sent = {key: inputs.get(key) for key in (*_POOL, *_POOL_AT_CREATION)}
        answer = client.create_user_pool(
            PoolName=inputs["name"], UserPoolTags=call.tags, **_policies(client, inputs),
            **NAMES.request(input_shape(client, "CreateUserPool"), sent))
        id = call.made(str(answer["UserPool"]["Id"]))
        self._set_mfa(call, id, inputs)
        return id

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client(_SERVICE)
        got = _describe(call, id)
        if got is None:
            return None
        shown: Properties = NAMES.response(client.meta.service_model.shape_for("UserPoolType"), got)
        mfa = client.get_user_pool_mfa_config(UserPoolId=id)
        software = mfa.get("SoftwareTokenMfaConfiguration")
        properties: Properties = {key: shown.get(key) for key in (*_POOL, *_POOL_AT_CREATION)}
        return properties | {
            "name": got["Name"],
            "arn": got.get("Arn") or call.arn("cognito-idp", f"userpool/{id}"),
            "endpoint": f"cognito-idp.{call.region}.amazonaws.com/{id}",
            "passwordPolicy": (shown.get("policies") or {}).get("passwordPolicy"),
            "mfaConfiguration": mfa.get("MfaConfiguration") or "OFF",
            "softwareTokenMfaConfiguration": {"enabled": software["Enabled"]} if software else None,
            "creationDate": iso(got["CreationDate"]),
            "lastModifiedDate": iso(got["LastModifiedDate"]),
            "estimatedNumberOfUsers": got.get("EstimatedNumberOfUsers", 0),
            "domain": got.get("Domain") or "",
            "customDomain": got.get("CustomDomain") or "",
            "tags": got.get("UserPoolTags") or {},
        }

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client(_SERVICE)
        if changed & {*_MFA}:
            self._set_mfa(call, id, new)
        if changed & {*_POOL, "passwordPolicy"}:
            # UpdateUserPool resets whatever it isn't told.
            sent = {key: new.get(key) for key in _POOL}
            client.update_user_pool(
                UserPoolId=id, UserPoolTags=call.tags, MfaConfiguration=new.get("mfaConfiguration") or "OFF",
                **_policies(client, new), **NAMES.request(input_shape(client, "UpdateUserPool"), sent))
        if "tags" in changed:
            arn = call.arn("cognito-idp", f"userpool/{id}")
            retag(call, (_describe(call, id) or {}).get("UserPoolTags") or {},
                  lambda tags: client.tag_resource(ResourceArn=arn, Tags=tags),
                  lambda keys: client.untag_resource(ResourceArn=arn, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        if known.get("deletionProtection") == "ACTIVE" and _describe(call, id) is not None:
            # The provider lifts the protection only on an update: a pool with users is not lost by a destroy.
            raise refused("InvalidParameterException", f"The user pool {id} cannot be deleted: deletion protection is "
                          "activated", "DeleteUserPool")
        with unless(GONE):
            call.client(_SERVICE).delete_user_pool(UserPoolId=id)

    def _set_mfa(self, call: Call, id: str, inputs: Properties) -> None:
        mode = inputs.get("mfaConfiguration") or "OFF"
        software = inputs.get("softwareTokenMfaConfiguration")
        if mode == "ON" and not software and not inputs.get("smsConfiguration"):
            raise refused("InvalidParameterException", "mfaConfiguration ON needs a second factor: give "
                          "softwareTokenMfaConfiguration or smsConfiguration", "SetUserPoolMfaConfig")
        token = {"SoftwareTokenMfaConfiguration": {"Enabled": bool(software["enabled"])}} if software else {}
        call.client(_SERVICE).set_user_pool_mfa_config(UserPoolId=id, MfaConfiguration=mode, **token)


def _policies(client: Any, inputs: Properties) -> dict[str, Any]:
    policy = inputs.get("passwordPolicy")
    if not policy:
        return {}
    if not 6 <= policy.get("minimumLength", 8) <= 99:
        raise refused("InvalidParameterException", f"passwordPolicy.minimumLength is {policy['minimumLength']}; it "
                      "must be between 6 and 99", "CreateUserPool")
    shape = client.meta.service_model.shape_for("UserPoolPolicyType")
    return {"Policies": NAMES.request(shape, {"passwordPolicy": policy})}


_CLIENT = ("accessTokenValidity", "allowedOauthFlows", "allowedOauthFlowsUserPoolClient", "allowedOauthScopes",
           "authSessionValidity", "callbackUrls", "defaultRedirectUri", "enableTokenRevocation", "explicitAuthFlows",
           "idTokenValidity", "logoutUrls", "preventUserExistenceErrors", "readAttributes", "refreshTokenValidity",
           "supportedIdentityProviders", "tokenValidityUnits", "writeAttributes")


@resource
class UserPoolClient(Handler):
    """Id: the client's; an import needs the pool's too: `{pool}/{client}`."""

    type = "aws:cognito/userPoolClient:UserPoolClient"
    naming = Naming("name", maximum=128)
    tags_property = None
    kept = ("analyticsConfiguration", "enablePropagateAdditionalUserContextData", "refreshTokenRotation",
            "userPoolId", "generateSecret")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield pool("userPoolId", inputs["userPoolId"])

    def create(self, call: Call, inputs: Properties) -> str:
        _check_client(inputs)
        client = call.client(_SERVICE)
        answer = client.create_user_pool_client(
            UserPoolId=inputs["userPoolId"], ClientName=inputs["name"],
            GenerateSecret=bool(inputs.get("generateSecret")),
            **NAMES.request(input_shape(client, "CreateUserPoolClient"), {key: inputs.get(key) for key in _CLIENT}))
        return str(answer["UserPoolClient"]["ClientId"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client(_SERVICE)
        pool_id, _, client_id = id.rpartition("/")
        pool_id = pool_id or str(known.get("userPoolId") or "")
        answer = found(lambda: client.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id), GONE)
        if answer is None:
            return None
        got = answer["UserPoolClient"]
        shown: Properties = NAMES.response(client.meta.service_model.shape_for("UserPoolClientType"), got)
        return {key: shown.get(key) for key in _CLIENT} | {
            "name": got["ClientName"], "userPoolId": pool_id, "clientSecret": got.get("ClientSecret") or "",
            "generateSecret": bool(got.get("ClientSecret"))}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check_client(new)
        client = call.client(_SERVICE)
        client.update_user_pool_client(
            UserPoolId=new["userPoolId"], ClientId=id, ClientName=new["name"],
            **NAMES.request(input_shape(client, "UpdateUserPoolClient"), {key: new.get(key) for key in _CLIENT}))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client(_SERVICE).delete_user_pool_client(UserPoolId=known["userPoolId"], ClientId=id)


def _check_client(inputs: Properties) -> None:
    """What Cognito refuses and the emulator takes."""
    wrong = [url for url in inputs.get("callbackUrls") or ()
             if not url.startswith("https://") and not url.startswith("http://localhost")]
    problem = f"callbackUrls: {wrong[0]} is not an https URL" if wrong else ""
    if inputs.get("allowedOauthFlowsUserPoolClient"):
        for name in ("allowedOauthFlows", "allowedOauthScopes"):
            if not inputs.get(name):
                problem = f"{name} must be given when allowedOauthFlowsUserPoolClient is true"
    if problem:
        raise refused("InvalidParameterException", problem, "CreateUserPoolClient")


@resource
class UserPoolDomain(Handler):
    """Id: the domain. A prefix of Cognito's own domain, or a name of one's own with a certificate."""

    type = "aws:cognito/userPoolDomain:UserPoolDomain"
    tags_property = None
    kept = ("certificateArn", "managedLoginVersion")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield pool("userPoolId", inputs["userPoolId"])

    def create(self, call: Call, inputs: Properties) -> str:
        domain = str(inputs["domain"])
        if not inputs.get("certificateArn"):
            if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", domain):
                raise refused("InvalidParameterException", f"domain {domain!r}: lower-case letters, digits and hyphens",
                              "CreateUserPoolDomain")
            if any(word in domain for word in _FORBIDDEN_IN_DOMAINS):
                raise refused("InvalidParameterException", f"domain {domain!r} must not contain "
                              f"{', '.join(_FORBIDDEN_IN_DOMAINS)}", "CreateUserPoolDomain")
        call.client(_SERVICE).create_user_pool_domain(Domain=domain, UserPoolId=inputs["userPoolId"])
        return domain

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client(_SERVICE).describe_user_pool_domain(Domain=id), GONE)
        got = (answer or {}).get("DomainDescription") or {}
        if not got.get("UserPoolId"):
            return None
        return {"domain": id, "userPoolId": got["UserPoolId"], "awsAccountId": call.account,
                "cloudfrontDistribution": got.get("CloudFrontDistribution") or f"{id}.cloudfront.net",
                "cloudfrontDistributionArn": got.get("CloudFrontDistribution") or f"{id}.cloudfront.net",
                "cloudfrontDistributionZoneId": "Z2FDTNDATAQYW2", "s3Bucket": got.get("S3Bucket") or "",
                "version": got.get("Version") or ""}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        """What is not kept replaces."""

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(GONE):
            call.client(_SERVICE).delete_user_pool_domain(Domain=id, UserPoolId=known["userPoolId"])
