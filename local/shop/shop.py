"""A shop in business: who may act in it, a warehouse, and a stocked variant for each order."""

from dataclasses import dataclass
from uuid import uuid4

from local.platform.stack import Stack
from local.shop.client import Client, connect


@dataclass(frozen=True)
class Article:
    """A stocked variant."""

    variant_id: str
    sku: str


@dataclass(frozen=True)
class Shop:
    """Who acts in it, and what there is to buy."""

    stack: Stack
    buyer_id: str
    buyer: Client
    operator: Client
    manager: Client
    articles: list[Article]


def open_shop(stack: Stack, articles: int, quantity: int) -> Shop:
    """Return a new shop on *stack* with so many articles, *quantity* units of each in stock."""
    run = uuid4().hex[:8]  # The stack may have seen other shops: codes and SKUs are unique.
    # The shop's own services know its customers; who works for it logs in.
    services = connect(stack.api_url, {"X-Service-Token": stack.service_token})
    buyer_id = f"buyer-{run}"
    buyer = _bearer(stack, services.issue_token(buyer_id, ["buyer"]))
    manager = operator = _bearer(stack, services.log_in(stack.admin_email, stack.admin_password))
    warehouse_id = manager.create_warehouse(f"WH-{run}".upper(), "Demo warehouse")
    skus = [f"LAMP-{run}-{number}".upper() for number in range(1, articles + 1)]
    stocked = [Article(manager.create_variant(sku, f"Desk lamp {sku}"), sku) for sku in skus]
    manager.receive_stock(warehouse_id, [article.variant_id for article in stocked], quantity)
    return Shop(stack, buyer_id, buyer, operator, manager, stocked)


def _bearer(stack: Stack, token: str) -> Client:
    return connect(stack.api_url, {"Authorization": f"Bearer {token}"})
