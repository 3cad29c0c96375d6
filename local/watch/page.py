"""An order's story as a page: one HTML file that loads nothing, with the saga drawn as Step Functions' console draws it."""

import json
import os
import webbrowser
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from local import ROOT
from local.platform.stack import Stack
from local.process import console
from local.watch import diagram, tell
from local.watch.tell import Story
from tillflow.contexts.payments import tables as payments
from tillflow.contexts.stock import tables as stock
from tillflow.contexts.stock.reservations import reservation_id_of
from tillflow.contexts.stock.store import lines_of
from tillflow.storage.attributes import Item
from tillflow.values import jsontext, money

MACHINE = ROOT / "statemachines" / "order_saga.asl.json"
TEMPLATE = Path(__file__).with_name("order.html.j2")
PAYMENTS, STOCK = "PaymentsTable", "StockTable"
# Keys and machinery say nothing of the order; what pays for it is nobody's to read.
NOT_SHOWN = {"commit_token", "lines", "order_id", "outbox", "payment_token", "pk", "released", "sk", "snapshot", "unsettled"}


def show(stack: Stack, order_id: str, folder: Path) -> None:
    """
    Write the page of an order into *folder*, say where it is, and open it where somebody is there to look.

    Raises:
        LocalError: there is no such order.
    """
    path = write(stack, order_id, folder)
    console.print(path.as_uri())
    if console.is_terminal:
        webbrowser.open(path.as_uri())


def write(stack: Stack, order_id: str, folder: Path) -> Path:
    """Write the page, for its owner's eyes only, and return where it is."""
    story = tell.of_order(stack, order_id)
    payment = tell.stored(stack, PAYMENTS, payments.payment_key(order_id))
    reservation = tell.stored(stack, STOCK, stock.stock_event_key(reservation_id_of(order_id)))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{order_id}.html"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(render(story, payment, reservation))
    return path


def render(story: Story, payment: Item | None, reservation: Item | None) -> str:
    """Return the page. Whatever an order says is hostile until it is escaped, which the templates do."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"pretty": _pretty, "moment": tell.clock}
    cart = jsontext.loads(zlib.decompress(story.item["snapshot"]))
    machine = json.loads(MACHINE.read_text())
    return environment.from_string(TEMPLATE.read_text()).render(
        story=story,
        cart=cart,
        amount=lambda cents: f"{money.decimal_amount(cents, cart['currency'])} {cart['currency']}",
        order=_shown(story.item),
        payment=_shown(payment),
        reservation=_shown(reservation),
        reserved=lines_of(reservation) if reservation else [],
        runs=[(each, diagram.draw(machine, each)) for each in story.runs],
        box=(diagram.BOX_WIDTH, diagram.BOX_HEIGHT),
    )


def _shown(item: Item | None) -> Mapping[str, Any]:
    return {name: value for name, value in (item or {}).items() if name not in NOT_SHOWN}


def _pretty(data: object) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False)
