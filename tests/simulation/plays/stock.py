"""What managers and sellers do with stock, and what they may rely on."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.simulation.scene import CSV, Asks, Evening, Request, Scene, Sent, lives
from tests.simulation.shop import MANAGERS, OPERATORS, SELLERS, SKUS, WAREHOUSES
from tillflow.contexts.stock.movement import movements_of
from tillflow.contexts.stock.store import lines_of
from tillflow.contexts.stock.tables import is_level, place_of
from tillflow.values import ids

MOVE, LEVELS, RELEASES = "POST /api/v1/stock-events", "GET /api/v1/variants/{id}/levels", "GET /api/stocks/release-events"
MOVEMENTS = "GET /api/v1/stock-events"
IMPORT, IMPORTED = "POST /api/v1/stock-events/import", "GET /api/v1/imports/{id}"
WAREHOUSE, VARIANT = "POST /api/v1/warehouses", "POST /api/v1/variants"


def moves(kind: str, *, keyed: bool) -> Asks:
    """Return the play of somebody who records a movement of stock; its notes are its own."""

    def asks(scene: Scene) -> Request:
        dice = scene.dice
        role = dice.choice(("manager", "manager", "seller"))
        code = dice.choice((*WAREHOUSES, *WAREHOUSES, *WAREHOUSES, "NOWHERE"))
        skus = dice.sample(SKUS, dice.choice((1, 1, 2, 3)))
        if dice.random() < 0.05:
            skus.append(skus[0])
        body = {
            "type": kind,
            "warehouseId": ids.derived("warehouse", code),
            "notes": f"move {scene.number}",
            "lines": [{"variantId": ids.derived("variant", sku), "quantity": _quantity(kind, scene)} for sku in skus],
        }
        codes = {"INVALID_STOCK_EVENT", "WAREHOUSE_NOT_FOUND"} | ({"INSUFFICIENT_STOCK"} if kind != "INBOUND" else set())
        codes |= {"WAREHOUSE_FORBIDDEN"} if role == "seller" else set()
        key = f"move {scene.number}" if keyed else None
        user = dice.choice(MANAGERS if role == "manager" else SELLERS)
        return Request(MOVE, user, role, body, key=key, codes=frozenset(codes))

    return asks


_FILTERS = 0.3


def _quantity(kind: str, scene: Scene) -> int:
    return scene.dice.choice((-2, -1, -1, 0, 1) if kind == "ADJUST" else (1, 1, 1, 2, 3, 0))


def imports(scene: Scene) -> Request:
    """Return the request of somebody to import a file; the notes of its rows are its own."""
    dice = scene.dice
    kinds = dice.choice((("INBOUND",), ("INBOUND", "OUTBOUND"), ("INBOUND", "OUTBOUND", "ADJUST", "THEFT")))
    rows = [
        f"{(kind := dice.choice(kinds))},{dice.choice((*WAREHOUSES, 'NOWHERE'))},{dice.choice((*SKUS, 'NOTHING'))},"
        f"{_quantity(kind, scene)},,import {scene.number}"
        for _ in range(dice.choice((1, 3, 8)))
    ]
    text = "\r\n".join(["type,warehouseCode,sku,quantity,reasonCode,notes", *rows])
    role = dice.choice(("manager", "manager", "seller"))
    user = dice.choice(MANAGERS if role == "manager" else SELLERS)
    query = {"dryRun": dice.choice(("false", "false", "true"))}
    return Request(IMPORT, user, role, {CSV: text}, query=query, key=f"import {scene.number}")


def creates(route: str, name: str, *, keyed: bool) -> Asks:
    """Return the play of a manager who creates what is identified by *name*: several may want the same one."""

    def asks(scene: Scene) -> Request:
        wanted = f"NEW-{scene.number // scene.dice.choice((1, 1, 8))}"
        body = {name: wanted, "name": f"name {scene.number}"}
        key = f"new {scene.number}" if keyed else None
        return Request(route, scene.dice.choice(MANAGERS), "manager", body, key=key, codes=frozenset({"ALREADY_EXISTS"}))

    return asks


def reads_levels(scene: Scene) -> Request:
    """Return the request of somebody to see a variant's levels."""
    sku = scene.dice.choice((*SKUS, "UNKNOWN"))
    codes = frozenset({"VARIANT_NOT_FOUND"} if sku == "UNKNOWN" else set())
    return Request(LEVELS, scene.dice.choice(OPERATORS), "operator", path={"id": ids.derived("variant", sku)}, codes=codes)


