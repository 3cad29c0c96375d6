"""`make trace OPEN=1`: the page of an order, with the saga drawn."""

import json
import re
import webbrowser
import zlib
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest

from local.platform.stack import Stack
from local.process import console
from local.watch import diagram, page
from local.watch.tell import Moment, Story
from local.watch.trace import Event, Run
from tillflow.contexts.stock.rules import Line
from tillflow.contexts.stock.store import event_item

MACHINE = json.loads(page.MACHINE.read_text())
ORDER = "45c6f025-7241-5c12-8fe5-0086db318f39"
AT = datetime(2026, 2, 10, 12, 34, 56, 789_000, UTC)
HOSTILE = "</title></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='alert(1)'"


def entered(state: str) -> dict[str, Any]:
    return {"type": "TaskStateEntered", "timestamp": AT, "stateEnteredEventDetails": {"name": state}}


def exited(state: str) -> dict[str, Any]:
    end = AT + timedelta(milliseconds=42)
    return {"type": "TaskStateExited", "timestamp": end, "stateExitedEventDetails": {"name": state}}


def failed(error: str, cause: str = "declined") -> dict[str, Any]:
    return {"type": "TaskFailed", "timestamp": AT, "taskFailedEventDetails": {"error": error, "cause": cause}}


SUCCEEDED: dict[str, Any] = {"type": "TaskSucceeded", "timestamp": AT, "taskSucceededEventDetails": {"output": "{}"}}


def a_run(*history: dict[str, Any]) -> Run:
    return Run("SUCCEEDED", AT, AT + timedelta(seconds=2), history)


def marks(run: Run) -> dict[str, str]:
    return {box.state: f"{box.order} {box.mark}" for box in diagram.draw(MACHINE, run).boxes if box.order}


# The drawing


def test_every_state_has_a_place_of_its_own_below_those_that_lead_to_it() -> None:
    edges = list(diagram.edges_of(MACHINE))
    places = diagram.places_of(MACHINE, edges)

    assert places.keys() == MACHINE["States"].keys()
    assert len(set(places.values())) == len(places)
    assert all(places[edge.target][1] > places[edge.source][1] for edge in edges)


def test_the_straight_way_is_one_column_and_its_undoing_another() -> None:
    places = diagram.places_of(MACHINE, list(diagram.edges_of(MACHINE)))
    columns: dict[int, list[str]] = {}
    for state, (x, _) in sorted(places.items(), key=lambda each: each[1][1]):
        columns.setdefault(x, []).append(state)

    assert [columns[x] for x in sorted(columns)] == [
        ["ReserveStock", "ChargePayment", "CompleteOrder"],
        ["FailOrder", "AnythingToUndo", "RefundPayment", "ReleaseStock"],
        ["Postponed", "NothingToUndo"],
    ]


def test_a_run_marks_what_it_visited_in_order_and_takes_the_ways_between() -> None:
    run = a_run(
        entered("ReserveStock"), SUCCEEDED, exited("ReserveStock"), entered("ChargePayment"), failed("PaymentRefused"),
        exited("ChargePayment"), entered("FailOrder"),
    )  # fmt: skip

    assert marks(run) == {"ReserveStock": "1 done", "ChargePayment": "2 failed", "FailOrder": "3 running"}
    drawn = diagram.draw(MACHINE, run)
    assert [(line.caught, line.taken) for line in drawn.lines if line.taken] == [(False, True), (True, True)]
    lines = {box.state: box.line for box in drawn.boxes}
    assert lines["ReserveStock"] == "0.042 s"
    assert lines["ChargePayment"] == "PaymentRefused"
    assert lines["NothingToUndo"] == "Succeed"


def test_a_step_that_succeeds_at_the_second_try_has_not_failed() -> None:
    run = a_run(entered("ChargePayment"), failed("GatewayUnavailable"), SUCCEEDED, exited("ChargePayment"))

    assert marks(run) == {"ChargePayment": "1 done"}


