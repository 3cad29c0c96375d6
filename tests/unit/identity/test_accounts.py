"""Accounts: registered, verified, logged in to, changed and set anew; and what nobody is told."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ReadTimeoutError

from tests import shop
from tests.people import OTHER_PASSWORD, PASSWORD, SESSION, Person, first_administrator, member
from tests.world import Answer, World
from tillflow.contexts.identity import codes, passwords, tables, users
from tillflow.contexts.identity.codes import Purpose
from tillflow.contexts.identity.refusals import AddressTaken
from tillflow.runtime import aws
from tillflow.values import clock, ids


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time of day: its one member is now, and a test sets it."""
    now = [datetime(2026, 11, 21, 12, tzinfo=UTC)]
    monkeypatch.setattr(clock, "now", lambda: now[0])
    return now


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json["error_code"]) == (status, code), answer


# --- registration ----------------------------------------------------------------------------------------------------


def test_who_registers_and_opens_the_mail_can_log_in(world: World) -> None:
    ada = Person(world)

    assert (ada.register().status, ada.register().json) == (202, {"status": "accepted"})
    refused(ada.log_in(), 403, "EMAIL_NOT_VERIFIED")
    assert ada.verify().json == {"status": "verified"}
    answer = ada.log_in()

    assert (answer.status, answer.json) == (200, SESSION)
    told = ada.call("GET /v1/users/me").json
    assert told == {
        "id": ada.user_id,
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "roles": ["buyer"],
        "email_verified": True,
        "mfa_enabled": False,
        "disabled": False,
        "created_at": told["created_at"],
    }


def test_the_dashboard_logs_in_the_same_users(world: World) -> None:
    ada = member(world)

    answer = ada.send("POST /api/v1/auth/login", {"email": ada.email, "password": PASSWORD})

    assert answer.json == SESSION


def test_that_the_address_is_not_verified_is_told_after_the_right_password_alone(world: World) -> None:
    ada = Person(world)
    ada.register()

    refused(ada.log_in(OTHER_PASSWORD), 401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "ada", "password": PASSWORD, "name": "Ada"},
        {"email": "ada@localhost", "password": PASSWORD, "name": "Ada"},
        {"email": "ada@example.com\n", "password": PASSWORD, "name": "Ada"},
        {"email": "ä@example.com", "password": PASSWORD, "name": "Ada"},
        {"email": "a" * 65 + "@example.com", "password": PASSWORD, "name": "Ada"},
        {"email": "ada@example.com", "password": PASSWORD, "name": ""},
        {"email": "ada@example.com", "password": PASSWORD},
        {"email": "ada@example.com", "password": "", "name": "Ada"},
        {"email": "ada@example.com", "password": 15, "name": "Ada"},
        {"email": "ada@example.com", "password": PASSWORD, "name": "Ada", "roles": ["admin"]},
    ],
    ids=str,
)
def test_what_makes_no_account_is_refused(world: World, body: dict[str, Any]) -> None:
    assert world.call("POST /v1/auth/register", roles=None, body=body).status == 422
    assert not [item for item in world.items("IdentityTable") if item["sk"] == "USER"]


def test_who_registers_an_address_that_is_taken_is_told_the_same_and_its_owner_is_told(world: World) -> None:
    ada = member(world)
    stranger = Person(world, password=OTHER_PASSWORD, name="Stranger", email="ADA@example.com")

    answer = stranger.register()

    assert (answer.status, answer.json) == (202, {"status": "accepted"})
    assert [item["user_id"] for item in world.items("IdentityTable") if item.get("purpose") == "taken"] == [ada.user_id]
    refused(stranger.log_in(), 403, "EMAIL_NOT_VERIFIED")
    refused(stranger.log_in("neither of the two passwords"), 401, "INVALID_CREDENTIALS")
    assert ada.log_in().status == 200


