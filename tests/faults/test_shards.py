"""Shards: whatever happens to a variant at the same time, units are conserved, and nobody is refused what there is."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import shop
from tests.faults import invariants
from tests.faults.client import move_stock, send
from tests.faults.together import Together
from tests.faults.world import World
from tillflow.contexts.stock import catalog, recording, reservations, shifting, tables
from tillflow.contexts.stock.models import MAX_SHARDS, CreateStockEvent, WarehouseFields
from tillflow.contexts.stock.rules import InsufficientStock, ReservationRefused
from tillflow.errors import Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.storage.idempotency import Idempotency
from tillflow.values import ids

SKU, OTHER = "LAMP", "BULB"
WAREHOUSES = ("HAMBURG", "BREMEN")
VARIANT, HAMBURG = ids.derived("variant", SKU), ids.derived("warehouse", "HAMBURG")
CAUSE = Cause("a-manager", ("manager",), "trace-1")

_MOST_CALLS = 40

type Act = Callable[[], None]


@dataclass(slots=True)
class Story:
    """What has been asked for, and what became of it."""

    world: World
    reserved: Counter[str] = field(default_factory=Counter)
    refused: list[int] = field(default_factory=list)
    orders: int = 0

    def reserve(self, quantity: int, bulbs: int = 0) -> Act:
        self.orders += 1
        order_id = ids.derived("order", str(self.orders))

        def act() -> None:
            try:
                reservations.reserve(order_id, {SKU: quantity} | ({OTHER: bulbs} if bulbs else {}), CAUSE)
            except ReservationRefused:
                self.refused.append(quantity)
            except Unavailable:
                pass
            else:
                self.reserved[order_id] += quantity

        return act

    def undo(self, number: int) -> Act:
        return lambda: reservations.give_back(ids.derived("order", str(number)), "undone", CAUSE)

    def sell(self, number: int) -> Act:
        def act() -> None:
            with suppress(ReservationRefused):
                reservations.commit_sale(ids.derived("order", str(number)), CAUSE)

        return act

    def move(self, kind: str, quantity: int, code: str) -> Act:
        body = {
            "type": kind,
            "warehouseId": ids.derived("warehouse", code),
            "lines": [{"variantId": VARIANT, "quantity": quantity}, {"variantId": ids.derived("variant", OTHER), "quantity": 1}],
        }

        def act() -> None:
            with suppress(InsufficientStock, Unavailable):
                once = Idempotency("record", "a-manager", ids.new(), body)
                recording.record(CreateStockEvent.model_validate(body), CAUSE, once)

        return act

    def reshard(self, number: int) -> Act:
        def act() -> None:
            with suppress(Unavailable):
                shop.reshard(SKU, number)

        return act

    def available(self) -> int:
        return sum(
            item["available"]
            for item in self.world.items("StockTable")
            if tables.is_level(item) and tables.place_of(item)[0] == VARIANT
        )


def _even_out() -> None:
    with suppress(Unavailable):
        for code in WAREHOUSES:
            shifting.even_out(VARIANT, ids.derived("warehouse", code), CAUSE)


@pytest.fixture(scope="module")
def opened(world: World, empty: object) -> object:
    world.restore(empty)
    for code in WAREHOUSES:
        send(world, "POST /api/v1/warehouses", {"code": code, "name": code}, role="admin")
    for sku in (SKU, OTHER):
        send(world, "POST /api/v1/variants", {"sku": sku, "name": sku}, role="admin")
    for code in WAREHOUSES:
        move_stock(world, "INBOUND", code, {SKU: 6, OTHER: 50}, key=None)
    return world.snapshot()


type Named = tuple[str, tuple[object, ...]]


def acts() -> st.SearchStrategy[Named]:
    units, code = st.integers(1, 5), st.sampled_from(WAREHOUSES)
    return st.one_of(
        st.tuples(st.just("reserve"), st.tuples(units, st.integers(0, 1))),
        st.tuples(st.just("reserve"), st.tuples(units)),
        st.tuples(st.sampled_from(["undo", "sell"]), st.tuples(st.integers(1, 6))),
        st.tuples(st.just("move"), st.tuples(st.sampled_from(["INBOUND", "OUTBOUND", "ADJUST"]), units, code)),
        st.tuples(st.just("reshard"), st.tuples(st.integers(1, 6))),
    )


turns = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), max_size=60)


def test_units_are_conserved_whatever_happens_at_once(world: World, opened: object) -> None:
    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(before=st.lists(acts(), max_size=3), at_once=st.lists(acts(), min_size=2, max_size=6), order=turns)
    def holds(before: list[Named], at_once: list[Named], order: list[tuple[int, int]]) -> None:
        world.restore(opened)
        story = Story(world)
        for name, arguments in before:
            getattr(story, name)(*arguments)()
        done = [getattr(story, name)(*arguments) for name, arguments in at_once]
        with Together(world.wire, *done) as together:
            for who, calls in order:
                together.turn(who % len(done), calls)
        invariants.check_stock(world)
        at_rest(story)

    holds()


def at_rest(story: Story) -> None:
    """Everything that is left can be had, by one order, and one unit more cannot."""
    left, story.orders = story.available(), 100
    story.reserve(left + 1)()
    assert story.refused[-1] == left + 1
    if left:
        before = len(story.reserved)
        story.reserve(left)()
        assert len(story.reserved) == before + 1
    assert story.available() == 0
    invariants.check_stock(story.world)


@pytest.mark.parametrize(("at_first", "then"), [(4, 1), (1, 4), (4, 2), (2, 4)])
def test_nobody_is_refused_while_units_are_only_shifted(world: World, opened: object, at_first: int, then: int) -> None:
    """All units are wanted, and there all the time, wherever the shifting and the reading meet."""
    for reading in range(_MOST_CALLS):
        for shifts in range(_MOST_CALLS):
            world.restore(opened)
            story = Story(world)
            story.reshard(at_first)()
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(shifting, "settle", lambda variant, _: variant)
                shop.reshard(SKU, then)
            with Together(world.wire, story.reserve(story.available()), _even_out) as together:
                reads_on = together.turn(0, reading)
                shifts_on = together.turn(1, shifts)
            assert not story.refused
            invariants.check_stock(world)
            if not shifts_on:
                break
        if not reads_on:
            break


@pytest.mark.parametrize(("at_first", "then"), [(1, 4), (4, 1)])
def test_what_goes_out_is_not_refused_while_units_are_only_shifted(
    world: World, opened: object, at_first: int, then: int
) -> None:
    for moving in range(_MOST_CALLS):
        for shifts in range(_MOST_CALLS):
            world.restore(opened)
            story = Story(world)
            story.reshard(at_first)()
            with Together(world.wire, story.move("OUTBOUND", 6, "HAMBURG"), story.reshard(then)) as together:
                moves_on = together.turn(0, moving)
                shifts_on = together.turn(1, shifts)
            assert story.available() == 6
            invariants.check_stock(world)
            if not shifts_on:
                break
        if not moves_on:
            break


@pytest.mark.parametrize(("at_first", "then"), [(1, 4), (2, 4), (4, 1)])
@pytest.mark.parametrize("closes_first", [True, False])
def test_a_warehouse_is_closed_though_units_are_shifted_meanwhile(
    world: World, opened: object, at_first: int, then: int, *, closes_first: bool
) -> None:
    """Whichever makes so many calls first, and then so many the other: afterwards nothing is sold from there."""
    for one in range(_MOST_CALLS):
        for other in range(_MOST_CALLS):
            world.restore(opened)
            story = Story(world)
            story.reshard(at_first)()
            acts = [_close_hamburg, story.reshard(then)]
            with Together(world.wire, *(acts if closes_first else acts[::-1])) as together:
                one_goes_on = together.turn(0, one)
                other_goes_on = together.turn(1, other)
            levels = [item for item in world.items("StockTable") if tables.is_level(item)]
            assert {"closed" in level for level in levels if tables.place_of(level)[1] == HAMBURG} == {True}
            story.reserve(7)()
            assert story.refused == [7]
            invariants.check_stock(world)
            if not other_goes_on:
                break
        if not one_goes_on:
            break


def _close_hamburg() -> None:
    catalog.change_warehouse(
        HAMBURG, lambda present: WarehouseFields.model_validate({**present, "active": False}), lambda _: None, CAUSE
    )


# --- more shards than one commit can write


@pytest.fixture(scope="module")
def scattered(world: World, empty: object) -> object:
    """As many shards as there can be, with a unit in each."""
    world.restore(empty)
    send(world, "POST /api/v1/warehouses", {"code": "HAMBURG", "name": "Hamburg"}, role="admin")
    send(world, "POST /api/v1/variants", {"sku": SKU, "name": SKU, "shards": MAX_SHARDS}, role="admin")
    move_stock(world, "INBOUND", "HAMBURG", {SKU: MAX_SHARDS}, key=None)
    return world.snapshot()


def units_by_shard(world: World) -> dict[int, int]:
    return {tables.place_of(item)[2]: item["available"] for item in world.items("StockTable") if tables.is_level(item)}


def test_what_comes_in_reaches_them_all(world: World, scattered: object) -> None:
    world.restore(scattered)

    assert units_by_shard(world) == dict.fromkeys(range(MAX_SHARDS), 1)
    invariants.check_stock(world)


@pytest.mark.parametrize("is_sold", [False, True], ids=["held", "sold"])
def test_an_order_for_what_is_in_them_all_has_it_gathered(world: World, scattered: object, *, is_sold: bool) -> None:
    world.restore(scattered)
    story = Story(world)

    story.reserve(MAX_SHARDS)()
    assert story.available() == 0
    if is_sold:
        story.sell(1)()
    story.undo(1)()

    assert story.available() == MAX_SHARDS
    invariants.check_stock(world)


def test_a_movement_of_what_is_in_them_all_has_it_gathered(world: World, scattered: object) -> None:
    world.restore(scattered)

    move_stock(world, "OUTBOUND", "HAMBURG", {SKU: MAX_SHARDS}, key=None)

    assert set(units_by_shard(world).values()) == {0}
    invariants.check_stock(world)


def test_they_become_one_and_all_again(world: World, scattered: object) -> None:
    world.restore(scattered)

    shop.reshard(SKU, 1)
    assert units_by_shard(world) == {0: MAX_SHARDS} | dict.fromkeys(range(1, MAX_SHARDS), 0)
    shop.reshard(SKU, MAX_SHARDS)

    assert units_by_shard(world) == dict.fromkeys(range(MAX_SHARDS), 1)
    invariants.check_stock(world)
