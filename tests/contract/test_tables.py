"""The contexts' pages of keys (`tables.py`), gathered in docs/tables.md: pages, functions, template and code say the same."""

import re
from pathlib import Path

import pytest

from local.docs import tables as page
from local.docs.tables import Pattern
from tests import template
from tests.world import World
from tillflow.contexts.eventflow import tables as eventflow
from tillflow.contexts.identity import tables as identity
from tillflow.contexts.orders import tables as orders
from tillflow.contexts.payments.sandbox import charge_pk
from tillflow.contexts.payments.tables import payment_key
from tillflow.contexts.stock import tables as stock
from tillflow.storage.tables import INDEX_PARTITIONS, Key, idempotency_key, index_partition
from tillflow.values import clock, ids

LAYER = template.ROOT / "layers" / "shared" / "tillflow"
SOURCES = [path for path in (*LAYER.rglob("*.py"), *template.ROOT.glob("functions/*/*.py")) if path.name != "tables.py"]
PARTS = re.compile(r", (?![^<]*>)")  # a comma within <…> separates no keys
ROWS = list(page.patterns())


def table_of(variable: str) -> str:
    """Return the logical id of the table that an environment variable names."""
    (function, *_) = template.functions().values()
    return str(function.environment[variable]["Ref"])


def parts_of(row: Pattern) -> tuple[str, ...]:
    return tuple(PARTS.split(row.key))


def schema_of(keys: object) -> tuple[str, ...]:
    assert isinstance(keys, list)
    return tuple(key["AttributeName"] for key in keys)


def test_the_committed_page_is_in_step_with_the_pages_of_the_contexts() -> None:
    assert page.PATH.read_text() == page.text(), "a key or its cost has changed: run `make docs`"


def test_every_row_of_every_page_is_read() -> None:
    rows = [line for each in page.pages() for line in (each.__doc__ or "").splitlines() if line.startswith("| ")]

    assert len(ROWS) == len(rows) - len(page.pages())  # each has a heading


def test_the_pages_and_the_template_have_the_same_tables() -> None:
    assert {table_of(row.table) for row in ROWS} == set(template.resources(template.TABLE))


def test_the_pages_and_the_template_have_the_same_indexes() -> None:
    paged = {(table_of(row.table), row.index) for row in ROWS if row.index}
    defined = {
        (table, index["IndexName"])
        for table, properties in template.resources(template.TABLE).items()
        for index in properties.get("GlobalSecondaryIndexes", [])
    }

    assert paged == defined
    assert {index for _, index in defined} == {
        value for each in page.pages() for name, value in vars(each).items() if name.endswith("_INDEX")
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.table} {row.key}")
def test_a_table_has_the_key_that_the_page_gives_it(row: Pattern) -> None:
    properties = template.resources(template.TABLE)[table_of(row.table)]

    if row.index:
        (index,) = [each for each in properties["GlobalSecondaryIndexes"] if each["IndexName"] == row.index]
        assert schema_of(index["KeySchema"]) == (row.index, parts_of(row)[1])
    else:
        assert schema_of(properties["KeySchema"]) == ("pk", "sk")[: len(parts_of(row))]


@pytest.mark.parametrize("table", template.resources(template.TABLE))
def test_a_table_defines_its_keys_attributes_and_no_others(table: str) -> None:
    properties = template.resources(template.TABLE)[table]
    keys = {*schema_of(properties["KeySchema"])}
    for index in properties.get("GlobalSecondaryIndexes", []):
        keys |= {*schema_of(index["KeySchema"])}

    assert {each["AttributeName"] for each in properties["AttributeDefinitions"]} == keys


@pytest.mark.parametrize("table", template.resources(template.TABLE))
def test_a_table_can_be_protected_and_restored(table: str) -> None:
    properties = template.resources(template.TABLE)[table]

    assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": {"Ref": "PointInTimeRecovery"}}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("table", template.resources(template.TABLE))
def test_a_table_that_an_update_replaces_stays_and_the_stack_s_deletion_takes_it_along(table: str) -> None:
    policies = template.template()["Resources"][table]

    assert (policies["UpdateReplacePolicy"], policies["DeletionPolicy"]) == ("Retain", "Delete")


def test_the_tables_are_where_they_always_were() -> None:
    """Under another logical id, or in another stack, CloudFormation would make them anew, empty."""
    assert template.written(template.ROOT_TEMPLATE)["Resources"]["Data"]["Properties"]["TemplateURL"] == "stacks/data.yaml"
    assert {*template.resources(template.TABLE)} <= {*template.written("stacks/data.yaml")["Resources"]}


