"""Replays: stored events, sent to one consumer again."""

from tillflow.contexts.eventflow import tables
from tillflow.contexts.eventflow.registry import Consumer
from tillflow.storage.commit import Commit, absent
from tillflow.values import clock, ids


def begin_from(commit: Commit, consumer: Consumer, since: str) -> None:
    """Let *commit* begin to send a consumer all that it wants and that was received from *since* (ISO 8601) until now."""
    created_at = clock.iso(clock.now())
    replay = {"status": "RUNNING", "since": since, "until": created_at, "created_at": created_at}
    key = tables.replay_key(consumer.consumer_id, created_at, ids.new())
    # Nobody else has its id.
    commit.put(tables.eventflow(), key | replay, when=absent(), otherwise=lambda _: None)
