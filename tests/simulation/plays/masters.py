"""What managers do with warehouses and variants: transfer between them, rename, open and close, name sellers."""

from collections import Counter, defaultdict
from typing import Any

from tests.simulation.scene import Asks, Evening, Request, Scene, Sent, lives
from tests.simulation.shop import MANAGERS, PLENTY, SCARCE, SELLERS, SKUS, WAREHOUSES
from tillflow.contexts.stock.store import lines_of
from tillflow.contexts.stock.tables import is_level, place_of
from tillflow.values import ids

TRANSFER = "POST /api/v1/stock-transfers"
CHANGE_WAREHOUSE, CHANGE_VARIANT = "PATCH /api/v1/warehouses/{id}", "PATCH /api/v1/variants/{id}"
NAME, REMOVE = (f"{method} /api/v1/warehouses/{{id}}/sellers/{{userId}}" for method in ("PUT", "DELETE"))
SET_POINT, CLEAR_POINT = (
    f"{method} /api/v1/warehouses/{{id}}/levels/{{variantId}}/reorder-point" for method in ("PUT", "DELETE")
)
LIST_WAREHOUSES, LIST_VARIANTS = "GET /api/v1/warehouses", "GET /api/v1/variants"
LIST_LEVELS = "GET /api/v1/warehouses/{id}/levels"
# Nobody else acts as these.
_NEWCOMERS = ("nia", "nic")


def transfers(*, keyed: bool) -> Asks:
    """Return the play of somebody who transfers stock; its notes are its own."""

    def asks(scene: Scene) -> Request:
        dice = scene.dice
        role = dice.choice(("manager", "manager", "seller"))
        source, target = dice.sample((*WAREHOUSES, "NOWHERE"), 2)
        body = {
            "fromWarehouseId": ids.derived("warehouse", source),
            "toWarehouseId": ids.derived("warehouse", target),
            "notes": f"transfer {scene.number}",
            "lines": [
                {"variantId": ids.derived("variant", sku), "quantity": dice.choice((1, 1, 2))}
                for sku in dice.sample(SKUS, dice.choice((1, 1, 2)))
            ],
        }
        codes = {"INVALID_STOCK_EVENT", "WAREHOUSE_NOT_FOUND", "INSUFFICIENT_STOCK"}
        codes |= {"WAREHOUSE_FORBIDDEN"} if role == "seller" else set()
        key = f"transfer {scene.number}" if keyed else None
        user = dice.choice(MANAGERS if role == "manager" else SELLERS)
        return Request(TRANSFER, user, role, body, key=key, codes=frozenset(codes))

    return asks


def changes_a_variant(scene: Scene) -> Request:
    """Return the request of a manager to rename a variant, to count it in other shards, to sell it or not (plenty always)."""
    sku = scene.dice.choice(SKUS)
    body: dict[str, object] = {"name": f"name {scene.number}"}
    if sku not in (PLENTY, SKUS[-1]) and scene.dice.random() < 0.3:
        body["active"] = scene.dice.random() < 0.7
    if scene.dice.random() < 0.5:
        body["shards"] = scene.dice.choice((1, 2, 3, 5, 8))
    return Request(CHANGE_VARIANT, scene.dice.choice(MANAGERS), "manager", body, path={"id": ids.derived("variant", sku)})


def opens_and_closes(scene: Scene) -> Request:
    """Return the request of a manager to open or close a warehouse (but for the one that has plenty)."""
    path = {"id": ids.derived("warehouse", scene.dice.choice(WAREHOUSES[1:]))}
    return Request(CHANGE_WAREHOUSE, scene.dice.choice(MANAGERS), "manager", {"active": scene.dice.random() < 0.6}, path=path)


def names_and_removes(scene: Scene) -> Request:
    """Return the request of a manager to name a seller, or to remove one."""
    path = {"id": ids.derived("warehouse", scene.dice.choice(WAREHOUSES)), "userId": scene.dice.choice(_NEWCOMERS)}
    return Request(scene.dice.choice((NAME, REMOVE)), scene.dice.choice(MANAGERS), "manager", {}, path=path)


def sets_and_clears_a_point(scene: Scene) -> Request:
    """Return the request of a manager to set a reorder point, or to clear one."""
    dice = scene.dice
    path = {"id": ids.derived("warehouse", dice.choice(WAREHOUSES)), "variantId": ids.derived("variant", dice.choice(SCARCE))}
    route, body = dice.choice(((SET_POINT, {"quantity": dice.choice((1, 2, 3))}), (CLEAR_POINT, {})))
    return Request(route, dice.choice(MANAGERS), "manager", body, path=path, codes=frozenset({"LEVEL_NOT_FOUND"}))


# --- what they may rely on


