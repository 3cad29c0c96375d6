"""What a client does with events that it has fetched: it has done with them, gives them back, or takes longer."""

from collections.abc import Callable
from typing import Any

from tillflow.contexts.eventflow import leases, registry
from tillflow.contexts.eventflow.consumermodels import Acknowledge, Extend, GiveBack
from tillflow.contexts.eventflow.fetching import missing
from tillflow.contexts.eventflow.leases import Lease
from tillflow.contexts.eventflow.queues import QueueGone
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.errors import Conflict

type Told = list[dict[str, Any]]


class AcknowledgesByFetching(Conflict):
    """The consumer's next fetch acknowledges what this one returned: nothing of it can be given back."""

    code = "ACKNOWLEDGES_BY_FETCHING"


def acknowledge(consumer_id: str, wanted: Acknowledge) -> dict[str, Any]:
    """
    Have done with events, and return `{results}`, in order.

    Raises:
        ConsumerNotFound, ConsumerNotReady: there is none, or not yet.
        InvalidAck: one of the tokens is none of this consumer's.
        QueueMissing: somebody has deleted its queue.
        Unavailable: the database does not answer.
    """
    return _each(_consumer(consumer_id), wanted, leases.acknowledge)


def give_back(consumer_id: str, wanted: GiveBack) -> dict[str, Any]:
    """
    Let events come again; else as `acknowledge`.

    Raises:
        AcknowledgesByFetching: the consumer's fetches acknowledge: this could be undone by the next.
    """
    consumer = _consumer(consumer_id)
    if consumer.ack == "auto":
        raise AcknowledgesByFetching("The fetches of this consumer acknowledge. Change its ack to manual to give events back.")
    return _each(consumer, wanted, lambda _, held: leases.give_back(consumer, held, wanted.delay_seconds))


def extend(consumer_id: str, wanted: Extend) -> dict[str, Any]:
    """Let leases end later; else as `acknowledge`."""
    return _each(_consumer(consumer_id), wanted, lambda consumer, held: leases.extend(consumer, held, wanted.seconds))


def _consumer(consumer_id: str) -> Consumer:
    return registry.live(registry.find(consumer_id))


def _each(consumer: Consumer, wanted: Acknowledge, act: Callable[[Consumer, list[Lease]], Told]) -> dict[str, Any]:
    held = leases.read(consumer, wanted.ack)
    try:
        return {"results": act(consumer, held)}
    except QueueGone as error:
        raise missing(consumer) from error
