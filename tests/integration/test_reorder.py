"""Reorder points over HTTP: a sale that falls through one is told of once, on the bus, until there is more again."""

from local.wait import until
from tests.integration.behind import SECONDS, Behind
from tests.integration.scene import Article, Json, Scene, line, refused


def told(behind: Behind, article: Article) -> list[Json]:
    """Return what the event log has of an article's low levels, in the order of what was available."""
    data = [each["data"] for each in behind.all_events() if each["event_type"] == "StockLevelLow"]
    return sorted((each for each in data if each["sku_id"] == article.sku), key=lambda each: int(each["available"]))


def level(scene: Scene, article: Article) -> Json:
    (found,) = scene.manager.get(f"/api/v1/variants/{article.variant_id}/levels").json()["items"]
    return dict(found)


def test_a_sale_that_falls_through_the_point_is_told_of_once_until_there_is_more_again(scene: Scene, behind: Behind) -> None:
    article = scene.article(5)
    path = f"/api/v1/warehouses/{article.warehouse_id}/levels/{article.variant_id}/reorder-point"
    assert scene.manager.http.put(path, json={"quantity": 4}).json()["low"] is False

    for units in (2, 1):
        behind.settle(scene.order(line(article, units)).order_id)
    until(lambda: told(behind, article) or None, seconds=SECONDS, what="the fall to be told of")
    assert scene.move(scene.manager, "INBOUND", article, 5).status_code == 201
    until(lambda: None if level(scene, article)["low"] else True, seconds=SECONDS, what="the rise to be noted")
    assert scene.move(scene.manager, "OUTBOUND", article, 6).status_code == 201
    until(lambda: True if len(told(behind, article)) == 2 else None, seconds=SECONDS, what="the next fall to be told of")

    first, second = (each["available"] for each in reversed(told(behind, article)))
    assert first in {2, 3}, "the first sale left 3, and the second 2 if nobody had looked yet"
    assert second == 1
    assert level(scene, article)["reorderPoint"] == 4


def test_a_point_is_set_and_cleared_where_there_is_a_level(scene: Scene) -> None:
    article = scene.article(5)
    path = f"/api/v1/warehouses/{article.warehouse_id}/levels/{article.variant_id}/reorder-point"

    assert scene.manager.http.put(path, json={"quantity": 9}).json()["low"] is True
    assert level(scene, article)["low"] is True
    assert scene.manager.http.delete(path).json()["quantity"] is None
    assert "low" not in level(scene, article)
    elsewhere = f"/api/v1/warehouses/{scene.warehouse()}/levels/{article.variant_id}/reorder-point"
    assert refused(scene.manager.http.put(elsewhere, json={"quantity": 9}), 404)["detail"] == "stock-level-not-found"
    refused(scene.manager.http.put(path, json={"quantity": 0}), 400)
