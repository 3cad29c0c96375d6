"""The demo's five orders: what is done with each, and how each must end."""

from dataclasses import dataclass
from enum import Enum

RESERVE, CHARGE, COMPLETE = "ReserveStock", "ChargePayment", "CompleteOrder"
COMPENSATION = ["FailOrder", "RefundPayment", "ReleaseStock"]

PLACED = frozenset({"OrderCreated", "orders.order_placed.v1"})
PAID = PLACED | {"InventoryReserved", "PaymentSucceeded"}


class Then(Enum):
    """What is done once the order is placed."""

    NOTHING = "nothing"
    REPLAY = "the same request again"
    CANCEL = "canceled once it is confirmed"


@dataclass(frozen=True)
class Story:
    """One order of *quantity* units, and its one right ending."""

    title: str
    quantity: int
    status: str
    path: list[str]
    events: frozenset[str]
    sold: int
    payment_token: str = "tok_success"
    then: Then = Then.NOTHING


STOCK = 10

STORIES = [
    Story("success", 2, "confirmed", [RESERVE, CHARGE, COMPLETE], PAID, sold=2),
    Story(
        "card declined",
        2,
        "failed",
        [RESERVE, CHARGE, *COMPENSATION],
        PLACED | {"InventoryReserved", "PaymentFailed", "InventoryReleased"},
        sold=0,
        payment_token="tok_declined",
    ),
    Story("short of stock", STOCK + 1, "failed", [RESERVE, *COMPENSATION], PLACED | {"InventoryFailed"}, sold=0),
    Story("replay", 3, "confirmed", [RESERVE, CHARGE, COMPLETE], PAID, sold=3, then=Then.REPLAY),
    Story(
        "canceled",
        4,
        "canceled",
        [RESERVE, CHARGE, COMPLETE],
        PAID | {"orders.order_canceled.v1"},
        sold=0,
        then=Then.CANCEL,
    ),
]