def transfers_are_as_told(evening: Evening) -> None:
    """Every transfer in the ledger is two movements that mirror each other; under a key there is one of it."""
    halves: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for item in evening.items("StockTable"):
        if item.get("transfer_id"):
            halves[item["transfer_id"]].append(item)
    asked: defaultdict[str, list[Sent]] = defaultdict(list)
    for sent in evening.sent(TRANSFER):
        assert sent.request.body
        asked[sent.request.body["notes"]].append(sent)
        if sent.succeeded:
            assert sent.body["transferId"] in halves, f"{sent.number} was told of a transfer that is not in the ledger"
    for transfer, both in halves.items():
        assert {half["type"] for half in both} == {"OUTBOUND", "INBOUND"}, f"{transfer} is a half"
        moved: Counter[str] = Counter()
        for half in both:
            for line in lines_of(half):
                moved[line.variant_id] += line.quantity
        assert not any(moved.values()), f"{transfer} lost units on its way"
    for notes, found in Counter(str(both[0]["notes"]) for both in halves.values()).items():
        most = len(asked[notes]) if asked[notes][0].request.key is None else lives(asked[notes])
        assert found <= most, f"{notes} moved stock {found} times"


def changes_are_as_told(evening: Evening) -> None:
    """A master is as somebody wanted it, changed no more often than was asked; and all its levels are as open as a warehouse."""
    items = evening.items("StockTable")
    for route, kind in ((CHANGE_VARIANT, "VARIANT"), (CHANGE_WAREHOUSE, "WAREHOUSE")):
        stored = {item["pk"].partition("#")[2]: item for item in items if item["sk"] == kind}
        asked: defaultdict[str, list[Sent]] = defaultdict(list)
        for sent in evening.sent(route):
            assert sent.request.path
            assert sent.request.body
            asked[sent.request.path["id"]].append(sent)
            if sent.succeeded:
                assert sent.request.body.items() <= sent.body.items(), f"{sent.number} was told of another change"
        for master, attempts in asked.items():
            names = {sent.request.body["name"] for sent in attempts if sent.request.body and "name" in sent.request.body}
            assert stored[master]["name"] in names or not names or stored[master]["version"] <= len(attempts)
            # A seller that is named or removed is a change, too.
            others = len([sent for way in (NAME, REMOVE) for sent in evening.sent(way)])
            assert stored[master]["version"] <= 1 + len(attempts) + others, f"{master} was changed without being asked"
    warehouses = {item["pk"].partition("#")[2]: item for item in items if item["sk"] == "WAREHOUSE"}
    for level in (item for item in items if item["sk"].startswith("LEVEL#")):
        warehouse = warehouses[level["sk"].partition("#")[2]]
        if "levels_behind" not in warehouse:
            assert ("closed" in level) != warehouse["active"], f"a level in {warehouse['code']} is not as open as that"


def low_levels_are_told(evening: Evening) -> None:
    """A level that has a reorder point has noted on which side it is; whatever was told of was a fall, each of them once."""
    shards: defaultdict[tuple[str, str], dict[int, dict[str, Any]]] = defaultdict(dict)
    for item in filter(is_level, evening.items("StockTable")):
        variant_id, warehouse_id, shard = place_of(item)
        shards[variant_id, warehouse_id][shard] = item
    for level in shards.values():
        point, low, available = (
            level[0].get("reorder_point"),
            "low" in level[0],
            sum(each["available"] for each in level.values()),
        )
        assert point is not None or not low, "a level is low by no threshold"
        assert point is None or available >= point or low, "nobody was told that a level is low"
        assert point is None or available <= point or not low, "a level is told to be low and is not"
        assert point is None or {each.get("reorder_point") for each in level.values()} == {point}, "a shard is not looked at"
    set_to = {sent.request.body["quantity"] for sent in evening.sent(SET_POINT) if sent.request.body}
    for event in evening.published:
        if event["detail-type"] == "StockLevelLow":
            told = event["detail"]["data"]
            assert 0 <= told["available"] < told["reorder_point"], "what was told of is no fall"
            assert told["reorder_point"] in set_to, "a threshold that nobody set"


def lists_are_complete(evening: Evening) -> None:
    """The lists have every warehouse, variant and level there is, in order; a seller's, those that name them."""
    items = evening.items("StockTable")
    warehouses = sorted((item for item in items if item["sk"] == "WAREHOUSE"), key=lambda item: str(item["code"]))
    told = evening.ask(Request(LIST_WAREHOUSES, "mia", "manager", query={"size": "100"})).body
    assert [each["code"] for each in told["content"]] == [item["code"] for item in warehouses][:100]
    skus = sorted(item["sku"] for item in items if item["sk"] == "VARIANT")
    told = evening.ask(Request(LIST_VARIANTS, "mia", "manager", query={"size": "100"})).body
    assert [each["sku"] for each in told["content"]] == skus[:100]
    for user in _NEWCOMERS:
        told = evening.ask(Request(LIST_WAREHOUSES, user, "seller", query={"size": "100"})).body
        named = [item["code"] for item in warehouses if user in item["seller_ids"]]
        assert [each["code"] for each in told["content"]] == named, f"{user} is shown other warehouses"
    for code in WAREHOUSES:
        warehouse = ids.derived("warehouse", code)
        told = evening.ask(Request(LIST_LEVELS, "mia", "manager", path={"id": warehouse})).body
        stored = Counter[str]()
        for item in items:
            if is_level(item) and place_of(item)[1] == warehouse:
                stored[place_of(item)[0]] += item["available"]
        assert {each["variantId"]: each["available"] for each in told["content"]} == stored, f"{code} has other levels"
