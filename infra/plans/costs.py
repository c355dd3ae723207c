"""When money is worth a message (M5, E3): shares of the monthly budget, and the shape of its filters."""

from __future__ import annotations

import json

# Of the budget, in percent: what was spent, and what the month will come to.
NOTIFICATIONS = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
_ANOMALY_SHARE = 0.05  # of the budget: 20 $ where it is 400 $, 75 $ where it is 1,500 $


def anomaly_threshold(budget_usd: int) -> str:
    """From how much more than expected on, in USD, an anomaly is worth a message."""
    return f"{budget_usd * _ANOMALY_SHARE:g}"


def tag_filter(environment: str) -> str:
    """The value of a budget's filter `TagKeyValue`. The tag must be activated for cost allocation."""
    return f"user:Environment${environment}"


def monitored(environment: str) -> str:
    """Cost Explorer's expression with every member: the provider compares it with the API's answer, which has nulls,
    and replaces the monitor for a difference."""
    return json.dumps({"And": None, "CostCategories": None, "Dimensions": None, "Not": None, "Or": None,
                       "Tags": {"Key": "Environment", "MatchOptions": None, "Values": [environment]}})
