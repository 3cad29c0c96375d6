"""
`make bench-cost`: what one order costs, counted from the calls themselves and priced per million orders.

An order is counted alone on a stack of its own, from the request to its end. Its *way* is what every order needs:
request, commits, saga, the publication of its events. Its *followers* are what else listens here: the event log and its
queue. The *list* is that of movements, which a sale is entered in afterwards. The sandbox gateway's own table stands for
Stripe's servers and is counted apart.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from rich.table import Table

from local import STATE, LocalError
from local.bench import eventcost, prices, report
from local.bench.calls import ACCESS_LOG_BYTES, METRICS, Metered, metered
from local.platform import emulator
from local.platform.deploy import deploy
from local.process import console
from local.shop import cart
from local.shop.client import Json
from local.shop.shop import Shop, open_shop
from local.wait import until
from local.watch.trace import events, saga_path

SECONDS = 60
PLACED = frozenset({"OrderCreated", "orders.order_placed.v1"})
PAID = PLACED | {"InventoryReserved", "PaymentSucceeded"}
DECLINED = PLACED | {"InventoryReserved", "PaymentFailed", "InventoryReleaseRequested", "InventoryReleased"}

# Who works for the order, and who only listens. (GetOrder is this bench, looking.)
WAY = {
    "Authorize", "CreateOrder", "PublishEvents", "ReserveStock", "ChargePayment", "CompleteOrder",
    "FailOrder", "RefundPayment", "ReleaseStock", "OnInventoryReleaseRequested",
}  # fmt: skip
FOLLOWERS = {"RouteEvents"}
LISTS = {"FollowLedger"}
GATEWAY = "SandboxChargesTable"


@dataclass(frozen=True)
class Case:
    """One kind of order."""

    lines: int
    payment_token: str
    status: str
    events: frozenset[str]

    @property
    def title(self) -> str:
        """How the tables call it."""
        return f"{self.status}, {self.lines} line{'s' if self.lines > 1 else ''}"


CASES = [
    Case(1, "tok_success", "confirmed", PAID),
    Case(3, "tok_success", "confirmed", PAID),
    Case(10, "tok_success", "confirmed", PAID),
    Case(1, "tok_declined", "failed", DECLINED),
    Case(3, "tok_declined", "failed", DECLINED),
    Case(10, "tok_declined", "failed", DECLINED),
]

# What a confirmed order may cost (the budgets), and where its figures are below.
BUDGETS = [
    ("confirmed, 1 line", "write units", Decimal(18)),
    ("confirmed, 3 lines", "write units", Decimal(26)),
    ("confirmed, 1 line", "write requests", Decimal(6)),
    ("confirmed, 3 lines", "write requests", Decimal(6)),
    ("confirmed, 1 line", "transitions", Decimal(4)),
    ("confirmed, 1 line", "invocations to confirmed", Decimal(6)),
    ("confirmed, 3 lines", "$ per million, list at full batches", Decimal(4)),
    ("confirmed, 1 line", "$ per million, Express", Decimal("20.5")),
    ("confirmed, 1 line", "$ per million, Standard", Decimal(95)),
]

EVENTS_TOLD = (
    f"An event of 1 KB of noise, which nothing makes smaller, sent in a batch of {eventcost.BATCH} under a key of its own, until"
    " it is acknowledged in a batch of as many: request, authorizer, stored event, stream, bus, queue, index, consumer's queue,"
    " fetch and acknowledgement, with the batches as the emulator makes them (which are not full). What one more consumer costs"
    f" is the difference. A Lambda is billed for {prices.MILLISECONDS_PER_CALL} ms a call, and as much once."
)

type Figures = dict[str, Decimal]


def run() -> None:
    """
    Measure every case, write the report, print it.

    Raises:
        LocalError: a budget is exceeded.
    """
    state = STATE / "bench" / "cost"
    try:
        stack = deploy(emulator.start(state).endpoint, state, {"Meter": "true"})
        shop = open_shop(stack, articles=10, quantity=1000)
        _measure(shop, CASES[0])  # The first order pays for cold starts and the secrets' first reading.
        measured = {case.title: _measure(shop, case) for case in CASES}
        flow = eventcost.measure(stack, lambda since: _settled(shop, since))
    finally:
        emulator.stop(state)
        shutil.rmtree(state, ignore_errors=True)
    exceeded = [_judge(measured, *budget) for budget in BUDGETS]
    exceeded += (_judge(flow, *budget) for budget in eventcost.BUDGETS)
    report.write("cost", _markdown(measured, flow, exceeded))
    console.print(_table("one order", measured))
    console.print(_table("one event", flow))
    if any("over" in line for line in exceeded):
        raise LocalError("\n".join(line for line in exceeded if "over" in line))


def _measure(shop: Shop, case: Case) -> Figures:
    began = datetime.now(UTC)
    trace_id = str(uuid4())
    response = shop.buyer.place_order(
        cart.snapshot(shop.buyer_id, _items(shop, case.lines), shop.stack.cart_snapshot_secret),
        key=str(uuid4()),
        trace_id=trace_id,
        payment_token=case.payment_token,
    )
    order_id = str(response.json()["orderId"])
    path = saga_path(shop.stack, order_id, since=began, runs=1)
    told = events(shop.stack, trace_id, case.events)
    if (status := shop.buyer.order(order_id)["status"]) != case.status:
        raise LocalError(f"the order is {status}, must be {case.status}")
    seen = _settled(shop, int(began.timestamp() * 1000))
    return _figures(seen, len(path), len(told))


def _settled(shop: Shop, since: int) -> Metered:
    """Return what was metered, when nothing more comes."""
    last: list[Metered] = []

    def quiet() -> Metered | None:
        now = metered(shop.stack, since)
        same = bool(last) and last[-1] == now
        last[:] = [now]
        time.sleep(1)
        return now if same else None

    return until(quiet, seconds=SECONDS, what="the end of all calls for the order")


def _items(shop: Shop, lines: int) -> list[Json]:
    return [
        {"skuId": article.sku, "title": f"Desk lamp {article.sku}, brass", "quantity": 1, "unitPriceCents": 4990}
        for article in shop.articles[:lines]
    ]


def _figures(seen: Metered, transitions: int, events_told: int) -> Figures:
    """Return every count of one order; see the module's words."""
    way = [call for call in seen.calls if call.function in WAY]
    database = [call for call in way if call.service == "dynamodb" and GATEWAY not in call.tables]
    gateway = [call for call in way if GATEWAY in call.tables]
    writes = [call for call in database if call.writes]
    followers = [call for call in seen.calls if call.function in FOLLOWERS]
    ran = Counter(seen.invocations)
    invocations = sum(ran[name] for name in WAY)
    # The publisher's later runs tell of the steps; nobody on the way waits for them.
    to_confirmed = invocations - max(0, ran["PublishEvents"] - 1)
    listened = sum(ran[name] for name in FOLLOWERS)
    figures: Figures = {
        "write units": _sum(call.units for call in writes),
        "write requests": Decimal(len(writes)),
        "read units": _sum(call.units for call in database if not call.writes),
        "gateway write units": _sum(call.units for call in gateway if call.writes),
        "invocations": Decimal(invocations),
        "invocations to confirmed": Decimal(to_confirmed),
        "transitions": Decimal(transitions),
        "bus events": Decimal(events_told),
        "followers' write units": _sum(call.units for call in followers if call.writes),
        "followers' invocations": Decimal(listened),
        # The bus sends each event; a batch is received and deleted.
        "followers' queue requests": Decimal(events_told + 2 * listened),
        "list's write units": _sum(call.units for call in seen.calls if call.function in LISTS and call.writes),
        "log bytes, all": Decimal(ACCESS_LOG_BYTES + sum(seen.log_bytes[name] for name in WAY | FOLLOWERS | LISTS | {METRICS})),
    }
    return figures | _priced(figures)


