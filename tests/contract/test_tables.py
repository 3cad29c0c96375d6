"""tables.py is the one page of keys: its table, its functions, the template and the code say the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import template
from tests.world import World
from tillflow import ids, tables
from tillflow.payments.sandbox import charge_pk
from tillflow.tables import Key

LAYER = template.ROOT / "layers" / "shared" / "tillflow"
SOURCES = [*LAYER.rglob("*.py"), *template.ROOT.glob("functions/*/*.py")]
ROW = re.compile(
    r"^\| (?P<table>\w*)(?: `(?P<index>\w+)`)? +\| (?P<pattern>.+?) +\| (?P<key>.*?) +\| (?P<who>\w*) +\|$", re.MULTILINE
)
PARTS = re.compile(r", (?![^<]*>)")  # a comma within <…> separates no keys


@dataclass(frozen=True)
class Row:
    """One access pattern as the page has it."""

    table: str
    index: str | None
    key: tuple[str, ...]
    context: str


def rows() -> list[Row]:
    found = ROW.finditer(tables.__doc__ or "")
    # A row without a table goes on with the pattern above it.
    return [Row(row["table"], row["index"], tuple(PARTS.split(row["key"])), row["who"]) for row in found if row["table"]]


ROWS = [row for row in rows() if row.table.isupper()]


def table_of(variable: str) -> str:
    """Return the logical id of the table that an environment variable names."""
    (function, *_) = template.functions().values()
    return str(function.environment[variable]["Ref"])


def schema_of(keys: object) -> tuple[str, ...]:
    assert isinstance(keys, list)
    return tuple(key["AttributeName"] for key in keys)


def test_the_page_and_the_template_have_the_same_tables() -> None:
    assert len(ROWS) >= 11

    assert {table_of(row.table) for row in ROWS} == set(template.resources(template.TABLE))


def test_the_page_and_the_template_have_the_same_indexes() -> None:
    paged = {(table_of(row.table), row.index) for row in ROWS if row.index}
    defined = {
        (table, index["IndexName"])
        for table, properties in template.resources(template.TABLE).items()
        for index in properties.get("GlobalSecondaryIndexes", [])
    }

    assert paged == defined
    assert {index for _, index in defined} == {value for name, value in vars(tables).items() if name.endswith("_INDEX")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.table} {row.key}")
def test_a_table_has_the_key_that_the_page_gives_it(row: Row) -> None:
    properties = template.resources(template.TABLE)[table_of(row.table)]

    if row.index:
        (index,) = [each for each in properties["GlobalSecondaryIndexes"] if each["IndexName"] == row.index]
        assert schema_of(index["KeySchema"]) == (row.index, row.key[1])
    else:
        assert schema_of(properties["KeySchema"]) == ("pk", "sk")[: len(row.key)]


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


PATTERNS: dict[str, Key] = {
    "ORDER#<order id>, ORDER": tables.order_key("<order id>"),
    "WAREHOUSE#<id>, WAREHOUSE": tables.warehouse_key("<id>"),
    "VARIANT#<id>, VARIANT": tables.variant_key("<id>"),
    "VARIANT#<id>, (LEVEL#<warehouse id>)": tables.level_key("<id>", "<warehouse id>"),
    "EVENT#<id>, EVENT": tables.stock_event_key("<id>"),
    "PAYMENT#<order id>, PAYMENT": tables.payment_key("<order id>"),
    "CHARGE#<key>": {"pk": charge_pk("<key>")},
    "<SHA-256 of operation, caller, key>": tables.idempotency_key("<SHA-256 of operation, caller, key>"),
    "TRACE#<trace id>, <occurred_at>#<event id>": tables.event_log_key("<trace id>", "<occurred_at>", "<event id>"),
}


def test_the_key_functions_build_what_the_page_shows() -> None:
    assert {", ".join(row.key) for row in ROWS if not row.index} == set(PATTERNS)
    for pattern, key in PATTERNS.items():
        assert ", ".join(key.values()) == pattern.replace("(", "").replace(")", "")


def test_the_page_names_every_function_that_builds_a_key() -> None:
    built = {name for name, value in vars(tables).items() if name.endswith("_key") and callable(value)}

    assert len(built) == len([pattern for pattern in PATTERNS if not pattern.startswith("CHARGE")])


def test_what_is_read_from_a_key_is_what_was_put_in() -> None:
    level = dict(tables.level_key("v", "w"))

    assert tables.order_id_of(dict(tables.order_key("o"))) == "o"
    assert tables.warehouse_id_of(level) == "w"
    assert tables.is_level(level)
    assert not tables.is_level(dict(tables.variant_key("v")))


NAMES: list[Callable[[], str]] = [
    tables.orders,
    tables.stock,
    tables.payments,
    tables.sandbox_charges,
    tables.idempotency,
    tables.event_log,
]


def test_every_table_has_a_function_that_names_it(world: World) -> None:
    assert sorted(name() for name in NAMES) == sorted(world.tables)


def test_every_context_on_the_page_exists() -> None:
    assert all((LAYER / row.context).exists() or (LAYER / f"{row.context}.py").exists() for row in ROWS)


def test_unsettled_orders_spread_over_every_partition_of_their_index() -> None:
    assert {tables.index_partition(ids.new()) for _ in range(200)} == set(tables.INDEX_PARTITIONS)


# --- keys and scans in the code -----------------------------------------------------------------------------------

KEY = re.compile(r"""["'](?:pk|sk)["']|["'][A-Z]+#|#\{""")
# Files that may name a key's attributes, each with the lines that do and why.
EXCEPTIONS = {
    "tables.py": r".*",  # the page itself
    "database.py": r'key\["pk"\]',  # refuses what no partition key can hold
    "commit.py": r'f"#\{name\}',  # placeholders of attribute names, not keys
    "payments/sandbox.py": r"charge_pk|CHARGE#",  # stands in for another company: its table is handed to it
    "stock/store.py": r'variant_key\(variant_id\)\["pk"\]',  # a partition is asked for by the key's first half
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