def test_who_registers_again_and_again_is_answered_the_same_whoever_has_the_address(world: World) -> None:
    """Beyond the mails that an address gets in an hour, a taken one was a 500: a sign that it is taken."""
    taken, free = member(world), Person(world, email="eve@example.com")

    answers = [person.register() for person in (taken, free) for _ in range(8)]

    assert [(answer.status, answer.json) for answer in answers] == [(202, {"status": "accepted"})] * 16
    assert taken.log_in().status == 200


def test_a_mail_s_link_makes_its_own_registration_the_good_one(world: World) -> None:
    """Who registers somebody else's address first does not choose the password that the owner's own link opens."""
    thief = Person(world, password=OTHER_PASSWORD, name="Thief")
    thief.register()
    own = {item["pk"] for item in world.items("IdentityTable") if item["sk"] == "CODE"}
    ada = Person(world)
    ada.register()
    (code,) = [item for item in world.items("IdentityTable") if item["sk"] == "CODE" and item["pk"] not in own]
    token = codes.token_of(tables.code_id_of(code), Purpose.VERIFY, ada.user_id)
    assert ada.send("POST /v1/auth/email/verify", {"token": token}).status == 200

    assert ada.log_in().status == 200
    refused(thief.log_in(), 401, "INVALID_CREDENTIALS")
    assert ada.call("GET /v1/users/me").json["name"] == "Ada Lovelace"


def test_a_link_is_good_once_and_for_a_day(world: World, time: list[datetime]) -> None:
    ada = Person(world)
    ada.register()
    token = ada.mailed(Purpose.VERIFY)
    time[0] += timedelta(hours=24)
    refused(ada.send("POST /v1/auth/email/verify", {"token": token}), 422, "INVALID_CODE")

    time[0] -= timedelta(seconds=1)
    assert ada.send("POST /v1/auth/email/verify", {"token": token}).status == 200
    refused(ada.send("POST /v1/auth/email/verify", {"token": token}), 422, "INVALID_CODE")


def other(letter: str) -> str:
    return "A" if letter != "A" else "E"


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1] + other(t[-1]), lambda t: other(t[0]) + t[1:], lambda _: "", lambda t: t * 9]
)
def test_a_token_that_is_none_of_a_mail_s_opens_nothing(world: World, change: Any) -> None:
    ada = Person(world)
    ada.register()

    assert ada.send("POST /v1/auth/email/verify", {"token": change(ada.mailed(Purpose.VERIFY))}).status == 422
    assert ada.verify().status == 200


def test_a_code_of_one_purpose_is_none_of_another(world: World) -> None:
    ada = Person(world)
    ada.register()
    answer = ada.send("POST /v1/auth/password/reset/confirm", {"token": ada.mailed(Purpose.VERIFY), "password": OTHER_PASSWORD})

    refused(answer, 422, "INVALID_CODE")


def test_nothing_that_opens_a_door_is_in_an_event_or_the_table(world: World) -> None:
    ada = Person(world)
    ada.register()
    token = ada.mailed(Purpose.VERIFY)

    told = str(world.events())
    assert "identity.mail_requested.v1" in told
    assert token.partition(".")[2] not in told + str(world.items("IdentityTable"))
    assert not {"ada@example.com", PASSWORD, "Lovelace"} & set(told.split("'"))
    assert PASSWORD not in str(world.items("IdentityTable"))


# --- login ------------------------------------------------------------------------------------------------------------


def test_unknown_user_wrong_password_and_disabled_user_are_one_answer(world: World) -> None:
    ada, bob = member(world), member(world, "bob")
    first_administrator(world).call("POST /v1/users/{id}/disable", path={"id": bob.user_id})

    answers = [ada.log_in(OTHER_PASSWORD), Person(world, email="eve@example.com").log_in(), bob.log_in()]

    assert {(each.status, each.json["error_code"], each.json["message"]) for each in answers} == {
        (401, "INVALID_CREDENTIALS", answers[0].json["message"])
    }


def test_a_login_s_device_is_told_from_strangers(world: World) -> None:
    cookie = member(world).log_in().headers["Set-Cookie"]

    assert {"HttpOnly", "Secure", "SameSite=Strict"} <= {part.strip() for part in cookie.split(";")}