def _sum(units: Iterable[Decimal]) -> Decimal:
    return sum(units, Decimal(0))


def _priced(figures: Figures) -> Figures:
    cost = prices.dollars
    way = (
        cost("API Gateway requests (REST)", Decimal(1))
        + cost("DynamoDB write units", figures["write units"])
        + cost("DynamoDB read units", figures["read units"])
        + cost("EventBridge events", figures["bus events"])
        + _lambda(figures["invocations"])
    )
    express = cost("Express executions", Decimal(1)) + cost("Express milliseconds", Decimal(prices.EXPRESS_MILLISECONDS))
    followers = (
        cost("DynamoDB write units", figures["followers' write units"])
        + cost("SQS requests", figures["followers' queue requests"])
        + _lambda(figures["followers' invocations"])
    )
    return {
        "$ per million, Express": way + express,
        "$ per million, Standard": way + cost("Standard transitions", figures["transitions"]),
        "$ per million, followers": followers,
        "$ per million, followers at full batches": (
            cost("DynamoDB write units", figures["bus events"] * prices.LOGGED_WRITE_UNITS)
            + cost("SQS requests", figures["bus events"] * (1 + Decimal(2) / prices.QUEUE_BATCH))
            + figures["bus events"] * _lambda(Decimal(1)) / prices.STREAM_BATCH
        ),
        "$ per million, list at full batches": (
            cost("DynamoDB write units", figures["list's write units"]) + _lambda(Decimal(1)) / prices.STREAM_BATCH
        ),
        "$ per million, logs": cost("CloudWatch log bytes", figures["log bytes, all"]),
    }


