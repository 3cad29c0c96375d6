"""What AWS answers in a measurement without AWS: one order and its stock, as the sample events (events/) tell of them."""

import base64
import hashlib
import hmac
import json
import zlib
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from local.bench import happenings, people
from local.shop.samples import (
    FETCHED,
    IMPORT_ID,
    ORDER_ID,
    SERVICE_TOKEN,
    SKU,
    TRACE_ID,
    VARIANT_ID,
    WAREHOUSE,
    WAREHOUSE_ID,
    sample,
)
from tillflow.values import ids

type Json = dict[str, Any]

SECRETS = {  # events/README.md
    "CartSnapshotSecret": "demo-cart-snapshot-secret",
    "ServiceTokenSecret": SERVICE_TOKEN,
    "TokenSigningSecret": "demo-token-signing-secret",
    **people.SECRETS,
}
# The samples' cart was signed on a certain day.
ENVIRONMENT = {"CART_SNAPSHOT_MAX_AGE_SECONDS": "9999999999", "TOKEN_ISSUER": people.ISSUER}

_NOW = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
_TOTAL = 3980


def _deflated(value: object) -> bytes:
    return zlib.compress(json.dumps(value).encode())


_VARIANT = {
    "pk": f"VARIANT#{VARIANT_ID}",
    "sk": "VARIANT",
    "sku": SKU,
    "name": "Laptop X",
    "active": True,
    "version": 1,
    "listed": "VARIANTS",
    "listed_as": SKU,
}
_LEVEL = {
    "pk": f"VARIANT#{VARIANT_ID}",
    "sk": f"LEVEL#{WAREHOUSE_ID}",
    "available": 19,
    "listed": f"LEVELS {WAREHOUSE_ID}",
    "listed_as": SKU,
    "reorder_point": 20,
}
_WAREHOUSE = {
    "pk": f"WAREHOUSE#{WAREHOUSE_ID}",
    "sk": "WAREHOUSE",
    "code": WAREHOUSE,
    "name": "São Paulo",
    "active": True,
    "seller_ids": ["seller-1"],
    "version": 1,
    "listed": "WAREHOUSES",
    "listed_as": WAREHOUSE,
}
_RESERVATION = {
    "pk": f"EVENT#{ids.derived('reservation', ORDER_ID)}",
    "sk": "EVENT",
    "type": "OUTBOUND",
    "reason_code": "SALE",
    "status": "pending",
    "order_id": ORDER_ID,
    "occurred_at": _NOW,
    "created_by": "user-1",
    "trace_id": TRACE_ID,
    "lines": _deflated([[SKU], [WAREHOUSE_ID], [-2]]),
}
_RELEASED = _RESERVATION | {
    "status": "released",
    "release_id": "5d1f0c1e-3b7a-5a55-8a5e-0d6f5e2f9c11",
    "release_reason": "PAYMENT_FAILED",
    "released": "0",
    "released_at": _NOW,
}
_PAYMENT = {
    "pk": f"PAYMENT#{ORDER_ID}",
    "sk": "PAYMENT",
    "status": "succeeded",
    "amount": _TOTAL,
    "currency": "USD",
    "reference": "ch_000000000000000000000000",
    "created_at": _NOW,
    "updated_at": _NOW,
}


# An import, the piece that its file is, and what became of that: one item for all three.
_ROWS = [["INBOUND", WAREHOUSE, SKU, "25", "PURCHASE", "A delivery", ""], ["OUTBOUND", WAREHOUSE, SKU, "1", "DAMAGE", "", ""]]
_IMPORT = {
    "pk": f"IMPORT#{IMPORT_ID}",
    "sk": "IMPORT",
    "status": "running",
    "digest": "0" * 32,
    "dry_run": False,
    "user_id": "manager-1",
    "roles": ["manager"],
    "trace_id": TRACE_ID,
    "created_at": _NOW,
    "lines": _deflated([2, 1]),
    "sizes": [2],
    "rows": _deflated(_ROWS),
    "piece": 0,
    "version": 1,
    "outcomes": _deflated([None, None]),
}


_LISTED = (_LEVEL, _VARIANT, _WAREHOUSE, happenings.KEY, happenings.PRODUCER)


