"""Every command of the stack: a few lines each. A function that writes and is run by none of them fails a test."""

from collections import Counter
from contextlib import suppress
from hashlib import sha256
from uuid import UUID

import pytest

from tests.faults import accounts, consumers, eventflow, schemas, second_factor
from tests.faults.client import AlreadyThere, Line, Refused, cancel, move_stock, place, send
from tests.faults.command import Act, Command, always
from tests.faults.invariants import importing, reservation_of, unsettled
from tests.faults.wire import Fault, Gone
from tests.faults.world import World
from tests.simulation.plays import masters as keeping
from tests.simulation.plays import orders as buying
from tests.simulation.plays import others
from tests.simulation.plays import stock as stocking
from tests.simulation.scene import Play
from tests.world import ACCESS_KEY, REFRESH_KEY
from tillflow.contexts.identity import keyring
from tillflow.contexts.identity.tables import machine_key
from tillflow.contexts.stock.importstore import unpacked
from tillflow.contexts.stock.store import lines_of
from tillflow.contexts.stock.tables import is_level, place_of
from tillflow.errors import Unavailable
from tillflow.storage import batch
from tillflow.storage.attributes import Item, to_item
from tillflow.values import clock, ids

ONE_LINE: list[Line] = [("APPLE", 2, 150)]
# Two lines are one demand; the pears must come from two warehouses.
THREE_LINES: list[Line] = [("APPLE", 1, 150), ("APPLE", 2, 140), ("PEAR", 3, 200)]
TOO_MUCH: list[Line] = [("APPLE", 1, 150), ("PEAR", 5, 200)]
# More than any shard of them has; and more than all have.
SHARDED: list[Line] = [("PLUM", 3, 90)]
TOO_MUCH_OF_SHARDS: list[Line] = [("PLUM", 5, 90)]

CREATED = {"OrderCreated": 1, "orders.order_placed.v1": 1}
CONFIRMED = CREATED | {"InventoryReserved": 1, "PaymentSucceeded": 1}
UNDONE = {"InventoryReleaseRequested": 1, "InventoryReleased": 1}
CANCELED = {"orders.order_canceled.v1": 1}


FORWARD = frozenset({"order_saga/reserve_stock", "order_saga/charge_payment", "order_saga/complete_order"})
BACKWARD = frozenset({"order_saga/fail_order", "order_saga/refund_payment", "order_saga/release_stock"})
# Functions whose part in other commands than these is the same: they are broken there once.
_RESERVE = frozenset({"order_saga/reserve_stock"})
_CHARGE = frozenset({"order_saga/charge_payment"})
_COMPLETE = frozenset({"order_saga/complete_order"})
_RELEASE = frozenset({"order_saga/release_stock"})
_FAIL = frozenset({"order_saga/fail_order"})
_REFUND = frozenset({"order_saga/refund_payment"})
_CANCEL = frozenset({"orders/cancel_order"})
_RESUME = frozenset({"order_saga/resume_stuck_orders"})

_HAMBURG, _APPLE, _PLUM = ids.derived("warehouse", "HAMBURG"), ids.derived("variant", "APPLE"), ids.derived("variant", "PLUM")
_APPLES = f"VARIANT#{_APPLE}", f"LEVEL#{_HAMBURG}"


_PROJECT = frozenset({"stock/follow_ledger"})


def shop(world: World) -> None:
    """Open a shop: apples in Hamburg, pears in both warehouses."""
    for code in ("HAMBURG", "BREMEN"):
        send(world, "POST /api/v1/warehouses", {"code": code, "name": code.title()}, role="admin")
    for sku in ("APPLE", "PEAR"):
        send(world, "POST /api/v1/variants", {"sku": sku, "name": sku.title()}, role="admin")
    move_stock(world, "INBOUND", "HAMBURG", {"APPLE": 10, "PEAR": 2}, key=None)
    move_stock(world, "INBOUND", "BREMEN", {"PEAR": 2}, key=None)
    world.drain()


def sharded_shop(world: World) -> None:
    """Open the shop with plums besides, four in three shards."""
    shop(world)
    send(world, "POST /api/v1/variants", {"sku": "PLUM", "name": "Plum", "shards": 3}, role="admin")
    move_stock(world, "INBOUND", "HAMBURG", {"PLUM": 4}, key=None)
    world.drain()


