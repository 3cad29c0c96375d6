"""
From the bus to the consumers: an event is stored (our own; what came from outside is), indexed, and sent to whoever wants it.

Each step may happen again. In this order: whoever becomes a consumer while a batch is on its way is either among those that it
is sent to, or finds it in the indexes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tillflow.contexts.eventflow import eventlog, pages, queues, registry, subscribers, tables
from tillflow.contexts.eventflow.pages import Entry
from tillflow.contexts.eventflow.pointers import Pointer
from tillflow.contexts.eventflow.queues import QueueGone
from tillflow.errors import Unavailable
from tillflow.messaging.consumer import Delivery
from tillflow.messaging.envelope import NotAnEnvelope
from tillflow.runtime import aws, deadline, faults
from tillflow.runtime.invocation import logger
from tillflow.storage.attributes import from_item, to_item
from tillflow.values import clock, ids


def route(deliveries: Sequence[Delivery]) -> Iterator[str]:
    """
    Store, index and send a batch of events; yield the ids of the messages that are to come again.

    Raises:
        Unavailable: the database does not answer; all of it is to come again.
    """
    known: dict[str, Entry] = {}
    for each in deliveries:
        try:
            known[each.message_id] = _stored(each)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the boundary: what is wrong with one event must not hold up the others
            logger.exception("message failed", extra={"message_id": each.message_id})
            yield each.message_id
    pages.enter(list(known.values()))
    left = _send(set(known.values()))
    yield from (message_id for message_id, entry in known.items() if entry.event_id in left)


def _stored(delivery: Delivery) -> Entry:
    """Return what the indexes have of an event, when it is stored."""
    _, source, envelope = delivery
    if not source:
        raise NotAnEnvelope("Nobody has sent it.")
    if source.startswith(eventlog.OUTSIDE):
        return _accepted(source, envelope)
    item = eventlog.from_bus(source, envelope, clock.iso(clock.now()))
    client = aws.client("dynamodb")
    try:
        with faults.unavailable("database"):
            client.put_item(
                TableName=tables.events(),
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except client.exceptions.ConditionalCheckFailedException as error:
        # It came before, and was received then.
        response: Any = error.response
        item = from_item(response["Item"])
        event = eventlog.of_item(item)
        return Entry(event.received_at, event.event_id, event.event_type, event.producer_id, event.event_version)
    told = (item["received_at"], tables.event_id_of(item), envelope["event_type"], eventlog.producer_of(source))
    return Entry(*told, envelope["version"])


def _accepted(source: str, envelope: dict[str, object]) -> Entry:
    """Return what the indexes have of an event that came from outside, as `eventlog.accepted` has shaped it."""
    received_at, version, producer_id = envelope.get("received_at"), envelope.get("event_version"), eventlog.producer_of(source)
    if not (isinstance(received_at, str) and type(version) is int and ids.is_uuid(producer_id)):
        raise NotAnEnvelope("Not as an accepted event is.")
    moment = clock.iso(clock.parse(received_at))
    return Entry(moment, ids.canonical(str(envelope["event_id"])), str(envelope["event_type"]), producer_id, version)


def _send(entries: set[Entry]) -> set[str]:
    """
    Send each event to every consumer that wants it; return the ids of those that somebody's queue did not take.

    Where there is no time for all consumers, other ones are the last when the events come again.
    """
    left: set[str] = set()
    ordered = sorted(entries)
    consumers = subscribers.now()
    first = clock.milliseconds(clock.now()) % len(consumers) if consumers else 0
    for consumer in (*consumers[first:], *consumers[:first]):
        wanted = [Pointer(*each[1:4]) for each in ordered if consumer.wants(each.event_type)]
        if not wanted:
            continue
        if deadline.remaining() < 2 * aws.LONGEST_CALL_SECONDS:
            left |= {each.event_id for each in wanted}
            continue
        try:
            left |= {each.event_id for each in queues.send(consumer, wanted)}
        except QueueGone:
            # It is made again, and what it should have had is replayed (tending.py): the others need not wait.
            registry.mark_broken(consumer)
        except Exception:  # noqa: BLE001 - the boundary: what is wrong with one consumer must not hold up the others
            logger.exception("not sent", extra={"consumer_id": consumer.consumer_id})
            left |= {each.event_id for each in wanted}
    return left
