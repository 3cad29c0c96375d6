"""
EventFlow in DynamoDB: keys and access patterns.

| table (env)               | pattern                                      | key                                       | reads                     | writes            |
|---------------------------|----------------------------------------------|-------------------------------------------|---------------------------|-------------------|
| EVENTS_TABLE              | an event                                     | EVENT#<id>, EVENT                         | 1 a 4 KB                  | 1 a KB            |
| EVENTS_TABLE              | events of a day, a type or a producer        | <of>#<day>#<shard>, <second>#<digest>     | ½ a 4 KB, 90 events and more | 1 a KB         |
| EVENTS_TABLE              | on which days there are any                  | DAYS#<of>, <day>#<shard>                  | ½ a 4 KB                  | 1 a day and router |
| EVENTS_TABLE `trace`      | the product's own events of one trace        | <trace id>#<0..3>, occurred_at            | 4 x ½ a 4 KB, and each event | 1              |
| EVENTFLOW_TABLE           | a producer                                   | PRODUCER#<id>, PRODUCER                   | 1                         | 1                 |
| EVENTFLOW_TABLE           | how many events it has sent                  | RATE#<producer id>, RATE                  | 1 a lease                 | 1 a lease         |
| EVENTFLOW_TABLE           | how often schemas have changed               | SCHEMAS, STAMP                            | 1 a request               | 2 a change        |
| EVENTFLOW_TABLE           | a type's schemas, by version                 | TYPE#<type>, VERSION#<number>             | 1 a 4 KB                  | 2 a KB            |
| EVENTFLOW_TABLE           | a consumer; all of them, in one partition    | CONSUMERS, CONSUMER#<id>                  | 1 a 4 KB                  | 2                 |
| EVENTFLOW_TABLE           | how often consumers have changed, and how many there are | CONSUMERS, VERSION            | 1 a batch of events       | 2 a change        |
| EVENTFLOW_TABLE           | what a poller was given and acknowledges next | POLLER#<consumer id>#<digest>, POLLER    | 1 a 4 KB                  | 1 a KB            |
| EVENTFLOW_TABLE           | an event that a consumer has failed on, and all of them | DEAD#<consumer id>, <event id>#<when it was sent> | 1 a 4 KB | 1 in, 1 out |
| EVENTFLOW_TABLE           | a consumer's replays                         | REPLAYS#<consumer id>, <id>               | 1 a 4 KB                  | 1 a run           |
| EVENTFLOW_TABLE `listed`  | producers: newest first                      | PRODUCERS, listed_as                      | ½ a 4 KB, and each        | 1 in              |
| EVENTFLOW_TABLE `listed`  | types by name, each with its newest version  | TYPES, listed_as                          | ½ a 4 KB                  | 1 in, 1 out       |
| EVENTFLOW_TABLE `listed`  | replays that run, by when nobody is at them  | REPLAYS, listed_as                        | ½ a 4 KB, and each        | 1 in, 2 a run, 1 out |
| EVENTFLOW_TABLE `listed`  | a consumer's dead letters, oldest first      | DEAD#<consumer id>, listed_as             | ½ a 4 KB, and each        | 1 in, 1 out       |
"""

from typing import Any

from tillflow.runtime.config import setting
from tillflow.storage.attributes import Item
from tillflow.storage.tables import INDEX_PARTITIONS, Key, index_partition

TRACE_INDEX = "trace"
LISTED_INDEX = "listed"
LISTED_KEYS = ("listed", "listed_as")
# Partitions of the index of what is listed.
PRODUCERS, TYPES, REPLAYS = "PRODUCERS", "TYPES", "REPLAYS"
# What indexes of events are of.
ALL = "ALL"
_CONSUMER = "CONSUMER#"
_VERSION_DIGITS = 5


def events() -> str:
    """Return the name of the table of events."""
    return setting("EVENTS_TABLE")


def eventflow() -> str:
    """Return the name of the table of producers, schemas and consumers."""
    return setting("EVENTFLOW_TABLE")


def event_key(event_id: str) -> Key:
    """Return the key of an event. The same event has the same key, so storing it twice changes nothing."""
    return {"pk": f"EVENT#{event_id}", "sk": "EVENT"}


def event_id_of(key: Item) -> str:
    """Return the id of an event from its key, or the item under it."""
    return str(key["pk"]).removeprefix("EVENT#")


def traced(trace_id: str, event_id: str) -> str:
    """Return the partition of the index of traces that has this event: callers choose a trace's id, and could heat one."""
    return f"{trace_id}#{index_partition(event_id)}"


def traces(trace_id: str) -> list[str]:
    """Return the partitions of the index of traces that a trace's events are in (see `traced`)."""
    return [f"{trace_id}#{each}" for each in INDEX_PARTITIONS]


def of_type(event_type: str) -> str:
    """Return what the index of a type's events is of."""
    return f"TYPE#{event_type}"