def order(lines: list[Line], token: str | None = None) -> Act:
    """Return the act of ordering *lines* and letting the order be driven to its end."""

    def run(world: World) -> None:
        place(world, lines, token=token)
        world.drain()

    return run


def _ordered(lines: list[Line]) -> Act:
    def arrange(world: World) -> None:
        shop(world)
        order(lines)(world)

    return arrange


def _the_order(world: World) -> str:
    (item,) = world.items("OrdersTable")
    return str(item["pk"]).removeprefix("ORDER#")


def _cancel_confirmed(world: World) -> None:
    cancel(world, _the_order(world))
    world.drain()


def _cancel_pending(world: World) -> None:
    cancel(world, place(world, ONE_LINE))
    world.drain()


def _cancel_reserved(world: World) -> None:
    order_id = place(world, ONE_LINE)
    world.deliver_stream("IdempotencyTable")
    saga = world.execution(*world.pending.starts.pop())
    saga.step()
    cancel(world, order_id)
    world.drain()
    saga.run()
    world.drain()


def _release_from_the_bus(world: World) -> None:
    order_id = place(world, ONE_LINE)
    world.deliver_stream("IdempotencyTable")
    saga = world.execution(*world.pending.starts.pop())
    saga.step()
    for event in ("one", "two"):
        request = {
            "event_id": ids.derived("event", event),
            "event_type": "InventoryReleaseRequested",
            "occurred_at": clock.iso(clock.now()),
            "trace_id": ids.derived("trace", event),
            "identity": {"user_id": "a-clerk", "roles": []},
            "data": {"order_id": order_id, "reason": "a clerk wants it"},
            "version": 1,
        }
        world.to_bus("warehouse.tools", "InventoryReleaseRequested", request)
    world.drain()
    saga.run()
    world.drain()


def _lose_its_start(world: World) -> None:
    shop(world)
    place(world, ONE_LINE)
    world.deliver_stream("IdempotencyTable")
    world.pending.starts.clear()


def _lose_its_saga(world: World) -> None:
    shop(world)
    place(world, ONE_LINE)
    world.deliver_stream("IdempotencyTable")
    saga = world.execution(*world.pending.starts.pop())
    saga.step()
    saga.step()


def _resume(world: World) -> None:
    # More than once only where a fault kept the saga from being started: the next deadline does it.
    while unsettled(world):
        world.pass_time(661)
        world.run_schedule("order_saga/resume_stuck_orders")
        world.drain()


def _many_orders(world: World) -> None:
    shop(world)
    for number in range(6):
        place(world, ONE_LINE, name=f"cart {number}")


def _publish_and_record(world: World) -> None:
    world.deliver_stream("IdempotencyTable")
    world.deliver_queue("EventLogQueue")
    world.pending.starts.clear()


def _order_behind_junk(world: World) -> None:
    world.spoil_stream("IdempotencyTable", b"junk")
    order(ONE_LINE)(world)


def _junk_is_in_the_dead_letters(world: World) -> None:
    assert {letter["key"]["pk"]["S"] for letter in world.letters} == {"JUNK"}


def _read(route: str, path: dict[str, str] | None = None, role: str = "operator") -> Act:
    def run(world: World) -> None:
        send(world, route, {}, role=role, path=path)

    return run


def _look(world: World) -> None:
    _read(buying.LOOK, {"orderId": _the_order(world)})(world)


def _create(route: str, body: dict[str, object]) -> Act:
    """Create; where a lost answer makes the client ask again, it hears that it is there."""

    def run(world: World) -> None:
        with suppress(AlreadyThere):
            send(world, route, body, role="admin")

    return run


def _create_once(route: str, body: dict[str, object]) -> Act:
    """Create under a key: whatever becomes of the answers, the client gets the first one."""

    def run(world: World) -> None:
        send(world, route, body, role="admin", key="k")

    return run


_FRUIT = {"APPLE": 3, "PEAR": 1}


def _stock_event(kind: str, *, key: str | None, warehouse: str = "HAMBURG", units: dict[str, int] = _FRUIT) -> Act:
    def run(world: World) -> None:
        move_stock(world, kind, warehouse, units, key=key)
        world.drain()

    return run


