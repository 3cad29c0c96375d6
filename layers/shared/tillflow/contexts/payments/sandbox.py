"""
The sandbox gateway: charges kept in a DynamoDB table, decided by Stripe-like test tokens.

    token                        charge
    tok_success, or none         is charged
    tok_declined                 CardDeclined("card_declined")
    tok_insufficient_funds       CardDeclined("insufficient_funds")
    tok_timeout_after_charge     is charged, then GatewayUnavailable; the same key again finds the charge
    tok_unavailable              GatewayUnavailable, always; `cancel` works, for nothing was charged
    any other                    CardDeclined("invalid_payment_token")

One item per key (`pk`), written once by `charge` and turned by `cancel`:

    status     charged | declined (with `reason`) | canceled
    reference  `ch_…`, on exactly the items whose card was charged, also after `cancel`
    amount (minor units), currency, order_id, created_at, canceled_at

So charges are counted by `reference`, and money kept is the sum of `amount` where status is charged.
The token is not stored.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tillflow.contexts.payments.gateway import (
    CardDeclined,
    Charge,
    ChargeCanceled,
    ChargeRequest,
    GatewayUnavailable,
    KeyReused,
)
from tillflow.runtime import faults
from tillflow.storage.attributes import from_item, to_item
from tillflow.values import clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DEFAULT_TOKEN = "tok_success"
_TIMEOUT_TOKEN = "tok_timeout_after_charge"
_UNAVAILABLE_TOKEN = "tok_unavailable"
_CHARGED_TOKENS = {_DEFAULT_TOKEN, _TIMEOUT_TOKEN}
_DECLINES = {"tok_declined": "card_declined", "tok_insufficient_funds": "insufficient_funds"}

# Stripe's own bounds of a charge: a free order needs no gateway, and eight digits are its most.
_SMALLEST, _LARGEST = 1, 99_999_999


def charge_pk(key: str) -> str:
    """Return the partition key of the charge under an idempotency *key*."""
    return f"CHARGE#{key}"


class SandboxGateway:
    """
    A `Gateway` on one DynamoDB *table* (key: `pk`, a string).

    A `charge` is one conditional write of one write unit and no read, also when it is a replay.
    A `cancel` is one write. *now* gives the moment that items are stamped with.
    """

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], datetime] = clock.now) -> None:
        self._client = client
        self._table = table
        self._now = now

    def charge(self, request: ChargeRequest) -> Charge:
        """
        Charge once under `request.key`, as the token says (the module's table).

        Raises:
            CardDeclined: the token, or an amount outside 1…99,999,999.
            ChargeCanceled: `cancel` came first.
            KeyReused: the key was used for another amount, currency or order.
            GatewayUnavailable: the token, or DynamoDB throttles or fails.
        """
        token = request.payment_token or _DEFAULT_TOKEN
        if token == _UNAVAILABLE_TOKEN:
            raise GatewayUnavailable("The sandbox is unavailable, as the token asks.")
        _check_amount(request.amount)
        decided = _decide(request, token)
        earlier = self._put_once(decided | {"created_at": clock.iso(self._now())})
        if earlier is None and token == _TIMEOUT_TOKEN:
            raise GatewayUnavailable("The sandbox timed out after the charge, as the token asks.")
        return _outcome(request, earlier or decided)

    def cancel(self, request: ChargeRequest, reference: str | None = None) -> Charge | None:
        """
        Undo the charge under `request.key`, or close the key where nothing was charged.

        *reference* is not needed: this gateway forgets no key.

        Raises:
            GatewayUnavailable: DynamoDB throttles or fails.
        """
        del reference
        # Unconditional on purpose: every status may become canceled, and canceled is final.
        with faults.unavailable("sandbox's table", GatewayUnavailable):
            answer = self._client.update_item(
                TableName=self._table,
                Key=to_item({"pk": charge_pk(request.key)}),
                UpdateExpression="SET #status = :canceled, order_id = if_not_exists(order_id, :order),"
                " canceled_at = if_not_exists(canceled_at, :now)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues=to_item(
                    {":canceled": "canceled", ":order": request.order_id, ":now": clock.iso(self._now())}
                ),
                ReturnValues="ALL_OLD",
            )
        earlier = from_item(answer.get("Attributes", {}))
        return _charge_of(earlier) if "reference" in earlier else None

    def _put_once(self, item: dict[str, Any]) -> dict[str, Any] | None:
        """Write *item* unless its key is taken; return what has taken it."""
        try:
            with faults.unavailable("sandbox's table", GatewayUnavailable):
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(item),
                    # Two attempts of one step may charge at the same moment.
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return from_item(error.response["Item"])  # type: ignore[typeddict-item] # comes with ALL_OLD
        return None


def _check_amount(amount: int) -> None:
    """Decline what no card can pay. As with Stripe's own validation, nothing is kept under the key."""
    if amount < _SMALLEST:
        raise CardDeclined("amount_too_small")
    if amount > _LARGEST:
        raise CardDeclined("amount_too_large")


def _decide(request: ChargeRequest, token: str) -> dict[str, Any]:
    """Return the item that a first `charge` writes, without its time."""
    item = {
        "pk": charge_pk(request.key),
        "order_id": request.order_id,
        "amount": request.amount,
        "currency": request.currency,
    }
    if token not in _CHARGED_TOKENS:
        return item | {"status": "declined", "reason": _DECLINES.get(token, "invalid_payment_token")}
    return item | {"status": "charged", "reference": _reference(request.key)}


def _outcome(request: ChargeRequest, item: dict[str, Any]) -> Charge:
    """Return what *item* means to whoever charges under its key, or raise it."""
    if item["status"] == "canceled":
        raise ChargeCanceled(f"The charge of order {item['order_id']} was canceled.")
    asked = (request.amount, request.currency, request.order_id)
    if asked != (item["amount"], item["currency"], item["order_id"]):
        raise KeyReused(f"The key of order {request.order_id} was used for another amount, currency or order.")
    if item["status"] == "declined":
        raise CardDeclined(item["reason"])
    return _charge_of(item)


def _charge_of(item: dict[str, Any]) -> Charge:
    return Charge(reference=item["reference"], amount=item["amount"], currency=item["currency"])


def _reference(key: str) -> str:
    return "ch_" + hashlib.sha256(key.encode()).hexdigest()[:24]