MOVEMENT_ID = ids.new()


def shortened(key: Key) -> Key:
    """Return a key with what stands for ids as the page shows it."""
    return {
        name: re.sub(r"[\w-]{22}$|^[\w-]{12}$", lambda found: f"<{len(found[0])} characters>", value)
        for name, value in key.items()
    }


def numbered(key: Key) -> Key:
    """Return a key with what stands for a piece's number as the page shows it."""
    return {name: re.sub("0+7", "<number>", value) for name, value in key.items()}


PATTERNS: dict[str, Key] = {
    "ORDER#<order id>, ORDER": orders.order_key("<order id>"),
    "WAREHOUSE#<id>, WAREHOUSE": stock.warehouse_key("<id>"),
    "VARIANT#<id>, VARIANT": stock.variant_key("<id>"),
    "VARIANT#<id>, (LEVEL#<warehouse id>)": stock.level_key("<id>", "<warehouse id>"),
    "SELLER#<user id>, WAREHOUSE#<warehouse id>": stock.seller_key("<user id>", "<warehouse id>"),
    "VARIANT#<id>#<shard>, (LEVEL#<warehouse id>)": stock.shard_key("<id>", "<shard>", "<warehouse id>"),
    "IMPORT#<id>, IMPORT": stock.import_key("<id>"),
    "IMPORT#<id>, PIECE#<digest>#<number>": numbered(stock.piece_key("<id>", "<digest>", 7)),
    "IMPORT#<id>, PROGRESS#<number>": numbered(stock.progress_key("<id>", 7)),
    "EVENT#<id>, EVENT": stock.stock_event_key("<id>"),
    "<12 characters>, <moment><22 characters>": shortened(stock.entry_key("a partition", "<moment>", MOVEMENT_ID)),
    "RECENT, <moment><22 characters>": shortened(stock.recent_key("<moment>", MOVEMENT_ID)),
    "MOVEMENT#<id>, MOVEMENT": stock.movement_key("<id>"),
    "CHECKPOINTS#<warehouse id>, <variant id>": stock.checkpoint_key("<variant id>", "<warehouse id>"),
    "AUDIT, AUDIT": stock.audits_key(),
    "USER#<user id>, USER": identity.user_key("<user id>"),
    "USER#<user id>, SESSION#<id>": identity.session_key("<user id>", "<id>"),
    "EMAIL#<address>, EMAIL": identity.email_key("<address>"),
    "CODE#<code id>, CODE": identity.code_key("<code id>"),
    "rate:<what>:<who>, RATE": identity.rate_key("<what>", "<who>"),
    "KEY#<key id>, KEY": identity.machine_key("<key id>"),
    "JWKS, JWKS": identity.jwks_key(),
    "ADMINISTRATORS, ADMINISTRATORS": identity.administrators_key(),
    "PAYMENT#<order id>, PAYMENT": payment_key("<order id>"),
    "CHARGE#<key>": {"pk": charge_pk("<key>")},
    "<SHA-256 of operation, caller, key>": idempotency_key("<SHA-256 of operation, caller, key>"),
    "<of>#<day>#<shard>, <second>#<digest>": eventflow.page_key("<of>", "<day>", "<shard>", "<second>", "<digest>"),
    "DAYS#<of>, <day>#<shard>": eventflow.day_key("<of>", "<day>", "<shard>"),
    "PRODUCER#<id>, PRODUCER": eventflow.producer_key("<id>"),
    "RATE#<producer id>, RATE": eventflow.rate_key("<producer id>"),
    "SCHEMAS, STAMP": eventflow.stamp_key(),
    "TYPE#<type>, VERSION#<number>": numbered(eventflow.schema_key("<type>", 7)),
    "CONSUMERS, CONSUMER#<id>": eventflow.consumer_key("<id>"),
    "CONSUMERS, VERSION": eventflow.consumers_version_key(),
    "POLLER#<consumer id>#<digest>, POLLER": eventflow.poller_key("<consumer id>", "<digest>"),
    "DEAD#<consumer id>, <event id>#<when it was sent>": eventflow.dead_letter_key(
        "<consumer id>", "<event id>", "<when it was sent>"
    ),
    "REPLAYS#<consumer id>, <id>": eventflow.replay_key("<consumer id>", "<id>"),
}