def of_producer(producer_id: str) -> str:
    """Return what the index of a producer's events is of."""
    return f"PRODUCER#{producer_id}"


def page_key(of: str, day: str, shard: str, second: str, digest: str) -> Key:
    """Return the key of one page of an index of events: some that were received within one *second*."""
    return {"pk": f"{of}#{day}#{shard}", "sk": f"{second}#{digest}"}


def day_key(of: str, day: str, shard: str) -> Key:
    """Return the key that says that an index has pages of this *day* in this *shard*."""
    return {"pk": f"DAYS#{of}", "sk": f"{day}#{shard}"}


def day_of(key: Item) -> tuple[str, str]:
    """Return the day and the shard of a `day_key`."""
    day, shard = str(key["sk"]).split("#")
    return day, shard


def second_of(key: Item) -> str:
    """Return the second of a `page_key`."""
    return str(key["sk"]).partition("#")[0]


def producer_key(producer_id: str) -> Key:
    """Return the key of a producer."""
    return {"pk": f"PRODUCER#{producer_id}", "sk": "PRODUCER"}


def producer_id_of(key: Item) -> str:
    """Return the id of a producer from its key, or the item under it."""
    return str(key["pk"]).removeprefix("PRODUCER#")


def is_producer(key: Item) -> bool:
    """Tell whether a key, or the item under it, is a producer's."""
    return bool(key["sk"] == "PRODUCER")


def listed_as(created_at: str, of: str) -> str:
    """Return where something is in its partition of the index: by when it was made."""
    return f"{created_at}#{of}"


def rate_key(producer_id: str) -> Key:
    """Return the key of how many events a producer has sent."""
    return {"pk": f"RATE#{producer_id}", "sk": "RATE"}


def stamp_key() -> Key:
    """Return the key of how often schemas have changed."""
    return {"pk": "SCHEMAS", "sk": "STAMP"}


def schema_key(event_type: str, version: int) -> Key:
    """Return the key of one version of a type's schema."""
    return {"pk": f"TYPE#{event_type}", "sk": f"VERSION#{version:0{_VERSION_DIGITS}}"}


def version_of(key: Item) -> tuple[str, int]:
    """Return the type and the version of a `schema_key`, or of the item under it."""
    return str(key["pk"]).removeprefix("TYPE#"), int(str(key["sk"]).removeprefix("VERSION#"))


def consumer_key(consumer_id: str) -> Key:
    """Return the key of a consumer."""
    return {"pk": "CONSUMERS", "sk": f"{_CONSUMER}{consumer_id}"}


def is_consumer(key: Item) -> bool:
    """Tell whether a key, or the item under it, is a consumer's."""
    return str(key["sk"]).startswith(_CONSUMER)


def consumer_id_of(key: Item) -> str:
    """Return the id of a consumer from its key, or the item under it."""
    return str(key["sk"]).removeprefix(_CONSUMER)


def consumers_version_key() -> Key:
    """Return the key of how often consumers have changed, and how many there are."""
    return {"pk": "CONSUMERS", "sk": "VERSION"}


def poller_key(consumer_id: str, digest: str) -> Key:
    """Return the key of what one poller of a consumer was given last."""
    return {"pk": f"POLLER#{consumer_id}#{digest}", "sk": "POLLER"}


def dead_letter_key(consumer_id: str, event_id: str, sent_at: str) -> Key:
    """Return the key of an event that a consumer has failed on too often, after it was queued *sent_at* (milliseconds since 1970)."""
    return {"pk": f"DEAD#{consumer_id}", "sk": f"{event_id}#{sent_at}"}


def dead_letters(consumer_id: str, event_id: str) -> tuple[str, tuple[str, str]]:
    """Return the partition of a consumer's dead letters, and the bounds of those of an event (of all, where it is empty)."""
    return f"DEAD#{consumer_id}", (event_id or "0", f"{event_id or 'g'}#~")


def key_of(item: Item) -> Key:
    """Return the key of an item, or of an index's entry of it."""
    return {"pk": item["pk"], "sk": item["sk"]}


def replay_key(consumer_id: str, replay_id: str) -> Key:
    """Return the key of a replay of events to a consumer; its id sorts by when it was begun."""
    return {"pk": f"REPLAYS#{consumer_id}", "sk": replay_id}


def replay_of(key: Item) -> tuple[str, str]:
    """Return the consumer and the replay of a `replay_key`, or of the item under it."""
    return str(key["pk"]).removeprefix("REPLAYS#"), str(key["sk"])


def replays(consumer_id: str) -> tuple[str, tuple[str, str]]:
    """Return the partition of a consumer's replays, and its bounds."""
    return f"REPLAYS#{consumer_id}", ("0", "g")


def partition_of(key: Key) -> str:
    """Return the partition that a key is in, to read all of it."""
    return key["pk"]


def place_of(key: Any) -> str:
    """Return where a key, or the item under it, is in its partition."""
    return str(key["sk"])
