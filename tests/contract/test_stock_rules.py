"""docs/stock-rules.md says what the ledger does."""

from local.docs import stock_rules
from tillflow.contexts.stock.models import ReasonCode
from tillflow.contexts.stock.rules import REASONS


def test_the_committed_page_is_in_step_with_the_rules() -> None:
    assert stock_rules.PATH.read_text() == stock_rules.text(), "a rule has changed: run `make docs`"


def test_every_reason_has_its_row_and_so_has_none() -> None:
    rows = [line.split(" | ")[0].strip("| `") for line in stock_rules.text().splitlines() if line.startswith("| ")]

    assert set(REASONS) == {None, *ReasonCode}
    assert rows == ["reason", *ReasonCode, "(none)"]
