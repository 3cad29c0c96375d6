"""The server, as the API's contract has it, in this process: for httpx's MockTransport, or over a socket."""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

NOW = "2026-11-22T10:00:00.123Z"
LEASE_SECONDS = 30

Json = dict[str, Any]
Reply = httpx.Response | Exception


@dataclass
class Call:
    """A request that came: its *method*, *path* below the API, parameters, headers and *body*."""

    method: str
    path: str
    params: dict[str, str]
    headers: httpx.Headers
    body: Json


@dataclass
class Message:
    """An event in the consumer's queue."""

    event: Json
    count: int = 0
    token: str | None = None


def refused(status: int, code: str, message: str = "Because.", **headers: str) -> httpx.Response:
    """Return an answer in the one error body."""
    return httpx.Response(status, json={"error_code": code, "message": message, "request_id": "r-1"}, headers=headers)


@dataclass
class FakeTillflow:
    """Producers, events and one consumer's queue. What it is told to do (`instead`, `after`) comes before what it would do."""

    calls: list[Call] = field(default_factory=list)
    stored: dict[str, Json] = field(default_factory=dict)
    consumers: dict[str, Json] = field(default_factory=dict)
    registered: dict[str, tuple[Json, httpx.Response]] = field(default_factory=dict)
    queue: list[Message] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    given_back: list[tuple[str, int]] = field(default_factory=list)
    extended: threading.Event = field(default_factory=threading.Event)
    # What a batch says of an event, by its type, the next times: (status, error_code).
    verdicts: dict[str, deque[tuple[str, str]]] = field(default_factory=lambda: defaultdict(deque))
    paused: bool = False
    on_fetch: Callable[[], None] = lambda: None
    _instead: dict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))
    _after: dict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))

    def instead(self, path: str, *replies: Reply) -> None:
        """Answer the next requests to *path* with *replies*, and do nothing."""
        self._instead[path].extend(replies)

    def after(self, path: str, *replies: Reply) -> None:
        """Do what the next requests to *path* ask for, and answer *replies* all the same."""
        self._after[path].extend(replies)

    def put(self, number: int, event_type: str = "order.shipped") -> list[str]:
        """Put events into the consumer's queue; return their ids."""
        made = [self._event(event_type, {"number": each}) for each in range(number)]
        self.queue += map(Message, made)
        return [event["event_id"] for event in made]

    def consumer(self, **more: Any) -> str:
        """Have a consumer; return its id."""
        there = {
            "consumer_id": str(uuid.uuid4()),
            "name": "mailer",
            "subscribed_event_types": ["order.*"],
            "ack": "manual",
            "status": "ACTIVE",
            "lease_seconds": LEASE_SECONDS,
            **more,
        }
        self.consumers[there["consumer_id"]] = there
        return str(there["consumer_id"])

    def lose(self, event_id: str) -> None:
        """Let an event's lease be over."""
        for message in self.queue:
            if message.event["event_id"] == event_id:
                message.token = "another poller's"

    def paths(self, ending: str) -> list[Call]:
        """Return the calls whose path ends so."""
        return [call for call in self.calls if call.path.endswith(ending)]

    @property
    def transport(self) -> httpx.MockTransport:
        """The way to it for a client of either half."""
        return httpx.MockTransport(self)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        path = request.url.path.partition("/api/v1")[2]
        body = json.loads(request.content) if request.content else {}
        call = Call(request.method, path, dict(request.url.params), request.headers, body)
        self.calls.append(call)
        last = path.rpartition("/")[2]
        if self._instead[last]:
            return _given(self._instead[last].popleft())
        answer = self.answer(call)
        return _given(self._after[last].popleft() if self._after[last] else answer)

    def answer(self, call: Call) -> httpx.Response:
        """Do what a request asks for, and return the answer."""
        match [call.method, *call.path.strip("/").split("/")]:
            case ["POST", "events"]:
                return self._post(call.headers["Idempotency-Key"], call.body)
            case ["POST", "events", "batch"]:
                return httpx.Response(202, json={"results": [self._batched(each) for each in call.body["events"]]})
            case [_, "consumers", *rest]:
                return self._consumer(call, *rest)
        return refused(404, "NOT_FOUND")

    def _post(self, key: str, body: Json) -> httpx.Response:
        replayed = key in self.stored
        accepted = self._store(key, body)
        return httpx.Response(202, json=accepted, headers={"x-idempotent-replay": "true"} if replayed else {})

    def _batched(self, each: Json) -> Json:
        if waiting := self.verdicts[each["event_type"]]:
            status, code = waiting.popleft()
            return {"status": status, "error_code": code, "message": "Because."}
        key = each["idempotency_key"]
        replayed = key in self.stored
        return {**self._store(key, each), "replayed": replayed}

    def _store(self, key: str, body: Json) -> Json:
        if key not in self.stored:
            event = self._event(body["event_type"], body["payload"])
            self.stored[key] = {**body, **event}
            self.queue.append(Message(event))
        return {"event_id": self.stored[key]["event_id"], "status": "ACCEPTED", "received_at": NOW}

    def _event(self, event_type: str, payload: Json) -> Json:
        moments = {"occurred_at": "2026-11-22T10:00:00Z", "received_at": NOW}
        about = {"event_id": str(uuid.uuid4()), "event_type": event_type, "event_version": 1, "producer_id": "tillflow.orders"}
        return {**about, **moments, "payload": payload, "replayed": False}

    def _consumer(self, call: Call, consumer_id: str = "", verb: str = "") -> httpx.Response:
        if not consumer_id:
            return self._register(call) if call.method == "POST" else self._list(call)
        there = self.consumers.get(consumer_id)
        if there is None:
            return refused(404, "CONSUMER_NOT_FOUND")
        match call.method, verb:
            case "GET", "events":
                return self._fetch(int(call.params["limit"]))
            case "POST", _:
                return httpx.Response(200, json={"results": [self._told(verb, token, call.body) for token in call.body["ack"]]})
            case "PATCH", _:
                there |= call.body
            case "DELETE", _:
                del self.consumers[consumer_id]
                return httpx.Response(204)
        return httpx.Response(200, json={**there, "backlog": len(self.queue)})

    def _list(self, call: Call) -> httpx.Response:
        place = int(call.params.get("next_token", "0"))
        items = list(self.consumers.values())
        more = {"next_token": str(place + 1)} if place + 1 < len(items) else {}
        return httpx.Response(200, json={"items": items[place : place + 1], **more})

    def _register(self, call: Call) -> httpx.Response:
        key = call.headers["Idempotency-Key"]
        if key not in self.registered:
            made = self.consumers[self.consumer(**call.body)]
            self.registered[key] = (call.body, httpx.Response(201, json=made))
            return self.registered[key][1]
        body, answer = self.registered[key]
        if body != call.body:
            return refused(422, "IDEMPOTENCY_KEY_REUSED")
        return httpx.Response(201, content=answer.content, headers={"x-idempotent-replay": "true"})

    def _fetch(self, limit: int) -> httpx.Response:
        self.on_fetch()
        if self.paused:
            return httpx.Response(200, json={"events": [], "ack": [], "paused": True})
        leased = [message for message in self.queue if message.token is None][:limit]
        for message in leased:
            message.count += 1
            message.token = f"{message.event['event_id']}/{message.count}"
        events = [{**message.event, "delivery_count": message.count} for message in leased]
        return httpx.Response(200, json={"events": events, "ack": [message.token for message in leased]})

    def _told(self, verb: str, token: str, body: Json) -> Json:
        event_id = token.partition("/")[0]
        lease, _, extension = token.partition("+")
        message = next((each for each in self.queue if each.token == lease), None)
        if message is None:
            return {"event_id": event_id, "status": "expired"}
        if verb == "ack":
            self.queue.remove(message)
            self.acknowledged.append(event_id)
        elif verb == "nack":
            message.token = None if not body["delay_seconds"] else "later"
            self.given_back.append((event_id, body["delay_seconds"]))
        else:
            self.extended.set()
            return {"event_id": event_id, "status": "extended", "ack": f"{lease}+{int(extension or 0) + 1}"}
        return {"event_id": event_id, "status": {"ack": "acknowledged", "nack": "returned"}[verb]}


def _given(reply: Reply) -> httpx.Response:
    if isinstance(reply, Exception):
        raise reply
    return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)  # each is sent but once


@contextmanager
def serving(fake: FakeTillflow) -> Iterator[str]:
    """Answer on a socket of this machine; yield the API's URL."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                response = fake(
                    httpx.Request(self.command, f"http://here{self.path}", headers=dict(self.headers), content=content)
                )
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if not response.content:
                self.send_header("Content-Length", "0")
            self.end_headers()
            self.wfile.write(response.content)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stage"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