# The page


class Elements(HTMLParser):
    """What a browser makes of the page: elements and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def rendered(*runs: Run, text: str = "Desk lamp", **more: Any) -> str:
    line = {"skuId": text, "title": text, "quantity": 2, "unitPriceCents": 1990}
    cart = {"currency": "USD", "items": [line], "totals": {"subtotalCents": 3980}}
    item = {
        "pk": f"ORDER#{ORDER}",
        "status": "confirmed",
        "user_id": text,
        "trace_id": "7f2f0c1e",
        "payment_token": "tok_secret",
        "snapshot": zlib.compress(json.dumps(cart).encode()),
    }
    envelope = {"event_type": text, "occurred_at": "2026-02-10T12:34:56.000Z", "data": {"reason": text}}
    story = Story(ORDER, item, runs, [Event(envelope)], [Moment(AT, text, text)])
    return page.render(story, more.get("payment"), more.get("reservation"))


def test_a_page_has_the_order_its_cart_payment_stock_events_and_story() -> None:
    payment = {"status": "succeeded", "amount": 3980, "currency": "USD", "outbox": b"packed"}
    reservation = event_item("r", {"status": "posted"}, [Line("v", "LAMP", "the-warehouse", -2)])

    text = rendered(a_run(entered("ReserveStock")), payment=payment, reservation=reservation)

    for expected in (ORDER, "confirmed", "39.80 USD", "19.90 USD", "Desk lamp", "succeeded", "the-warehouse", "12:34:56.789"):
        assert expected in text
    for hidden in ("tok_secret", "packed"):
        assert hidden not in text


def test_an_order_without_payment_stock_or_saga_has_a_page_too() -> None:
    text = rendered()

    for expected in ("There is none.", "Nothing is reserved.", "It has not started yet."):
        assert expected in text


def test_runs_are_drawn_one_by_one() -> None:
    text = rendered(a_run(entered("ReserveStock")), a_run(entered("FailOrder")))

    assert [attributes["data-state"] for tag, attributes in Elements(text).found if "data-state" in attributes] == 2 * list(
        MACHINE["States"]
    )
    assert "run 1 of 2" in text
    assert "run 2 of 2" in text


def saying(text: str) -> str:
    """Return a page on which everything that comes from outside is *text*."""
    run = a_run(entered("ChargePayment"), failed(text, text), exited("ChargePayment"))
    payment, reservation = {"status": text, "amount": 1}, event_item("r", {"status": text}, [Line("v", text, text, -1)])
    return rendered(run, text=text, payment=payment, reservation=reservation)


def test_what_an_order_says_is_never_markup() -> None:
    hostile, harmless = Elements(saying(HOSTILE)).found, Elements(saying("x")).found

    assert [(tag, sorted(attributes)) for tag, attributes in hostile] == [
        (tag, sorted(attributes)) for tag, attributes in harmless
    ]
    assert "&lt;script&gt;alert(1)" in saying(HOSTILE)


def test_what_an_order_says_is_never_a_template() -> None:
    assert str(7777 * 3) not in saying("{{ 7777 * 3 }}")


@pytest.mark.parametrize("attribute", ["src", "href", "action", "xlink:href"])
def test_a_page_loads_nothing(attribute: str) -> None:
    text = rendered(a_run(entered("ReserveStock")))

    assert not [attributes for _, attributes in Elements(text).found if attribute in attributes]
    assert not re.search(r"url\((?!#)|@import|https?:", text)
    assert "default-src 'none'; style-src 'unsafe-inline'" in text


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_browser_opens_only_where_somebody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_terminal: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(page, "write", lambda *_: tmp_path / "order.html")
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(console, "_force_terminal", is_terminal)

    page.show(cast("Stack", None), ORDER, tmp_path)

    where = f"file://{tmp_path}/order.html"
    assert where in capsys.readouterr().out
    assert opened == ([where] if is_terminal else [])
