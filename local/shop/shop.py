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
    tokens = connect(stack.api_url, {"X-Service-Token": stack.service_token})

    def caller(user_id: str, role: str) -> Client:
        return connect(stack.api_url, {"Authorization": f"Bearer {tokens.issue_token(user_id, [role])}"})

    manager = caller(f"manager-{run}", "manager")
    warehouse_id = manager.create_warehouse(f"WH-{run}".upper(), "Demo warehouse")
    skus = [f"LAMP-{run}-{number}".upper() for number in range(1, articles + 1)]
    stocked = [Article(manager.create_variant(sku, f"Desk lamp {sku}"), sku) for sku in skus]
    manager.receive_stock(warehouse_id, [article.variant_id for article in stocked], quantity)
    buyer_id = f"buyer-{run}"
    buyer, operator = caller(buyer_id, "buyer"), caller(f"operator-{run}", "operator")
    return Shop(stack, buyer_id, buyer, operator, manager, stocked)
