"""Whatever a client sends: a refusal in the one error body, never a 5xx."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests import shop, template
from tests.world import Answer, World, http_event
from tillflow.values import ids
from tillflow.web.authorization import PUBLIC, ROUTES, Role
from tillflow.web.http import MAX_BODY_BYTES, csv_download
from tillflow.web.request import BadRequest

MEGABYTE = 1024 * 1024
EVERY_ROLE = [role.value for role in Role]

GOOD: dict[str, dict[str, Any]] = {
    "POST /api/auth/token": {"userId": "user-1", "roles": ["buyer"], "ttlSeconds": 3600},
    "POST /api/auth/introspect": {"token": "payload.signature"},
    "POST /api/orders": {"cartSnapshot": shop.signed_cart(), "paymentToken": "tok_success"},
    "POST /api/orders/{orderId}/cancel": {"reason": "why"},
    "POST /api/v1/warehouses": {"code": "W", "name": "N", "sellerIds": ["seller-1"]},
    "POST /api/v1/variants": {"sku": "S", "name": "N", "active": True, "expiresAt": "2030-01-01T00:00:00Z"},
    "POST /api/v1/stock-events": {
        "type": "INBOUND",
        "warehouseId": ids.derived("warehouse", "W"),
        "occurredAt": "2026-01-01T00:00:00Z",
        "reasonCode": "PURCHASE",
        "notes": "n",
        "lines": [{"variantId": ids.derived("variant", "S"), "quantity": 1}],
    },
}

NOT_OBJECTS = {
    "not JSON": "order, please",
    "cut off": '{"cartSnapshot": {',
    "an array": "[]",
    "a number": "1",
    "null": "null",
    "a string": '"text"',
    "NaN": '{"reason": NaN}',
    "a lone surrogate, escaped": '{"reason": "\\ud800"}',
    "a lone surrogate": '{"reason": "\ud800"}',
    "a NUL byte": '{"reason": "a"}\x00',
    "nested arrays": '{"reason": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "nested objects": '{"a": ' * 100_000 + "1" + "}" * 100_000,
    "a number of 5,000 digits": '{"reason": ' + "9" * 5_000 + "}",
    "10 MB of nothing": " " * 10 * MEGABYTE,
    "bytes that are not UTF-8, as text": '{"reason": "\xff\xfe"',
}

# What may stand where something else was expected.
WRONG: dict[str, Any] = {
    "null": None,
    "a boolean": True,
    "zero": 0,
    "a negative number": -1,
    "a float": 0.1,
    "infinity": float("1e999"),
    "2^63": 2**63,
    "4,000 digits": 10**4_000,
    "empty text": "",
    "a NUL": "\x00",
    "a right-to-left mark": "\u202e",
    "an emoji": "🛒",
    "10 MB of text": "x" * 10 * MEGABYTE,
    "an empty array": [],
    "an array of null": [None],
    "an empty object": {},
    "a date before UTC's first": "0001-01-01T00:00:00+14:00",
    "a date after UTC's last": "9999-12-31T23:59:59-14:00",
    "deep nesting": json.loads("[" * 150 + "]" * 150),
}


def assert_is_a_refusal(answer: Answer) -> None:
    assert 400 <= answer.status < 500, answer
    body = answer.json
    # What is there already is named besides: an order, a warehouse or a variant.
    assert set(body) - {"orderId", "id"} == {"error", "error_code", "message", "detail", "request_id"}
    assert all(isinstance(value, str) and value for value in body.values())
    assert body["error_code"].replace("_", "").isupper()
    assert answer.headers["Content-Type"] == "application/json"
    assert len(answer.text) < 2_000
    assert "Traceback" not in answer.text


def send(world: World, route: str, body: object, **parts: Any) -> Answer:
    headers = {"Idempotency-Key": "k"} | parts.pop("headers", {})
    return world.call(route, roles=EVERY_ROLE, body=body, headers=headers, path={"orderId": ids.new(), "id": ids.new()}, **parts)


@pytest.mark.parametrize("route", GOOD)
@pytest.mark.parametrize("body", NOT_OBJECTS.values(), ids=NOT_OBJECTS)
def test_a_body_that_is_not_an_object_is_refused(world: World, route: str, body: str) -> None:
    assert_is_a_refusal(send(world, route, body))


@pytest.mark.parametrize("route", GOOD)
@pytest.mark.parametrize("body", ["", None, "{}"])
def test_a_body_that_is_empty_is_refused(world: World, route: str, body: str | None) -> None:
    # A cancel may be empty; here its order is unknown.
    assert_is_a_refusal(send(world, route, body))


def fields_of(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every field in a body, at every depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in items:
        yield (*path, name)
        yield from fields_of(member, (*path, name))


def changed(body: dict[str, Any], path: tuple[str | int, ...], *value: object) -> dict[str, Any]:
    """Return *body* with another value at *path*, or without that field."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    *way, last = path
    place: Any = copy
    for step in way:
        place = place[step]
    if value:
        place[last] = value[0]
    else:
        del place[last]
    return copy


FIELDS = [(route, path) for route, body in GOOD.items() for path in fields_of(body)]


@pytest.mark.parametrize(("route", "path"), FIELDS, ids=str)
def test_a_field_that_is_missing_or_wrong_never_is_our_fault(world: World, route: str, path: tuple[str | int, ...]) -> None:
    shop.warehouse(world, "W")
    shop.variant(world, "S")
    bodies = [changed(GOOD[route], path), *(changed(GOOD[route], path, wrong) for wrong in WRONG.values())]

    for name, body in zip(["missing", *WRONG], bodies, strict=True):
        answer = send(world, route, json.dumps(body), headers={"Idempotency-Key": f"{path} {name}"})

        if answer.status >= 300:
            assert_is_a_refusal(answer)


