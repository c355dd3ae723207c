"""Budgets with their notifications, by MiniStack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.aws.handler import Call, Handler, Naming, Reference, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, pairs, present, refused, retag, tag_map, unless
from rehearsal.engine.values import Properties

GONE = "NotFoundException"
_ENUMS = {"budgetType": "BudgetType", "timeUnit": "TimeUnit"}
_ALERT = {"comparisonOperator": "ComparisonOperator", "notificationType": "NotificationType",
          "thresholdType": "ThresholdType"}
_TOPICS = 1  # of a notification ("Creating an Amazon SNS topic for budget notifications")


@resource
class Budget(Handler):
    """The id is `account:name`."""

    type = "aws:budgets/budget:Budget"
    naming = Naming("name", maximum=100)
    global_region = "us-east-1"
    kept = ("namePrefix",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        for index, each in enumerate(inputs.get("notifications") or ()):
            for arn in each.get("subscriberSnsTopicArns") or ():
                yield references.topic(f"notifications[{index}].subscriberSnsTopicArns", arn)

    def create(self, call: Call, inputs: Properties) -> str:
        _check(call, inputs)
        account = inputs.get("accountId") or call.account
        call.client("budgets").create_budget(
            AccountId=account, Budget=_budget(inputs), ResourceTags=call.tag_list,
            NotificationsWithSubscribers=[_sent(each) for each in inputs.get("notifications") or ()])
        return f"{account}:{inputs['name']}"

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client, (account, name) = call.client("budgets"), id.split(":", 1)
        named = {"AccountId": account, "BudgetName": name}
        answer = found(lambda: client.describe_budget(**named), GONE)
        if answer is None:
            return None
        budget = answer["Budget"]
        arn = call.arn("budgets", f"budget/{name}", region="", account=account)
        alerts = client.describe_notifications_for_budget(**named).get("Notifications", [])
        return {"arn": arn, "accountId": account, "name": name, "budgetType": budget["BudgetType"],
                "timeUnit": budget["TimeUnit"], "limitAmount": _plain(budget["BudgetLimit"]["Amount"]),
                "limitUnit": budget["BudgetLimit"]["Unit"],
                "costFilters": [{"name": key, "values": values}
                                for key, values in sorted(budget.get("CostFilters", {}).items())],
                "notifications": [_shown(each, client.describe_subscribers_for_notification(
                    **named, Notification=each)["Subscribers"]) for each in alerts],
                "tags": tag_map(client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"])}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        _check(call, new)
        client, (account, name) = call.client("budgets"), id.split(":", 1)
        named = {"AccountId": account, "BudgetName": name}
        if changed - {"tags", "tagsAll", "notifications"}:
            client.update_budget(AccountId=account, NewBudget=_budget(new))
        if "notifications" in changed:  # the provider, too, takes all away and makes them anew
            for each in client.describe_notifications_for_budget(**named).get("Notifications", []):
                client.delete_notification(**named, Notification=each)
            for alert in new.get("notifications") or ():
                client.create_notification(**named, **_sent(alert))
        if "tags" in changed:
            arn = call.arn("budgets", f"budget/{name}", region="", account=account)
            retag(call, tag_map(client.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]),
                  lambda tags: client.tag_resource(ResourceARN=arn, ResourceTags=pairs(tags)),
                  lambda keys: client.untag_resource(ResourceARN=arn, ResourceTagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        account, name = id.split(":", 1)
        with unless(GONE):
            call.client("budgets").delete_budget(AccountId=account, BudgetName=name)


def _budget(inputs: Properties) -> dict[str, Any]:
    filters = {each["name"]: each["values"] for each in inputs.get("costFilters") or ()}
    return present(
        BudgetName=inputs["name"], BudgetType=inputs["budgetType"], TimeUnit=inputs["timeUnit"],
        CostFilters=filters or None, BudgetLimit={"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]})


def _sent(alert: Properties) -> dict[str, Any]:
    subscribers = [{"SubscriptionType": kind, "Address": address}
                   for kind, key in (("SNS", "subscriberSnsTopicArns"), ("EMAIL", "subscriberEmailAddresses"))
                   for address in alert.get(key) or ()]
    return {"Subscribers": subscribers, "Notification": {
        "ComparisonOperator": alert["comparisonOperator"], "NotificationType": alert["notificationType"],
        "Threshold": alert["threshold"], "ThresholdType": alert["thresholdType"]}}


def _shown(alert: dict[str, Any], subscribers: list[dict[str, str]]) -> Properties:
    by_kind = {kind: [each["Address"] for each in subscribers if each["SubscriptionType"] == kind]
               for kind in ("SNS", "EMAIL")}
    shown: Properties = {
        "comparisonOperator": alert["ComparisonOperator"], "notificationType": alert["NotificationType"],
        "threshold": alert["Threshold"], "thresholdType": alert.get("ThresholdType", "PERCENTAGE")}
    for key, kind in (("subscriberSnsTopicArns", "SNS"), ("subscriberEmailAddresses", "EMAIL")):
        if by_kind[kind]:
            shown[key] = by_kind[kind]
    return shown


def _plain(amount: str) -> str:
    """AWS answers `400.0` for `400`, which the provider takes for the same."""
    return f"{float(amount):g}"


def _check(call: Call, inputs: Properties) -> None:
    model = call.client("budgets").meta.service_model
    problems = list(_not_in(model, _ENUMS, inputs))
    for each in inputs.get("notifications") or ():
        problems += _not_in(model, _ALERT, each)
        if len(each.get("subscriberSnsTopicArns") or ()) > _TOPICS:
            problems.append("a notification has one topic at most")
    if not inputs.get("limitAmount") or not inputs.get("limitUnit"):
        problems.append("limitAmount and limitUnit are needed: planned and adjusting budgets are not rehearsed")
    elif float(inputs["limitAmount"]) <= 0:
        problems.append(f"limitAmount is {inputs['limitAmount']}; it must be above 0")
    if problems:
        raise refused("InvalidParameterException", "; ".join(problems), "CreateBudget")


def _not_in(model: Any, enums: dict[str, str], values: Properties) -> Iterable[str]:
    for key, shape in enums.items():
        known = model.shape_for(shape).enum
        if values[key] not in known:
            yield f"{key} {values[key]!r}: one of {', '.join(known)}"
