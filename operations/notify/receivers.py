"""Which receivers are in use, by environment variables first and then by the stack's secrets.

| receiver | variables | otherwise the secret |
|---|---|---|
| Slack | CANDLEFISH_SLACK_WEBHOOK | `candlefish-{environment}/slack-…`: `{"alerts": "https://…"}` |
| PagerDuty | CANDLEFISH_PAGERDUTY_KEY | `candlefish-{environment}/pagerduty-…`: `{"routingKey": "…"}` |
| GitHub | GITHUB_TOKEN, GITHUB_REPOSITORY, and CANDLEFISH_GITHUB_DEPLOYMENT (an id) or GITHUB_SHA | |

GitHub's are those that its pipelines set; GITHUB_API_URL, GITHUB_SERVER_URL and GITHUB_RUN_ID are used where they are.
The secrets are those of the notifications' function; an empty document means that the receiver is not in use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.plans.names import Names
from operations.aws import pages
from operations.notify.senders import GitHub, PagerDuty, Sender, Slack

# Receiver → variable, the secret's name behind the prefix, key in its document.
KEPT: dict[Callable[[str], Sender], tuple[str, str, str]] = {
    Slack: ("CANDLEFISH_SLACK_WEBHOOK", "slack", "alerts"),
    PagerDuty: ("CANDLEFISH_PAGERDUTY_KEY", "pagerduty", "routingKey")}


def receivers(environment: str, variables: Mapping[str, str], secrets: Any) -> list[Sender]:
    """environment: of the stack. secrets: boto3's client of secretsmanager. Raises botocore's errors and ValueError."""
    found: list[Sender] = []
    for kind, (variable, name, key) in KEPT.items():
        value = variables.get(variable) or _secret(secrets, f"{Names(environment).secret_prefix}/{name}-").get(key)
        if value:
            found.append(kind(str(value)))
    github = _github(variables)
    return [*found, github] if github else found


def _github(variables: Mapping[str, str]) -> GitHub | None:
    token, repository = variables.get("GITHUB_TOKEN", ""), variables.get("GITHUB_REPOSITORY", "")
    deployment, ref = variables.get("CANDLEFISH_GITHUB_DEPLOYMENT", ""), variables.get("GITHUB_SHA", "")
    if not token or not repository or not (deployment or ref):
        return None
    if deployment and not deployment.isdecimal():
        raise ValueError("CANDLEFISH_GITHUB_DEPLOYMENT is no number; it is the id of a deployment")
    server, run = variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_RUN_ID", "")
    return GitHub(repository, token, ref, int(deployment or 0), variables.get("GITHUB_API_URL", GitHub.url),
                  f"{server}/{repository}/actions/runs/{run}" if server and run else "")


def _secret(secrets: Any, prefix: str) -> dict[str, Any]:
    """The document of the secret whose name begins so; empty when there is none or nobody filled it."""
    listed = pages(secrets, "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [prefix]}])
    for entry in sorted(listed, key=lambda entry: entry["CreatedDate"], reverse=True):
        document = json.loads(secrets.get_secret_value(SecretId=entry["ARN"])["SecretString"])
        if not isinstance(document, dict):
            raise ValueError(f"secret {entry['Name']} is no JSON object")
        return document
    return {}
