"""Who reads queues and streams: bounded, patient, watched. A consumer is a function, and a stack of stacks/consumer.yaml."""

import json
from collections import Counter
from typing import Any

import pytest

from tests import template
from tests.faults.wiring import matches
from tillflow.contexts.eventflow.queues import MAX_DELIVERIES

FUNCTIONS = template.resources(template.FUNCTION)
STACKS = {
    name: each["Properties"]
    for name, each in template.written(template.ROOT_TEMPLATE)["Resources"].items()
    if each["Type"] == template.NESTED and each["Properties"]["TemplateURL"] == template.CONSUMER
}


def readers(kind: str) -> list[tuple[str, Any]]:
    """Return every function's logical id with each of its triggers of one *kind*."""
    return [
        (name, trigger["Properties"])
        for name, properties in FUNCTIONS.items()
        for trigger in properties.get("Events", {}).values()
        if trigger["Type"] == kind
    ]


@pytest.mark.parametrize("read", [*(f"{stack}Queue" for stack in STACKS), "ConsumerDeadLetters"])
def test_a_queue_has_one_reader_that_is_bounded_and_fails_message_by_message(read: str) -> None:
    ((name, reads),) = [each for each in readers("SQS") if each[1]["Queue"] == {"Fn::GetAtt": [read, "Arn"]}]
    queue = template.resources(template.QUEUE)[read]
    of_all = template.template()["Globals"]["Function"]

    assert reads["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    bounded = {"MaximumConcurrency": {"Ref": "ConsumerConcurrency"}}
    assert reads["ScalingConfig"] == {"Fn::If": ["IsAws", bounded, template.NO_VALUE]}
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS[name].get("Timeout", of_all["Timeout"]), "AWS's advice"


def test_what_consumers_have_failed_on_is_still_tried_as_often_as_any_event() -> None:
    """SQS counts how often a message was received across all queues (ReceiveMessage, ApproximateReceiveCount)."""
    tried = template.written(template.CONSUMER)["Resources"]["Queue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]

    kept = template.resources(template.QUEUE)["ConsumerDeadLetters"]["RedrivePolicy"]["maxReceiveCount"]
    assert kept == MAX_DELIVERIES + tried


@pytest.mark.parametrize("stack", STACKS)
def test_who_does_not_keep_up_is_told_of_before_sqs_forgets(stack: str) -> None:
    """SQS keeps four days unless told; of what dies it counts the time before (Setting up dead-letter queue retention)."""
    resources = template.template()["Resources"]
    queue, dead = (resources[f"{stack}{name}"]["Properties"] for name in ("Queue", "DeadLetters"))
    alarm = resources[f"{stack}LateAlarm"]["Properties"]

    assert queue["MessageRetentionPeriod"] == 10 * 86_400 < dead["MessageRetentionPeriod"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [f"{stack}Queue", "QueueName"]}}]
    attempts = queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]
    assert attempts < alarm["Threshold"] < queue["MessageRetentionPeriod"]


def test_what_a_consumer_s_queue_does_not_take_is_not_dropped() -> None:
    """EventBridge tries for a day, and drops at once what SQS refuses."""
    consumer = template.written(template.CONSUMER)["Resources"]
    dead_letters = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    policy = consumer["QueuePolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert [each["DeadLetterConfig"] for each in consumer["Rule"]["Properties"]["Targets"]] == [{"Arn": dead_letters}]
    assert dead_letters in statement["Resource"]
    assert {"Ref": "DeadLetters"} in policy["Queues"]


def patterns() -> dict[str, Any]:
    """Return what each rule of the bus takes, by what it feeds."""
    rules = {name: json.loads(each["Parameters"]["EventPattern"]) for name, each in STACKS.items()}
    for name, machine in template.resources("AWS::Serverless::StateMachine").items():
        for each in machine.get("Events", {}).values():
            rules[name] = each["Properties"]["Pattern"]
    return rules


@pytest.mark.parametrize("name", patterns())
def test_a_rule_says_whose_events_it_takes(name: str) -> None:
    """What comes from outside has a source of its own: it is written down, and moves neither stock nor money."""
    pattern = patterns()[name]

    outside = {"source": "eventflow.a-shop", "detail-type": next(iter(pattern.get("detail-type", ["any"])))}
    assert "source" in pattern
    assert matches({part: pattern[part] for part in outside if part in pattern}, outside) == (name == "EventLog")


def test_what_came_from_outside_is_not_archived() -> None:
    """A payload that is erased would stay there: nothing can be taken out of an archive."""
    pattern = template.resources("AWS::Events::Archive")["EventArchive"]["EventPattern"]

    assert matches(pattern, {"source": "tillflow.orders"})
    assert not matches(pattern, {"source": "eventflow.a-shop"})


def test_every_queue_that_is_read_is_a_consumer_s_or_has_what_consumers_have_failed_on() -> None:
    assert len(readers("SQS")) == len(STACKS) + 1


@pytest.mark.parametrize(("name", "reads"), readers("DynamoDB"))
def test_a_stream_is_read_by_one_at_a_time_for_each_shard_and_never_lost(name: str, reads: dict[str, Any]) -> None:
    """More at once would take the concurrency that orders need."""
    assert reads["ParallelizationFactor"] == 1, name
    assert reads["BisectBatchOnFunctionError"] is True
    letters = {"PublishEventsFunction": "PublishDeadLetters", "FollowLedgerFunction": "LedgerDeadLetters"}[name]
    assert reads["DestinationConfig"] == {"OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": [letters, "Arn"]}}}
    # The stream keeps a day: what is given up can still be read from it.
    assert reads["MaximumRecordAgeInSeconds"] <= 12 * 3600


def test_a_stream_has_two_readers_at_most() -> None:
    """AWS (Lambda Developer Guide, Using DynamoDB): more are throttled."""
    streams = Counter(str(reads["Stream"]) for _, reads in readers("DynamoDB"))

    assert streams
    assert {stream: count for stream, count in streams.items() if count > 2} == {}


def test_every_dead_letter_queue_has_an_alarm_and_is_on_the_dashboard() -> None:
    dead = {name for name in template.resources(template.QUEUE) if name.endswith("DeadLetters")}
    alarms = template.resources("AWS::CloudWatch::Alarm")
    body = template.resources("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    (_, shown) = body[1]["Each"]["Fn::Join"]

    assert {alarms[f"{name}Alarm"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for name in dead} == dead
    assert {each["Fn::GetAtt"][0] for each in shown["Fn::Join"][1]} == dead


@pytest.mark.parametrize("name", template.resources("AWS::CloudWatch::Alarm"))
def test_an_alarm_is_told(name: str) -> None:
    assert template.resources("AWS::CloudWatch::Alarm")[name]["AlarmActions"] == [{"Ref": "Alarms"}]
