"""Buyers who order all at once, each one order after another, and what became of their orders."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local import LocalError
from local.bench.reconcile import CONFIRMED, Placed
from local.platform.stack import Stack
from local.shop import cart
from local.shop.client import Client, Json, TryAgain, connect
from local.shop.shop import Article, Shop

# Units of each article at first. A cart's line may have 10,000.
STOCK = 9_000
PRICE_CENTS = 1_990
SECONDS_TO_END = 120
LOOK_EVERY_SECONDS = 0.05
# How often somebody who waits for what everybody wants sends the same request.
PATIENCE = 10

FAILED, CANCELED = "failed", "canceled"


@dataclass(frozen=True)
class Kind:
    """A kind of order, so many in a hundred: *units* of each line, the card, and how it may end."""

    name: str
    percent: int
    ends: frozenset[str]
    units: int = 2
    card: str = "tok_success"
    lines: int = 1


GOOD = Kind("good card", 60, frozenset({CONFIRMED}))
LARGE = Kind("good card and three lines", 18, frozenset({CONFIRMED}), lines=3)
DECLINED = Kind("declined card", 10, frozenset({FAILED}), card="tok_declined")
SHORT = Kind("more than there is", 4, frozenset({FAILED}), units=STOCK + 1)
SCARCE = Kind("the last units that many want", 3, frozenset({CONFIRMED, FAILED}), units=STOCK // 3)
CANCELING = Kind("canceled at once", 5, frozenset({CANCELED}))
KINDS = (GOOD, LARGE, DECLINED, SHORT, SCARCE, CANCELING)
# In a shop that has nothing else.
HOT = Kind("what everybody wants", 1, frozenset({CONFIRMED, FAILED}), units=1)
# The first two articles are for SHORT and SCARCE; everybody else wants the others.
SHORT_ARTICLE, SCARCE_ARTICLE, PLENTY = 0, 1, 2
ARTICLES = PLENTY + 4


@dataclass(frozen=True)
class Bought:
    """An order and its end, *seconds* after its buyer sent it."""

    kind: Kind
    placed: Placed
    seconds: float


@dataclass
class Day:
    """What a crowd of buyers did: every order's end, what went wrong, and how long it all took."""

    buyers: int
    bought: list[Bought] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    elapsed: float = 0

    @property
    def rate(self) -> float:
        """Orders that ended, a second."""
        return len(self.bought) / self.elapsed

    def percentile(self, percent: int) -> float:
        """Return the seconds to confirmed within which so many percent of the confirmed orders were."""
        seconds = [each.seconds for each in self.bought if each.placed.status == CONFIRMED]
        return quantiles(seconds, n=100)[percent - 1]


