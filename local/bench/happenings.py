"""What AWS answers about events and their producers in a measurement without AWS."""

import json
import zlib
from typing import Any

from local.shop.samples import CONSUMER_ID, EVENT_ID, FETCHED, PRODUCER_ID, PRODUCER_KEY_ID, REPLAY_ID, TRACE_ID, sample

type Json = dict[str, Any]

_FOREVER = 9_999_999_999
_AT = "2026-02-10T12:34:56.000Z"
_ENVELOPE = {
    "event_id": EVENT_ID,
    "event_type": "till.opened",
    "occurred_at": _AT,
    "trace_id": TRACE_ID,
    "identity": {"user_id": PRODUCER_ID, "roles": ["producer"]},
    "data": json.loads(sample("eventflow/accept_event")["body"])["payload"],
    "version": 1,
    "event_version": 1,
    "received_at": _AT,
}
EVENT = {
    "pk": f"EVENT#{EVENT_ID}",
    "sk": "EVENT",
    "outbox": zlib.compress(json.dumps([[f"eventflow.{PRODUCER_ID}", "till.opened", json.dumps(_ENVELOPE)]]).encode()),
    "expires_at": _FOREVER,
}
PRODUCER = {
    "pk": f"PRODUCER#{PRODUCER_ID}",
    "sk": "PRODUCER",
    "name": "Point of sale",
    "disabled": False,
    "created_at": _AT,
    "created_by": "admin-1",
    "listed": "PRODUCERS",
    "listed_as": f"{_AT}#{PRODUCER_ID}",
}
KEY = {
    "pk": f"KEY#{PRODUCER_KEY_ID}",
    "sk": "KEY",
    "kind": "api_key",
    "owner": PRODUCER_ID,
    "name": "first",
    "scopes": ["events:write"],
    "digest": b"0" * 32,
    "created_at": _AT,
    "created_by": "admin-1",
    "listed": f"KEYS#api_key#{PRODUCER_ID}",
    "listed_as": _AT,
}

CONSUMER = {
    "pk": "CONSUMERS",
    "sk": f"CONSUMER#{CONSUMER_ID}",
    "name": "Ledger",
    "types": ["till.*"],
    "start": "latest",
    "ack": "manual",
    "lease_seconds": 30,
    "status": "ACTIVE",
    "created_at": _AT,
    "version": 2,
    "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/tillflow-consumer",
}
LETTER = {
    "pk": f"DEAD#{CONSUMER_ID}",
    "sk": f"{FETCHED}#1770726896000",
    "event_id": FETCHED,
    "event_type": "till.opened",
    "producer_id": PRODUCER_ID,
    "dead_at": _AT,
    "deliveries": 10,
    "listed": f"DEAD#{CONSUMER_ID}",
    "listed_as": f"{_AT}#{FETCHED}",
}
SCHEMA = {
    "pk": "TYPE#till.opened",
    "sk": "VERSION#00001",
    "schema": zlib.compress(sample("eventflow/register_schema")["body"].encode()),
    "created_at": _AT,
    "created_by": "admin-1",
    "listed": "TYPES",
    "listed_as": "till.opened",
}
REPLAY = {
    "pk": f"REPLAYS#{CONSUMER_ID}",
    "sk": REPLAY_ID,
    "since": _AT,
    "until": _AT,
    "types": ["till.*"],
    "dead_only": False,
    "rate": 100,
    "created_at": _AT,
    "created_by": "admin-1",
    "status": "RUNNING",
    "sent": 0,
}
_POINTER = {
    "consumer_id": CONSUMER_ID,
    "event_id": EVENT_ID,
    "event_type": "till.opened",
    "producer_id": PRODUCER_ID,
    "replayed": False,
}
_DONE: Json = {"Successful": [], "Failed": []}
# What SQS answers about the consumer's queue: one event waits.
QUEUE: Json = {
    "CreateQueue": {"QueueUrl": CONSUMER["queue_url"]},
    "DeleteQueue": {},
    "GetQueueUrl": {"QueueUrl": CONSUMER["queue_url"]},
    "GetQueueAttributes": {
        "Attributes": {"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "0"},
    },
    "ReceiveMessage": {
        "Messages": [
            {
                "MessageId": "1",
                "ReceiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "Body": json.dumps(_POINTER),
                "Attributes": {"ApproximateReceiveCount": "1"},
            }
        ]
    },
    "SendMessageBatch": _DONE,
    "DeleteMessageBatch": _DONE,
    "ChangeMessageVisibilityBatch": _DONE,
    "GetMetricStatistics": {"Label": "ApproximateAgeOfOldestMessage", "Datapoints": []},
}