# --- sessions ----------------------------------------------------------------------------------------------------------


def test_a_session_is_listed_refreshed_and_ended(world: World) -> None:
    ada = member(world)
    phone = Person(world, address="198.51.100.9")
    phone.log_in()

    items = ada.call("GET /v1/auth/sessions").json["items"]
    assert sorted((each["current"], each["address"]) for each in items) == [(False, "198.51.100.9"), (True, "203.0.113.7")]
    assert all(each.keys() == {"id", "created_at", "last_used_at", "address", "user_agent", "current"} for each in items)

    (other,) = [each["id"] for each in items if not each["current"]]
    assert ada.call("DELETE /v1/auth/sessions/{id}", path={"id": other}).status == 204
    assert phone.call("GET /v1/users/me").status == 401
    refused(phone.refresh(), 401, "INVALID_REFRESH_TOKEN")
    assert ada.refresh().status == 200
    assert ada.call("POST /v1/auth/logout").status == 204
    assert ada.call("GET /v1/users/me").status == 401
    refused(ada.refresh(), 401, "INVALID_REFRESH_TOKEN")


def test_nobody_ends_another_s_session(world: World) -> None:
    ada, bob = member(world), member(world, "bob")
    (session,) = bob.call("GET /v1/auth/sessions").json["items"]

    refused(ada.call("DELETE /v1/auth/sessions/{id}", path={"id": session["id"]}), 404, "SESSION_NOT_FOUND")
    assert bob.call("GET /v1/users/me").status == 200


@pytest.mark.parametrize(
    "session_id", ["none", "x" * 3000, "%ED%A0%80", " "], ids=["no id", "too long", "half a character", "a space"]
)
def test_there_is_no_session_of_an_id_that_is_none(world: World, session_id: str) -> None:
    refused(member(world).call("DELETE /v1/auth/sessions/{id}", path={"id": session_id}), 404, "SESSION_NOT_FOUND")


def test_a_token_that_was_issued_to_a_service_has_no_session_to_end(world: World) -> None:
    refused(world.call("POST /v1/auth/logout", user="user-1"), 403, "NO_SESSION")
    assert world.call("GET /v1/auth/sessions", user="user-1").json == {"items": []}


def test_a_refresh_rotates_and_its_loss_is_answered_with_the_same(world: World, time: list[datetime]) -> None:
    ada = member(world)
    first = ada.tokens["refresh_token"]
    time[0] += timedelta(minutes=20)
    second = ada.refresh().json["refresh_token"]
    time[0] += timedelta(seconds=5)

    assert second != first
    assert ada.refresh(first).json["refresh_token"] == second
    assert ada.call("GET /v1/users/me").status == 200


def test_a_stolen_refresh_token_ends_the_session_for_both(world: World, time: list[datetime]) -> None:
    ada = member(world)
    stolen = ada.tokens["refresh_token"]
    for _ in range(2):
        time[0] += timedelta(minutes=15)
        ada.refresh()

    refused(ada.send("POST /v1/auth/refresh", {"refresh_token": stolen}), 401, "INVALID_REFRESH_TOKEN")
    refused(ada.refresh(), 401, "INVALID_REFRESH_TOKEN")
    assert ada.call("GET /v1/users/me").status == 401
    (event,) = world.events("identity.session_revoked.v1")
    assert event["data"]["reason"] == "refresh_token_reused"


def test_a_session_ends_after_a_week_without_use_and_after_thirty_days_whatever_is_done(
    world: World, time: list[datetime]
) -> None:
    ada = member(world)
    idle = Person(world)
    idle.log_in()
    begun = time[0]
    while time[0] < begun + timedelta(days=24):
        time[0] += timedelta(days=6)
        assert ada.refresh().status == 200
    refused(idle.refresh(), 401, "INVALID_REFRESH_TOKEN")
    time[0] = begun + timedelta(days=30)
    refused(ada.refresh(), 401, "INVALID_REFRESH_TOKEN")


# --- passwords -----------------------------------------------------------------------------------------------------------