def lists_movements(scene: Scene) -> Request:
    """Return the request of a manager or a seller to see a page of movements."""
    dice = scene.dice
    choices = {
        "type": ["INBOUND", "OUTBOUND", "ADJUST"],
        "reasonCode": ["SALE", "OTHER"],
        "warehouseId": [ids.derived("warehouse", code) for code in WAREHOUSES],
        "variantId": [ids.derived("variant", sku) for sku in SKUS],
    }
    query = {name: dice.choice(values) for name, values in choices.items() if dice.random() < _FILTERS}
    query |= {
        "size": dice.choice(("3", "100", "100")),
        "sort": dice.choice(("occurredAt,desc", "createdAt,asc", "createdAt,desc")),
    }
    if dice.random() < _FILTERS:
        return Request(MOVEMENTS, dice.choice(SELLERS), "seller", query=query, codes=frozenset({"WAREHOUSE_FORBIDDEN"}))
    return Request(MOVEMENTS, dice.choice(MANAGERS), "manager", query=query)


def reads_releases(scene: Scene) -> Request:
    """Return the request of an auditor to see a page of releases."""
    query = {"size": str(scene.dice.choice((1, 5, 100))), "page": str(scene.dice.choice((0, 0, 1)))}
    return Request(RELEASES, scene.dice.choice(OPERATORS), "operator", query=query)


# --- what they may rely on


def movements_are_as_told(evening: Evening) -> None:
    """Whoever was told of a movement has it in the ledger; every movement was asked for, under a key once."""
    ledger = {item["pk"].removeprefix("EVENT#"): item for item in evening.items("StockTable") if item["sk"] == "EVENT"}
    asked: dict[str, list[Sent]] = {}
    for sent in evening.sent(MOVE):
        assert sent.request.body
        asked.setdefault(sent.request.body["notes"], []).append(sent)
        if sent.succeeded:
            assert sent.body["id"] in ledger, f"{sent.number} was told of a movement that is not in the ledger"
            stored = Counter[str]()
            for line in lines_of(ledger[sent.body["id"]]):
                stored[line.variant_id] += line.quantity
            assert stored == {line["variantId"]: line["quantity"] for line in sent.body["lines"]}, (
                "the ledger has another movement"
            )
    times = Counter(item["notes"] for item in ledger.values() if item.get("notes", "").startswith("move "))
    assert times.keys() <= asked.keys(), "a movement that nobody asked for"
    for notes, found in times.items():
        most = len(asked[notes]) if asked[notes][0].request.key is None else lives(asked[notes])
        assert found <= most, f"{notes} moved stock {found} times"


def imports_are_as_told(evening: Evening) -> None:
    """Every import has ended, each row recorded once or refused; nothing else was imported, and nothing by a dry run."""
    imported = {item["pk"].partition("#")[2]: item for item in evening.items("StockTable") if item["sk"] == "IMPORT"}
    events = [item for item in evening.items("StockTable") if item["sk"] == "EVENT"]
    of_imports = [each for item in events if "import " in str(item.get("notes")) for each in movements_of(item)]
    lines = {each.movement_id: len(each.lines) for each in of_imports}
    for sent in evening.sent(IMPORT):
        assert not sent.succeeded or sent.body["id"] in imported, f"{sent.number} was told of an import that there is not"
    recorded: Counter[str] = Counter()
    for import_id in imported:
        told = evening.ask(Request(IMPORTED, "mia", "manager", path={"id": import_id}, query={"size": "100"})).body
        assert (told["status"], told["pending"]) == ("completed", 0), f"{import_id} has not ended"
        assert told["accepted"] + told["refused"] == told["rows"], f"{import_id} has lost rows"
        recorded.update(row["stockEventId"] for row in told["content"] if row["stockEventId"])
    assert recorded == lines, "the ledger has other rows than imports were told of"