def _lambda(invocations: Decimal) -> Decimal:
    billed = invocations * prices.BILLED_MILLISECONDS_PER_INVOCATION
    return prices.dollars("Lambda invocations", invocations) + prices.dollars("Lambda milliseconds", billed)


def _judge(measured: dict[str, Figures], case: str, figure: str, budget: Decimal) -> str:
    value = measured[case][figure]
    verdict = "within" if value <= budget else "over"
    return f"{case}: {figure} {_text(figure, value)}, {verdict} the budget of {budget}"


def _text(figure: str, value: Decimal) -> str:
    return f"{value:.2f}" if figure.startswith("$") else f"{value:f}".rstrip("0").rstrip(".") if value % 1 else f"{int(value)}"


def _table(of: str, measured: dict[str, Figures]) -> Table:
    table = Table(of, *measured)
    for figure in next(iter(measured.values())):
        table.add_row(figure, *(_text(figure, figures[figure]) for figures in measured.values()))
    return table


def _rows(of: str, measured: dict[str, Figures]) -> list[str]:
    head = [of, *measured]
    rows = [
        [figure, *(_text(figure, figures[figure]) for figures in measured.values())] for figure in next(iter(measured.values()))
    ]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in rows)]


def _markdown(measured: dict[str, Figures], flow: dict[str, Figures], verdicts: list[str]) -> str:
    told = (
        f"Priced at the list prices of {prices.REGION} on {prices.DATE} (`local/bench/prices.py`). AWS bills a transition for"
        " each step that is executed. An order's authorizer call is cached for five minutes and so is not in every order. The"
        " *followers* are the event log and its queue. A lone order is the dearest: under load the publisher and the followers"
        " share each invocation among many orders, and the log's indexes each write among a hundred events. The *logs* are"
        " the functions' lines, metrics among them, and API Gateway's;"
        " Lambda's own (START, END, REPORT) are switched off on AWS. A failed order's stock is given back by the saga or by"
        " the request on the bus, whichever comes first; where both try at the same moment, one pays for nothing. One"
        " write unit of every order is its user's list's (an index that only a new order is written to); a page of that reads"
        " half a unit, and one for each order. The *list* is that of movements, which the stream enters sales in: at full"
        f" batches {prices.STREAM_BATCH} sales share an invocation. What the emulator cannot tell is assumed: a Lambda (512 MB,"
        " arm64) is billed for"
        f" {prices.BILLED_MILLISECONDS_PER_INVOCATION} ms, an Express workflow lasts {prices.EXPRESS_MILLISECONDS} ms."
    )
    return "\n".join(
        [
            report.prose(told),
            "",
            *_rows("one order", measured),
            "",
            report.prose(EVENTS_TOLD),
            "",
            *_rows("one event", flow),
            "",
            *(f"* {verdict}" for verdict in verdicts),
        ]
    )