def _change(route: str, body: dict[str, object], **path: str) -> Act:
    """Change a master; sent again after a lost answer it changes nothing more."""

    def run(world: World) -> None:
        send(world, route, body, role="admin", path=path)
        world.drain()

    return run


def _transfer(*, key: str | None) -> Act:
    """Transfer apples; without a key the second of two may find too few."""
    body: dict[str, object] = {
        "fromWarehouseId": _HAMBURG,
        "toWarehouseId": ids.derived("warehouse", "BREMEN"),
        "lines": [{"variantId": _APPLE, "quantity": 6}],
    }

    def run(world: World) -> None:
        with suppress(*() if key else (Refused,)):
            send(world, "POST /api/v1/stock-transfers", body, role="admin", key=key)
        world.drain()

    return run


def _transfers_are_whole(world: World) -> None:
    halves = Counter(item["transfer_id"] for item in world.items("StockTable") if "transfer_id" in item)
    assert list(halves.values()) == [2]


def _has_version(key: str, version: int) -> Act:
    """Return the check that a master was changed so often, and no more often, whatever became of the answers."""

    def also(world: World) -> None:
        (master,) = [item for item in world.items("StockTable") if item["pk"] == key and "version" in item]
        assert master["version"] == version

    return also


def _hamburg_is_closed(world: World) -> None:
    _has_version(f"WAREHOUSE#{_HAMBURG}", 2)(world)
    levels = [item for item in world.items("StockTable") if item["sk"] == f"LEVEL#{_HAMBURG}"]
    assert [level.get("closed") for level in levels] == [True, True]


def _plums_are_in(shards: int, units: list[int]) -> Act:
    """Return the check that plums are counted in so many shards, and how many each has that there ever was."""

    def also(world: World) -> None:
        levels = [item for item in world.items("StockTable") if is_level(item) and place_of(item)[0] == _PLUM]
        assert [item["available"] for item in sorted(levels, key=lambda item: place_of(item)[2])] == units
        (variant,) = [item for item in world.items("StockTable") if item["pk"] == f"VARIANT#{_PLUM}" and "version" in item]
        assert (variant["shards"], "units_behind" in variant) == (shards, False)

    return also


def _watched(world: World) -> None:
    shop(world)
    _change(keeping.SET_POINT, {"quantity": 5}, id=_HAMBURG, variantId=_APPLE)(world)


def _falls_low(world: World) -> None:
    move_stock(world, "OUTBOUND", "HAMBURG", {"APPLE": 6}, key="k")
    world.drain()
    move_stock(world, "OUTBOUND", "HAMBURG", {"APPLE": 1}, key="l")
    world.drain()


def _point_is(quantity: int | None) -> Act:
    def also(world: World) -> None:
        (level,) = [item for item in world.items("StockTable") if (item["pk"], item["sk"]) == _APPLES]
        assert level.get("reorder_point") == quantity

    return also


def _sellers_are(*user_ids: str) -> Act:
    def also(world: World) -> None:
        (warehouse,) = [item for item in world.items("StockTable") if item["pk"] == f"WAREHOUSE#{_HAMBURG}"]
        assert warehouse["seller_ids"] == list(user_ids)

    return also


def _named(world: World) -> None:
    shop(world)
    _change(keeping.NAME, {}, id=_HAMBURG, userId="a-seller")(world)


_FILE = """type,warehouseCode,sku,quantity,reasonCode,notes
INBOUND,HAMBURG,APPLE,3,PURCHASE,A delivery
INBOUND,HAMBURG,PEAR,3,PURCHASE,A delivery
OUTBOUND,HAMBURG,APPLE,20,DAMAGE,
OUTBOUND,HAMBURG,PEAR,1,DAMAGE,
"""


def _take_in(world: World) -> None:
    send(world, "POST /api/v1/stock-events/import", _FILE, role="admin", key="k")


def _import(world: World) -> None:
    _take_in(world)
    world.drain()
    _resume_imports(world)


def _lose_an_import_s_start(world: World) -> None:
    shop(world)
    _take_in(world)
    world.pending.starts.clear()


def _resume_imports(world: World) -> None:
    # More than once only where a fault kept it from being started, or recorded: the next schedule does it.
    while importing(world):
        world.pass_time(661)
        world.run_schedule("stock/resume_imports")
        world.drain()


