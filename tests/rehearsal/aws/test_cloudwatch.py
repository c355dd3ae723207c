"""What CloudWatch refuses of alarms and dashboards, and MiniStack takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rehearsal.aws.lifecycles import lives, made, refused

pytestmark = pytest.mark.rehearsal

ALARM, COMPOSITE, BOARD = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm",
                           "aws:cloudwatch/dashboard:Dashboard")
JUDGED = {"name": "a", "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "threshold": 1}
METRIC = {"metricName": "m", "namespace": "n", "period": 60, "stat": "Sum"}
SIMPLE = {**JUDGED, "metricName": "m", "namespace": "n", "period": 60, "statistic": "Sum"}


@pytest.mark.parametrize(("inputs", "message"), [
    ({**SIMPLE, "evaluationPeriods": 1441}, "86460 s together; 86400 s are allowed"),
    ({**SIMPLE, "period": 86400, "evaluationPeriods": 8}, "604800 s are allowed"),
    ({**JUDGED, "metricQueries": [{"id": "r", "expression": "m", "metric": METRIC, "returnData": True}]},
     "exactly one of them"),
    ({**JUDGED, "metricQueries": [{"id": "R", "metric": METRIC, "returnData": True}]}, "lower-case letter"),
    ({**JUDGED, "metricQueries": [{"id": "r", "expression": "2 * m"}, {"id": "m", "metric": METRIC}]},
     "exactly one of the queries"),
])
def test_an_alarm_that_cloudwatch_refuses_is_refused(aws: Any, inputs: dict[str, Any], message: str) -> None:
    refused(aws, ALARM, inputs, message)


def test_a_composite_alarm_names_alarms_that_are_there(aws: Any) -> None:
    rule = 'ALARM("a") AND NOT ALARM("b")'
    made(aws, ALARM, SIMPLE)
    refused(aws, COMPOSITE, {"alarmName": "any", "alarmRule": rule}, "alarmRule")
    made(aws, ALARM, {**SIMPLE, "name": "b"})
    lives(aws, COMPOSITE, {"alarmName": "any", "alarmRule": rule}, {"alarmDescription": "d"})


def test_a_widget_stays_on_the_grid(aws: Any) -> None:
    wide = json.dumps({"widgets": [{"type": "text", "x": 20, "width": 6, "height": 6, "properties": {}}]})
    refused(aws, BOARD, {"dashboardName": "d", "dashboardBody": wide}, "column 26")
