"""The demo's five orders: what is done with each, and how each must end."""

from dataclasses import dataclass
from enum import Enum, auto

FORWARD = ["ReserveStock", "ChargePayment", "CompleteOrder"]
UNDO = ["FailOrder", "AnythingToUndo", "RefundPayment", "ReleaseStock"]

PLACED = frozenset({"OrderCreated", "orders.order_placed.v1"})
PAID = PLACED | {"InventoryReserved", "PaymentSucceeded"}

STOCK = 10


class Then(Enum):
    """What is done once the order is placed."""

    NOTHING = auto()
    REPLAY = auto()
    CANCEL = auto()


@dataclass(frozen=True)
class Story:
    """One order of *quantity* units, and its one right ending."""

    title: str
    told: str
    quantity: int
    status: str
    path: list[str]
    events: frozenset[str]
    sold: int
    card: str = "tok_success"
    then: Then = Then.NOTHING


SUCCESS = Story(
    title="success",
    told="paid by card",
    quantity=2,
    status="confirmed",
    path=FORWARD,
    events=PAID,
    sold=2,
)
DECLINED = Story(
    title="card declined",
    told="every reserved unit returned",
    quantity=2,
    card="tok_declined",
    status="failed",
    path=["ReserveStock", "ChargePayment", *UNDO],
    events=PLACED | {"InventoryReserved", "PaymentFailed", "InventoryReleaseRequested", "InventoryReleased"},
    sold=0,
)
SHORT = Story(
    title="short of stock",
    told=f"{STOCK + 1} wanted, nothing reserved, no charge",
    quantity=STOCK + 1,
    status="failed",
    path=["ReserveStock", "FailOrder", "AnythingToUndo", "NothingToUndo"],
    events=PLACED | {"InventoryFailed"},
    sold=0,
)
REPLAY = Story(
    title="replay",
    told="sent twice with one key: one order, one charge",
    quantity=3,
    then=Then.REPLAY,
    status="confirmed",
    path=FORWARD,
    events=PAID,
    sold=3,
)
CANCELED = Story(
    title="canceled",
    told="confirmed, then canceled: refunded and restocked",
    quantity=4,
    then=Then.CANCEL,
    status="canceled",
    path=[*FORWARD, "ReserveStock", *UNDO],
    events=PAID | {"orders.order_canceled.v1", "InventoryReleased"},
    sold=0,
)
STORIES = [SUCCESS, DECLINED, SHORT, REPLAY, CANCELED]