def _import_is_recorded(world: World) -> None:
    """One delivery, and of what was damaged the row that could be."""
    _ledger_has(2)(world)
    (progress,) = [item for item in world.items("StockTable") if item["sk"].startswith("PROGRESS#")]
    assert [type(each) for each in unpacked(progress["outcomes"])] == [int, int, list, int]


def _ledger_has(*events: int) -> Act:
    """Return the check that so many stock events are in the ledger (the shop's own are two)."""

    def also(world: World) -> None:
        assert sum(item["sk"] == "EVENT" for item in world.items("StockTable")) - 2 in events

    return also


def _stock_has(part: str, times: int) -> Act:
    def also(world: World) -> None:
        assert sum(item["pk"].startswith(part) for item in world.items("StockTable")) == times

    return also


def _reservation_is(status: str | None) -> Act:
    def also(world: World) -> None:
        assert reservation_of(world, _the_order(world)) == status

    return also


def _audit(world: World) -> None:
    """Audit everything and repair it, as often as it takes."""
    for _ in range(5):
        with suppress(Gone, Unavailable):
            found = world.invoke("stock/audit_stock", {"everything": True, "repair": True})
            world.drain()
            if not found["found"] and not found["unproven"]:
                return
    pytest.fail(f"it finds something again and again: {found}")


def _broken(world: World) -> None:
    """A shop in which somebody has changed every level."""
    _ordered(ONE_LINE)(world)
    levels = sorted((item for item in world.items("StockTable") if is_level(item)), key=lambda item: str(item["pk"] + item["sk"]))
    for level, more in zip(levels, (1, -1, 2), strict=True):
        batch.put("StockTable", [level | {"available": level["available"] + more}])


def _corrected_once(world: World) -> None:
    corrections = [item for item in world.items("StockTable") if item.get("reason_code") == "COUNT_CORRECTION"]
    assert sorted(line.quantity for event in corrections for line in lines_of(event)) == [-1, 1, 2]


_ROTATION = tuple(ids.derived("rotation", name) for name in ("AccessKeySecret", "RefreshKeySecret"))


def _rotate(world: World) -> None:
    """Rotate both keys as Secrets Manager does: the next step when one is done, the same again when it failed."""
    for secret, version in zip(("AccessKeySecret", "RefreshKeySecret"), _ROTATION, strict=True):
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            world.run_schedule("identity/rotate_keys", {"Step": step, "SecretId": secret, "ClientRequestToken": version})


def _keys_are_two(world: World) -> None:
    """There is one new key of each kind, published before all else, and what the old one signed is valid."""
    (item,) = (item for item in world.items("IdentityTable") if item["pk"] == "JWKS")
    for kind, name, old in (("access", "AccessKeySecret", ACCESS_KEY), ("refresh", "RefreshKeySecret", REFRESH_KEY)):
        held = keyring.read(world.wire.secrets.current(name).encode())
        assert [key.kid for key in held] == [held[0].kid, old.kid]
        assert item[kind] == [key.jwk for key in held]


_MACHINE = ids.derived("machine", "checkout")
_CREDENTIAL = f"tf_{UUID(_MACHINE).hex}_{'s' * 43}"


def _a_service_has_a_token(world: World) -> None:
    """Let there be a service's token whose secret is known, last used long ago."""
    send(world, "POST /v1/service-tokens", {"name": "checkout", "scopes": ["tokens:issue"]}, role="admin")
    (made,) = _machines(world)
    known = machine_key(_MACHINE) | {"digest": sha256(b"s" * 43).digest(), "last_used_at": clock.EARLIEST}
    batch.put("IdentityTable", [made | known])
    world.wire.dynamodb.do("DeleteItem", {"TableName": "IdentityTable", "Key": to_item({"pk": made["pk"], "sk": made["sk"]})})


def _machines(world: World) -> list[Item]:
    return [item for item in world.items("IdentityTable") if item["sk"] == "KEY"]


def _is_let_in(world: World) -> None:
    """Come with the token until API Gateway has an answer."""
    event = {"methodArn": "api/prod/POST", "httpMethod": "POST", "resource": "/api/auth/token"}
    for _ in range(10):
        with suppress(Gone, Unavailable):
            answer = world.invoke("identity/authorize", event | {"headers": {"X-Service-Token": _CREDENTIAL}})
            assert answer["context"]["scopes"] == "tokens:issue"
            return
    pytest.fail("the token was never let in")


