"""Leases of events, and the flow that tells the server something of them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tillflow_client.errors import TillflowError
from tillflow_client.events import Event
from tillflow_client.retrying import Tries, ask
from tillflow_client.wire import Flow, Pause, post

logger = logging.getLogger("tillflow_client")

MOST_TOKENS = 100


@dataclass(eq=False)
class Lease:
    """An *event* that is ours since a moment of the monotonic clock, by its *token*."""

    event: Event
    token: str
    since: float


@dataclass
class Told:
    """What became of leases that the server was told something of: *taken*, *lost* for they were over, or *unknown*."""

    taken: list[Lease] = field(default_factory=list)
    lost: list[Lease] = field(default_factory=list)
    unknown: list[Lease] = field(default_factory=list)


def tell(path: str, verb: str, leases: Sequence[Lease], tries: Tries, **more: int) -> Flow[Told]:
    """Tell the server to *verb* leases (`ack`, `nack`, `extend`), and return what it said. What goes wrong is logged."""
    told, left = Told(), deque(leases)
    while left:
        part = [left.popleft() for _ in range(min(len(left), MOST_TOKENS))]
        try:
            answer = yield from ask(post(f"{path}/{verb}", {"ack": [lease.token for lease in part], **more}), tries)
        except TillflowError as error:
            logger.warning("%s of %d events failed: %s", verb, len(part) + len(left), error)
            if error.again:
                told.unknown += [*part, *left]
            break
        failed: list[Lease] = []
        for lease, said in zip(part, answer.json()["results"], strict=True):
            lease.token = said.get("ack", lease.token)  # what was extended has another one
            {"expired": told.lost, "failed": failed}.get(said["status"], told.taken).append(lease)
        if not failed:
            continue
        left += failed
        pause = tries.pause()
        if pause is None:
            told.unknown += left
            break
        yield Pause(pause)
    if told.lost:
        logger.warning("the leases of %d events were over before their %s: they may come again", len(told.lost), verb)
    return told
