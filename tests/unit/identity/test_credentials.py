"""Who is let in, by which credential, and when no more."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from local.shop.people import MONTH
from tests import accounts, producers
from tests.accounts import Account
from tests.world import SERVICE_TOKEN, World, http_event
from tillflow.contexts.identity import liveness, machines, service
from tillflow.errors import Forbidden, Invalid, Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws
from tillflow.values import clock, ids
from tillflow.web import authorization
from tillflow.web.request import FreshLoginRequired, Request

WEEK = 7 * 24 * 3_600
ISSUE = "POST /api/auth/token"
CAUSE = Cause("admin-1", ("admin",), ids.new())


def authorize(world: World, route: str = "GET /api/orders", **headers: str) -> Any:
    method, resource = route.split()
    arn = f"arn:aws:execute-api:us-east-1:1:api/prod/{method}{resource}"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {"methodArn": arn, "httpMethod": method, "resource": resource, "headers": sent}
    return world.invoke("identity/authorize", event)["context"]


def bearer(world: World, text: str, route: str = "GET /api/orders") -> Any:
    return authorize(world, route, Authorization=f"Bearer {text}")


def introspect(world: World, text: str) -> Any:
    return world.call("POST /api/auth/introspect", roles=["admin"], body={"token": text}).json


def later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    moment = clock.now() + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: moment)


def refused(world: World, text: str) -> bool:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        bearer(world, text)
    return bool(introspect(world, text) == {"active": False})


@pytest.fixture
def account(world: World) -> Account:
    return accounts.add(world, "buyer", "operator")


# --- sessions -----------------------------------------------------------------------------------------------------


def test_an_access_token_lets_its_user_in_with_their_session(world: World, account: Account) -> None:
    text = account.access()

    told = bearer(world, text)

    assert told["userId"] == account.user_id
    assert told["roles"] == "buyer,operator"
    assert told["sessionId"] == account.session_id
    assert told["authenticatedAt"] == str(account.session["authenticated_at"])
    assert told["expiresAt"] == str(introspect(world, text)["expiresAt"])
    assert "scopes" not in told


def test_roles_are_those_that_the_user_has_by_now(world: World, account: Account) -> None:
    text = account.access()
    account.change(world, "user", roles=["seller"])

    assert bearer(world, text)["roles"] == "seller"
    assert introspect(world, text)["roles"] == ["seller"]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("user", {"disabled": True}),
        ("user", {"epoch": 2}),
        ("session", {"revoked_at": "2026-03-01T00:00:00.000Z"}),
        ("session", {"expires_at": 1}),
        ("session", {"rotated_at": 1_000}),
        ("session", {"epoch": 0}),
    ],
    ids=str,
)
def test_whose_session_is_over_is_let_in_no_more(world: World, account: Account, part: str, change: dict[str, Any]) -> None:
    access, refresh = account.access(), account.refresh()
    assert bearer(world, access)
    assert introspect(world, refresh)["active"]

    account.change(world, part, **change)

    assert refused(world, access)
    assert introspect(world, refresh) == {"active": False}


def test_a_session_ends_a_month_after_its_login_and_a_week_after_its_last_use() -> None:
    user = {"disabled": False, "epoch": 1}
    session = {"epoch": 1, "expires_at": MONTH, "rotated_at": 0}

    assert liveness.is_live(session, user, WEEK - 1)
    assert not liveness.is_live(session, user, WEEK)
    used = session | {"rotated_at": (MONTH - 10) * 1000}
    assert liveness.is_live(used, user, MONTH - 1)
    assert not liveness.is_live(used, user, MONTH)


def test_an_access_token_is_over_when_it_says(world: World, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    text = account.access()
    later(monkeypatch, 900)

    assert refused(world, text)


@pytest.mark.parametrize(("generation", "is_active"), [(0, False), (1, True), (2, True), (3, False)])
def test_introspection_knows_refresh_tokens_that_would_be_answered(
    world: World, account: Account, generation: int, *, is_active: bool
) -> None:
    text = account.refresh(generation)

    told = introspect(world, text)

    assert told["active"] is is_active
    if is_active:
        # It opens no route: whoever takes it for an access token finds no role in it.
        assert (told["tokenType"], told["roles"], told["userId"]) == ("refresh", [], account.user_id)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        bearer(world, text)


def test_introspection_says_what_a_credential_is(world: World, account: Account) -> None:
    made, text = machines.issue(machines.SERVICE, machines.STACK, "checkout", ["tokens:issue"], CAUSE)
    producer = producers.add(world)

    assert introspect(world, account.access())["tokenType"] == "access"
    assert introspect(world, SERVICE_TOKEN) == {
        "active": True,
        "tokenType": "service",
        "userId": "service",
        "roles": ["service"],
    }
    told = introspect(world, text)
    assert (told["tokenType"], told["userId"], told["scopes"]) == ("service", f"service:{made.machine_id}", ["tokens:issue"])
    told = introspect(world, producer.key)
    assert (told["tokenType"], told["userId"], told["scopes"]) == ("api_key", producer.producer_id, ["events:write"])
    assert {machine["kind"]: "last_used_at" in machine for machine in world.items("IdentityTable") if machine["sk"] == "KEY"} == {
        "service": False,
        "api_key": False,
    }


def test_while_the_database_is_away_nobody_is_told_that_their_token_is_bad(
    account: Account, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    text = account.access()
    assert bearer(world, text)
    monkeypatch.setattr(aws.client("dynamodb"), "batch_get_item", away)

    with pytest.raises(Unavailable):
        bearer(world, text)


# --- issued tokens ------------------------------------------------------------------------------------------------


def test_an_issued_token_of_a_user_who_is_disabled_opens_nothing(world: World, account: Account) -> None:
    text = service.issue_token(account.user_id, ("buyer",), 60)
    shouted = service.issue_token(account.user_id.upper(), ("buyer",), 60)
    assert bearer(world, text)["roles"] == "buyer"

    account.change(world, "user", disabled=True)

    assert refused(world, text)
    assert refused(world, shouted)


@pytest.mark.parametrize("user", ["user-1", "3f6f9d0e-4c55-4d0a-9b41-6a1c2d3e4f50"])
def test_an_issued_token_of_whom_we_do_not_know_is_good(world: World, user: str) -> None:
    assert bearer(world, service.issue_token(user, ("buyer",), 60))["userId"] == user


def test_a_user_who_is_no_uuid_costs_no_read(world: World) -> None:
    asked: list[object] = []
    hooks = aws.client("dynamodb").meta.events
    hooks.register("provide-client-params.dynamodb", note := lambda **_: asked.append(1))

    bearer(world, service.issue_token("user-1", ("buyer",), 60))

    hooks.unregister("provide-client-params.dynamodb", note)
    assert asked == []


def test_a_session_costs_one_call(world: World, account: Account) -> None:
    text = account.access()
    bearer(world, text)
    asked: list[dict[str, Any]] = []
    hooks = aws.client("dynamodb").meta.events
    hooks.register("provide-client-params.dynamodb", note := lambda params, **_: asked.append(params))

    bearer(world, text)

    hooks.unregister("provide-client-params.dynamodb", note)
    (call,) = asked
    (read,) = call["RequestItems"].values()
    assert (len(read["Keys"]), read["ConsistentRead"]) == (2, True)


# --- machines -----------------------------------------------------------------------------------------------------


def make(world: World, *scopes: str) -> Any:
    answer = world.call(
        "POST /v1/service-tokens", roles=["admin"], body={"name": "checkout", "scopes": scopes or ["tokens:issue"]}
    )
    assert answer.status == 201
    return answer.json


def listed(world: World) -> Any:
    return world.call("GET /v1/service-tokens", roles=["admin"]).json["items"]


def test_a_service_s_token_is_shown_once_and_kept_as_a_digest(world: World) -> None:
    made = make(world, "tokens:issue", "tokens:introspect")

    assert made["scopes"] == ["tokens:introspect", "tokens:issue"]
    secret = made["token"][36:]
    assert len(secret) == 43
    (item,) = [item for item in world.items("IdentityTable") if item["sk"] == "KEY"]
    assert secret not in str(item)
    assert listed(world) == [{name: value for name, value in made.items() if name != "token"}]
    assert made["created_by"] == "user-1"


def test_a_service_s_token_has_its_own_scopes_and_no_role(world: World) -> None:
    made = make(world, "tokens:introspect")

    told = authorize(world, ISSUE, X_Service_Token=made["token"])

    assert told == {"userId": f"service:{made['id']}", "roles": "", "scopes": "tokens:introspect"}
    event = http_event(ISSUE, body={"userId": "u", "roles": ["admin"]})
    event["requestContext"]["authorizer"] = told
    assert world.answer("identity/issue_token", event).status == 403
    event = http_event("POST /api/auth/introspect", body={"token": "a.b"})
    event["requestContext"]["authorizer"] = told
    assert world.answer("identity/introspect_token", event).status == 200


def test_several_live_beside_each_other_and_one_is_revoked(world: World) -> None:
    first, second = make(world), make(world)
    path = {"id": first["id"]}

    for _ in range(2):  # revoked twice, it stays revoked when it was
        answer = world.call("DELETE /v1/service-tokens/{id}", roles=["admin"], path=path)
        assert (answer.status, answer.text) == (204, "")

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, ISSUE, X_Service_Token=first["token"])
    assert introspect(world, first["token"]) == {"active": False}
    assert authorize(world, ISSUE, X_Service_Token=second["token"])
    assert [each["id"] for each in listed(world)] == [second["id"]]


def test_when_it_was_last_used_is_noted_once_an_hour(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(world)

    def used() -> Any:
        authorize(world, ISSUE, X_Service_Token=made["token"])
        return listed(world)[0]["last_used_at"]

    first = used()
    assert first == clock.iso(clock.parse(first))
    later(monkeypatch, 3_590)
    assert used() == first
    later(monkeypatch, 20)
    assert used() > first


def test_a_use_that_cannot_be_noted_is_one_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(world)

    def away(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(aws.client("dynamodb"), "update_item", away)
    monkeypatch.setattr(clock, "sleep", lambda _: None)
    now = clock.monotonic()
    ticks = iter(range(10_000))
    monkeypatch.setattr(clock, "monotonic", lambda: now + next(ticks))

    assert authorize(world, ISSUE, X_Service_Token=made["token"])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.replace("tf_", "TF_"),
        lambda text: "tf_" + "0" * 32 + text[35:],
        lambda text: text.upper(),
        lambda text: f"{text}\n",
        lambda _: "tf_",
        lambda _: "tf_\ud800",
        lambda _: "tf_" + "x" * 10_000,
    ],
)
def test_what_is_nearly_a_token_is_none(world: World, change: Any) -> None:
    text = change(make(world)["token"])

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, ISSUE, X_Service_Token=text)


def test_a_key_of_one_kind_is_none_of_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    producer, made = producers.add(world), make(world)
    monkeypatch.setitem(authorization.CREDENTIALS, "tokens:issue", ("x-api-key",))

    told = authorize(world, ISSUE, X_Api_Key=producer.key)
    assert (told["userId"], told["scopes"]) == (producer.producer_id, "events:write")
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, ISSUE, X_Api_Key=made["token"])
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(world, "POST /api/auth/introspect", X_Service_Token=producer.key)


def test_nobody_revokes_another_s(world: World) -> None:
    machine, key = machines.issue(machines.API_KEY, "producer-1", "till", [], CAUSE)

    answer = world.call("DELETE /v1/service-tokens/{id}", roles=["admin"], path={"id": machine.machine_id})

    assert (answer.status, answer.json["error_code"]) == (404, "CREDENTIAL_NOT_FOUND")
    assert machines.find(machines.API_KEY, key)
    with pytest.raises(machines.CredentialNotFound):
        machines.revoke(machines.API_KEY, "producer-2", machine.machine_id, CAUSE)
    assert [each.name for each in machines.list_live(machines.API_KEY, "producer-1")] == ["till"]
    assert machines.list_live(machines.API_KEY, "producer-2") == []


@pytest.mark.parametrize("id_", ["", "nobody", "x" * 3_000, "\ud800", "3f6f9d0e-4c55-4d0a-9b41-6a1c2d3e4f50"], ids=ascii)
def test_what_is_not_there_cannot_be_revoked(world: World, id_: str) -> None:
    assert world.call("DELETE /v1/service-tokens/{id}", roles=["admin"], path={"id": id_}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a", "scopes": []},
        {"name": "a", "scopes": ["orders:write"]},
        {"name": "a", "scopes": ["admin"]},
        {"name": "a", "scopes": ["tokens:issue"] * 6},
        {"name": "", "scopes": ["tokens:issue"]},
        {"name": "a" * 65, "scopes": ["tokens:issue"]},
        {"name": "a\nb", "scopes": ["tokens:issue"]},
        {"name": "a", "scopes": ["tokens:issue"], "role": "admin"},
    ],
    ids=str,
)
def test_a_service_gets_no_scope_that_its_routes_do_not_ask_for(world: World, body: object) -> None:
    assert world.call("POST /v1/service-tokens", roles=["admin"], body=body).status == 422


# --- a fresh login ------------------------------------------------------------------------------------------------


def request(**told: str) -> Request:
    event = http_event("GET /api/orders")
    event["requestContext"]["authorizer"] = {"userId": "u", "roles": "buyer"} | told
    return Request.of(event, Invalid)


@pytest.mark.parametrize(("ago", "is_fresh"), [(0, True), (599, True), (600, False), (-5, True)])
def test_a_login_is_fresh_for_ten_minutes(ago: int, *, is_fresh: bool) -> None:
    caller = request(authenticatedAt=str(clock.epoch(clock.now()) - ago), sessionId="s").caller
    assert caller.session_id == "s"

    if is_fresh:
        caller.require_fresh_login()
    else:
        with pytest.raises(FreshLoginRequired):
            caller.require_fresh_login()


def test_who_never_logged_in_is_asked_to(world: World) -> None:
    event = http_event("POST /v1/service-tokens", roles=["admin"], body={"name": "a", "scopes": ["tokens:issue"]})
    del event["requestContext"]["authorizer"]["authenticatedAt"]

    answer = world.answer("identity/create_service_token", event)

    assert (answer.status, answer.json["error_code"]) == (401, "FRESH_LOGIN_REQUIRED")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_user_authentication", max_age="600"'


def test_a_machine_s_scopes_stand_in_place_of_those_of_its_roles() -> None:
    caller = request(roles="admin", scopes="tokens:issue").caller

    caller.require("tokens:issue")
    with pytest.raises(Forbidden):
        caller.require("orders:write")
    assert request(roles="admin", scopes="").caller.scopes == frozenset()
