"""SNS: topics, their policies and subscriptions, by MiniStack."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.aws.handler import Call, Handler, Naming, Reference, data_source, resource
from rehearsal.aws.services import _references as references
from rehearsal.aws.services._convert import found, pairs, retag, tag_map, unless
from rehearsal.engine.provider import ProviderError
from rehearsal.engine.values import Properties

GONE = ("NotFound", "NotFoundException")

_TEXTS = {"displayName": "DisplayName", "policy": "Policy", "deliveryPolicy": "DeliveryPolicy",
          "kmsMasterKeyId": "KmsMasterKeyId", "archivePolicy": "ArchivePolicy", "tracingConfig": "TracingConfig",
          "signatureVersion": "SignatureVersion", "fifoThroughputScope": "FifoThroughputScope"}
_SWITCHES = {"fifoTopic": "FifoTopic", "contentBasedDeduplication": "ContentBasedDeduplication"}
_FEEDBACK = tuple(f"{service}{what}" for service in ("application", "firehose", "http", "lambda", "sqs")
                  for what in ("FailureFeedbackRoleArn", "SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate"))

_SUBSCRIPTION_TEXTS = {"deliveryPolicy": "DeliveryPolicy", "filterPolicy": "FilterPolicy",
                       "filterPolicyScope": "FilterPolicyScope", "redrivePolicy": "RedrivePolicy",
                       "replayPolicy": "ReplayPolicy", "subscriptionRoleArn": "SubscriptionRoleArn"}


@resource
class Topic(Handler):
    """The id is the topic's ARN."""

    type = "aws:sns/topic:Topic"
    naming = Naming("name", maximum=256)
    documents = ("policy", "deliveryPolicy", "archivePolicy")
    defaults = {"fifoTopic": False, "contentBasedDeduplication": False}
    kept = ("namePrefix", *_FEEDBACK)

    def name_suffix(self, inputs: Properties) -> str:
        return ".fifo" if inputs.get("fifoTopic") is True else ""

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"kmsMasterKeyId": references.kms_key})

    def create(self, call: Call, inputs: Properties) -> str:
        attributes = {api: inputs[name] for name, api in _TEXTS.items() if inputs.get(name)}
        attributes |= {api: "true" for name, api in _SWITCHES.items() if inputs.get(name)}
        return str(call.client("sns").create_topic(
            Name=inputs["name"], Attributes=attributes, Tags=call.tag_list)["TopicArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        client = call.client("sns")
        answer = found(lambda: client.get_topic_attributes(TopicArn=id), *GONE)
        if answer is None:
            return None
        attributes = answer["Attributes"]
        outputs: Properties = {"arn": id, "name": id.split(":")[-1], "owner": call.account,
                               "tags": tag_map(client.list_tags_for_resource(ResourceArn=id)["Tags"])}
        outputs |= {name: attributes[api] for name, api in _TEXTS.items() if attributes.get(api)}
        return outputs | {name: attributes[api].lower() == "true"
                          for name, api in _SWITCHES.items() if api in attributes}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("sns")
        for name in sorted(changed & _TEXTS.keys()):
            client.set_topic_attributes(TopicArn=id, AttributeName=_TEXTS[name], AttributeValue=new.get(name) or "")
        if "contentBasedDeduplication" in changed:
            client.set_topic_attributes(TopicArn=id, AttributeName="ContentBasedDeduplication",
                                        AttributeValue=str(bool(new.get("contentBasedDeduplication"))).lower())
        if "tags" in changed:
            retag(call, tag_map(client.list_tags_for_resource(ResourceArn=id)["Tags"]),
                  lambda tags: client.tag_resource(ResourceArn=id, Tags=pairs(tags)),
                  lambda keys: client.untag_resource(ResourceArn=id, TagKeys=keys))

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE):
            call.client("sns").delete_topic(TopicArn=id)


@resource
class TopicPolicy(Handler):
    type = "aws:sns/topicPolicy:TopicPolicy"
    tags_property = None
    documents = ("policy",)

    def references(self, inputs: Properties) -> Iterable[Reference]:
        yield from references.given(inputs, {"arn": references.topic})

    def create(self, call: Call, inputs: Properties) -> str:
        self.update(call, inputs["arn"], {}, inputs, frozenset())
        return str(inputs["arn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("sns").get_topic_attributes(TopicArn=id), *GONE)
        policy = (answer or {}).get("Attributes", {}).get("Policy")
        return {"arn": id, "owner": call.account, "policy": policy} if policy else None

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        call.client("sns").set_topic_attributes(TopicArn=id, AttributeName="Policy", AttributeValue=new["policy"])

    def delete(self, call: Call, id: str, known: Properties) -> None:
        """A topic always has a policy: what goes is ours, the account's default takes its place."""
        default = ('{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",'
                   '"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes",'
                   '"SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic",'
                   '"SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],'
                   f'"Resource":"{id}","Condition":{{"StringEquals":{{"AWS:SourceOwner":"{call.account}"}}}}}}]}}')
        with unless(*GONE):
            call.client("sns").set_topic_attributes(TopicArn=id, AttributeName="Policy", AttributeValue=default)


@resource
class TopicSubscription(Handler):
    """The id is the subscription's ARN. Subscriptions that a person confirms (email) stay pending, as they do there."""

    type = "aws:sns/topicSubscription:TopicSubscription"
    tags_property = None
    documents = ("deliveryPolicy", "filterPolicy", "redrivePolicy", "replayPolicy")
    defaults = {"rawMessageDelivery": False, "confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False}
    kept = ("confirmationTimeoutInMinutes", "endpointAutoConfirms")

    def references(self, inputs: Properties) -> Iterable[Reference]:
        check = {"sqs": references.queue, "lambda": references.function}.get(inputs.get("protocol") or "")
        yield from references.given(inputs, {"topic": references.topic, **({"endpoint": check} if check else {})})

    def create(self, call: Call, inputs: Properties) -> str:
        attributes = {api: inputs[name] for name, api in _SUBSCRIPTION_TEXTS.items() if inputs.get(name)}
        if inputs.get("rawMessageDelivery"):
            attributes["RawMessageDelivery"] = "true"
        return str(call.client("sns").subscribe(
            TopicArn=inputs["topic"], Protocol=inputs["protocol"], Endpoint=inputs["endpoint"], Attributes=attributes,
            ReturnSubscriptionArn=True)["SubscriptionArn"])

    def read(self, call: Call, id: str, known: Properties) -> Properties | None:
        answer = found(lambda: call.client("sns").get_subscription_attributes(SubscriptionArn=id), *GONE)
        if answer is None:
            return None
        attributes = answer["Attributes"]
        outputs: Properties = {
            "arn": id, "topic": attributes["TopicArn"], "protocol": attributes["Protocol"],
            "endpoint": attributes["Endpoint"], "ownerId": attributes.get("Owner", call.account),
            "pendingConfirmation": attributes.get("PendingConfirmation") == "true",
            "confirmationWasAuthenticated": attributes.get("ConfirmationWasAuthenticated") == "true",
            "rawMessageDelivery": attributes.get("RawMessageDelivery") == "true"}
        return outputs | {name: attributes[api] for name, api in _SUBSCRIPTION_TEXTS.items() if attributes.get(api)}

    def update(self, call: Call, id: str, old: Properties, new: Properties, changed: frozenset[str]) -> None:
        client = call.client("sns")
        for name in sorted(changed & _SUBSCRIPTION_TEXTS.keys()):
            client.set_subscription_attributes(SubscriptionArn=id, AttributeName=_SUBSCRIPTION_TEXTS[name],
                                               AttributeValue=new.get(name) or "")
        if "rawMessageDelivery" in changed:
            client.set_subscription_attributes(SubscriptionArn=id, AttributeName="RawMessageDelivery",
                                               AttributeValue=str(bool(new.get("rawMessageDelivery"))).lower())

    def delete(self, call: Call, id: str, known: Properties) -> None:
        with unless(*GONE):
            call.client("sns").unsubscribe(SubscriptionArn=id)


@data_source("aws:sns/getTopic:getTopic")
def get_topic(call: Call, arguments: Properties) -> Properties:
    for page in call.client("sns").get_paginator("list_topics").paginate():
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{arguments['name']}"):
                return {"arn": topic["TopicArn"], "id": topic["TopicArn"], "name": arguments["name"], "tags": {}}
    raise ProviderError(f"the topic {arguments['name']!r} does not exist in {call.region}")