def test_a_new_password_ends_every_other_session(world: World) -> None:
    ada = member(world)
    phone = Person(world)
    phone.log_in()

    answer = ada.call("POST /v1/auth/password", {"current_password": PASSWORD, "new_password": OTHER_PASSWORD})

    assert (answer.status, answer.text) == (204, "")
    assert phone.call("GET /v1/users/me").status == 401
    assert ada.call("GET /v1/users/me").status == 200
    assert ada.refresh().status == 200
    refused(ada.log_in(), 401, "INVALID_CREDENTIALS")
    assert ada.log_in(OTHER_PASSWORD).status == 200


def test_a_password_is_changed_by_who_knows_it_and_has_just_logged_in(world: World, time: list[datetime]) -> None:
    ada = member(world)
    wanted = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}

    refused(ada.call("POST /v1/auth/password", wanted | {"current_password": OTHER_PASSWORD}), 401, "INVALID_CREDENTIALS")
    refused(ada.call("POST /v1/auth/password", wanted | {"new_password": "short"}), 422, "WEAK_PASSWORD")
    time[0] += timedelta(minutes=11)
    refused(ada.call("POST /v1/auth/password", wanted), 401, "FRESH_LOGIN_REQUIRED")
    refused(world.call("POST /v1/auth/password", body=wanted), 403, "NO_SESSION")


def test_a_session_issues_itself_no_token_that_passes_for_a_fresh_login(world: World, time: list[datetime]) -> None:
    admin = first_administrator(world)
    wanted = {"userId": admin.user_id, "roles": ["admin"]}
    assert admin.call("POST /api/auth/token", wanted).status == 200

    time[0] += timedelta(minutes=10)

    refused(admin.call("PUT /v1/users/{id}/roles", {"roles": ["admin"]}, path={"id": admin.user_id}), 401, "FRESH_LOGIN_REQUIRED")
    refused(admin.call("POST /api/auth/token", wanted), 401, "FRESH_LOGIN_REQUIRED")


def test_a_reset_s_link_sets_the_password_and_ends_every_session(world: World) -> None:
    ada = member(world)

    assert ada.send("POST /v1/auth/password/reset", {"email": "Ada@example.com"}).json == {"status": "accepted"}
    token = ada.mailed(Purpose.RESET)
    refused(ada.send("POST /v1/auth/password/reset/confirm", {"token": token, "password": "short"}), 422, "WEAK_PASSWORD")
    answer = ada.send("POST /v1/auth/password/reset/confirm", {"token": token, "password": OTHER_PASSWORD})

    assert (answer.status, answer.text) == (204, "")
    assert ada.call("GET /v1/users/me").status == 401
    refused(ada.refresh(), 401, "INVALID_REFRESH_TOKEN")
    refused(ada.send("POST /v1/auth/password/reset/confirm", {"token": token, "password": PASSWORD}), 422, "INVALID_CODE")
    assert ada.log_in(OTHER_PASSWORD).status == 200


def test_the_first_of_two_resets_makes_the_other_worthless(world: World) -> None:
    ada = member(world)
    for _ in range(2):
        ada.send("POST /v1/auth/password/reset", {"email": ada.email})
    resets = [item for item in world.items("IdentityTable") if item.get("purpose") == "reset"]
    tokens = [codes.token_of(tables.code_id_of(item), Purpose.RESET, ada.user_id) for item in resets]
    body = {"password": OTHER_PASSWORD}

    assert ada.send("POST /v1/auth/password/reset/confirm", body | {"token": tokens[0]}).status == 204
    refused(ada.send("POST /v1/auth/password/reset/confirm", body | {"token": tokens[1]}), 422, "INVALID_CODE")


def test_nobody_is_told_whether_an_address_has_an_account(world: World) -> None:
    answer = world.call("POST /v1/auth/password/reset", roles=None, body={"email": "eve@example.com"})

    assert (answer.status, answer.json) == (202, {"status": "accepted"})
    assert world.events("identity.mail_requested.v1") == []