def test_what_is_refused_is_not_repeated(world: World) -> None:
    """It may be a secret: a payment token, a card number in the wrong field."""
    answer = send(world, "POST /api/orders", {"cartSnapshot": "4242424242424242", "paymentToken": ["sk_secret"]})

    assert_is_a_refusal(answer)
    assert "4242" not in answer.text
    assert "sk_secret" not in answer.text


@pytest.mark.parametrize("route", GOOD)
def test_a_field_with_a_long_name_is_refused_in_few_words(world: World, route: str) -> None:
    assert_is_a_refusal(send(world, route, {"x" * 1_000_000: 1}))


HEADERS = {
    "huge": "k" * 100_000,
    "empty": "",
    "blank": "  ",
    "NUL": "\x00",
    "newlines": "a\r\nSet-Cookie: b=c",
    "latin-1": "\xe9",
    "a lone surrogate": "\ud800",
    "emoji": "🛒" * 255,
}


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Request-Id", "X-Trace-Id", "Content-Type", "Accept"])
@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("route", ["POST /api/orders", "POST /api/v1/stock-events", "GET /api/orders/{orderId}"])
def test_an_odd_header_never_is_our_fault(world: World, route: str, header: str, value: str) -> None:
    answer = send(world, route, GOOD.get(route), headers={header: value})

    assert answer.status < 500
    assert all("\n" not in each and "\r" not in each and each.isascii() for each in answer.headers.values())


PATHS = {
    "empty": "",
    "text": "none",
    "NUL": "\x00",
    "a lone surrogate": "\ud800",
    "a bad percent encoding": "%zz%",
    "a way up": "../../etc/passwd",
    "10,000 characters": "x" * 10_000,
    "another key": "ORDER#1",
    "braces": "{3f0c1c52-5b53-4a55-8a5e-0d6f5e2f9c11}",
}


@pytest.mark.parametrize("value", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(
    "route", ["GET /api/orders/{orderId}", "POST /api/orders/{orderId}/cancel", "GET /api/v1/variants/{id}/levels"]
)
def test_an_odd_id_is_not_found(world: World, route: str, value: str) -> None:
    answer = world.call(route, roles=EVERY_ROLE, path={"orderId": value, "id": value})

    assert_is_a_refusal(answer)
    assert answer.status == 404


QUERIES: list[Mapping[str, str]] = [
    {"page": "-1"},
    {"page": "1e3"},
    {"page": "9" * 400},
    {"page": ""},
    {"size": "0"},
    {"size": "101"},
    {"limit": "0"},
    {"limit": "10001"},
    {"limit": "NaN"},
    {"orderId": "none"},
    {"orderId": "\x00"},
    {"from": "yesterday"},
    {"from": ""},
    {"from": "\ud800"},
    {"from": "0001-01-01T00:00:00+14:00"},
    {"to": "9999-12-31T23:59:59-14:00"},
    {"to": "2026-02-30"},
    {"from": "2026-01-02", "to": "2026-01-01"},
    {"from": "x" * 8_000},
    {"orderID": ids.derived("order", "of a typing error")},
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: str(query)[:40])
@pytest.mark.parametrize("route", ["GET /api/stocks/release-events", "GET /api/stocks/release-events/export"])
def test_an_odd_query_never_is_our_fault(world: World, route: str, query: Mapping[str, str]) -> None:
    answer = world.call(route, roles=EVERY_ROLE, query=query)

    assert_is_a_refusal(answer)
    assert answer.status == 400


@pytest.mark.parametrize(
    "query",
    [
        *QUERIES,
        {"status": "Pending"},
        {"status": ""},
        {"limit": "101"},
        {"limit": "1.5"},
        {"userId": ""},
        {"userId": " "},
        {"userId": "\ud800"},
        {"userId": "u" * 129},
        {"next_token": ""},
        {"next_token": "none"},
        {"next_token": "\ud800"},
        {"next_token": "🛒"},
        {"next_token": "=" * 1024},
        {"next_token": "x" * 10_000},
    ],
    ids=lambda query: str(query)[:40],
)
def test_an_odd_query_for_orders_never_is_our_fault(world: World, query: Mapping[str, str]) -> None:
    answer = world.call("GET /api/orders", query=query)

    assert_is_a_refusal(answer)
    assert answer.status == 422


@pytest.mark.parametrize("route", [route for route, demand in ROUTES.items() if demand != PUBLIC])
def test_an_event_without_anything_in_it_is_unauthorized(world: World, route: str) -> None:
    event = http_event(route, roles=None) | {"headers": None, "queryStringParameters": None, "pathParameters": None, "body": None}
    name = next(function.name for function in template.functions().values() if route in function.routes)

    answer = world.answer(name, event)

    assert_is_a_refusal(answer)
    assert answer.status == 401


def test_the_request_id_of_a_refusal_is_the_caller_s(world: World) -> None:
    answer = world.call("GET /api/orders/{orderId}", path={"orderId": ids.new()}, headers={"X-Request-Id": "mine-1"})

    assert answer.json["request_id"] == answer.headers["X-Request-Id"] == "mine-1"


def test_an_export_that_is_too_large_is_refused_before_all_of_it_is_read() -> None:
    read: list[int] = []

    def records() -> Iterator[dict[str, object]]:
        for number in range(100):
            read.append(number)
            yield {"text": "x" * (MAX_BODY_BYTES // 10)}

    with pytest.raises(BadRequest, match="Ask for less"):
        csv_download("a.csv", ("text",), records())

    assert len(read) <= 11
