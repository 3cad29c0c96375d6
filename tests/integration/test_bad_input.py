"""
Whatever a client sends, the answer is never a 5xx, and every refusal is the one error body.

What the emulator answers before our code runs is not ours to shape there: a 401 and the 403 of a route that does not
exist are API Gateway's own (`{"message": …}`), for the emulator drops GatewayResponses. On AWS the template's apply.
"""

import gzip
import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.integration.scene import Caller, Scene, refused, unique

MEGABYTE = 1_000_000
REFUSAL = range(400, 500)

POSTS: dict[str, Callable[[Scene], Caller]] = {
    "/api/auth/token": lambda scene: scene.service,
    "/api/auth/introspect": lambda scene: scene.service,
    "/api/orders": lambda scene: scene.buyer,
    "/orders": lambda scene: scene.buyer,
    "/api/orders/00000000-0000-4000-8000-000000000000/cancel": lambda scene: scene.operator,
    "/orders/00000000-0000-4000-8000-000000000000/cancel": lambda scene: scene.operator,
    "/api/v1/warehouses": lambda scene: scene.manager,
    "/api/v1/variants": lambda scene: scene.manager,
    "/api/v1/stock-events": lambda scene: scene.manager,
}
GETS: dict[str, Callable[[Scene], Caller]] = {
    "/api/stocks/release-events": lambda scene: scene.operator,
    "/api/stocks/release-events/export": lambda scene: scene.operator,
    "/api/orders": lambda scene: scene.buyer,
    "/api/orders/{}": lambda scene: scene.operator,
    "/api/v1/variants/{}/levels": lambda scene: scene.operator,
}
# Every field that a POST route reads.
FIELDS = (
    *("userId", "roles", "ttlSeconds", "token", "cartSnapshot", "paymentToken", "reason"),
    *("code", "name", "sellerIds", "sku", "active", "expiresAt"),
    *("type", "warehouseId", "occurredAt", "reasonCode", "notes", "lines"),
)
NESTED = b"[" * 50_000 + b"]" * 50_000

VALUES: list[object] = [None, True, -1, 0.5, "", "x" * 5_000, [], [[]], [None], {}, {"": {}}, [{"variantId": {}, "quantity": []}]]

BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \r\n\t",
    "not JSON": b"cartSnapshot=1&x=%00",
    "cut": b'{"cartSnapshot": {"snapshotId": "',
    "two documents": b"{}{}",
    "null": b"null",
    "array": b'[{"cartSnapshot": {}}]',
    "text": b'"text"',
    "number": b"1e400",
    "NaN": b'{"ttlSeconds": NaN, "lines": Infinity}',
    "NUL bytes": b"\0" * 64,
    "NUL in a text": json.dumps(dict.fromkeys(FIELDS, "a\0b")).encode(),
    "not UTF-8": b'{"name": "\xff\xfe", "code": "\xc3\x28"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"name": "x"}',
    "half a surrogate pair": b'{"name": "\\ud83d", "userId": "\\ude00", "cartSnapshot": {"x": "\\ud83d"}}',
    "deep array": NESTED,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep field": b'{"cartSnapshot":' + NESTED + b"}",
    "hardly deep enough": b'{"cartSnapshot": {"x": ' + b"[" * 190 + b"]" * 190 + b"}}",
    "huge integer": b'{"ttlSeconds": 1' + b"0" * 4_000 + b', "lines": [{"quantity": 1' + b"0" * 400 + b"}]}",
    "huger integer": b'{"ttlSeconds": 1' + b"0" * 100_000 + b"}",
    "huge float": b'{"ttlSeconds": 1e308, "lines": [{"quantity": -1e308}], "cartSnapshot": {"cartVersion": 1e999}}',
    "one key twice": b'{"name": "x", "name": "y", "code": 1, "code": 2}',
    "a thousand keys": json.dumps({f"key{number}": number for number in range(1_000)}).encode(),
    "compressed": gzip.compress(b"{}"),
    **{f"every field {value!r}"[:40]: json.dumps(dict.fromkeys(FIELDS, value)).encode() for value in VALUES},
}


every_post = pytest.mark.parametrize("path", POSTS)


def is_no_fault(answer: httpx.Response) -> None:
    """Hold an answer to the rule: no 5xx, and a refusal in the one form."""
    assert answer.status_code < 500, answer.text
    if answer.status_code in REFUSAL:
        refused(answer, answer.status_code)