# --- administration --------------------------------------------------------------------------------------------------------


def test_nobody_is_kept_from_a_new_password_by_who_registers_their_address(world: World) -> None:
    ada = member(world)
    for _ in range(8):
        ada.register()

    assert ada.send("POST /v1/auth/password/reset", {"email": ada.email}).status == 202

    answer = ada.send("POST /v1/auth/password/reset/confirm", {"token": ada.mailed(Purpose.RESET), "password": OTHER_PASSWORD})
    assert answer.status == 204


def test_an_administrator_finds_lists_and_changes_users(world: World, time: list[datetime]) -> None:
    seconds = count(1)
    admin = first_administrator(world)
    people = []
    for name in ("ada", "bob", "eve"):
        time[0] += timedelta(seconds=next(seconds))
        people.append(member(world, name))
    everybody = [each.user_id for each in (*reversed(people), admin)]

    listed: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        answer = admin.call("GET /v1/users", query=query).json
        listed += [each["id"] for each in answer["items"]]
        if answer["next_token"] is None:
            break
        query["next_token"] = answer["next_token"]
    assert listed == everybody

    found = admin.call("GET /v1/users", query={"email": "BOB@example.com"}).json["items"]
    assert [each["name"] for each in found] == ["Bob"]
    assert admin.call("GET /v1/users", query={"email": "nobody@example.com"}).json == {"items": [], "next_token": None}
    bob = people[1]
    assert admin.call("GET /v1/users/{id}", path={"id": bob.user_id}).json["email"] == "bob@example.com"
    answer = admin.call("PUT /v1/users/{id}/roles", {"roles": ["manager"]}, path={"id": bob.user_id})
    assert (answer.status, answer.json["roles"]) == (200, ["manager"])
    assert bob.call("GET /api/v1/warehouses").status == 200, "roles are those of now, not the token's"


def test_users_see_themselves_and_nobody_else(world: World) -> None:
    ada, bob = member(world), member(world, "bob")

    assert ada.call("GET /v1/users/{id}", path={"id": ada.user_id}).status == 200
    for user_id in (bob.user_id, ids.new(), "nobody"):
        refused(ada.call("GET /v1/users/{id}", path={"id": user_id}), 404, "USER_NOT_FOUND")
    refused(ada.call("GET /v1/users"), 403, "FORBIDDEN")
    assert ada.call("PATCH /v1/users/me", {"name": "Ada King"}).json["name"] == "Ada King"
    assert ada.call("PATCH /v1/users/me", {"roles": ["admin"]}).status == 422


def test_a_disabled_user_is_out_at_once_and_back_when_enabled_but_not_logged_in(world: World) -> None:
    admin, ada = first_administrator(world), member(world)

    answer = admin.call("POST /v1/users/{id}/disable", path={"id": ada.user_id})
    assert (answer.status, answer.json["disabled"]) == (200, True)
    assert ada.call("GET /v1/users/me").status == 401
    refused(ada.refresh(), 401, "INVALID_REFRESH_TOKEN")
    refused(ada.log_in(), 401, "INVALID_CREDENTIALS")
    admin.call("POST /v1/users/{id}/enable", path={"id": ada.user_id})
    assert ada.call("GET /v1/users/me").status == 401
    assert ada.log_in().status == 200


def test_there_is_one_first_administrator_ever(world: World) -> None:
    admin = first_administrator(world)

    wanted = {"email": "eve@example.com", "password": OTHER_PASSWORD, "name": "Eve"}
    assert world.invoke("identity/create_first_administrator", wanted) == {"status": "exists"}
    assert Person(world, email="eve@example.com").log_in(OTHER_PASSWORD).status == 401
    assert admin.log_in().status == 200