class Watch:
    """Looks for the end of orders in their table, for all buyers with one request at a time: looking is cheap."""

    def __init__(self, stack: Stack) -> None:
        self._dynamodb, self._table = stack.aws.dynamodb, stack.tables["OrdersTable"]
        self._awaited: dict[str, Future[str]] = {}
        self._lock = threading.Lock()

    def end_of(self, order_id: str) -> str:
        """Return the status that the order ends with."""
        ended: Future[str] = Future()
        with self._lock:
            self._awaited[order_id] = ended
        return ended.result(SECONDS_TO_END)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look until the block ends."""
        over = threading.Event()
        thread = threading.Thread(target=self._look_until, args=[over])
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look_until(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY_SECONDS):
            with self._lock:
                awaited = dict(self._awaited)
            if awaited:
                self._look(awaited)

    def _look(self, awaited: dict[str, Future[str]]) -> None:
        keys = [{"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "ORDER"}} for order_id in awaited]
        page = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
        for item in page["Responses"][self._table]:
            if (status := item["status"]["S"]) != "pending":
                order_id = item["pk"]["S"].removeprefix("ORDER#")
                with self._lock:
                    del self._awaited[order_id]
                awaited[order_id].set_result(status)


class Crowd:
    """Buyers of one *shop*; what they want is drawn anew, but the same in each run."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._watch = Watch(shop.stack)
        self._random = random.Random(20)  # noqa: S311 - which order is which, not a secret
        self._service = connect(shop.stack.api_url, {"X-Service-Token": shop.stack.service_token})

    def warm_up(self, buyers: int) -> Day:
        """Have every function run that an order may need, and those of a good order as often as so many buyers need."""
        return self._buy([DECLINED, SHORT, CANCELING, *[GOOD] * buyers], buyers)

    def buy(self, orders: int, buyers: int, kinds: Sequence[Kind] = KINDS, *, in_turn: bool = False) -> Day:
        """
        Have *buyers* at once place *orders* of these *kinds*, each waiting for the end of its order before the next.

        *in_turn*: each begins when the first order of the one before has ended, so that functions start one by one.
        """
        wanted = self._random.choices(kinds, [kind.percent for kind in kinds], k=orders)
        return self._buy(wanted, buyers, at_first=1 if in_turn else buyers)

    def _buy(self, wanted: Sequence[Kind], buyers: int, at_first: int | None = None) -> Day:
        day, kinds = Day(buyers), iter(wanted)
        taking, beginning = threading.Lock(), threading.Semaphore(at_first or buyers)

        def order(client: Client, user_id: str) -> bool:
            """Place the next order, and tell whether there was one."""
            with taking:
                kind = next(kinds, None)
                articles = self._drawn(kind) if kind else []
            if kind is None:
                return False
            try:
                day.bought.append(self._order(client, user_id, kind, articles))
            except (LocalError, BotoCoreError, ClientError, TimeoutError) as error:
                day.errors.append(f"{kind.name}: {error!r}")
            return True

        def buyer(client: Client, user_id: str) -> None:
            with beginning:
                goes_on = order(client, user_id)
            while goes_on:
                goes_on = order(client, user_id)

        people = [(self._client(user_id), user_id) for user_id in (f"buyer-{uuid4()}" for _ in range(buyers))]
        with self._watch.looking(), ThreadPoolExecutor(buyers) as threads:
            started = time.monotonic()
            for done in [threads.submit(buyer, *person) for person in people]:
                done.result()
            day.elapsed = time.monotonic() - started
        return day

    def _drawn(self, kind: Kind) -> Sequence[Article]:
        if kind in (SHORT, SCARCE):
            return [self._shop.articles[SHORT_ARTICLE if kind is SHORT else SCARCE_ARTICLE]]
        return self._shop.articles if kind is HOT else self._random.sample(self._shop.articles[PLENTY:], kind.lines)

    def _client(self, user_id: str) -> Client:
        token = self._service.issue_token(user_id, ["buyer"])
        return connect(self._shop.stack.api_url, {"Authorization": f"Bearer {token}"})

    @staticmethod
    def _place(client: Client, kind: Kind, snapshot: Json) -> str:
        """Return the id of the order that is placed; of what everybody wants, however often that takes under one key."""
        key, trace_id = str(uuid4()), str(uuid4())
        patience = PATIENCE if kind is HOT else 1
        while True:
            patience -= 1
            try:
                placed = client.place_order(snapshot, key=key, trace_id=trace_id, payment_token=kind.card)
                return str(placed.json()["orderId"])
            except TryAgain:
                if not patience:
                    raise

    def _order(self, client: Client, user_id: str, kind: Kind, articles: Sequence[Article]) -> Bought:
        items = [
            {"skuId": article.sku, "title": "Desk lamp", "quantity": kind.units, "unitPriceCents": PRICE_CENTS}
            for article in articles
        ]
        snapshot = cart.snapshot(user_id, items, self._shop.stack.cart_snapshot_secret)
        started = time.monotonic()
        order_id = self._place(client, kind, snapshot)
        if kind is CANCELING:
            self._shop.operator.cancel(order_id, "changed my mind")
        status = self._watch.end_of(order_id)
        seconds = time.monotonic() - started
        if status not in kind.ends:
            raise LocalError(f"order {order_id} is {status}, must be {' or '.join(sorted(kind.ends))}")
        units = {article.variant_id: kind.units for article in articles}
        return Bought(kind, Placed(order_id, snapshot["totals"]["subtotalCents"], units, status), seconds)