@pytest.mark.parametrize("body", BODIES)
@every_post
def test_a_body_that_makes_no_sense_is_refused(scene: Scene, path: str, body: str) -> None:
    headers = {"Idempotency-Key": unique("key"), "Content-Type": "application/json"}
    answer = POSTS[path](scene).http.post(path, content=BODIES[body], headers=headers)
    is_no_fault(answer)
    # No token is too odd to be looked into.
    assert answer.status_code in REFUSAL or answer.json() == {"active": False}


@every_post
def test_ten_megabytes_are_taken_or_refused(scene: Scene, path: str) -> None:
    """AWS answers 413 to more than 10 MB; the emulator lets everything through to our code."""
    body = b'{"cartSnapshot": {"x": "' + b"x" * 10 * MEGABYTE + b'"}}'
    is_no_fault(POSTS[path](scene).http.post(path, content=body, headers={"Idempotency-Key": unique("key")}))


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", "", None],
)
@every_post
def test_a_body_is_read_for_what_it_is_not_for_what_it_is_called(scene: Scene, path: str, content_type: str | None) -> None:
    headers = {"Idempotency-Key": unique("key")} | ({} if content_type is None else {"Content-Type": content_type})
    is_no_fault(POSTS[path](scene).http.post(path, content=b'{"name": 7}', headers=headers))


def test_a_body_may_come_in_chunks(scene: Scene) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"sku": '
        yield json.dumps(unique("SKU")).encode()
        yield b', "name": "x"}'

    assert scene.manager.http.post("/api/v1/variants", content=chunks()).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": b"\xff\xfe"},
        {"Idempotency-Key": "\u00e9\U0001f642".encode()},
        {"Idempotency-Key": b"k" * 7_000},
        {"X-Trace-Id": b"%00"},
        {"X-Request-Id": b"<script>"},
        {"X-Amzn-Trace-Id": b"Root=0"},
        {"Accept": b"text/html"},
        {"Content-Encoding": b"gzip"},
        {"X-HTTP-Method-Override": b"DELETE"},
    ],
    ids=str,
)
def test_odd_headers_do_no_harm(scene: Scene, headers: dict[str, bytes]) -> None:
    sent = [(name.encode(), value) for name, value in ({"Idempotency-Key": unique("key").encode()} | headers).items()]
    is_no_fault(scene.buyer.http.post("/api/orders", content=b'{"cartSnapshot": {}}', headers=sent))


@pytest.mark.parametrize(
    "text",
    ["%00", "%0a", "%ff", "%C3%28", "%20", "..%2f..%2fetc", "%25", "'", "a;b=c", "\U0001f642", "x" * 2_000, "1" * 5_000],
    ids=lambda text: text[:12],
)
@pytest.mark.parametrize("path", GETS)
def test_odd_paths_and_questions_do_no_harm(scene: Scene, path: str, text: str) -> None:
    http = GETS[path](scene).http
    if "{}" in path:
        answer = http.get(path.format(text))
        # The emulator decodes a path before it looks for its route, and matches policies line by line (AWS does neither).
        assert (answer.status_code == 403 and text in {"..%2f..%2fetc", "%0a"}) or refused(answer, 404)
    else:
        for name in ("orderId", "from", "to", "page", "size", "limit", "userId", "status", "next_token", "", text):
            is_no_fault(http.get(f"{path}?{name}={text}"))


@pytest.mark.parametrize("query", ["", "?", "&&", "=", "page", "page=", "page=0&page=0", "page[]=0", "PAGE=x", "size=1&size=x"])
@pytest.mark.parametrize("path", [path for path in GETS if "{}" not in path])
def test_odd_query_strings_do_no_harm(scene: Scene, path: str, query: str) -> None:
    is_no_fault(GETS[path](scene).http.get(f"{path}?{query}"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("PUT", "/api/orders"),
        ("DELETE", "/api/orders/1"),
        ("PUT", "/api/v1/variants"),
        ("POST", "/healthz"),
        ("GET", "/api/orders/1/2/3"),
        ("PATCH", "/"),
    ],
)
def test_a_route_that_does_not_exist_is_refused_before_our_code(scene: Scene, method: str, path: str) -> None:
    """403 as on AWS without a GatewayResponse; with the template's, AWS answers 404 in the one error body."""
    answer = scene.operator.http.request(method, f"{scene.stack.api_url}{path}")
    assert answer.status_code in {403, 404}, answer.text


def test_a_refusal_does_not_repeat_what_was_sent(scene: Scene) -> None:
    secret = unique("tok_live")
    for path, caller in POSTS.items():
        body = {name: {"nested": secret} for name in FIELDS}
        answer = caller(scene).post(path, body, Idempotency_Key=unique("key"))
        assert secret not in answer.text
