"""The environment's monthly budget and the watch over unusual costs (M5, E3)."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.plans import costs


@dataclass(frozen=True)
class CostsArgs:
    """`name`: of the budget and of the monitor. `topic_arn`: in us-east-1, where billing lives."""

    name: str
    environment: str
    monthly_budget_usd: int
    topic_arn: pulumi.Input[str]


class Costs(Component):
    """Both look at what carries the environment's tag; an account's other stacks have their own."""

    module = "governance"

    budget_name: pulumi.Output[str]
    monitor_arn: pulumi.Output[str]

    def __init__(self, name: str, args: CostsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        budget = aws.budgets.Budget(
            name, name=args.name, budget_type="COST", time_unit="MONTHLY", limit_unit="USD",
            limit_amount=str(args.monthly_budget_usd), opts=self.child(),
            cost_filters=[aws.budgets.BudgetCostFilterArgs(
                name="TagKeyValue", values=[costs.tag_filter(args.environment)])],
            notifications=[aws.budgets.BudgetNotificationArgs(
                comparison_operator="GREATER_THAN", notification_type=kind, threshold=percent,
                threshold_type="PERCENTAGE", subscriber_sns_topic_arns=[args.topic_arn])
                for kind, percent in costs.NOTIFICATIONS])
        monitor = aws.costexplorer.AnomalyMonitor(
            name, name=args.name, monitor_type="CUSTOM", monitor_specification=costs.monitored(args.environment),
            opts=self.child())
        # Topics are told at once only; daily and weekly summaries go by e-mail.
        aws.costexplorer.AnomalySubscription(
            name, name=args.name, frequency="IMMEDIATE", monitor_arn_lists=[monitor.arn], opts=self.child(),
            subscribers=[aws.costexplorer.AnomalySubscriptionSubscriberArgs(type="SNS", address=args.topic_arn)],
            threshold_expression=aws.costexplorer.AnomalySubscriptionThresholdExpressionArgs(
                dimension=aws.costexplorer.AnomalySubscriptionThresholdExpressionDimensionArgs(
                    key="ANOMALY_TOTAL_IMPACT_ABSOLUTE", match_options=["GREATER_THAN_OR_EQUAL"],
                    values=[costs.anomaly_threshold(args.monthly_budget_usd)])))
        self.budget_name, self.monitor_arn = budget.name, monitor.arn
        self.register_outputs({"budgetName": self.budget_name, "monitorArn": self.monitor_arn})
