"""A consumer is found by its name, or made, and is then as it was asked for."""

from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from fake_tillflow import Call, FakeTillflow, refused
from halves import Half, Sync
from tillflow_client import BadRequest, Forbidden, NotFound


def register(server: FakeTillflow, half: Half, **more: Any) -> dict[str, Any]:
    there: dict[str, Any] = half.done(half.consumer(server).register("mailer", ["order.*"], **more))
    return there


def methods(server: FakeTillflow) -> list[str]:
    return [call.method for call in server.calls]


def test_one_that_is_not_there_is_made(server: FakeTillflow, half: Half) -> None:
    there = register(server, half, start="earliest", lease_seconds=60)

    assert server.calls[-1].body == {
        "name": "mailer",
        "subscribed_event_types": ["order.*"],
        "start": "earliest",
        "ack": "manual",
        "lease_seconds": 60,
    }
    assert list(server.consumers) == [there["consumer_id"]]


def test_it_may_begin_at_a_moment(server: FakeTillflow, half: Half) -> None:
    register(server, half, start=datetime(2026, 11, 22, 11, 0, tzinfo=timezone(timedelta(hours=1))))

    assert server.calls[-1].body["start"] == "2026-11-22T10:00:00.000Z"
    with pytest.raises(ValueError, match="start needs a timezone"):
        register(FakeTillflow(), half, start=datetime(2026, 1, 1))  # noqa: DTZ001


def test_one_that_is_there_is_found_on_whatever_page(server: FakeTillflow, half: Half) -> None:
    for number in range(3):
        server.consumer(name=f"other-{number}")
    consumer_id = server.consumer()

    assert register(server, half)["consumer_id"] == consumer_id

    assert methods(server) == ["GET"] * 4


def test_one_that_differs_is_changed(server: FakeTillflow, half: Half) -> None:
    consumer_id = server.consumer(subscribed_event_types=["payment.*"], ack="auto")

    there = register(server, half)

    assert (there["subscribed_event_types"], there["ack"]) == (["order.*"], "manual")
    assert server.calls[-1].method == "PATCH"
    assert list(server.consumers) == [consumer_id]


def test_types_in_another_order_are_the_same(server: FakeTillflow, half: Half) -> None:
    server.consumer(subscribed_event_types=["a", "b"])

    half.done(half.consumer(server).register("mailer", ["b", "a"]))

    assert methods(server) == ["GET"]


def test_one_type_need_not_be_a_list(server: FakeTillflow, half: Half) -> None:
    there = half.done(half.consumer(server).register("mailer", "order.*"))

    assert there["subscribed_event_types"] == ["order.*"]


def test_one_that_is_being_deleted_is_not_taken(server: FakeTillflow, half: Half) -> None:
    consumer_id = server.consumer(status="DELETING")

    assert register(server, half)["consumer_id"] != consumer_id


@pytest.mark.parametrize("types", [["order.*"], ["payment.*"]])
def test_two_who_find_none_at_once_share_one(server: FakeTillflow, half: Half, types: list[str]) -> None:
    original = server.answer

    def beside_one_who_is_faster(call: Call) -> httpx.Response:
        server.answer = original  # type: ignore[method-assign]
        answer = original(call)
        Sync().consumer(server).register("mailer", types)
        return answer

    server.answer = beside_one_who_is_faster  # type: ignore[method-assign]

    there = register(server, half)

    assert list(server.consumers) == [there["consumer_id"]]
    assert there["subscribed_event_types"] == ["order.*"]


def test_a_name_may_be_registered_again_after_its_consumer_was_deleted(server: FakeTillflow, half: Half) -> None:
    ids = []
    for _ in range(15):
        there = register(server, half)
        ids.append(there["consumer_id"])
        half.done(half.consumer(server, there["consumer_id"]).delete())

    assert len(set(ids)) == 15


def test_a_name_that_was_given_up_is_free(server: FakeTillflow, half: Half) -> None:
    there = register(server, half)
    server.consumers[there["consumer_id"]]["name"] = "another"

    assert register(server, half)["consumer_id"] != there["consumer_id"]


@pytest.mark.parametrize("used_up", [refused(409, "ALREADY_REGISTERED"), refused(422, "IDEMPOTENCY_KEY_REUSED")])
def test_a_key_that_is_used_up_is_not_the_last(server: FakeTillflow, half: Half, used_up: httpx.Response) -> None:
    server.instead("consumers", httpx.Response(200, json={"items": []}), used_up)

    there = register(server, half)

    assert list(server.consumers) == [there["consumer_id"]]


def test_a_registration_whose_answer_was_lost_is_one(server: FakeTillflow, half: Half) -> None:
    server.after("consumers", httpx.Response(200, json={"items": []}), httpx.ReadTimeout("no answer"))

    there = register(server, half)

    assert list(server.consumers) == [there["consumer_id"]]


def test_a_refusal_is_one(server: FakeTillflow, half: Half) -> None:
    server.after("consumers", refused(403, "FORBIDDEN"))
    with pytest.raises(Forbidden):
        register(server, half)

    server.instead("consumers", httpx.Response(200, json={"items": []}), refused(400, "BAD_REQUEST", "No such type."))
    with pytest.raises(BadRequest, match="No such type"):
        register(server, half)


def test_one_that_is_gone_is_deleted(server: FakeTillflow, half: Half) -> None:
    consumer_id = server.consumer()
    server.after(consumer_id, httpx.ReadTimeout("no answer"))

    half.done(half.consumer(server, consumer_id).delete())

    assert server.consumers == {}
    assert methods(server) == ["DELETE", "DELETE"]


def test_who_registered_may_begin_at_once_and_delete_at_the_end(server: FakeTillflow, half: Half) -> None:
    server.put(1)
    consumer = half.consumer(server)
    consumer_id = half.done(consumer.register("mailer", ["order.*"]))["consumer_id"]
    assert consumer.consumer_id == consumer_id

    half.loop(consumer, lambda _: True)

    assert len(server.acknowledged) == 1
    assert not server.paths(consumer_id), "what registering told was asked again"
    half.done(half.consumer(server, consumer_id).delete())
    with pytest.raises(NotFound):
        half.done(half.consumer(server, consumer_id).describe())