def answers(name: str) -> Json:
    """Return AWS's answers to the function *name*."""
    order = _order()
    said: Json = {
        "BatchGetItem EVENT": _read(_RESERVATION),
        "BatchGetItem PROGRESS": _read(_IMPORT),
        "BatchGetItem KEY": _read(happenings.KEY),
        "BatchGetItem LEVEL": _read(_LEVEL),
        "BatchGetItem CONSUMER": _of_eventflow(happenings.CONSUMER),
        f"BatchGetItem {FETCHED}": _of_eventflow(happenings.LETTER),
        "BatchGetItem PRODUCER": _read(happenings.PRODUCER),
        "BatchGetItem VERSION": _of_eventflow(happenings.SCHEMA),
        "BatchGetItem ORDER": _read(order),
        "BatchGetItem USER": {"Responses": {"IdentityTable": [_item(people.USER), _item(people.SESSION)]}, "UnprocessedKeys": {}},
        "BatchGetItem RATE": {"Responses": {"IdentityTable": []}, "UnprocessedKeys": {}},
        "BatchGetItem VARIANT": _read(_VARIANT),
        "BatchGetItem WAREHOUSE": _read(_WAREHOUSE),
        "BatchWriteItem": {"UnprocessedItems": {}},
        "GetItem EVENT": {"Item": _item(_RESERVATION)},
        "GetItem IMPORT": {"Item": _item(_IMPORT)},
        "GetItem JWKS": {"Item": _item({"pk": "JWKS", "sk": "JWKS", "access": [people.JWK], "refresh": [people.JWK]})},
        "GetItem CODE": {},
        **{asked: {"Item": _item(item)} for asked, item in people.items(name).items()},
        "GetItem ORDER": {"Item": _item(order)},
        "GetItem PAYMENT": {"Item": _item(_PAYMENT)},
        "GetItem PRODUCER": {"Item": _item(happenings.PRODUCER)},
        "GetItem REPLAYS": {"Item": _item(happenings.REPLAY)},
        "GetItem CONSUMERS": {"Item": _item(happenings.CONSUMER)},
        "GetItem TYPE": {},
        "GetItem WAREHOUSE": {"Item": _item(_WAREHOUSE)},
        "GetSecretValue": {"__type": "ResourceNotFoundException"},  # no secret has been rotated yet
        "PutEvents": {"FailedEntryCount": 0, "Entries": []},
        "PutItem": {},
        "Query": {"Items": [], "Count": 0},
        "Query 0": {"Items": [_item({"pk": order["pk"], "sk": order["sk"]})]},
        "Query user-1": {"Items": [_item({"pk": order["pk"], "sk": order["sk"]})]},
        **{f"Query {each['listed']}": _listed(each) for each in _LISTED},
        "Query USER": {"Items": [_item(people.SESSION), _item(people.USER)]},
        "Query CONSUMERS": {"Items": [_item(happenings.CONSUMER)]},
        "Query DEAD": {"Items": [_item(happenings.LETTER)], "Count": 1},
        "Query VARIANT": {"Items": [_item(_LEVEL), _item(_VARIANT)]},
        **happenings.QUEUE,
        **people.key_store(),
        "StartExecution": {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:saga:1", "startDate": 1770726896},
        "TransactWriteItems": {},
        "UpdateItem": {},
    }
    said |= {f"GetSecretValue {name} AWSCURRENT": {"SecretString": value} for name, value in SECRETS.items()}
    return said | _DIFFERENT.get(name, {})


def token() -> str:
    """Return a buyer's bearer token that does not expire (contract: event-contracts.md, Auth API)."""
    claims = {"sub": "user-1", "roles": ["buyer"], "iat": 1, "exp": people.FOREVER}
    payload = _base64url(json.dumps(claims, separators=(",", ":")).encode())
    return f"{payload}.{_base64url(hmac.digest(SECRETS['TokenSigningSecret'].encode(), payload.encode(), hashlib.sha256))}"


def bare_requests() -> Json:
    """Return the bare calls, by their names: boto3's method, and what it is asked."""
    event = {"pk": {"S": "x" * 42}, "sk": {"S": "EVENT"}, "outbox": {"B": "x" * 420}, "expires_at": {"N": "1803089265"}}
    put = {
        "TableName": "EventsTable",
        "Item": event | {"commit_token": {"S": "x" * 36}},
        "ConditionExpression": "attribute_not_exists(#pk) OR #expires_at <= :now",
        "ExpressionAttributeNames": {"#pk": "pk", "#expires_at": "expires_at"},
        "ExpressionAttributeValues": {":now": {"N": "1803089265"}},
    }
    return {"bare": ("transact_write_items", _two_puts()), "bare put": ("put_item", put)}


def _two_puts() -> Json:
    """Return as many attributes and bytes as an order and its key's record have."""
    order = {f"attribute_{number}": {"S": "2026-02-10T12:34:56.000Z"} for number in range(8)} | {"snapshot": {"S": "x" * 400}}
    record = {"fingerprint": {"S": "x" * 64}, "status": {"N": "201"}, "body": {"S": "x" * 60}, "outbox": {"S": "x" * 500}}
    return {
        "TransactItems": [
            {
                "Put": {
                    "TableName": table,
                    "Item": {"pk": {"S": "x" * 40}} | item,
                    "ConditionExpression": "attribute_not_exists(#pk)",
                    "ExpressionAttributeNames": {"#pk": "pk"},
                }
            }
            for table, item in (("OrdersTable", order), ("IdempotencyTable", record))
        ],
        "ClientRequestToken": "00000000-0000-4000-8000-000000000000",
    }


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _order() -> Json:
    snapshot = json.loads(sample("orders/create_order")["body"])["cartSnapshot"]
    return {
        "pk": f"ORDER#{ORDER_ID}",
        "sk": "ORDER",
        "status": "pending",
        "user_id": "user-1",
        "roles": ["buyer"],
        "trace_id": TRACE_ID,
        "created_at": _NOW,
        "updated_at": _NOW,
        "payment_token": "tok_success",
        "snapshot": _deflated(snapshot),
        "unsettled": "0",
        "due_at": _NOW,
    }


_TABLES = {"ORDER": "OrdersTable", "KEY": "IdentityTable", "PRODUCER": "EventFlowTable"}


def _read(item: Json) -> Json:
    return {"Responses": {_TABLES.get(item["sk"], "StockTable"): [_item(item)]}, "UnprocessedKeys": {}}


def _of_eventflow(item: Json) -> Json:
    return {"Responses": {"EventFlowTable": [_item(item)]}, "UnprocessedKeys": {}}


def _of_events(item: Json) -> Json:
    return {"Responses": {"EventsTable": [_item(item)]}, "UnprocessedKeys": {}}


def _listed(item: Json) -> Json:
    return {"Items": [_item({name: item[name] for name in ("pk", "sk", "listed", "listed_as")})]}


def _item(values: Json) -> Json:
    """Return an item as DynamoDB sends it."""
    return {name: _sent(value) for name, value in values.items()}


def _sent(value: Any) -> Json:
    match value:
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case dict():
            return {"M": _item(value)}
    return dict(TypeSerializer().serialize(value))


# Where the way on is another one than the world's.
_DIFFERENT: dict[str, Json] = {
    "eventflow/check_health": {"GetItem EVENT": {}, "GetItem PRODUCER": {}},
    "eventflow/get_schema": {"GetItem TYPE": {"Item": _item(happenings.SCHEMA)}},
    "eventflow/get_event_type": {"Query TYPE": {"Items": [_item(happenings.SCHEMA)]}},
    "eventflow/erase_payload": {"GetItem EVENT": {"Item": _item(happenings.EVENT)}},
    "eventflow/create_consumer": {"GetItem": {}},  # its key is a new one
    "eventflow/fetch_events": {"BatchGetItem EVENT": _of_events(happenings.EVENT)},
    "eventflow/redrive_dead_letter": {"BatchGetItem EVENT": _of_events(happenings.EVENT)},
    "eventflow/get_event": {"BatchGetItem EVENT": _of_events(happenings.EVENT)},
    "identity/rotate_keys": {
        "DescribeSecret": {"ARN": "AccessKeySecret"},
        "GetSecretValue AccessKeySecret AWSCURRENT": {"SecretString": '{"keys": []}'},
        "PutSecretValue": {},
    },
    "identity/list_users": {f"Query {partition}": {"Items": []} for partition in "123"}
    | {"Query 0": {"Items": [_item({"pk": people.USER["pk"], "sk": "USER", "listed": "0", "listed_as": _NOW})]}}
    | {"BatchGetItem USER": {"Responses": {"IdentityTable": [_item(people.USER)]}, "UnprocessedKeys": {}}},
    "order_saga/charge_payment": {"GetItem PAYMENT": {}},
    "stock/get_stock_event": {"GetItem EVENT": {"Item": _item(_RESERVATION | {"status": "posted", "posted_at": _NOW})}},
    "stock/audit_stock": {
        "Query 0": {"Items": []},
        "GetItem AUDIT": {},
        f"BatchGetItem {VARIANT_ID}": {"Responses": {"MovementsTable": []}, "UnprocessedKeys": {}},
        # What nothing has moved is proven at once.
        "BatchGetItem LEVEL": _read(_LEVEL | {"available": 0}),
    },
    "stock/export_releases": {"GetItem EVENT": {"Item": _item(_RELEASED)}},
    "stock/import_stock_events": {"GetItem IMPORT": {}},
    "stock/list_releases": {"Query 0": {"Items": [_item(_RELEASED)]}},
}
