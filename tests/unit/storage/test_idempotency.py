"""One key, one effect: the architecture's table, row by row."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests import shop
from tests.world import World
from tillflow.errors import Conflict
from tillflow.messaging.envelope import Cause
from tillflow.storage import tables
from tillflow.storage.commit import Commit
from tillflow.storage.idempotency import Idempotency, KeyConflict, KeyReused, Reply
from tillflow.values import clock

CAUSE = Cause("user-1", (), "trace-1")


def at(moment_from_now: timedelta) -> Callable[[], Any]:
    now = clock.now() + moment_from_now
    return lambda: now


def command(once: Idempotency, body: dict[str, Any], calls: list[int]) -> Callable[[], Reply]:
    """Return a command that writes nothing but the record of its answer."""

    def run() -> Reply:
        calls.append(1)
        cause = Cause("user-1", (), "trace-1", clock.now())
        reply, commit = Reply(201, body), Commit(cause)
        once.remember(commit, cause, reply)
        commit.write()
        return reply

    return run


def once(key: str = "k", body: Any = None, *, operation: str = "op", caller: str = "user-1") -> Idempotency:
    return Idempotency(operation, caller, key, body or {"a": 1})


@pytest.mark.usefixtures("world")
def test_the_same_key_and_body_is_answered_as_before_and_marked() -> None:
    first = once().run(command(once(), {"id": "1"}, []))
    second = once().run(command(once(), {"id": "2"}, []))

    assert first == Reply(201, {"id": "1"}, replayed=False)
    assert second == Reply(201, {"id": "1"}, replayed=True)


@pytest.mark.usefixtures("world")
def test_a_body_is_the_same_whatever_the_order_of_its_members() -> None:
    one, other = once(body={"a": 1, "b": {"c": 2, "d": 3}}), once(body={"b": {"d": 3, "c": 2}, "a": 1})
    one.run(command(one, {"id": "1"}, []))

    assert other.run(command(other, {"id": "2"}, [])).replayed


@pytest.mark.usefixtures("world")
def test_the_same_key_with_another_body_is_refused() -> None:
    once().run(command(once(), {}, []))
    other = once(body={"a": 2})

    with pytest.raises(KeyReused) as refused:
        other.run(command(other, {}, []))

    assert refused.value.status == 422


@pytest.mark.usefixtures("world")
def test_the_stock_contract_calls_that_a_conflict() -> None:
    once().run(command(once(), {}, []))
    other = Idempotency("op", "user-1", "k", {"a": 2}, reused=KeyConflict)

    with pytest.raises(KeyConflict) as refused:
        other.run(command(other, {}, []))

    assert (refused.value.status, refused.value.detail) == (409, "stock-idempotency-conflict")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "other", [once(operation="other"), once(caller="user-2"), once("k2")], ids=["operation", "caller", "key"]
)
def test_a_key_is_one_operation_s_of_one_caller(other: Idempotency) -> None:
    once().run(command(once(), {"id": "1"}, []))

    assert other.run(command(other, {"id": "2"}, [])) == Reply(201, {"id": "2"})


@pytest.mark.usefixtures("world")
def test_a_key_lives_for_a_day_also_where_dynamodb_has_not_deleted_it(monkeypatch: pytest.MonkeyPatch) -> None:
    once().run(command(once(), {"id": "1"}, []))

    monkeypatch.setattr(clock, "now", at(timedelta(hours=23, minutes=59)))
    assert once().run(command(once(), {"id": "2"}, [])).replayed

    monkeypatch.setattr(clock, "now", at(timedelta(hours=24, seconds=1)))
    assert once().run(command(once(), {"id": "3"}, [])) == Reply(201, {"id": "3"})


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(("seconds", "is_replayed"), [(86_399, True), (86_400, False)])
def test_a_key_ends_with_its_last_second_for_an_answer_and_for_a_refusal(
    monkeypatch: pytest.MonkeyPatch, *, seconds: int, is_replayed: bool
) -> None:
    """The condition of the commit and the look after a refusal must agree: at the second it expires, the key is free."""
    began = clock.now().replace(microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: began)
    once().run(command(once(), {"id": "1"}, []))
    monkeypatch.setattr(clock, "now", lambda: began + timedelta(seconds=seconds))

    def refuse() -> Reply:
        raise Conflict("not now")

    def attempts() -> list[Reply | str]:
        try:
            refused: Reply | str = once().run(refuse)
        except Conflict:
            refused = "refused"
        return [refused, once().run(command(once(), {"id": "2"}, []))]

    before = Reply(201, {"id": "1"}, replayed=True)
    assert attempts() == ([before, before] if is_replayed else ["refused", Reply(201, {"id": "2"})])


def test_a_refused_command_leaves_its_key_free(world: World) -> None:
    def refuse() -> Reply:
        raise Conflict("not now")

    with pytest.raises(Conflict):
        once().run(refuse)

    assert world.items(tables.idempotency()) == []
    assert once().run(command(once(), {"id": "1"}, [])) == Reply(201, {"id": "1"})


@pytest.mark.usefixtures("world")
def test_a_replay_gets_its_first_answer_even_if_the_world_has_changed_since() -> None:
    once().run(command(once(), {"id": "1"}, []))

    def refuse() -> Reply:
        raise Conflict("the snapshot has become too old meanwhile")

    assert once().run(refuse) == Reply(201, {"id": "1"}, replayed=True)


@pytest.mark.usefixtures("world")
def test_a_refusal_under_a_key_that_has_expired_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    once().run(command(once(), {"id": "1"}, []))
    monkeypatch.setattr(clock, "now", at(timedelta(hours=25)))

    def refuse() -> Reply:
        raise Conflict("not now")

    with pytest.raises(Conflict):
        once().run(refuse)


@pytest.mark.usefixtures("world")
def test_of_two_at_the_same_moment_one_commits_and_the_other_replays() -> None:
    # GIVEN a second request that runs whole while the first has decided and not yet written
    inner: list[Reply] = []

    def first() -> Reply:
        inner.append(once().run(command(once(), {"id": "inner"}, [])))
        return command(once(), {"id": "outer"}, [])()

    # WHEN the first writes
    outer = once().run(first)

    # THEN it finds the key taken and answers what was answered
    assert inner == [Reply(201, {"id": "inner"})]
    assert outer == Reply(201, {"id": "inner"}, replayed=True)


@pytest.mark.usefixtures("world")
def test_a_crash_before_the_commit_locks_nothing() -> None:
    class Crash(BaseException):
        pass

    def crash() -> Reply:
        raise Crash

    with pytest.raises(Crash):
        once().run(crash)

    assert once().run(command(once(), {"id": "1"}, [])) == Reply(201, {"id": "1"})


def test_a_record_has_a_day_to_live_and_no_key_in_clear(world: World) -> None:
    """The key may be guessable, and the body may be secret."""
    wanted = once("my key", {"paymentToken": "tok_secret"})
    wanted.run(command(wanted, {"id": "1"}, []))

    (record,) = world.items(tables.idempotency())
    assert 86_390 < record["expires_at"] - clock.epoch(clock.now()) <= 86_400
    assert "my key" not in str(record)
    assert "tok_secret" not in str(record)


# --- over HTTP ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "   ", "k" * 256])
def test_a_key_that_is_missing_empty_or_too_long_is_refused_where_one_is_required(world: World, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}

    answer = world.call("POST /api/orders", body={"cartSnapshot": shop.signed_cart()}, headers=headers)

    assert answer.status == 422
    assert answer.json["error_code"] == "VALIDATION_FAILED"
    assert "Idempotency-Key" in answer.json["message"]


@pytest.mark.parametrize(("key", "status"), [("", 400), ("k" * 256, 400), ("k" * 255, 201), (None, 201)])
def test_where_a_key_is_optional_a_bad_one_is_refused_as_the_contract_refuses(world: World, key: str | None, status: int) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}

    assert shop.move(world, 5, headers=headers).status == status


def test_a_stock_event_is_recorded_once_under_its_key(world: World) -> None:
    first, second = (shop.move(world, 5, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status, second.status) == (201, 201)
    assert first.json == second.json
    assert "x-idempotent-replay" not in first.headers
    assert second.headers["x-idempotent-replay"] == "true"
    assert shop.level(world) == (5, 0, 5)


def test_a_stock_event_s_key_with_another_body_is_a_conflict(world: World) -> None:
    shop.move(world, 5, headers={"Idempotency-Key": "k"})

    answer = shop.move(world, 6, headers={"Idempotency-Key": "k"})

    assert (answer.status, answer.json["detail"]) == (409, "stock-idempotency-conflict")
    assert shop.level(world) == (5, 0, 5)


def test_without_a_key_each_request_is_one_of_its_own(world: World) -> None:
    shop.move(world, 5)
    shop.move(world, 5)

    assert shop.level(world) == (10, 0, 10)


def test_two_callers_keys_do_not_meet(world: World) -> None:
    shop.move(world, 5, headers={"Idempotency-Key": "k"})

    answer = shop.move(world, 5, headers={"Idempotency-Key": "k"}, user="somebody-else")

    assert "x-idempotent-replay" not in answer.headers
    assert shop.level(world) == (10, 0, 10)


def test_the_stored_answer_is_json_text(world: World) -> None:
    shop.place(world, shop.signed_cart())

    (record,) = [item for item in world.items(tables.idempotency()) if "body" in item]
    assert record["status"] == 201
    assert set(json.loads(record["body"])) == {"orderId"}