def movements_are_listed(evening: Evening) -> None:
    """Page by page the list has every movement once; and who was told of a movement found it in the next list."""
    ledger = [each for item in evening.items("StockTable") if item["sk"] == "EVENT" for each in movements_of(item)]
    told: list[Any] = []
    query = {"size": "100"}
    while page := evening.ask(Request(MOVEMENTS, "mia", "manager", query=query)).body:
        told += page["content"]
        if page["next_token"] is None:
            break
        query["next_token"] = page["next_token"]
    assert page["totalElements"] == min(len(ledger), 1000), "the list counts wrong"
    assert [each["occurredAt"] for each in told] == sorted((each.occurred_at for each in ledger), reverse=True)
    assert sorted(each["id"] for each in told) == sorted(each.movement_id for each in ledger), "the list is not the ledger"
    recorded = [sent for sent in evening.sent(MOVE) if sent.succeeded]
    for sent in evening.sent(MOVEMENTS):
        if sent.succeeded and sent.body["next_token"] is None:
            seen = {each["id"] for each in sent.body["content"]}
            missing = [
                moved.body["id"]
                for moved in recorded
                if moved.until < sent.since and moved.body["id"] not in seen and _is_found(moved.body, sent.request.query or {})
            ]
            assert not missing, f"{sent.number} does not list what was recorded before"


def _is_found(event: dict[str, Any], query: Mapping[str, str]) -> bool:
    told = {name: {event[name]} for name in ("type", "reasonCode", "warehouseId")}
    told["variantId"] = {line["variantId"] for line in event["lines"]}
    return all(query[name] in values for name, values in told.items() if name in query)


def creations_are_as_told(evening: Evening) -> None:
    """What exists is as one of those who asked wanted it; who was told so got it; who was refused came later than another."""
    items = evening.items("StockTable")
    for route, kind, name in ((WAREHOUSE, "WAREHOUSE", "code"), (VARIANT, "VARIANT", "sku")):
        stored = {item[name]: item["name"] for item in items if item["sk"] == kind}
        wanted: dict[str, list[Sent]] = {}
        for sent in evening.sent(route):
            assert sent.request.body
            wanted.setdefault(sent.request.body[name], []).append(sent)
        assert {each for each in stored if each.startswith("NEW-")} <= wanted.keys(), "what nobody created exists"
        for each, attempts in wanted.items():
            _check_creation(each, stored.get(each), attempts)


def _check_creation(wanted: str, name: str | None, attempts: list[Sent]) -> None:
    for sent in attempts:
        assert sent.request.body
        if sent.succeeded:
            assert name == sent.request.body["name"], f"{sent.number} was told that it created {wanted}"
        if sent.refused and sent.body["error_code"] == "ALREADY_EXISTS":
            others = [other for other in attempts if other is not sent and other.since < sent.until]
            keyed = sent.request.key is not None
            others = [other for other in others if not keyed or other.number != sent.number]
            assert name, f"{sent.number} was refused {wanted}, which is not there"
            assert others, f"{sent.number} was refused {wanted}, which nobody else had"


def levels_are_true(evening: Evening) -> None:
    """No level that anybody was told was impossible; and when all is quiet, levels are the sum of the ledger, none reserved."""
    for sent in evening.sent(LEVELS):
        for level in sent.body["items"] if sent.succeeded else []:
            assert level["available"] >= 0 <= level["reserved"], f"{sent.number} was told of fewer than no units"
            assert level["onHand"] == level["available"] + level["reserved"], f"{sent.number}'s level does not add up"
    stored = Counter[tuple[str, str]]()
    for item in evening.items("StockTable"):
        if is_level(item):
            stored[place_of(item)[:2]] += item["available"]
    for sku in SKUS:
        variant = ids.derived("variant", sku)
        told = evening.ask(Request(LEVELS, "olga", "operator", path={"id": variant})).body["items"]
        for level in told:
            assert level["reserved"] == 0, f"units of {sku} are reserved, for no order"
            assert level["available"] == stored[variant, level["warehouseId"]], f"the level of {sku} is told wrong"


def releases_are_true(evening: Evening) -> None:
    """The audit has every reservation that was given back, newest first, and says so on every page and in the export."""
    given_back = {item["release_id"]: item["released_at"] for item in evening.items("StockTable") if "release_id" in item}
    page = evening.ask(Request(RELEASES, "olga", "operator", query={"size": "100"})).body
    told = [each["releaseId"] for each in page["content"]]
    assert page["totalElements"] == len(given_back), "the audit counts wrong"
    assert [given_back[each] for each in told] == sorted(given_back.values(), reverse=True)[:100], (
        "the audit is not what was given back"
    )
