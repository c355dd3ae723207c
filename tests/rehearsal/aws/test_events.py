"""EventBridge through the provider, on the embedded AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.plans.backup import failures
from rehearsal.engine.provider import ProviderError
from tests.rehearsal.aws.lifecycles import lives, made, refused, world

pytestmark = pytest.mark.rehearsal

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"


def test_a_rule_lives_and_its_pattern_is_read(aws: Any) -> None:
    lives(aws, RULE, {"name": "r", "description": "first", "eventPattern": failures("vault")},
          {"description": "second"}, {"state": "DISABLED"}, {"eventPattern": json.dumps({"source": ["aws.rds"]})})
    lives(aws, RULE, {"name": "s", "scheduleExpression": "rate(5 minutes)"})
    for pattern, why in (("{", "is not JSON"), ('{"source": "aws.rds"}', "eventPattern.source: a list"),
                         ('{"detail": {"$or": [{"a": "b"}]}}', r"detail.\$or.a: a list"), ("{}", "a list of what")):
        refused(aws, RULE, {"name": "r", "eventPattern": pattern}, why)
    refused(aws, RULE, {"name": "r"}, "needs eventPattern or scheduleExpression")
    refused(aws, RULE, {"name": "r", "scheduleExpression": "cron(0 9 * * * *)"}, "not valid: .*exactly one of")


def test_a_target_keeps_its_rule(aws: Any) -> None:
    place = world(aws)
    id, outputs = made(aws, RULE, {"name": "r", "eventPattern": '{"source": ["aws.backup"]}'})
    lives(aws, TARGET, {"rule": "r", "arn": place.topic},
          {"inputTransformer": {"inputPaths": {"state": "$.detail.state"}, "inputTemplate": '"<state>"'}},
          {"deadLetterConfig": {"arn": place.queue}, "retryPolicy": {"maximumRetryAttempts": 3}},
          imports=lambda id: f"r/{id.removeprefix('r-')}")
    refused(aws, TARGET, {"rule": "no", "arn": place.topic}, "`rule`.*does not exist")
    refused(aws, TARGET, {"rule": "r", "arn": f"{place.topic}x"}, "`arn`.*does not exist")
    made(aws, TARGET, {"rule": "r", "arn": place.topic, "targetId": "alerts"})
    with pytest.raises(ProviderError, match="since it has targets"):
        aws.provider.delete(aws.context(RULE), id, {}, outputs)