def test_the_key_functions_build_what_the_page_shows() -> None:
    # An event's key is the same as a stock event's, in another table.
    assert eventflow.event_key("<id>") == stock.stock_event_key("<id>")
    assert {row.key for row in ROWS if not row.index} == set(PATTERNS)
    for pattern, key in PATTERNS.items():
        assert ", ".join(key.values()) == pattern.replace("(", "").replace(")", "")


def test_the_pages_name_every_function_that_builds_a_key() -> None:
    built = [name for each in page.pages() for name, value in vars(each).items() if name.endswith("_key") and callable(value)]

    assert len(built) - 1 == len([pattern for pattern in PATTERNS if not pattern.startswith("CHARGE")])


def test_what_is_read_from_a_key_is_what_was_put_in() -> None:
    level = dict(stock.level_key("v", "w"))
    shard = dict(stock.shard_key("v", 7, "w"))

    assert orders.order_id_of(dict(orders.order_key("o"))) == "o"
    assert stock.warehouse_id_of(level) == "w"
    assert (stock.place_of(level), stock.place_of(shard)) == (("v", "w", 0), ("v", "w", 7))
    assert stock.id_of(dict(stock.stock_event_key("e"))) == "e"
    entry = dict(stock.entry_key("p", clock.EARLIEST, MOVEMENT_ID))
    assert (stock.movement_id_of(entry), stock.event_id_of(entry)) == (MOVEMENT_ID, MOVEMENT_ID)
    assert stock.event_id_of(entry | {"event_id": "another"}) == "another"
    assert stock.moment_of(entry) == clock.EARLIEST
    assert stock.checkpoint_of(dict(stock.checkpoint_key("v", "w"))) == ("v", "w")
    session = dict(identity.session_key("u", "s"))
    assert (identity.user_id_of(session), identity.session_id_of(session), identity.key_of(session)) == ("u", "s", session)
    assert eventflow.event_id_of(dict(eventflow.event_key("e"))) == "e"
    assert eventflow.producer_id_of(dict(eventflow.producer_key("p"))) == "p"
    assert eventflow.consumer_id_of(dict(eventflow.consumer_key("c"))) == "c"
    assert eventflow.day_of(dict(eventflow.day_key("ALL", "2026-02-10", "3"))) == ("2026-02-10", "3")
    assert (
        eventflow.second_of(dict(eventflow.page_key("ALL", "2026-02-10", "3", "2026-02-10T12:34:56", "d")))
        == "2026-02-10T12:34:56"
    )
    assert identity.code_id_of(dict(identity.code_key("c"))) == "c"
    assert stock.is_level(level)
    assert stock.is_level(shard)
    assert not stock.is_level(dict(stock.variant_key("v")))


def test_every_table_has_a_function_that_names_it(world: World) -> None:
    names = [getattr(row.page, row.table.removesuffix("_TABLE").lower())() for row in ROWS]

    assert set(names) == set(world.tables)


def test_unsettled_orders_spread_over_every_partition_of_their_index() -> None:
    assert {index_partition(ids.new()) for _ in range(200)} == set(INDEX_PARTITIONS)


# --- keys and scans in the code -----------------------------------------------------------------------------------

KEY = re.compile(r"""["'](?:pk|sk)["']|["'][A-Z]+#|#\{""")
# Other files that may name a key's attributes, each with the lines that do and why.
EXCEPTIONS = {
    "storage/database.py": r'key\["pk"\]',  # refuses what no partition key can hold
    "storage/commit.py": r'f"#\{name\}',  # placeholders of attribute names, not keys
    "contexts/payments/sandbox.py": r"charge_pk|CHARGE#",  # stands in for another company: its table is handed to it
    "contexts/stock/projection.py": r'entry\["pk"\], entry\["sk"\]',  # a whole key stands for its entry
    # A partition is asked for, and found again, by the key's first half.
    "contexts/stock/store.py": r'(key|item|variant_key\(variant_id\))\["pk"\]',
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(template.ROOT)))
def test_no_key_is_spelled_outside_the_page(path: Path) -> None:
    excepted = EXCEPTIONS.get(str(path.relative_to(LAYER)) if path.is_relative_to(LAYER) else "", r"(?!)")
    spelled = [line for line in path.read_text().splitlines() if KEY.search(line) and not re.search(excepted, line)]

    assert spelled == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(template.ROOT)))
def test_nothing_is_scanned(path: Path) -> None:
    assert not re.search(r"""\.scan\(|["']scan["']|dynamodb:Scan|\bScan\b""", path.read_text())


def test_nobody_may_scan() -> None:
    assert "dynamodb:Scan" not in (template.ROOT / "template.yaml").read_text()
