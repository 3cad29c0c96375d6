"""
Stock, whatever happens in whatever order and however often: nothing is below zero, levels are the sum of the ledger in
each shard, what is reserved is what pending reservations hold, and a replay changes nothing.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from tests import shop
from tests.world import World, running
from tillflow.contexts.stock import recording, reservations, rules, service, store, tables, transfers
from tillflow.contexts.stock.models import CreateStockEvent, CreateTransfer
from tillflow.contexts.stock.rules import InsufficientStock, ReservationRefused
from tillflow.messaging.envelope import Cause
from tillflow.storage.idempotency import Idempotency
from tillflow.values import ids

SKUS, WAREHOUSES = ("A", "B"), ("W1", "W2")
CAUSE = Cause("manager-1", ("manager",), "trace-1")
units = st.integers(1, 6)
demands = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 8), min_size=1)

# (on hand, reserved, available) of each SKU in each warehouse that has had it.
type Levels = dict[tuple[str, str], tuple[int, int, int]]


class Ledger(RuleBasedStateMachine):
    """A model of the ledger beside the real one."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world: World = self.stack.enter_context(running())
        self.on_hand: Counter[str] = Counter()
        self.held: dict[str, dict[str, int]] = {}
        self.sold: dict[str, dict[str, int]] = {}
        self.open: list[str] = []

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def catalogue(self) -> None:
        self.warehouses = {code: shop.warehouse(self.world, code) for code in WAREHOUSES}
        self.variants = {sku: shop.variant(self.world, sku) for sku in SKUS}

    # --- movements

    @rule(kind=st.sampled_from(["INBOUND", "OUTBOUND", "ADJUST"]), sku=st.sampled_from(SKUS), code=st.sampled_from(WAREHOUSES),
          quantity=units, sign=st.sampled_from([1, -1]))  # fmt: skip
    def move(self, kind: str, sku: str, code: str, quantity: int, sign: int) -> None:
        signed = quantity * sign if kind == "ADJUST" else -quantity if kind == "OUTBOUND" else quantity
        body = {
            "type": kind,
            "warehouseId": self.warehouses[code],
            "lines": [{"variantId": self.variants[sku], "quantity": signed if kind == "ADJUST" else quantity}],
        }
        once = Idempotency("record", "manager-1", ids.new(), body)
        available = self.levels().get((sku, code), (0, 0, 0))[2]
        try:
            first = recording.record(CreateStockEvent.model_validate(body), CAUSE, once)
        except InsufficientStock:
            assert available + signed < 0
            return
        assert available + signed >= 0
        self.on_hand[sku] += signed
        self.changes_nothing(lambda: recording.record(CreateStockEvent.model_validate(body), CAUSE, once))
        again = recording.record(CreateStockEvent.model_validate(body), CAUSE, once)
        assert (again.body, again.replayed) == (first.body, True)

    @rule(sku=st.sampled_from(SKUS), codes=st.permutations(WAREHOUSES), quantity=units)
    def transfer(self, sku: str, codes: list[str], quantity: int) -> None:
        lines = [{"variantId": self.variants[sku], "quantity": quantity}]
        body = {"fromWarehouseId": self.warehouses[codes[0]], "toWarehouseId": self.warehouses[codes[1]], "lines": lines}
        once = Idempotency("transfer", "manager-1", ids.new(), body)
        enough = self.levels().get((sku, codes[0]), (0, 0, 0))[2] >= quantity
        try:
            transfers.transfer(CreateTransfer.model_validate(body), CAUSE, once)
        except InsufficientStock:
            assert not enough
            return
        assert enough
        self.changes_nothing(lambda: transfers.transfer(CreateTransfer.model_validate(body), CAUSE, once))

    # --- reservations

    @rule(target=orders, demand=demands)
    def reserve(self, demand: dict[str, int]) -> str:
        order_id = ids.new()
        self.open.append(order_id)
        enough = all(self.available(sku) >= quantity for sku, quantity in demand.items())
        try:
            reservations.reserve(order_id, demand, CAUSE)
        except ReservationRefused:
            assert not enough
        else:
            assert enough
            self.held[order_id] = demand
            self.changes_nothing(lambda: reservations.reserve(order_id, demand, CAUSE))
        return order_id

    @rule(order_id=orders)
    def commit(self, order_id: str) -> None:
        try:
            reservations.commit_sale(order_id, CAUSE)
        except ReservationRefused:
            assert order_id not in self.held
            assert order_id not in self.sold
            return
        self.sell(order_id)
        self.changes_nothing(lambda: reservations.commit_sale(order_id, CAUSE))

    @rule(order_id=orders)
    def release(self, order_id: str) -> None:
        reservations.release(order_id, "asked", CAUSE)
        self.held.pop(order_id, None)
        self.changes_nothing(lambda: reservations.release(order_id, "asked", CAUSE))

    @rule(order_id=consumes(orders))
    def give_back(self, order_id: str) -> None:
        reservations.give_back(order_id, "undone", CAUSE)
        self.held.pop(order_id, None)
        self.on_hand.update(self.sold.pop(order_id, {}))
        self.changes_nothing(lambda: reservations.give_back(order_id, "undone", CAUSE))
        self.changes_nothing(lambda: self.late_reserve(order_id))

    @rule()
    def undo_before_it_was_done(self) -> None:
        order_id = ids.new()
        reservations.give_back(order_id, "undone", CAUSE)
        self.changes_nothing(lambda: self.late_reserve(order_id))

    @rule(sku=st.sampled_from(SKUS), number=st.integers(1, 5))
    def reshard(self, sku: str, number: int) -> None:
        shop.reshard(sku, number)
        self.changes_nothing(lambda: shop.reshard(sku, number))

    # --- what always holds

    @invariant()
    def levels_are_what_the_model_says_and_never_below_zero(self) -> None:
        told = self.levels()
        assert all(number >= 0 for level in told.values() for number in level)
        assert all(on_hand == reserved + available for on_hand, reserved, available in told.values())
        for sku in SKUS:
            of_sku = [level for (each, _), level in told.items() if each == sku]
            assert sum(on_hand for on_hand, _, _ in of_sku) == self.on_hand[sku]
            assert sum(reserved for _, reserved, _ in of_sku) == sum(demand.get(sku, 0) for demand in self.held.values())

    @invariant()
    def levels_are_the_sum_of_the_ledger(self) -> None:
        ledger: Counter[tuple[str, str, int]] = Counter()
        stored: Counter[tuple[str, str, int]] = Counter()
        events: Counter[tuple[str, str, int]] = Counter()
        counted: Counter[tuple[str, str, int]] = Counter()
        for item in self.world.items("StockTable"):
            if item["sk"] == "EVENT" and item["status"] in rules.STANDING:
                for line in store.lines_of(item):
                    ledger[line.variant_id, line.warehouse_id, line.shard] += line.quantity
                    events[line.variant_id, line.warehouse_id, line.shard] += 1
            if tables.is_level(item):
                stored[tables.place_of(item)] = item["available"]
                counted[tables.place_of(item)] = item["events"]
        assert ledger == stored
        assert events == counted

    # --- helpers

    def sell(self, order_id: str) -> None:
        if order_id in self.held:
            self.sold[order_id] = self.held.pop(order_id)
            self.on_hand.subtract(self.sold[order_id])

    def available(self, sku: str) -> int:
        return sum(available for (each, _), (_, _, available) in self.levels().items() if each == sku)

    def levels(self) -> Levels:
        codes = {warehouse_id: code for code, warehouse_id in self.warehouses.items()}
        return {
            (sku, codes[each["warehouseId"]]): (each["onHand"], each["reserved"], each["available"])
            for sku, variant_id in self.variants.items()
            for each in service.levels(variant_id, self.open, CAUSE.user_id, CAUSE.roles)["items"]
        }

    def late_reserve(self, order_id: str) -> None:
        try:
            reservations.reserve(order_id, {"A": 1}, CAUSE)
        except ReservationRefused:
            return
        raise AssertionError("a reservation was made after it had been undone")

    def changes_nothing(self, replay: Callable[[], object]) -> None:
        before = self.world.items("StockTable")
        replay()
        assert self.world.items("StockTable") == before


Ledger.TestCase.settings = settings(max_examples=8, stateful_step_count=14)
test_stock_holds_whatever_happens_in_whatever_order = Ledger.TestCase