def test_the_last_administrator_stays(world: World) -> None:
    admin, ada = first_administrator(world), member(world)
    mine, hers = {"id": admin.user_id}, {"id": ada.user_id}

    refused(admin.call("POST /v1/users/{id}/disable", path=mine), 409, "LAST_ADMINISTRATOR")
    refused(admin.call("PUT /v1/users/{id}/roles", {"roles": ["buyer"]}, path=mine), 409, "LAST_ADMINISTRATOR")
    admin.call("PUT /v1/users/{id}/roles", {"roles": ["admin"]}, path=hers)
    admin.call("POST /v1/users/{id}/disable", path=hers)
    refused(admin.call("POST /v1/users/{id}/disable", path=mine), 409, "LAST_ADMINISTRATOR")
    admin.call("POST /v1/users/{id}/enable", path=hers)
    assert admin.call("PUT /v1/users/{id}/roles", {"roles": []}, path=mine).status == 200


def test_nobody_administers_whose_address_is_not_shown_to_be_theirs(world: World) -> None:
    admin, eve = first_administrator(world), Person(world, email="eve@example.com")
    eve.register()

    refused(admin.call("PUT /v1/users/{id}/roles", {"roles": ["admin"]}, path={"id": eve.user_id}), 409, "USER_NOT_VERIFIED")
    refused(admin.call("POST /v1/users/{id}/disable", path={"id": admin.user_id}), 409, "LAST_ADMINISTRATOR")


def test_a_machine_s_role_is_no_person_s(world: World) -> None:
    ada = member(world)

    answer = world.call("PUT /v1/users/{id}/roles", roles=["admin"], path={"id": ada.user_id}, body={"roles": ["service"]})

    assert answer.status == 422


def test_what_somebody_records_has_their_name(world: World) -> None:
    """One lookup, by the authorizer, when it is written; a service's token has no name but its user's id."""
    ada = member(world, roles=("manager",))
    warehouse, variant = shop.warehouse(world), shop.variant(world)
    body = {"type": "INBOUND", "warehouseId": warehouse, "lines": [{"variantId": variant, "quantity": 1}]}

    answer = ada.call("POST /api/v1/stock-events", body)
    assert (answer.json["createdById"], answer.json["createdByUsername"]) == (ada.user_id, "Ada")
    shown = world.call("GET /api/v1/stock-events/{id}", roles=["admin"], path={"id": answer.json["id"]}).json
    assert shown["createdByUsername"] == "Ada"
    answer = world.call("POST /api/v1/stock-events", roles=["manager"], user="clerk", body=body)
    assert answer.json["createdByUsername"] == "clerk"


def test_a_login_hashes_the_password_with_the_parameters_of_today(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = member(world)
    before = users.get(ada.user_id).password_hash
    monkeypatch.setattr(passwords, "PASSES", passwords.PASSES + 1)

    assert ada.log_in().status == 200

    after = users.get(ada.user_id).password_hash
    assert (f"t={passwords.PASSES}" in after, f"t={passwords.PASSES}" in before) == (True, False)
    assert ada.call("GET /v1/users/me").status == 200
    assert ada.log_in().status == 200
    assert users.get(ada.user_id).password_hash == after


def test_the_first_administrator_takes_no_address_that_somebody_has(world: World) -> None:
    Person(world, email="admin@example.com").register()

    with pytest.raises(AddressTaken):
        first_administrator(world)
    wanted = {"email": "root@example.com", "password": OTHER_PASSWORD, "name": "Root"}
    assert world.invoke("identity/create_first_administrator", wanted) == {"status": "created"}


def test_a_mail_that_is_sent_before_its_request_is_answered_is_no_fault(world: World) -> None:
    """The answer of the database is lost, and what was written is read, and changed, before it is sent again."""
    ada = member(world)
    client = aws.client("dynamodb")
    put = client.put_item
    sends: list[Any] = []

    def lose(**request: Any) -> Any:
        sends.append(put(**request) if not sends else request)
        if len(sends) == 1:
            put(TableName=request["TableName"], Item=request["Item"] | {"commit_token": {"S": "the consumer's"}})
            raise ReadTimeoutError(endpoint_url="")
        return put(**request)

    with patch.object(client, "put_item", lose):
        answer = ada.send("POST /v1/auth/password/reset", {"email": ada.email})

    assert (answer.status, len(sends)) == (202, 2)