def _use_is_noted(world: World) -> None:
    # Whoever comes is let in first; the note is written when it can be.
    (machine,) = _machines(world)
    assert "revoked_at" not in machine
    assert machine["digest"]


def _has_tokens(*times: int) -> Act:
    """A service's token was made; its secret, and what opens, is stored nowhere."""

    def also(world: World) -> None:
        assert len(_machines(world)) in times
        assert all(len(machine["digest"]) == sha256().digest_size for machine in _machines(world))

    return also


def _is_revoked(world: World) -> None:
    (machine,) = _machines(world)
    assert "revoked_at" in machine
    assert "listed" not in machine


REGISTER: dict[str, Command] = {
    command.name: command
    for command in (
        *accounts.COMMANDS,
        *consumers.COMMANDS,
        *eventflow.COMMANDS,
        *schemas.COMMANDS,
        *second_factor.COMMANDS,
        Command(
            "order one line",
            order(ONE_LINE),
            shop,
            "confirmed",
            CONFIRMED,
            plays=Play(buying.orders(None, "tok_success"), often=20, holds=buying.orders_are_as_told),
        ),
        Command(
            "order behind an unreadable record",
            _order_behind_junk,
            shop,
            "confirmed",
            CONFIRMED,
            also=_junk_is_in_the_dead_letters,
            breaks=frozenset({"outbox/publish_events"}),
        ),
        Command("order three lines", order(THREE_LINES), shop, "confirmed", CONFIRMED, breaks=_RESERVE | _COMPLETE),
        Command("order for nothing", order([("APPLE", 1, 0)]), shop, "confirmed", CONFIRMED, breaks=_CHARGE),
        Command(
            "card declined",
            order(ONE_LINE, "tok_declined"),
            shop,
            "failed",
            CREATED | {"InventoryReserved": 1, "PaymentFailed": 1} | UNDONE,
            plays=Play(buying.orders("tok_declined", "tok_insufficient_funds", "tok_nonsense")),
        ),
        Command(
            "out of stock",
            order(TOO_MUCH, "tok_success"),
            shop,
            "failed",
            CREATED | {"InventoryFailed": 1},
            also=_reservation_is("refused"),
            breaks=_RESERVE | _FAIL,
        ),
        Command("order from several shards", order(SHARDED), sharded_shop, "confirmed", CONFIRMED, breaks=_RESERVE),
        Command(
            "out of stock in every shard",
            order(TOO_MUCH_OF_SHARDS),
            sharded_shop,
            "failed",
            CREATED | {"InventoryFailed": 1},
            also=_reservation_is("refused"),
            breaks=_RESERVE,
        ),
        Command(
            "gateway times out after the charge",
            order(ONE_LINE, "tok_timeout_after_charge"),
            shop,
            "confirmed",
            CONFIRMED,
            breaks=_CHARGE,
            plays=Play(buying.orders("tok_timeout_after_charge", "tok_unavailable")),
        ),
        Command(
            "gateway unavailable",
            order(ONE_LINE, "tok_unavailable"),
            shop,
            "failed",
            CREATED | {"InventoryReserved": 1} | UNDONE,
            breaks=_FAIL | _REFUND,
        ),
        Command(
            "gateway charges and stays silent",
            order(ONE_LINE),
            shop,
            "failed",
            CREATED | {"InventoryReserved": 1} | UNDONE,
            breaks=BACKWARD,
            weather=always("order_saga/charge_payment", "gateway.charge", Fault.LOST),
        ),
        Command(
            "stock cannot be read",
            order(ONE_LINE),
            shop,
            "failed",
            CREATED,
            also=_reservation_is("refused"),
            breaks=BACKWARD,
            weather=always("order_saga/reserve_stock", "Query", Fault.ERROR),
        ),
        Command(
            "cancel pending",
            _cancel_pending,
            shop,
            "canceled",
            CREATED | CANCELED,
            breaks=_CANCEL | _REFUND | _RELEASE,
            plays=Play(buying.cancels, often=6, holds=buying.cancellations_are_as_told),
        ),
        Command(
            "cancel reserved",
            _cancel_reserved,
            shop,
            "canceled",
            CREATED | CANCELED | {"InventoryReserved": 1, "InventoryReleased": 1},
            breaks=_RELEASE,
        ),
        Command(
            "cancel confirmed",
            _cancel_confirmed,
            _ordered(THREE_LINES),
            "canceled",
            CONFIRMED | CANCELED | {"InventoryReleased": 1},
            breaks=_CANCEL | BACKWARD,
        ),
        Command(
            "release asked for on the bus, twice",
            _release_from_the_bus,
            shop,
            "failed",
            CREATED | {"InventoryReserved": 1, "InventoryReleaseRequested": 2, "InventoryReleased": 1, "PaymentSucceeded": 1},
            also=_reservation_is("released"),
            breaks=frozenset({"stock/on_inventory_release_requested"}) | _RELEASE,
            plays=Play(others.asks_for_a_release),
        ),
        Command("resume an order whose saga never started", _resume, _lose_its_start, "confirmed", CONFIRMED, breaks=_RESUME),
        Command("resume an order whose saga broke off", _resume, _lose_its_saga, "confirmed", CONFIRMED, breaks=FORWARD),
        Command("publish and record a batch", _publish_and_record, _many_orders, "pending", dict.fromkeys(CREATED, 6)),
        Command(
            "stock comes in, with a key",
            _stock_event("INBOUND", key="k"),
            shop,
            also=_ledger_has(1),
            plays=Play(stocking.moves("INBOUND", keyed=True), holds=stocking.movements_are_as_told),
        ),
        Command("list a sale of two warehouses", order(THREE_LINES), shop, "confirmed", CONFIRMED, breaks=_PROJECT),
        Command(
            "list levels that are new",
            _stock_event("INBOUND", key="k", warehouse="BREMEN", units={"APPLE": 1, "PEAR": 1}),
            shop,
            also=_ledger_has(1),
            breaks=_PROJECT,
        ),
        # Without a key the client may double it, and has been told so (contract: stock-events.md).
        Command(
            "stock comes in, without a key",
            _stock_event("INBOUND", key=None),
            shop,
            also=_ledger_has(1, 2),
            plays=Play(stocking.moves("ADJUST", keyed=False)),
        ),
        Command(
            "stock goes out, with a key",
            _stock_event("OUTBOUND", key="k"),
            shop,
            also=_ledger_has(1),
            plays=Play(stocking.moves("OUTBOUND", keyed=True)),
        ),
        Command(
            "import a file",
            _import,
            shop,
            also=_import_is_recorded,
            plays=Play(stocking.imports, often=3, holds=stocking.imports_are_as_told),
        ),
        Command(
            "resume an import whose start was lost",
            _resume_imports,
            _lose_an_import_s_start,
            also=_import_is_recorded,
            breaks=frozenset({"stock/resume_imports"}),
        ),
        Command(
            "stock is transferred, with a key",
            _transfer(key="k"),
            shop,
            also=_transfers_are_whole,
            plays=Play(keeping.transfers(keyed=True), holds=keeping.transfers_are_as_told),
        ),
        Command(
            "stock is transferred, without a key",
            _transfer(key=None),
            shop,
            also=_transfers_are_whole,
            plays=Play(keeping.transfers(keyed=False), often=1),
        ),
        Command(
            "close a warehouse",
            _change(keeping.CHANGE_WAREHOUSE, {"active": False}, id=_HAMBURG),
            shop,
            also=_hamburg_is_closed,
            plays=Play(keeping.opens_and_closes, often=1, holds=keeping.changes_are_as_told),
        ),
        Command(
            "rename a variant",
            _change(keeping.CHANGE_VARIANT, {"name": "Braeburn"}, id=_APPLE),
            shop,
            also=_has_version(f"VARIANT#{_APPLE}", 2),
            plays=Play(keeping.changes_a_variant, often=1, holds=keeping.lists_are_complete),
        ),
        Command(
            "count a variant in other shards",
            _change(keeping.CHANGE_VARIANT, {"shards": 2}, id=_PLUM),
            sharded_shop,
            also=_plums_are_in(2, [2, 2, 0]),
        ),
        Command(
            "name a seller",
            _change(keeping.NAME, {}, id=_HAMBURG, userId="a-seller"),
            shop,
            also=_sellers_are("a-seller"),
            plays=Play(keeping.names_and_removes, often=1),
        ),
        Command("remove a seller", _change(keeping.REMOVE, {}, id=_HAMBURG, userId="a-seller"), _named, also=_sellers_are()),
        Command(
            "stock comes into shards, with a key",
            _stock_event("INBOUND", key="k", warehouse="BREMEN", units={"PLUM": 5, "APPLE": 1}),
            sharded_shop,
            also=_ledger_has(2),
        ),
        Command(
            "stock goes out of several shards, with a key",
            _stock_event("OUTBOUND", key="k", units={"PLUM": 3}),
            sharded_shop,
            also=_ledger_has(2),
        ),
        Command(
            "a level falls through its reorder point",
            _falls_low,
            _watched,
            events={"StockLevelLow": 1},
            breaks=frozenset({"stock/create_stock_event", "stock/follow_ledger", "outbox/publish_events"}),
        ),
        Command(
            "set a reorder point",
            _change(keeping.SET_POINT, {"quantity": 5}, id=_HAMBURG, variantId=_APPLE),
            shop,
            also=_point_is(5),
            plays=Play(keeping.sets_and_clears_a_point, holds=keeping.low_levels_are_told),
        ),
        Command(
            "clear a reorder point",
            _change(keeping.CLEAR_POINT, {}, id=_HAMBURG, variantId=_APPLE),
            _watched,
            also=_point_is(None),
        ),
        Command(
            "create a warehouse",
            _create("POST /api/v1/warehouses", {"code": "KIEL", "name": "Kiel"}),
            also=_stock_has("WAREHOUSE#", 1),
            plays=Play(
                stocking.creates("POST /api/v1/warehouses", "code", keyed=False), often=1, holds=stocking.creations_are_as_told
            ),
        ),
        Command(
            "create a variant",
            _create("POST /api/v1/variants", {"sku": "PLUM", "name": "Plum"}),
            also=_stock_has("VARIANT#", 1),
            plays=Play(stocking.creates("POST /api/v1/variants", "sku", keyed=False), often=1),
        ),
        Command(
            "create a warehouse, with a key",
            _create_once("POST /api/v1/warehouses", {"code": "KIEL", "name": "Kiel"}),
            also=_stock_has("WAREHOUSE#", 1),
            plays=Play(stocking.creates("POST /api/v1/warehouses", "code", keyed=True), often=1),
        ),
        Command(
            "create a variant, with a key",
            _create_once("POST /api/v1/variants", {"sku": "PLUM", "name": "Plum"}),
            also=_stock_has("VARIANT#", 1),
            plays=Play(stocking.creates("POST /api/v1/variants", "sku", keyed=True), often=1),
        ),
        Command(
            "look at an order",
            _look,
            _ordered(ONE_LINE),
            "confirmed",
            CONFIRMED,
            plays=Play(buying.looks, often=6, holds=buying.looks_are_true),
        ),
        Command(
            "read the levels",
            _read(stocking.LEVELS, {"id": ids.derived("variant", "APPLE")}),
            shop,
            plays=Play(stocking.reads_levels, holds=stocking.levels_are_true),
        ),
        Command(
            "list the movements",
            _read(stocking.MOVEMENTS, role="manager"),
            shop,
            plays=Play(stocking.lists_movements, often=3, holds=stocking.movements_are_listed),
        ),
        Command(
            "audit levels that somebody has changed",
            _audit,
            _broken,
            "confirmed",
            CONFIRMED,
            also=_corrected_once,
        ),
        # A lost answer takes the secret along: the client asks for another (functions/identity/create_service_token.py).
        Command(
            "make a service's token",
            _create(others.MAKE, others.WANTED),
            also=_has_tokens(1, 2),
            plays=Play(others.makes_a_service_token, often=1, holds=others.service_tokens_are_shown_once),
        ),
        Command("come with a service's token", _is_let_in, _a_service_has_a_token, also=_use_is_noted),
        Command(
            "revoke a service's token",
            _change("DELETE /v1/service-tokens/{id}", {}, id=_MACHINE),
            _a_service_has_a_token,
            also=_is_revoked,
            plays=Play(others.revokes_a_service_token, often=1),
        ),
        Command("rotate the keys of tokens", _rotate, also=_keys_are_two),
        Command(
            "read the releases",
            _read(stocking.RELEASES),
            shop,
            plays=Play(stocking.reads_releases, often=1, holds=stocking.releases_are_true),
        ),
    )
}
